// SPDX-License-Identifier: Apache-2.0
// Continuous normalizing flows by maximum likelihood. A point of the target stands at t = 0 and
// flows to the base density N(0, I) at t = 1, so that
//     log p(z(0)) = log N(z(1); 0, I) − ℓ(1),   ℓ(0) = 0;
// new points are drawn from the base and solved from t = 1 to 0.
#ifndef EVN_TASK_FLOW_H
#define EVN_TASK_FLOW_H

#include "evonode/tasks.h"
#include "nn/flow.h"

/// What is needed to use a flow: the kind and its parameters.
typedef struct evn__flow_model {
    evn_device *device;
    const evn__flow_kind *kind;
    evn__flow_size size;
    evn_parameters *parameters; ///< allocated
    double log_volume;          ///< of the task's options; densities below are without it
} evn__flow_model;

/// Kind and parameters of the task, owned by it; device NULL for another task.
evn__flow_model evn__flow_get_model(const evn_task *task);

/// The flow of such a task for `samples` points, with the exact trace whatever trains it; its
/// weights are parameters of the task. *dynamics is owned by the caller.
evn_status evn__flow_ode(const evn_task *task, int64_t samples, evn_dynamics **dynamics);

/// log p(·, t) of points [count, D]: at t = 0 the model of the target, at t = 1 the base, between
/// them the density of what is on its way. Compiles a solver; its gradient option does not matter.
/// @param[in]  t      0 to 1
/// @param[out] log_p  [count]
/// @param[out] nfe    mean over the solves from t to 1; may be NULL
/// @return EVN_ERR_ARGUMENT for another t
evn_status evn__flow_log_density(const evn__flow_model *model, const evn_solver_options *solver,
                                 double t, const double *points, int64_t count, double *log_p,
                                 double *nfe);

/// New points on their way from the base: at t = 1, then at `times` (>= 1) equally spaced times,
/// the last of them t = 0. points [times + 1, count, D + 1]: in each row a point and its
/// log-density at that time. Fixed steps are rounded up to a multiple of `times`. Point i depends
/// on seed and i alone.
evn_status evn__flow_sample(const evn__flow_model *model, const evn_solver_options *solver,
                            uint64_t seed, int64_t count, int times, double *points);

/// Mean of −log p over points [count, D].
evn_status evn__flow_nll(const evn__flow_model *model, const evn_solver_options *solver,
                         const double *points, int64_t count, double *nll, double *nfe);

/// The points of a part of a source, one after the other, at most a batch more than `most`.
/// *points [*count, D] is freed by the caller.
evn_status evn__flow_points(const evn_source *source, evn_part part, int64_t most, double **points,
                            int64_t *count);

#endif
