// SPDX-License-Identifier: Apache-2.0
// Builders of the operations with a kernel family of their own.
#include "graph/node.h"

#include <math.h>

static bool known(evn_graph *graph, evn__op op, evn_value a, evn_value b) {
    bool both = evn__graph_has(graph, a) && evn__graph_has(graph, b);
    if (!both) {
        evn__graph_fail(graph, EVN_ERR_ARGUMENT, "%s: an operand is not a value of this graph",
                        evn__op_table[op].text);
    }
    return both;
}

static evn_value mismatch(evn_graph *graph, evn__op op, evn_shape a, evn_shape b) {
    char x[128], y[128];
    return evn__graph_fail(graph, EVN_ERR_SHAPE, "%s: operands %s and %s do not go together",
                           evn__op_table[op].text, evn__shape_text(a, x), evn__shape_text(b, y));
}

static evn_value node(evn_graph *graph, evn__op op, evn_shape shape, evn_value a, evn_value b,
                      evn__attributes attributes) {
    return evn__node_add(graph, &(evn__node){.op = op,
                                             .shape = shape,
                                             .operand_count = evn__op_table[op].arity,
                                             .operands = {a, b == EVN_NONE ? 0 : b},
                                             .attributes = attributes});
}

/// The one row [1, K] that all rows of `a` are copies of, or EVN_NONE.
static evn_value repeated_row(evn_graph *graph, evn_value a) {
    const evn__node *node = evn__node_at(graph, a);
    if (node->op != EVN__OP_BROADCAST || node->shape.dim[0] == 1) {
        return EVN_NONE;
    }
    evn_shape from = evn_value_shape(graph, node->operands[0]);
    int64_t columns = node->shape.dim[1];
    bool one_row =
        from.rank > 0 && evn_shape_count(from) == columns && from.dim[from.rank - 1] == columns;
    return one_row ? evn_reshape(graph, node->operands[0], EVN_SHAPE(1, columns)) : EVN_NONE;
}

evn_value evn_matmul(evn_graph *graph, evn_value a, evn_value b, bool transpose_a,
                     bool transpose_b) {
    if (!known(graph, EVN__OP_MATMUL, a, b)) {
        return EVN_NONE;
    }
    evn_shape sa = evn_value_shape(graph, a), sb = evn_value_shape(graph, b);
    if (sa.rank != 2 || sb.rank != 2 || sa.dim[!transpose_a] != sb.dim[transpose_b]) {
        return mismatch(graph, EVN__OP_MATMUL, sa, sb);
    }
    // Equal rows have equal products: one is enough.
    evn_value row = transpose_a ? EVN_NONE : repeated_row(graph, a);
    if (row != EVN_NONE) {
        evn_value product = evn_matmul(graph, row, b, false, transpose_b);
        return evn_broadcast(graph, product, EVN_SHAPE(sa.dim[0], sb.dim[!transpose_b]));
    }
    evn__attributes attributes = {.transpose_a = transpose_a, .transpose_b = transpose_b};
    return node(graph, EVN__OP_MATMUL, EVN_SHAPE(sa.dim[transpose_a], sb.dim[!transpose_b]), a, b,
                attributes);
}

evn_value evn_linear_solve(evn_graph *graph, evn_value a, evn_value b, bool transpose) {
    if (!known(graph, EVN__OP_SOLVE, a, b)) {
        return EVN_NONE;
    }
    evn_shape sa = evn_value_shape(graph, a), sb = evn_value_shape(graph, b);
    if (sa.rank != 3 || sb.rank != 2 || sa.dim[0] != sb.dim[0] || sa.dim[1] != sb.dim[1] ||
        sa.dim[2] != sb.dim[1]) {
        return mismatch(graph, EVN__OP_SOLVE, sa, sb);
    }
    return node(graph, EVN__OP_SOLVE, sb, a, b, (evn__attributes){.transpose_a = transpose});
}

// Convolution -------------------------------------------------------------------------------------

static int64_t conv_extent(int64_t extent, int64_t kernel, evn_conv2d_options options) {
    int64_t span = extent + 2 * (int64_t)options.padding - kernel;
    return span < 0 ? 0 : span / options.stride + 1;
}

