// SPDX-License-Identifier: Apache-2.0
// Chebyshev's polynomials of the first kind: φₖ(t) = cos(k arccos x), x = 2 t − 1.
#include "nn/basis.h"

static double factor(int k) {
    (void)k;
    return 2;
}

static double share_before(int k) {
    (void)k;
    return 1;
}

static evn_value functions(evn__network *network, evn_value t, int count) {
    return evn__basis_recurrence(network->graph, t, count, factor, share_before);
}

const evn__basis evn__basis_chebyshev = {functions, false, false, 1, 8};
