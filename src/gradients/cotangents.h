// SPDX-License-Identifier: Apache-2.0
// Cotangents that steps exchange on their way back: of states and of parameters, before and after
// each step.
#ifndef EVN_GRADIENTS_COTANGENTS_H
#define EVN_GRADIENTS_COTANGENTS_H

#include "gradients/scheme.h"
#include "integrator/integrator.h"

typedef struct evn__cotangents {
    const evn__problem *problem;
    int sets;           ///< of states: as many as go beside each other
    evn__layout layout; ///< of a set
    size_t *parameter;  ///< where each parameter's is, behind the sets
    size_t total;
    evn_buffer *memory; ///< [2][total], exchanged by each step
    evn_buffer *zeros;  ///< [x]: the share of no observation
    int now;
} evn__cotangents;

evn_status evn__cotangents_create(const evn__problem *problem, int sets, evn__cotangents *c);
void evn__cotangents_free(evn__cotangents *c);

/// Of component `index` of a set, as it is now.
evn_binding evn__cotangents_state(const evn__cotangents *c, int set, int index);

/// At t1: x1_bar of the first set's x where nothing is observed; otherwise, and of its other
/// states, what comes from behind; 0 of all others.
evn_status evn__cotangents_load(evn__cotangents *c, const evn__passage *passage);

/// All states, set by set, or all parameters, as they are now or will be `next`; returns the place
/// after.
evn_binding *evn__cotangents_bind_states(const evn__cotangents *c, bool next, evn_binding *to);
evn_binding *evn__cotangents_bind_parameters(const evn__cotangents *c, bool next, evn_binding *to);

/// The share of an observation in x1_bar; −1: of none.
evn_binding evn__cotangents_share(const evn__cotangents *c, evn_binding x1_bar, int observation);

/// Those of the parameters, to where they are wanted.
evn_status evn__cotangents_deliver(const evn__cotangents *c, const evn_binding *parameters_bar);

#endif