/// Whether x [B, H, W, Ci], w [Kh, Kw, Ci, Co], y [B, Ho, Wo, Co] belong together.
static bool conv_fits(evn_shape x, evn_shape w, evn_shape y, evn_conv2d_options options) {
    return evn__shape_is_valid(x) && evn__shape_is_valid(w) && options.stride >= 1 &&
           options.padding >= 0 && x.rank == 4 && w.rank == 4 && y.rank == 4 &&
           x.dim[3] == w.dim[2] && y.dim[3] == w.dim[3] && x.dim[0] == y.dim[0] && y.dim[1] >= 1 &&
           y.dim[2] >= 1 && y.dim[1] == conv_extent(x.dim[1], w.dim[0], options) &&
           y.dim[2] == conv_extent(x.dim[2], w.dim[1], options);
}

static evn__attributes conv_attributes(evn_conv2d_options options) {
    return (evn__attributes){.stride = options.stride, .padding = options.padding};
}

evn_value evn_conv2d(evn_graph *graph, evn_value x, evn_value w, evn_conv2d_options options) {
    if (!known(graph, EVN__OP_CONV2D, x, w)) {
        return EVN_NONE;
    }
    evn_shape sx = evn_value_shape(graph, x), sw = evn_value_shape(graph, w), y = sx;
    if (sx.rank == 4 && sw.rank == 4 && options.stride >= 1) {
        y.dim[1] = conv_extent(sx.dim[1], sw.dim[0], options);
        y.dim[2] = conv_extent(sx.dim[2], sw.dim[1], options);
        y.dim[3] = sw.dim[3];
    }
    if (!conv_fits(sx, sw, y, options)) {
        return mismatch(graph, EVN__OP_CONV2D, sx, sw);
    }
    return node(graph, EVN__OP_CONV2D, y, x, w, conv_attributes(options));
}

evn_value evn_conv2d_input_grad(evn_graph *graph, evn_value y_bar, evn_value w, evn_shape x,
                                evn_conv2d_options options) {
    if (!known(graph, EVN__OP_CONV2D_INPUT_GRAD, y_bar, w)) {
        return EVN_NONE;
    }
    evn_shape sy = evn_value_shape(graph, y_bar), sw = evn_value_shape(graph, w);
    if (!conv_fits(x, sw, sy, options)) {
        return mismatch(graph, EVN__OP_CONV2D_INPUT_GRAD, sy, sw);
    }
    return node(graph, EVN__OP_CONV2D_INPUT_GRAD, x, y_bar, w, conv_attributes(options));
}

evn_value evn_conv2d_weight_grad(evn_graph *graph, evn_value x, evn_value y_bar, evn_shape w,
                                 evn_conv2d_options options) {
    if (!known(graph, EVN__OP_CONV2D_WEIGHT_GRAD, x, y_bar)) {
        return EVN_NONE;
    }
    evn_shape sx = evn_value_shape(graph, x), sy = evn_value_shape(graph, y_bar);
    if (!conv_fits(sx, w, sy, options)) {
        return mismatch(graph, EVN__OP_CONV2D_WEIGHT_GRAD, sx, sy);
    }
    return node(graph, EVN__OP_CONV2D_WEIGHT_GRAD, w, x, y_bar, conv_attributes(options));
}

// Normalisation and softmax -----------------------------------------------------------------------

static evn_value normalize(evn_graph *graph, evn__op op, evn_value x, evn_value v, int groups,
                           double epsilon) {
    if (!known(graph, op, x, v)) {
        return EVN_NONE;
    }
    evn_shape shape = evn_value_shape(graph, x);
    if (shape.rank < 2 || groups < 1 || shape.dim[shape.rank - 1] % groups != 0) {
        char text[128];
        return evn__graph_fail(graph, EVN_ERR_SHAPE,
                               "%s: %d groups do not divide the channels of %s",
                               evn__op_table[op].text, groups, evn__shape_text(shape, text));
    }
    if (!(epsilon >= 0 && isfinite(epsilon))) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "%s: epsilon %g is not a number >= 0",
                               evn__op_table[op].text, epsilon);
    }
    if (!evn_shape_equal(shape, evn_value_shape(graph, v))) {
        return mismatch(graph, op, shape, evn_value_shape(graph, v));
    }
    return node(graph, op, shape, x, op == EVN__OP_NORMALIZE ? EVN_NONE : v,
                (evn__attributes){.groups = groups, .scalar = epsilon});
}

