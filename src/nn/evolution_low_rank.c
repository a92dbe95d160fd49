// SPDX-License-Identifier: Apache-2.0
// dw/dt = U tanh(Vᵀ w + b(t)) with w [P·Ci, Co] by columns: U and V [P·Ci, RANK], b linear in t.
#include "nn/evolution.h"

#include <math.h>

enum { RANK = 8 };

evn_value evn__evolution_low_rank(evn__network *network, const char *layer, evn_value t,
                                  evn_value w) {
    evn_graph *g = network->graph;
    evn_shape shape = evn_value_shape(g, w);
    int64_t rows = shape.dim[0] * shape.dim[1] * shape.dim[2], columns = shape.dim[3];
    double bound = 1 / sqrt((double)rows);
    evn_value u =
        evn__network_weight(network, layer, "u", EVN_SHAPE(rows, RANK), EVN_INITIAL_CONSTANT, 0);
    evn_value v =
        evn__network_weight(network, layer, "v", EVN_SHAPE(rows, RANK), EVN_INITIAL_UNIFORM, bound);
    evn_value bias =
        evn__network_weight(network, layer, "bias", EVN_SHAPE(RANK, 1), EVN_INITIAL_UNIFORM, 1);
    evn_value bias_time = evn__network_weight(network, layer, "bias_time", EVN_SHAPE(RANK, 1),
                                              EVN_INITIAL_UNIFORM, 1);
    evn_value flat = evn_reshape(g, w, EVN_SHAPE(rows, columns));
    evn_value shift = evn_add(g, evn_mul(g, bias_time, t), bias);
    evn_value inner = evn_tanh(g, evn_add(g, evn_matmul(g, v, flat, true, false), shift));
    return evn_reshape(g, evn_matmul(g, u, inner, false, false), shape);
}
