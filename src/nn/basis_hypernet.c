// SPDX-License-Identifier: Apache-2.0
// A hypernetwork of t (Ha et al. 2017): t → HIDDEN → K − 1, tanh behind both, → θ. The last of its
// layers are the coefficients, its bias the θ that it begins with: a basis that is learnt, which
// all weights of f share.
#include "nn/basis.h"

#include <stdio.h>

enum { HIDDEN = 16, NAME = 32 };

static evn_value functions(evn__network *network, evn_value t, int count) {
    evn__network own = *network; // its weights are constants
    char layer[NAME];
    evn_graph *g = network->graph;
    own.expansion = NULL;
    evn_value one = evn_full(g, EVN_SHAPE(1, 1), 1);
    if (count == 1) {
        return one;
    }
    evn_value time = evn_add(g, evn_scale(g, evn_reshape(g, t, EVN_SHAPE(1, 1)), 2),
                             evn_full(g, EVN_SHAPE(1, 1), -1));
    snprintf(layer, NAME, "hypernet%d_1", count);
    evn_value hidden =
        evn__network_weight(&own, layer, "weight", EVN_SHAPE(1, HIDDEN), EVN_INITIAL_UNIFORM, 2);
    evn_value bias =
        evn__network_weight(&own, layer, "bias", EVN_SHAPE(HIDDEN), EVN_INITIAL_UNIFORM, 2);
    hidden = evn_tanh(g, evn_add(g, evn_mul(g, time, hidden), bias));
    snprintf(layer, NAME, "hypernet%d_2", count);
    evn_value parts[] = {one, evn_tanh(g, evn__layer_dense(&own, layer, hidden, count - 1))};
    return evn_concat(g, parts, 2, 1);
}

const evn__basis evn__basis_hypernet = {functions, false, false, 1, 8};
