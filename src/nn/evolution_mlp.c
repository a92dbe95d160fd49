// SPDX-License-Identifier: Apache-2.0
// One MLP for all kernel slices: a slice's P values and t → HIDDEN tanh units → P slopes.
#include "nn/evolution.h"

#include <math.h>

enum { HIDDEN = 16 };

evn_value evn__evolution_mlp(evn__network *network, const char *layer, evn_value t, evn_value w) {
    evn_graph *g = network->graph;
    evn_shape shape = evn_value_shape(g, w);
    int64_t positions = shape.dim[0] * shape.dim[1], slices = shape.dim[2] * shape.dim[3];
    double bound = 1 / sqrt((double)(positions + 1));
    evn_value in = evn__network_weight(network, layer, "hidden", EVN_SHAPE(HIDDEN, positions),
                                       EVN_INITIAL_UNIFORM, bound);
    evn_value time = evn__network_weight(network, layer, "hidden_time", EVN_SHAPE(HIDDEN, 1),
                                         EVN_INITIAL_UNIFORM, bound);
    evn_value bias = evn__network_weight(network, layer, "hidden_bias", EVN_SHAPE(HIDDEN, 1),
                                         EVN_INITIAL_UNIFORM, bound);
    evn_value out = evn__network_weight(network, layer, "out", EVN_SHAPE(positions, HIDDEN),
                                        EVN_INITIAL_CONSTANT, 0);
    evn_value columns = evn_reshape(g, w, EVN_SHAPE(positions, slices));
    evn_value shift = evn_add(g, evn_mul(g, time, t), bias);
    evn_value sum = evn_add(g, evn_matmul(g, in, columns, false, false), shift);
    evn_value slope = evn_matmul(g, out, evn_tanh(g, sum), false, false);
    // The gradient of the shared weights is a sum over the slices. This factor, once in the slope
    // and once in its gradient, turns it into a mean, so that one learning rate suits all weights.
    return evn_reshape(g, evn_scale(g, slope, 1 / sqrt((double)slices)), shape);
}
