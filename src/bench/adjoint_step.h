// SPDX-License-Identifier: Apache-2.0
// The reference of a step of the adjoint method: the same step of the same system in plain C.
#ifndef EVN_BENCH_ADJOINT_STEP_H
#define EVN_BENCH_ADJOINT_STEP_H

#include "evonode/dynamics.h"
#include "evonode/parameters.h"

/// A step back from t to t + dt of some samples, with constant weights; states have the dynamics'
/// shape.
typedef struct evn__bench_adjoint_step {
    const evn_dynamics *dynamics;
    const char *method;
    const evn_parameters *parameters; ///< with the dynamics' weights and, on the device, their
                                      ///< gradients
    double t, dt;
    const double *x, *x_bar; ///< at t
    const double *before;    ///< the cotangent at t + dt, as the device has it
} evn__bench_adjoint_step;

/// How far cotangent and gradients of the device are from the reference.
evn_status evn__bench_adjoint_compare(const evn__bench_adjoint_step *step, double *difference);

#endif
