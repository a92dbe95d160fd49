// SPDX-License-Identifier: Apache-2.0
// Activations: functions of each element, by name.
#ifndef EVN_NN_ACTIVATION_H
#define EVN_NN_ACTIVATION_H

#include "evonode/graph.h"

typedef evn_value evn__activation(evn_graph *graph, evn_value x);

/// The activation of that name; NULL when there is none. Name number `index`, NULL past the last.
evn__activation *evn__activation_find(const char *name);
const char *evn__activation_name(int index);

#endif
