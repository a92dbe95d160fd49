// SPDX-License-Identifier: Apache-2.0
// Reference of evn_matmul.
#include "ref/ref.h"

/// result [M, N] = op(a) [M, K] op(b) [K, N].
void evn__ref_matmul(const evn_graph *graph, const evn__node *node, const double *const *operands,
                     double *result) {
    const evn__node *a_node = evn__node_at(graph, node->operands[0]);
    bool transpose_a = node->attributes.transpose_a, transpose_b = node->attributes.transpose_b;
    int64_t rows = node->shape.dim[0], columns = node->shape.dim[1];
    int64_t inner = a_node->shape.dim[transpose_a ? 0 : 1];
    const double *a = operands[0], *b = operands[1];
    for (int64_t m = 0; m < rows; m++) {
        for (int64_t n = 0; n < columns; n++) {
            double sum = 0;
            for (int64_t k = 0; k < inner; k++) {
                double left = transpose_a ? a[k * rows + m] : a[m * inner + k];
                double right = transpose_b ? b[n * inner + k] : b[k * columns + n];
                sum += left * right;
            }
            result[m * columns + n] = sum;
        }
    }
}
