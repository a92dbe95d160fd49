// SPDX-License-Identifier: Apache-2.0
#include "nn/field.h"

#include <stdio.h>

evn_value evn__field_mlp(evn__network *network, evn_value x, int hidden, int width,
                         evn_value (*activation)(evn_graph *graph, evn_value x)) {
    evn_shape shape = evn_value_shape(network->graph, x);
    int units = shape.rank == 2 ? (int)shape.dim[1] : 1; // another rank is a failure of matmul
    for (int i = 0; i <= hidden; ++i) {
        char layer[32];
        snprintf(layer, sizeof(layer), "dense%d", i + 1);
        x = evn__layer_dense(network, layer, x, i < hidden ? width : units);
        x = i < hidden ? activation(network->graph, x) : x;
    }
    return x;
}
