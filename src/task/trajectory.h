// SPDX-License-Identifier: Apache-2.0
// The task of following a trajectory, for what looks inside a trained one.
#ifndef EVN_TASK_TRAJECTORY_H
#define EVN_TASK_TRAJECTORY_H

#include "evonode/tasks.h"

/// How near the solution comes to the target with a solver.
typedef struct evn__trajectory_fit {
    double loss;      ///< Σ ‖x(tᵢ) − target‖²
    double max_error; ///< max ‖x(tᵢ) − target‖
    int nfe;
    int64_t times, dimensions;
    double *x; ///< [times, dimensions], x(tᵢ); owned
} evn__trajectory_fit;

/// Zero-initialise `fit`, release it with evn__trajectory_fit_free, also after a failure.
evn_status evn__trajectory_evaluate(const evn_task *task, const evn_solver_options *solver,
                                    evn__trajectory_fit *fit);
void evn__trajectory_fit_free(evn__trajectory_fit *fit);

#endif
