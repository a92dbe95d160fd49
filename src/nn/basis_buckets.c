// SPDX-License-Identifier: Apache-2.0
// Piecewise constant weights (Davis et al. 2020): K buckets of equal length, in each its own cₖ.
#include "nn/basis.h"

/// Times of steps are rounded: one that is this near to a boundary, in parts of a bucket, lies in
/// the bucket behind it, as the boundary does.
static const double NEAR = 1e-3;

evn_value evn__basis_pieces(evn__network *network, evn_value t, int count) {
    // 1 behind the left boundary less 1 behind the right one; the ends have no boundary.
    evn_graph *g = network->graph;
    evn_value behind = evn_step(g, evn__basis_places(g, t, count, count, NEAR, -1));
    evn_value beyond = evn_step(g, evn__basis_places(g, t, count, count, NEAR - 1, -1));
    double first[EVN__BASIS_MOST] = {1}, last[EVN__BASIS_MOST];
    for (int k = 0; k < count; ++k) {
        last[k] = k < count - 1;
    }
    evn_shape row = EVN_SHAPE(1, count);
    behind = evn_maximum(g, behind, evn_table(g, row, first));
    return evn_sub(g, behind, evn_mul(g, beyond, evn_table(g, row, last)));
}

const evn__basis evn__basis_buckets = {evn__basis_pieces, true, false, 1, 8};
