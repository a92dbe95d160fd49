// SPDX-License-Identifier: Apache-2.0
// Gradients with respect to times: t0, t1 and those of observations. Along steps, whose places in
// their interval count as constant, they follow from the cotangents of the times and lengths of the
// steps. Where there are none they are those of the solution: with H the rate at which a loss
// changes when the state moves on (rates.h), H(x̄) at the time of an observation and −H(x̄0, θ̄0) at
// t0 (Chen et al. 2018, appendix C).
#ifndef EVN_GRADIENTS_TIME_GRADIENT_H
#define EVN_GRADIENTS_TIME_GRADIENT_H

#include "gradients/scheme.h"

typedef struct evn__time_gradient evn__time_gradient;

/// For gradients by `methods`, and by what they fall back on. Where these go along steps the memory
/// is made that a way without length needs when there is the first one.
/// @return EVN_ERR_ARGUMENT as evn_solver_create documents it
evn_status evn__time_gradient_create(const evn__problem *problem,
                                     const evn__scheme_methods *methods,
                                     evn__time_gradient **gradient);
void evn__time_gradient_destroy(evn__time_gradient **gradient); ///< nulls; accepts NULL

/// Before a solve: component `index` of the state at t0, which is copied where it is needed; and
/// the times.
evn_status evn__time_gradient_start(const evn__time_gradient *gradient, int index,
                                    evn_binding state);
void evn__time_gradient_begin(evn__time_gradient *gradient, const evn__passage *passage);

/// After a gradient by `scheme`; enqueues only.
/// passage->series and x1_bar of a part are those of its own observations.
evn_status evn__time_gradient_take(evn__time_gradient *gradient, const evn__scheme *scheme,
                                   const evn__passage *passage);

/// As evn_solver_time_gradient. Waits.
evn_status evn__time_gradient_read(evn__time_gradient *gradient, double *t0_bar, double *t1_bar,
                                   double *times_bar);

/// As evn_solver_jump_gradient, of a way in parts.
void evn__time_gradient_read_jumps(const evn__time_gradient *gradient, double *jumps_bar);

/// Times that there may be, and samples that have them.
size_t evn__time_gradient_moments(const evn__time_gradient *gradient);
size_t evn__time_gradient_samples(const evn__time_gradient *gradient);
/// Each by itself. Waits.
/// @param[out] bars  [moments, samples]: of t0, then of the observations, or of t1 without any;
///                   where the problem goes on, the last of all is that of t1 for what comes from
///                   behind it
evn_status evn__time_gradient_read_moments(const evn__time_gradient *gradient, double *bars);

#endif
