// SPDX-License-Identifier: Apache-2.0
// The task of following trajectories, for what looks inside a trained one.
#ifndef EVN_TASK_TRAJECTORY_H
#define EVN_TASK_TRAJECTORY_H

#include "evonode/tasks.h"
#include "nn/field.h"

/// How near the solution comes to the target with a solver.
typedef struct evn__trajectory_fit {
    double loss;      ///< Σ (x(tᵢ) − target)², and what ties trajectories together
    double max_error; ///< max ‖x(tᵢ) − target‖ over what was observed
    int nfe;
    int64_t times, batch, dimensions;
    double *x; ///< [times, batch, dimensions], x(tᵢ); owned
} evn__trajectory_fit;

/// Zero-initialise `fit`, release it with evn__trajectory_fit_free, also after a failure.
evn_status evn__trajectory_evaluate(const evn_task *task, const evn_solver_options *solver,
                                    evn__trajectory_fit *fit);
void evn__trajectory_fit_free(evn__trajectory_fit *fit);

/// What is needed to solve on from other states.
typedef struct evn__trajectory_model {
    evn_device *device;
    evn__field field;           ///< in the task's memory
    evn_parameters *parameters; ///< the task's
    int64_t batch, dimensions, columns, times;
} evn__trajectory_model;

/// Model of the task, owned by it; device NULL for another task.
evn__trajectory_model evn__trajectory_get_model(const evn_task *task);

/// The starts as they are learnt, [batch, columns]. Waits.
evn_status evn__trajectory_starts(const evn__trajectory_model *model, double *starts);

/// Solve `rows` states [rows, columns] on from t = 0. Beyond t = 1 a solve begins anew at every
/// whole number, so that weights that evolve do as they did in training.
/// @param[in]  times  [count], increasing, >= 0
/// @param[out] x      [count, rows, dimensions]
/// @param[out] nfe    of the solve of the first unit of time; may be NULL
evn_status evn__trajectory_run(const evn__trajectory_model *model, const evn_solver_options *solver,
                               int64_t rows, const double *starts, const double *times,
                               int64_t count, double *x, double *nfe);

#endif
