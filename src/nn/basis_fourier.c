// SPDX-License-Identifier: Apache-2.0
// Waves of period 1: 1, cos 2πt, sin 2πt, cos 4πt, sin 4πt, …, orthogonal on [0, 1]. θ(1) = θ(0).
#include "nn/basis.h"

static evn_value functions(evn__network *network, evn_value t, int count) {
    const double pi = 3.14159265358979323846;
    double frequency[EVN__BASIS_MOST], phase[EVN__BASIS_MOST];
    for (int k = 0; k < count; ++k) {
        frequency[k] = 2 * pi * ((k + 1) / 2);
        phase[k] = k > 0 && k % 2 == 0 ? -pi / 2 : 0; // cos(x − π/2) = sin x
    }
    evn_graph *g = network->graph;
    evn_shape row = EVN_SHAPE(1, count);
    evn_value turn = evn_mul(g, evn_table(g, row, frequency), t);
    return evn_cos(g, evn_add(g, turn, evn_table(g, row, phase)));
}

const evn__basis evn__basis_fourier = {functions, false, false, 1, 8};
