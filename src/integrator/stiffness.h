// SPDX-License-Identifier: Apache-2.0
// Why an explicit method needs so many steps: what decays fast bounds them by stability, whatever
// the tolerance.
#ifndef EVN_INTEGRATOR_STIFFNESS_H
#define EVN_INTEGRATOR_STIFFNESS_H

#include "evonode/status.h"
#include <stdbool.h>
#include <stddef.h>

/// f at a state, both [count].
typedef struct evn__slope {
    void *self;
    evn_status (*at)(void *self, const double *x, double *slope);
    size_t count;
    bool fp64; ///< the precision of f
} evn__slope;

/// The rate of the fastest decay near x, as the direction of time goes (`forward`: t increases): by
/// the power method with differences of f. 0 where the largest eigenvalue decays not, or turns more
/// than it decays. Evaluates f EVN__STIFFNESS_EVALUATIONS times.
evn_status evn__stiffness_rate(const evn__slope *f, const double *x, bool forward, double *rate);
enum { EVN__STIFFNESS_EVALUATIONS = 17 };

#endif
