// SPDX-License-Identifier: Apache-2.0
#include "nn/activation.h"

#include <string.h>

static evn_value silu(evn_graph *g, evn_value x) {
    return evn_mul(g, x, evn_sigmoid(g, x));
}

/// x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).
static evn_value gelu(evn_graph *g, evn_value x) {
    evn_value cube = evn_scale(g, evn_mul(g, x, evn_mul(g, x, x)), 0.044715);
    evn_value inner = evn_scale(g, evn_add(g, x, cube), 0.79788456080286535588);
    evn_value gate = evn_add(g, evn_tanh(g, inner), evn_constant(g, 1));
    return evn_mul(g, evn_scale(g, x, 0.5), gate);
}

/// x + (eᵐ − 1 − m) with m = min(x, 0): its derivative at 0 is 1.
static evn_value elu(evn_graph *g, evn_value x) {
    evn_value m = evn_neg(g, evn_relu(g, evn_neg(g, x)));
    evn_value below = evn_sub(g, evn_sub(g, evn_exp(g, m), evn_constant(g, 1)), m);
    return evn_add(g, x, below);
}

static const struct {
    const char *name;
    evn__activation *apply;
} activations[] = {{"relu", evn_relu},
                   {"tanh", evn_tanh},
                   {"sigmoid", evn_sigmoid},
                   {"softplus", evn_softplus},
                   {"silu", silu},
                   {"gelu", gelu},
                   {"elu", elu},
                   {"sin", evn_sin}};
enum { ACTIVATIONS = sizeof(activations) / sizeof(activations[0]) };

const char *evn__activation_name(int index) {
    return index < ACTIVATIONS ? activations[index].name : NULL;
}

evn__activation *evn__activation_find(const char *name) {
    for (int i = 0; i < ACTIVATIONS; ++i) {
        if (strcmp(activations[i].name, name) == 0) {
            return activations[i].apply;
        }
    }
    return NULL;
}
