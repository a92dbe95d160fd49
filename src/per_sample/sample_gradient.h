// SPDX-License-Identifier: Apache-2.0
// The gradient through a solve in which each sample has steps of its own: backprop along the steps
// that it took, whose lengths count as given. States are kept, the rest is computed again.
#ifndef EVN_PER_SAMPLE_SAMPLE_GRADIENT_H
#define EVN_PER_SAMPLE_SAMPLE_GRADIENT_H

#include "per_sample/sample_solve.h"

typedef struct evn__sample_gradient evn__sample_gradient;

/// @param[in] solve  made for a gradient; outlives it
evn_status evn__sample_gradient_create(evn__sample_solve *solve, evn__sample_gradient **gradient);
void evn__sample_gradient_destroy(evn__sample_gradient **gradient); ///< nulls; accepts NULL

/// Through the last solve. Overwrites the cotangents of the parameters; enqueues only.
/// @param[out] solution  of the sample that took the most steps; dt, which the device has, is 0
evn_status evn__sample_gradient_run(evn__sample_gradient *gradient, const evn__passage *passage,
                                    evn_solution *solution);

/// The cotangent of x at the start, [B, …].
evn_binding evn__sample_gradient_state_bar(const evn__sample_gradient *gradient);

#endif