evn_value evn_normalize(evn_graph *graph, evn_value x, int groups, double epsilon) {
    return normalize(graph, EVN__OP_NORMALIZE, x, x, groups, epsilon);
}

evn_value evn_normalize_grad(evn_graph *graph, evn_value x, evn_value v, int groups,
                             double epsilon) {
    return normalize(graph, EVN__OP_NORMALIZE_GRAD, x, v, groups, epsilon);
}

evn_value evn_log_softmax(evn_graph *graph, evn_value x) {
    if (!known(graph, EVN__OP_LOG_SOFTMAX, x, x)) {
        return EVN_NONE;
    }
    evn_shape shape = evn_value_shape(graph, x);
    if (shape.rank < 1) {
        return mismatch(graph, EVN__OP_LOG_SOFTMAX, shape, shape);
    }
    return node(graph, EVN__OP_LOG_SOFTMAX, shape, x, EVN_NONE, (evn__attributes){0});
}

// Pooling -----------------------------------------------------------------------------------------

/// The shape of the pooled x [B, H, W, C]; rank 0 when the window does not fit.
static evn_shape pooled(evn_shape x, int window, int stride) {
    if (!evn__shape_is_valid(x) || x.rank != 4 || window < 1 || stride < 1 || x.dim[1] < window ||
        x.dim[2] < window) {
        return EVN_SCALAR;
    }
    x.dim[1] = (x.dim[1] - window) / stride + 1;
    x.dim[2] = (x.dim[2] - window) / stride + 1;
    return x;
}

static evn_value pool(evn_graph *graph, evn__op op, evn_value a, evn_value b, evn_shape image,
                      evn_shape result, int window, int stride) {
    evn_shape small = pooled(image, window, stride);
    if (small.rank == 0) {
        char text[128];
        return evn__graph_fail(graph, EVN_ERR_SHAPE, "%s: window %d, stride %d on %s",
                               evn__op_table[op].text, window, stride,
                               evn__shape_text(image, text));
    }
    return node(graph, op, result, a, b, (evn__attributes){.window = window, .stride = stride});
}

evn_value evn_mean_pool2d(evn_graph *graph, evn_value x, int window, int stride) {
    if (!known(graph, EVN__OP_MEAN_POOL2D, x, x)) {
        return EVN_NONE;
    }
    evn_shape image = evn_value_shape(graph, x);
    return pool(graph, EVN__OP_MEAN_POOL2D, x, EVN_NONE, image, pooled(image, window, stride),
                window, stride);
}

evn_value evn_mean_pool2d_grad(evn_graph *graph, evn_value y_bar, evn_shape x, int window,
                               int stride) {
    evn__op op = EVN__OP_MEAN_POOL2D_GRAD;
    if (!known(graph, op, y_bar, y_bar)) {
        return EVN_NONE;
    }
    evn_shape given = evn_value_shape(graph, y_bar);
    if (!evn_shape_equal(pooled(x, window, stride), given)) {
        return mismatch(graph, op, x, given);
    }
    return pool(graph, op, y_bar, EVN_NONE, x, x, window, stride);
}

evn_value evn_max_pool2d_select(evn_graph *graph, evn_value x, evn_value v, int window,
                                int stride) {
    evn__op op = EVN__OP_MAX_POOL2D_SELECT;
    if (!known(graph, op, x, v)) {
        return EVN_NONE;
    }
    evn_shape image = evn_value_shape(graph, x);
    if (!evn_shape_equal(image, evn_value_shape(graph, v))) {
        return mismatch(graph, op, image, evn_value_shape(graph, v));
    }
    return pool(graph, op, x, v, image, pooled(image, window, stride), window, stride);
}

evn_value evn_max_pool2d(evn_graph *graph, evn_value x, int window, int stride) {
    return evn_max_pool2d_select(graph, x, x, window, stride);
}

evn_value evn_max_pool2d_scatter(evn_graph *graph, evn_value x, evn_value y_bar, int window,
                                 int stride) {
    evn__op op = EVN__OP_MAX_POOL2D_SCATTER;
    if (!known(graph, op, x, y_bar)) {
        return EVN_NONE;
    }
    evn_shape image = evn_value_shape(graph, x), given = evn_value_shape(graph, y_bar);
    if (!evn_shape_equal(pooled(image, window, stride), given)) {
        return mismatch(graph, op, image, given);
    }
    return pool(graph, op, x, y_bar, image, image, window, stride);
}
