// SPDX-License-Identifier: Apache-2.0
/// @file
/// Optimisers: update all parameters from all gradients, each in one flat buffer, in one launch.
/// Schedules: the learning rate over the epochs, computed on the host.
#ifndef EVONODE_OPTIMIZER_H
#define EVONODE_OPTIMIZER_H

#include "evonode/plan.h"

EVN_API_BEGIN

// Schedules --------------------------------------------------------------------------------------

/// Course of the learning rate.
typedef enum evn_schedule_kind {
    EVN_SCHEDULE_CONSTANT,
    EVN_SCHEDULE_STEP,   ///< times `factor` at each milestone
    EVN_SCHEDULE_COSINE, ///< half a cosine down to rate·final; with a warm-up: one cycle
} evn_schedule_kind;

/// Most milestones of a schedule.
enum { EVN_SCHEDULE_MILESTONES = 8 };

/// A learning rate over time in epochs. Set up with evn_schedule_default, then change fields.
typedef struct evn_schedule {
    evn_schedule_kind kind; ///< its course; other fields apply as they say
    double rate;            ///< the base rate, > 0: the highest of the schedule
    double epochs; ///< COSINE: its length, > warmup; 0: in a phase of training, the phase's; the
                   ///< rate stays at rate·final afterwards
    double final;  ///< COSINE: fraction of `rate` at the end, in [0, 1]
    double warmup; ///< epochs of a linear rise from rate·start to rate, >= 0; for every kind
    double start;  ///< fraction of `rate` at the beginning of the warm-up, in [0, 1]
    double factor; ///< STEP: > 0
    double milestones[EVN_SCHEDULE_MILESTONES]; ///< STEP: epochs, ascending
    int milestone_count;                        ///< entries of milestones
} evn_schedule;

/// Constant `rate`; should another kind be set: factor 0.1, final 0.01, start 0.1, no warm-up, no
/// milestones.
evn_schedule evn_schedule_default(double rate);

/// @return EVN_ERR_ARGUMENT, naming the field, when one is out of its range
evn_status evn_schedule_check(const evn_schedule *schedule);

/// The rate at `epoch` (>= 0, fractions allowed: 2.5 is in the middle of the third epoch).
double evn_schedule_rate(const evn_schedule *schedule, double epoch);

// Optimisers -------------------------------------------------------------------------------------

/// An optimiser with its state on the device.
typedef struct evn_optimizer evn_optimizer;

/// Rules of update, for parameters p with gradient g.
typedef enum evn_optimizer_kind {
    EVN_OPTIMIZER_SGD,  ///< g += decay·p; v = momentum·v + g; p −= rate·v
    EVN_OPTIMIZER_ADAM, ///< Kingma and Ba (2015), algorithm 1, epsilon outside the square root
    /// Limited-memory BFGS with a line search that sees gradients alone: for losses that are the
    /// same function in every step (no batches, no noise). `rate` is the first length that is
    /// tried, as a multiple of the quasi-Newton step: 1, or less to be careful.
    EVN_OPTIMIZER_LBFGS,
} evn_optimizer_kind;

/// Set up with evn_optimizer_options_default, then change fields.
typedef struct evn_optimizer_options {
    evn_optimizer_kind kind; ///< rule of update; other fields apply as they say
    bool fp64;               ///< the buffers hold doubles
    double momentum;         ///< SGD: in [0, 1)
    double beta1, beta2;     ///< Adam: decay of the means of g and g², in [0, 1)
    double epsilon;          ///< Adam: > 0
    /// >= 0. SGD: added to the gradient (L2 penalty). Adam: decoupled (Loshchilov and Hutter 2019),
    /// p −= rate·decay·p before the step, the moments do not see it. L-BFGS: must be 0.
    double weight_decay;
    int history; ///< L-BFGS: steps that are remembered, 1 … 64
} evn_optimizer_options;

/// SGD: momentum 0.9. Adam: 0.9, 0.999, 1e-8. L-BFGS: history 20. No weight decay; fp32.
evn_optimizer_options evn_optimizer_options_default(evn_optimizer_kind kind);

/// Allocate the state for `count` (> 0) parameters, zero it and compile the kernels.
/// @return EVN_ERR_ARGUMENT, naming the option, when one is out of its range
evn_status evn_optimizer_create(evn_device *device, const evn_optimizer_options *options,
                                size_t count, evn_optimizer **optimizer);
void evn_optimizer_destroy(evn_optimizer **optimizer); ///< nulls; accepts NULL

/// One step at learning rate `rate`: parameters [count] are updated in place from gradients
/// [count]; the two must not overlap. One launch; does not wait. L-BFGS: a few launches and three
/// waits; one call is one evaluation, so that a step which was too long takes back a part of
/// itself.
/// @return EVN_ERR_ARGUMENT when a binding has no room for count elements, or the two overlap
evn_status evn_optimizer_step(evn_optimizer *optimizer, evn_binding parameters,
                              evn_binding gradients, double rate);

/// Euclidean norm of gradients [count], inf or NaN when an element is not finite (or its square
/// overflows). Waits for the device.
evn_status evn_optimizer_gradient_norm(evn_optimizer *optimizer, evn_binding gradients,
                                       double *norm);

/// Bytes of the state: SGD [1, count] velocity, Adam [2, count] means of g and of g², L-BFGS
/// [2 history + 3, count], in the working precision, and what its host side knows.
size_t evn_optimizer_state_bytes(const evn_optimizer *optimizer);

/// Copy the state to `data` (evn_optimizer_state_bytes) and the number of steps taken. Waits.
evn_status evn_optimizer_save(const evn_optimizer *optimizer, void *data, int64_t *steps);

/// The reverse: training goes on exactly as it would have from the saved state.
/// @return EVN_ERR_DATA for a state that none has
evn_status evn_optimizer_restore(evn_optimizer *optimizer, const void *data, int64_t steps);

EVN_API_END

#endif
