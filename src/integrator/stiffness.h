// SPDX-License-Identifier: Apache-2.0
// Why an explicit method needs so many steps: what decays fast bounds them by stability, whatever
// the tolerance.
#ifndef EVN_INTEGRATOR_STIFFNESS_H
#define EVN_INTEGRATOR_STIFFNESS_H

#include "evonode/status.h"
#include "methods/stepper.h"
#include <stdbool.h>
#include <stddef.h>

/// f at the states of rows that do not meet in it, each where it stands in time: both
/// [rows, count].
typedef struct evn__slope {
    void *self;
    evn_status (*at)(void *self, const double *x, double *slope);
    size_t rows, count;
    bool fp64; ///< the precision of f
} evn__slope;

/// Of each row the rate of the fastest decay near x, as the direction of its last step goes, where
/// that bounds the steps of the method to about this length; else 0. By the power method with
/// differences of f: 0 too where the largest eigenvalue decays not, or turns more than it decays.
/// Evaluates f 17 times, for all rows at once, and not at all for methods whose steps nothing
/// bounds.
/// @param[in]  x      [rows, count]
/// @param[in]  dt     [rows], of the last steps
/// @param[out] decay  [rows]
evn_status evn__stiffness_find(const evn__slope *f, const evn__stepper *stepper, const double *x,
                               const double *dt, double *decay);

#endif
