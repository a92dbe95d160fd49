// SPDX-License-Identifier: Apache-2.0
// Controllers of the step size: how long the next step is, from the errors of this one and of those
// before. The device computes it (kernels/control.cl); the functions here are its twins.
#ifndef EVN_INTEGRATOR_CONTROLLER_H
#define EVN_INTEGRATOR_CONTROLLER_H

#include "evonode/solver.h"
#include "methods/stepper.h"

/// The factor of the next step: safety · e_n^(−a/q) · e_{n−1}^(−b/q) · e_{n−2}^(−c/q) with
/// q = order of the estimate + 1, between least and most. After a rejected step it is that of
/// a = 1, b = c = 0; after one without error, most.
typedef struct evn__controller {
    const char *name, *kernel;  ///< kernel: its function in kernels/control.cl
    double exponents[3];        ///< a, b, c
    double safety, least, most; ///< of the factor
    double remembered;          ///< no error before counts as less than this
} evn__controller;

/// The controller of the options, which are right.
evn__controller evn__controller_create(const evn_solver_options *options);

/// @param error   at most 1 where the step is accepted; infinite or NaN, it counts as far too large
/// @param errors  [2], of the accepted steps before, the last one first, 1 where there are none;
///                those that were cut short to land are not among them
double evn__controller_factor(const evn__controller *controller, const evn__stepper *stepper,
                              double error, const double errors[2]);

#endif
