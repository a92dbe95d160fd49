// SPDX-License-Identifier: Apache-2.0
/// @file
/// The built-in tasks: images into classes, a trajectory to follow, a density by a flow;
/// and a loss of your own.
#ifndef EVONODE_TASKS_H
#define EVONODE_TASKS_H

#include "evonode/model.h"
#include "evonode/task.h"

EVN_API_BEGIN

/// Classify images by a ResNet, a Neural ODE or a NODE-EW. Metrics: loss (cross-entropy, nats),
/// accuracy, errors.
/// @param[in] source  samples [H, W, C], targets [classes] one-hot (evn_source_images); borrowed,
///                    outlives the task
/// @param[in] model   image shape, classes and batch are taken from the source
/// @param[in] seed    of the initial values
/// @return EVN_ERR_SHAPE for a source of other shapes; as evn_model_create
evn_status evn_task_images(evn_device *device, const evn_source *source,
                           const evn_model_options *model, uint64_t seed, evn_task *task);

/// What follows trajectories, and how. Set up with evn_trajectory_options_default, then change
/// fields. Shape letters: B trajectories, D columns of a sample, S = D + extra columns of the
/// state.
typedef struct evn_trajectory_options {
    const int *widths;      ///< units of f's hidden layers
    int layers;             ///< entries of widths, 0 to 99
    const char *activation; ///< evn_activation_name
    const char *evolution;  ///< how the matrices (of a basis: and biases) of f evolve, as `weights`
                            ///< of evn_model_options; NULL: they are constant
    /// Its only ODE, for states [B, S], in the place of the four above; NULL: none. Borrowed,
    /// outlives the task.
    const evn_network *network;
    int extra;    ///< columns of the state that nothing is observed of; they begin at 0
    bool missing; ///< targets may be NaN where nothing was observed
    /// [times of a target], as in evn_solver_options, t being 0 to 1; NULL: equally spaced
    const double *times;
    /// The states at t = 0 are learnt, from the samples on, as the parameter start.state [B, S].
    bool learn_starts;
    /// [B]: the time (its number in a target) at which trajectory b ends where b + 1 begins, −1:
    /// it does not. NULL: none does. For learnt starts
    const int *continues;
    double continuity; ///< factor of Σ ‖x_b(end) − x_b+1(0)‖² in the loss; >= 0
    uint64_t seed;     ///< of the initial values
} evn_trajectory_options;

/// Two hidden layers of 300 units with relu, constant weights, equally spaced times, starts that
/// are those of the samples, seed 1.
evn_trajectory_options evn_trajectory_options_default(void);

/// Activations: name of number `index`, NULL past the last.
const char *evn_activation_name(int index);

/// A Neural ODE dx/dt = f(x), or a NODE-EW, whose solutions from the source's samples on follow its
/// targets, by the loss Σ (x(tᵢ) − target)² over what was observed. f is an MLP, or a network's.
/// Metrics: loss, max_error (the largest distance at a time).
/// @param[in] source  samples [D], targets [times, D], all in one batch (evn_source_curve);
///                    borrowed
/// @return EVN_ERR_ARGUMENT; EVN_ERR_SHAPE for a source of other shapes
evn_status evn_task_trajectory(evn_device *device, const evn_source *source,
                               const evn_trajectory_options *options, evn_task *task);

/// A task that is said by what is to become small. Zero-initialise; all but parameters and loss may
/// stay so.
typedef struct evn_loss_options {
    /// Allocated in floats on the device; borrowed, outlive the task.
    evn_parameters *parameters;
    /// Solved from t = 0 to 1; its weights are parameters of the same names. Copied; NULL: nothing
    /// is solved.
    const evn_dynamics *dynamics;
    const float *start;  ///< x(0), of the state's shape; copied. NULL: the batch's samples
    int observations;    ///< as in evn_solver_options, with `times` [observations], copied
    const double *times; ///< NULL: equally spaced
    /// Output "loss", one number, a mean over the batch. Inputs, none of which it must have: "x"
    /// [state], or [observations, state] where there are any; "sample" and "target" [B, …] and
    /// "weight" [B] of the source; and parameters, but not those that are solved with. Copied.
    const evn_graph *loss;
    const evn_source *source; ///< what it leads to is borrowed, outlives the task. NULL: all data
                              ///< are in the graphs
} evn_loss_options;

/// Make a loss small: of graphs alone, or of the solution of an ODE. An epoch is a pass over the
/// source's training part; without one, an iteration. Metric: loss.
/// @return EVN_ERR_ARGUMENT for an input that the loss cannot have, a name in two roles or no
///         start; EVN_ERR_SHAPE
evn_status evn_task_loss(evn_device *device, const evn_loss_options *options, evn_task *task);

/// How a flow finds the divergence of its dynamics in training.
typedef enum evn_trace {
    EVN_TRACE_EXACT,
    EVN_TRACE_RADEMACHER, ///< Hutchinson's estimate, noise ±1
    EVN_TRACE_GAUSSIAN,   ///< the same with normal noise
} evn_trace;

/// What a flow is made of.
typedef struct evn_flow_options {
    const char *model; ///< evn_flow_model_name
    evn_trace trace;   ///< in training; measured it is exact
    double entropy;    ///< of the density in nats, for the metric gap_nats; NaN: not known
    uint64_t seed;     ///< of initial values and noise
    int width;         ///< hidden units of the dynamics; 0: 64
    /// How far the dynamics can move a point while weights are small; 0: 10, the time that Chen et
    /// al. (2018) solve over. At 1 an untrained flow hardly moves a point: it begins with N(0, I).
    double span;
    /// ln |dx/dz| where z is the source's samples and x the units in which densities are to be
    /// measured: what it adds to −log p.
    double log_volume;
    /// How the weights of a model that evolve do, as `weights` of evn_model_options; NULL: by waves
    /// of t whose phases depend on the weights.
    const char *weights;
} evn_flow_options;

/// A continuous normalizing flow in D dimensions, 1 to 128, by maximum likelihood. Metrics, of each
/// part that the source has: test_nll (mean of −log p, by the exact trace), test_bits (that a
/// dimension, in bits) and gap_nats; train_nll of at most 10,000 samples.
/// @param[in] source  samples [D], no targets (evn_source_density, evn_source_points); borrowed,
///                    outlives the task
/// @return EVN_ERR_ARGUMENT for an unknown model; EVN_ERR_SHAPE for a source of other shapes
evn_status evn_task_flow(evn_device *device, const evn_source *source,
                         const evn_flow_options *options, evn_task *task);

/// Models of a flow: name of number `index`, NULL past the last.
const char *evn_flow_model_name(int index);

EVN_API_END

#endif
