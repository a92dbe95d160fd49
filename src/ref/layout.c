// SPDX-License-Identifier: Apache-2.0
#include "ref/ref.h"

#include <string.h>

static evn_shape operand_shape(const evn_graph *graph, const evn__node *node, int index) {
    return evn__node_at(graph, node->operands[index])->shape;
}

/// stride[i]: elements from one index of axis i to the next.
static void row_major(evn_shape shape, int64_t *stride) {
    int64_t step = 1;
    for (int i = shape.rank - 1; i >= 0; --i) {
        stride[i] = step;
        step *= shape.dim[i];
    }
}

/// Σ coordinate[i]·stride[i] of element `index` of a tensor of `shape`.
static int64_t place(evn_shape shape, int64_t index, const int64_t *stride) {
    int64_t offset = 0;
    for (int i = shape.rank - 1; i >= 0; --i) {
        offset += index % shape.dim[i] * stride[i];
        index /= shape.dim[i];
    }
    return offset;
}

static void gather(evn_shape shape, const int64_t *stride, const double *source, double *result) {
    int64_t count = evn_shape_count(shape);
    for (int64_t i = 0; i < count; ++i) {
        result[i] = source[place(shape, i, stride)];
    }
}

static void scatter(evn_shape shape, const int64_t *stride, const double *source, double *result) {
    int64_t count = evn_shape_count(shape);
    for (int64_t i = 0; i < count; ++i) {
        result[place(shape, i, stride)] = source[i];
    }
}

void evn__ref_reshape(const evn_graph *graph, const evn__node *node, const double *const *operands,
                      double *result) {
    (void)graph;
    memcpy(result, operands[0], (size_t)evn_shape_count(node->shape) * sizeof(double));
}

void evn__ref_broadcast(const evn_graph *graph, const evn__node *node,
                        const double *const *operands, double *result) {
    evn_shape x = operand_shape(graph, node, 0);
    int64_t own[EVN_MAX_RANK], stride[EVN_MAX_RANK] = {0};
    int missing = node->shape.rank - x.rank;
    row_major(x, own);
    for (int i = 0; i < x.rank; ++i) {
        stride[missing + i] = x.dim[i] == 1 ? 0 : own[i];
    }
    gather(node->shape, stride, operands[0], result);
}

void evn__ref_permute(const evn_graph *graph, const evn__node *node, const double *const *operands,
                      double *result) {
    int64_t own[EVN_MAX_RANK], stride[EVN_MAX_RANK] = {0};
    row_major(operand_shape(graph, node, 0), own);
    for (int i = 0; i < node->shape.rank; ++i) {
        stride[i] = own[node->attributes.order[i]];
    }
    gather(node->shape, stride, operands[0], result);
}

void evn__ref_slice(const evn_graph *graph, const evn__node *node, const double *const *operands,
                    double *result) {
    int64_t stride[EVN_MAX_RANK] = {0}, first = 0;
    row_major(operand_shape(graph, node, 0), stride);
    for (int i = 0; i < node->shape.rank; ++i) {
        first += node->attributes.start[i] * stride[i];
    }
    gather(node->shape, stride, operands[0] + first, result);
}

void evn__ref_pad(const evn_graph *graph, const evn__node *node, const double *const *operands,
                  double *result) {
    int64_t stride[EVN_MAX_RANK] = {0}, first = 0;
    row_major(node->shape, stride);
    for (int i = 0; i < node->shape.rank; ++i) {
        first += node->attributes.start[i] * stride[i];
    }
    memset(result, 0, (size_t)evn_shape_count(node->shape) * sizeof(double));
    scatter(operand_shape(graph, node, 0), stride, operands[0], result + first);
}

void evn__ref_concat(const evn_graph *graph, const evn__node *node, const double *const *operands,
                     double *result) {
    int64_t stride[EVN_MAX_RANK] = {0}, start = 0;
    int axis = node->attributes.axis;
    row_major(node->shape, stride);
    for (int i = 0; i < node->operand_count; ++i) {
        evn_shape part = operand_shape(graph, node, i);
        scatter(part, stride, operands[i], result + start * stride[axis]);
        start += part.dim[axis];
    }
}
