// SPDX-License-Identifier: Apache-2.0
// Rates at which a loss changes when the state moves on: with its cotangents a of x and b of
// evolving weights, H(t, x, θ; a, b) = a·f + b·g; at some moments, of the batch or of each sample.
#ifndef EVN_GRADIENTS_RATES_H
#define EVN_GRADIENTS_RATES_H

#include "gradients/scheme.h"
#include "integrator/integrator.h"

typedef struct evn__rates evn__rates;

/// @param[in] samples  1: a moment has one time; else it has one for each sample, as many as x has
///                     rows
/// @return EVN_ERR_ARGUMENT as evn_solver_create documents it
evn_status evn__rates_create(const evn__problem *problem, int moments, size_t samples,
                             evn__rates **rates);
void evn__rates_destroy(evn__rates **rates); ///< nulls; accepts NULL

/// @param[in] times  [moments, samples]; waits where they are others than before
evn_status evn__rates_set_times(evn__rates *rates, const double *times);

/// Where the states at a moment are to be bound, then parameters, then the states' cotangents;
/// before each run.
evn_binding *evn__rates_inputs(evn__rates *rates);
/// The cotangent 0 of component `index`.
evn_binding evn__rates_zero(const evn__rates *rates, int index);
/// Enqueues only.
evn_status evn__rates_run(evn__rates *rates, int moment);

/// @param[out] values  [moments, samples]; waits
evn_status evn__rates_read(const evn__rates *rates, double *values);

#endif
