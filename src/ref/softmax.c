// SPDX-License-Identifier: Apache-2.0
#include "ref/ref.h"

#include <math.h>

/// Largest of `count` numbers, NaN if there is one.
static double largest(const double *x, int64_t count) {
    double best = x[0];
    for (int64_t i = 1; i < count; ++i) {
        best = isnan(best) || x[i] <= best ? best : x[i];
    }
    return best;
}

void evn__ref_log_softmax(const evn_graph *graph, const evn__node *node,
                          const double *const *operands, double *result) {
    (void)graph;
    int64_t classes = node->shape.dim[node->shape.rank - 1];
    int64_t rows = evn_shape_count(node->shape) / classes;
    for (int64_t row = 0; row < rows; ++row) {
        const double *x = operands[0] + row * classes;
        double shift = largest(x, classes), sum = 0;
        for (int64_t i = 0; i < classes; ++i) {
            sum += exp(x[i] - shift);
        }
        for (int64_t i = 0; i < classes; ++i) {
            result[row * classes + i] = x[i] - shift - log(sum);
        }
    }
}
