// SPDX-License-Identifier: Apache-2.0
// dw/dt = rate · w + drift, element by element: as many new numbers as w has, twice.
#include "nn/evolution.h"

evn_value evn__evolution_linear(evn__network *network, const char *layer, evn_value t,
                                evn_value w) {
    (void)t;
    evn_graph *g = network->graph;
    evn_shape shape = evn_value_shape(g, w);
    evn_value rate = evn__network_weight(network, layer, "rate", shape, EVN_INITIAL_CONSTANT, 0);
    evn_value drift = evn__network_weight(network, layer, "drift", shape, EVN_INITIAL_CONSTANT, 0);
    return evn_add(g, evn_mul(g, rate, w), drift);
}
