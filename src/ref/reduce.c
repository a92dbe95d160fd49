// SPDX-License-Identifier: Apache-2.0
#include "ref/ref.h"

/// x [outer, extent, inner] → result [outer, inner].
static void sum_middle(int64_t outer, int64_t extent, int64_t inner, const double *x,
                       double *result) {
    for (int64_t o = 0; o < outer; ++o) {
        for (int64_t i = 0; i < inner; ++i) {
            double sum = 0;
            for (int64_t r = 0; r < extent; ++r) {
                sum += x[(o * extent + r) * inner + i];
            }
            result[o * inner + i] = sum;
        }
    }
}

void evn__ref_sum(const evn_graph *graph, const evn__node *node, const double *const *operands,
                  double *result) {
    evn_shape x = evn__node_at(graph, node->operands[0])->shape;
    int first = node->attributes.axis, end = first + node->attributes.axes;
    int64_t extents[3] = {1, 1, 1}; // outer, summed, inner
    for (int i = 0; i < x.rank; ++i) {
        extents[i < first ? 0 : i < end ? 1 : 2] *= x.dim[i];
    }
    sum_middle(extents[0], extents[1], extents[2], operands[0], result);
}
