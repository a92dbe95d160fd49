// SPDX-License-Identifier: Apache-2.0
// Controllers of the step size: how long the next step is, from the error of this one. The device
// computes it (kernels/control.cl); the function here is its twin.
#ifndef EVN_ODE_CONTROLLER_H
#define EVN_ODE_CONTROLLER_H

#include "ode/tableau.h"

typedef struct evn__controller {
    double safety, least, most; ///< of the factor
    /// Factor of the next step: `error` is at most 1 where the step is accepted; infinite or NaN,
    /// it counts as far too large.
    double (*factor)(const struct evn__controller *controller, const evn__tableau *tableau,
                     double error);
} evn__controller;

/// safety · error^(−1/(order of the estimate + 1)) (Hairer, Nørsett, Wanner: Solving ODEs I, II.4).
extern const evn__controller evn__controller_elementary;

#endif
