// SPDX-License-Identifier: Apache-2.0
// Continuous normalizing flows trained by maximum likelihood. A point of the target stands at t = 0
// and flows to the base density N(0, I) at t = 1, so that
//     log p(z(0)) = log N(z(1); 0, I) − ℓ(1),   ℓ(0) = 0;
// new points are drawn from the base and solved from t = 1 to 0.
#ifndef EVN_TRAIN_FLOW_H
#define EVN_TRAIN_FLOW_H

#include "data/density.h"
#include "evonode/trainer.h"
#include "nn/flow.h"

/// What is needed to use a flow: the kind and its parameters.
typedef struct evn__flow_model {
    evn_device *device;
    const evn__flow_kind *kind;
    evn_parameters *parameters; ///< allocated
} evn__flow_model;

/// log p(·, t) of points [count, 2]: at t = 0 the model of the target, at t = 1 the base, between
/// them the density of what is on its way. Compiles a solver; its gradient option does not matter.
/// @param[in]  t      0 to 1
/// @param[out] log_p  [count]
/// @param[out] nfe    mean over the solves from t to 1; may be NULL
/// @return EVN_ERR_ARGUMENT for another t
evn_status evn__flow_log_density(const evn__flow_model *model, const evn_solver_options *solver,
                                 double t, const double *points, int64_t count, double *log_p,
                                 double *nfe);

/// New points on their way from the base: at t = 1, then at `times` (>= 1) equally spaced times,
/// the last of them t = 0. points [times + 1, count, 3]: in each row a point and its log-density at
/// that time. Fixed steps are rounded up to a multiple of `times`. Point i depends on seed and i
/// alone.
evn_status evn__flow_sample(const evn__flow_model *model, const evn_solver_options *solver,
                            uint64_t seed, int64_t count, int times, double *points);

/// Mean of −log p over `count` fresh points, the same ones for every model.
evn_status evn__flow_nll(const evn__flow_model *model, const evn_solver_options *solver,
                         const evn__density *density, int64_t count, double *nll, double *nfe);

/// Draw density.png into the folder: at t = 1, 0.8, … 0, on [−extent, extent]², how many of 10,000
/// samples an area has, and below it p(·, t) as evn__flow_log_density finds it.
evn_status evn__flow_draw_density(const evn__flow_model *model, const evn_solver_options *solver,
                                  double extent, const char *folder);

// Training ----------------------------------------------------------------------------------------

typedef enum evn__flow_noise {
    EVN__NOISE_NONE,       ///< the trace is exact
    EVN__NOISE_RADEMACHER, ///< Hutchinson's estimate in training, ε = ±1
    EVN__NOISE_GAUSSIAN,
} evn__flow_noise;

typedef struct evn__flow_options {
    const evn__density *density;
    const evn__flow_kind *kind;
    int64_t batch; ///< fresh points an iteration
    evn__flow_noise noise;
} evn__flow_options;

typedef struct evn__flow evn__flow;

/// Build, allocate, compile the first phase. Of the trainer's options `model` is not read. An epoch
/// of a phase is one iteration; its epoch_done comes every ten of them, and what an evn_epoch has
/// about accuracies does not apply (NaN, −1).
/// @return EVN_ERR_ARGUMENT
evn_status evn__flow_create(evn_device *device, const evn__flow_options *options,
                            const evn_trainer_options *training, evn__flow **flow);
void evn__flow_destroy(evn__flow **flow); ///< nulls; accepts NULL

/// Train all phases, or what is left of them. Failures as of evn_trainer_run.
evn_status evn__flow_run(evn__flow *flow);

/// As evn_trainer_save and evn_trainer_restore; a training that was stopped can be saved too.
evn_status evn__flow_save(evn__flow *flow, const char *path);
evn_status evn__flow_restore(evn__flow *flow, const char *path, int *iterations);

/// Loss and gradient of the first phase on the points of an iteration (>= 0), without its update;
/// the gradient is in the parameters. Waits for the loss. Draws the points of the iteration after
/// it.
evn_status evn__flow_gradient(evn__flow *flow, int iteration, double *loss);

/// The points [batch, 2] that the last iteration or gradient was on; owned by the flow.
const double *evn__flow_points(const evn__flow *flow);

/// The loss of every iteration so far, before its update; *count of them, owned by the flow.
const double *evn__flow_losses(const evn__flow *flow, int *count);

/// Kind and parameters, owned by the flow.
evn__flow_model evn__flow_get_model(const evn__flow *flow);

#endif
