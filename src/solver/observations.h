// SPDX-License-Identifier: Apache-2.0
// What a solve observes, one observation after the other, and what its caller gets of that.
#ifndef EVN_SOLVER_OBSERVATIONS_H
#define EVN_SOLVER_OBSERVATIONS_H

#include "gradients/scheme.h"

typedef struct evn__observations evn__observations;

/// For a problem with observations, which says what each of them keeps.
evn_status evn__observations_create(const evn__problem *problem, evn__observations **observations);
void evn__observations_destroy(evn__observations **observations); ///< nulls; accepts NULL

/// [observations, observed]: where a solve puts it. Of NULL no buffer.
evn_binding evn__observations_all(const evn__observations *observations);
/// [observations, x]: what the caller gets.
evn_binding evn__observations_given(const evn__observations *observations);
/// [observations, Θ], of weights that are solved by themselves, with observe_weights. Else no
/// buffer.
evn_binding evn__observations_weights(const evn__observations *observations);
/// After a solve: put it there. Enqueues only.
evn_status evn__observations_give(const evn__observations *observations);

#endif
