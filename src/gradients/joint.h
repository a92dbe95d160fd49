// SPDX-License-Identifier: Apache-2.0
// A step and its vjp as one plan of two phases, for what goes steps backwards.
#ifndef EVN_GRADIENTS_JOINT_H
#define EVN_GRADIENTS_JOINT_H

#include "dynamics/system.h"
#include "integrator/weight_gradient.h"
#include "methods/stepper.h"

/// Inputs: t, dt, states, parameters, then the late ones: cotangents of the states after the step,
/// with observations what one adds to the cotangent of the first state, and the cotangents so far
/// of the parameters that are carried. Outputs: the states after the step, the cotangents of the
/// states before it, then for each parameter its cotangent with this step's share, or the operands
/// of that share (integrator/weight_gradient.h), then, with `times`, the cotangents of t and dt.
typedef struct evn__joint {
    evn_plan *plan;
    int input_count, output_count; ///< of its graph
} evn__joint;

typedef struct evn__joint_options {
    const evn__system *system;
    const evn__stepper *stepper;
    bool fp64, observes, times;
    evn__weight_gradient *batched; ///< takes parameters, and is compiled; NULL: all are carried
} evn__joint_options;

evn_status evn__joint_create(evn_device *device, const evn__joint_options *options,
                             evn__joint *joint);
void evn__joint_free(evn__joint *joint);

#endif
