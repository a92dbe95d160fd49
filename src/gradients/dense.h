// SPDX-License-Identifier: Apache-2.0
// The steps of a solve, gone once more, with what their interpolants have between their ends.
#ifndef EVN_GRADIENTS_DENSE_H
#define EVN_GRADIENTS_DENSE_H

#include "gradients/scheme.h"
#include "integrator/integrator.h"

/// @param[in] problem  outlives it
/// @param[in] instead  what takes less memory, for the message of where there is too little; static
evn_status evn__dense_create(const evn__problem *problem, const char *instead, evn__dense **dense);
void evn__dense_destroy(evn__dense **dense); ///< nulls; accepts NULL

/// From the state `start`, laid out as that of an integrator, over the steps. Memory grows with
/// them; waits for what it writes.
evn_status evn__dense_go(evn__dense *dense, const evn__trail *trail, evn_binding start,
                         const evn_binding *parameters);

/// Evaluations of the right-hand side in one step.
int evn__dense_evaluations(const evn__dense *dense);

/// Component `index` of the state before a step; of number `count`: after the last.
evn_binding evn__dense_state(const evn__dense *dense, int step, int index);

/// Where a time is: in a step, at t + θ dt of it; of number `count`, with θ = 0: after the last.
typedef struct evn__dense_place {
    int step;
    double theta;
} evn__dense_place;

/// Component `index` of the state at so many places, [count, its elements]. One launch; waits for
/// what it writes.
evn_status evn__dense_at(evn__dense *dense, const evn__dense_place *places, int count, int index,
                         evn_binding to);

/// How many bindings a step has, and these: the terms of each state, then t and dt.
int evn__dense_count(const evn__dense *dense);
void evn__dense_bind(const evn__dense *dense, int step, evn_binding *to);

#endif
