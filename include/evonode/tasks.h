// SPDX-License-Identifier: Apache-2.0
/// @file
/// The built-in tasks: images into classes, a trajectory to follow, a density by a flow.
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

/// A Neural ODE dx/dt = f(x) whose solution from the source's sample on follows its target at
/// equally spaced times in (0, 1], by the loss Σ ‖x(tᵢ) − target‖². f is an MLP of two hidden
/// layers. Metrics: loss, max_error. Fixed steps must be a multiple of the times.
/// @param[in] source  samples [D], targets [times, D], one batch (evn_source_curve); borrowed
/// @param[in] width   units of a hidden layer
/// @return EVN_ERR_ARGUMENT; EVN_ERR_SHAPE for a source of other shapes
evn_status evn_task_trajectory(evn_device *device, const evn_source *source, int width,
                               uint64_t seed, evn_task *task);

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
} evn_flow_options;

/// A continuous normalizing flow in the plane, by maximum likelihood. Metrics: test_nll (mean of
/// −log p over the test part, by the exact trace) and gap_nats.
/// @param[in] source  samples [2], no targets (evn_source_density); borrowed, outlives the task
/// @return EVN_ERR_ARGUMENT for an unknown model; EVN_ERR_SHAPE for a source of other shapes
evn_status evn_task_flow(evn_device *device, const evn_source *source,
                         const evn_flow_options *options, evn_task *task);

/// Models of a flow: name of number `index`, NULL past the last.
const char *evn_flow_model_name(int index);

EVN_API_END

#endif
