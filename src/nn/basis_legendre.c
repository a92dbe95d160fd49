// SPDX-License-Identifier: Apache-2.0
// Legendre's polynomials in x = 2 t − 1, orthogonal on [0, 1]:
// (k + 1) φₖ₊₁ = (2 k + 1) x φₖ − k φₖ₋₁ (Bonnet).
#include "nn/basis.h"

static double factor(int k) {
    return (2.0 * k + 1) / (k + 1);
}

static double share_before(int k) {
    return (double)k / (k + 1);
}

static evn_value functions(evn__network *network, evn_value t, int count) {
    return evn__basis_recurrence(network->graph, t, count, factor, share_before);
}

const evn__basis evn__basis_legendre = {functions, false, false, 1, 8};
