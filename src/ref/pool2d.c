// SPDX-License-Identifier: Apache-2.0
#include "ref/ref.h"

#include <math.h>
#include <string.h>

/// x [batch, height, width, channels] is pooled to [batch, rows, columns, channels].
typedef struct pooling {
    int64_t batch, height, width, channels, rows, columns;
    int window, stride;
} pooling;

static pooling pooling_of(const evn__node *node, evn_shape x) {
    int window = node->attributes.window, stride = node->attributes.stride;
    return (pooling){.batch = x.dim[0],
                     .height = x.dim[1],
                     .width = x.dim[2],
                     .channels = x.dim[3],
                     .rows = (x.dim[1] - window) / stride + 1,
                     .columns = (x.dim[2] - window) / stride + 1,
                     .window = window,
                     .stride = stride};
}

static evn_shape operand_shape(const evn_graph *graph, const evn__node *node, int index) {
    return evn__node_at(graph, node->operands[index])->shape;
}

static int64_t outputs(pooling p) {
    return p.batch * p.rows * p.columns * p.channels;
}

static int64_t inputs(pooling p) {
    return p.batch * p.height * p.width * p.channels;
}

/// Element (row, column) of the window of output `index`, as an index into x.
static int64_t window_element(pooling p, int64_t index, int row, int column) {
    int64_t c = index % p.channels, j = index / p.channels % p.columns;
    int64_t i = index / (p.channels * p.columns) % p.rows;
    int64_t b = index / (p.channels * p.columns * p.rows);
    return ((b * p.height + i * p.stride + row) * p.width + j * p.stride + column) * p.channels + c;
}

/// Index into x of the window's maximum: the first in row order; a NaN counts as the largest.
static int64_t window_maximum(pooling p, int64_t index, const double *x) {
    int64_t best = window_element(p, index, 0, 0);
    for (int i = 0; i < p.window * p.window; ++i) {
        int64_t candidate = window_element(p, index, i / p.window, i % p.window);
        if (!isnan(x[best]) && !(x[candidate] <= x[best])) {
            best = candidate;
        }
    }
    return best;
}

void evn__ref_mean_pool2d(const evn_graph *graph, const evn__node *node,
                          const double *const *operands, double *result) {
    pooling p = pooling_of(node, operand_shape(graph, node, 0));
    for (int64_t index = 0; index < outputs(p); ++index) {
        double sum = 0;
        for (int i = 0; i < p.window * p.window; ++i) {
            sum += operands[0][window_element(p, index, i / p.window, i % p.window)];
        }
        result[index] = sum / (p.window * p.window);
    }
}

void evn__ref_mean_pool2d_grad(const evn_graph *graph, const evn__node *node,
                               const double *const *operands, double *result) {
    (void)graph;
    pooling p = pooling_of(node, node->shape);
    memset(result, 0, (size_t)inputs(p) * sizeof(double));
    for (int64_t index = 0; index < outputs(p); ++index) {
        for (int i = 0; i < p.window * p.window; ++i) {
            result[window_element(p, index, i / p.window, i % p.window)] +=
                operands[0][index] / (p.window * p.window);
        }
    }
}

void evn__ref_max_pool2d_select(const evn_graph *graph, const evn__node *node,
                                const double *const *operands, double *result) {
    pooling p = pooling_of(node, operand_shape(graph, node, 0));
    for (int64_t index = 0; index < outputs(p); ++index) {
        result[index] = operands[1][window_maximum(p, index, operands[0])];
    }
}

void evn__ref_max_pool2d_scatter(const evn_graph *graph, const evn__node *node,
                                 const double *const *operands, double *result) {
    (void)graph;
    pooling p = pooling_of(node, node->shape);
    memset(result, 0, (size_t)inputs(p) * sizeof(double));
    for (int64_t index = 0; index < outputs(p); ++index) {
        result[window_maximum(p, index, operands[0])] += operands[1][index];
    }
}
