// SPDX-License-Identifier: Apache-2.0
// Piecewise linear weights: cₖ is θ at t = k/(K − 1), and between two of these times θ is on the
// line from one to the next.
#include "nn/basis.h"

static evn_value functions(evn__network *network, evn_value t, int count) {
    evn_graph *g = network->graph;
    evn_value distance = evn_abs(g, evn__basis_places(g, t, count, count - 1, 0, -1));
    return evn_relu(g, evn_sub(g, evn_full(g, EVN_SHAPE(1, count), 1), distance));
}

const evn__basis evn__basis_piecewise_linear = {functions, true, false, 2, 8};
