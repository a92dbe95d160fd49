// SPDX-License-Identifier: Apache-2.0
// dw/dt = C₀ + Σₖ π k cos(π k t) Cₖ, so that w(t) = w(0) + C₀ t + Σₖ Cₖ sin(π k t): a smooth course
// of each element of its own, where a ResNet has new ones in each layer. All Cₖ start at zero.
#include "nn/evolution.h"

enum { WAVES = 3, TERMS = WAVES + 1 };

evn_value evn__evolution_waves(evn__network *network, const char *layer, evn_value t, evn_value w) {
    const double pi = 3.14159265358979323846;
    double frequencies[TERMS], amplitudes[TERMS];
    for (int k = 0; k < TERMS; ++k) {
        frequencies[k] = pi * k;
        amplitudes[k] = k == 0 ? 1 : pi * k;
    }
    evn_graph *g = network->graph;
    evn_shape shape = evn_value_shape(g, w), row = EVN_SHAPE(1, TERMS);
    evn_value c = evn__network_weight(
        network, layer, "waves", EVN_SHAPE(TERMS, evn_shape_count(shape)), EVN_INITIAL_CONSTANT, 0);
    evn_value turn = evn_mul(g, evn_table(g, row, frequencies), t);
    evn_value waves = evn_mul(g, evn_table(g, row, amplitudes), evn_cos(g, turn));
    return evn_reshape(g, evn_matmul(g, waves, c, false, false), shape);
}
