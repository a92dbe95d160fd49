// SPDX-License-Identifier: Apache-2.0
// A group of a sample is [positions, width]: `width` adjacent channels of C at every position.
#include "ref/ref.h"

#include <math.h>

typedef struct group {
    int64_t positions, width, channels;
} group;

/// Mean of a·b over the group; b NULL counts as ones.
static double mean_product(group g, const double *a, const double *b) {
    double sum = 0;
    for (int64_t p = 0; p < g.positions; ++p) {
        for (int64_t c = 0; c < g.width; ++c) {
            int64_t i = p * g.channels + c;
            sum += b ? a[i] * b[i] : a[i];
        }
    }
    return sum / (double)(g.positions * g.width);
}

/// y = (a − shift − b·slope)·factor over the group; b NULL leaves its term out.
static void combine(group g, const double *a, double shift, const double *b, double slope,
                    double factor, double *y) {
    for (int64_t p = 0; p < g.positions; ++p) {
        for (int64_t c = 0; c < g.width; ++c) {
            int64_t i = p * g.channels + c;
            y[i] = (a[i] - shift - (b ? b[i] * slope : 0)) * factor;
        }
    }
}

/// y = (x − mean)/σ; returns 1/σ.
static double standardise(group g, const double *x, double epsilon, double *y) {
    combine(g, x, mean_product(g, x, NULL), NULL, 0, 1, y);
    double inverse = 1 / sqrt(mean_product(g, y, y) + epsilon);
    combine(g, y, 0, NULL, 0, inverse, y);
    return inverse;
}

/// The groups of all samples, one after the other: number `index` begins at *first.
static group group_at(const evn__node *node, int64_t index, int64_t *first) {
    int rank = node->shape.rank, groups = node->attributes.groups;
    int64_t channels = node->shape.dim[rank - 1];
    group g = {evn_shape_count(node->shape) / (channels * node->shape.dim[0]), channels / groups,
               channels};
    *first = index / groups * g.positions * channels + index % groups * g.width;
    return g;
}

void evn__ref_normalize(const evn_graph *graph, const evn__node *node,
                        const double *const *operands, double *result) {
    (void)graph;
    for (int64_t i = 0, first; i < node->shape.dim[0] * node->attributes.groups; ++i) {
        group g = group_at(node, i, &first);
        standardise(g, operands[0] + first, node->attributes.scalar, result + first);
    }
}

void evn__ref_normalize_grad(const evn_graph *graph, const evn__node *node,
                             const double *const *operands, double *result) {
    (void)graph;
    for (int64_t i = 0, first; i < node->shape.dim[0] * node->attributes.groups; ++i) {
        group g = group_at(node, i, &first);
        const double *v = operands[1] + first;
        double *hat = result + first; // x̂, replaced by the result at the end
        double inverse = standardise(g, operands[0] + first, node->attributes.scalar, hat);
        combine(g, v, mean_product(g, v, NULL), hat, mean_product(g, hat, v), inverse, hat);
    }
}
