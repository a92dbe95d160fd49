// SPDX-License-Identifier: Apache-2.0
// Rules of the products (matmul and the three convolutions, which are each other's transposes),
// of normalisation, softmax and pooling.
#include "diff/rules.h"

#define X(i)             (site->node.operands[i])
#define OPERAND_SHAPE(i) evn_value_shape(site->graph, site->node.operands[i])

// Products ----------------------------------------------------------------------------------------

/// A product of one term a result is element-wise, so that it joins what is done with it: the
/// weight gradient of a batch of one is never stored for itself.
static evn_value gradient_or_matmul(evn_graph *g, evn_value a, evn_value b, bool ta, bool tb) {
    evn_shape sa = evn_value_shape(g, a), sb = evn_value_shape(g, b);
    if (sa.rank != 2 || sb.rank != 2 || sa.dim[!ta] != 1) {
        return evn_matmul(g, a, b, ta, tb);
    }
    evn_value column = evn_reshape(g, a, EVN_SHAPE(sa.dim[ta], 1));
    return evn_mul(g, column, evn_reshape(g, b, EVN_SHAPE(1, sb.dim[!tb])));
}

void evn__vjp_MATMUL(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    evn_graph *g = site->graph;
    bool ta = site->node.attributes.transpose_a, tb = site->node.attributes.transpose_b;
    x_bar[0] = ta ? gradient_or_matmul(g, X(1), y_bar, tb, true)
                  : gradient_or_matmul(g, y_bar, X(1), false, !tb);
    x_bar[1] = tb ? gradient_or_matmul(g, y_bar, X(0), true, ta)
                  : gradient_or_matmul(g, X(0), y_bar, !ta, false);
}

evn_value evn__jvp_MATMUL(const evn__site *site, const evn_value *x_dot) {
    evn_graph *g = site->graph;
    bool ta = site->node.attributes.transpose_a, tb = site->node.attributes.transpose_b;
    evn_value a = x_dot[0] == EVN_NONE ? EVN_NONE : evn_matmul(g, x_dot[0], X(1), ta, tb);
    evn_value b = x_dot[1] == EVN_NONE ? EVN_NONE : evn_matmul(g, X(0), x_dot[1], ta, tb);
    return evn__add_tangents(g, a, b);
}

// Linear systems ----------------------------------------------------------------------------------

/// [B, n, n]: of each sample column times row.
static evn_value outer(evn_graph *g, evn_value column, evn_value row) {
    evn_shape s = evn_value_shape(g, row);
    return evn_mul(g, evn_reshape(g, column, EVN_SHAPE(s.dim[0], s.dim[1], 1)),
                   evn_reshape(g, row, EVN_SHAPE(s.dim[0], 1, s.dim[1])));
}

/// op(a)ᵀ b̄ = x̄, and ā = −b̄ xᵀ, or its transpose.
void evn__vjp_SOLVE(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    evn_graph *g = site->graph;
    bool transposed = site->node.attributes.transpose_a;
    evn_value b_bar = evn_linear_solve(g, X(0), y_bar, !transposed), minus = evn_neg(g, b_bar);
    x_bar[0] = transposed ? outer(g, site->y, minus) : outer(g, minus, site->y);
    x_bar[1] = b_bar;
}

/// op(a) ẋ = ḃ − op(ȧ) x.
evn_value evn__jvp_SOLVE(const evn__site *site, const evn_value *x_dot) {
    evn_graph *g = site->graph;
    bool transposed = site->node.attributes.transpose_a;
    evn_value right = x_dot[1];
    if (x_dot[0] != EVN_NONE) {
        evn_shape s = site->node.shape, along = EVN_SHAPE(s.dim[0], 1, s.dim[1]);
        if (transposed) {
            along = EVN_SHAPE(s.dim[0], s.dim[1], 1);
        }
        evn_value terms = evn_mul(g, x_dot[0], evn_reshape(g, site->y, along));
        evn_value sum = evn_reshape(g, evn_sum(g, terms, transposed ? 2 : 4), s);
        right = right == EVN_NONE ? evn_neg(g, sum) : evn_sub(g, right, sum);
    }
    return evn_linear_solve(g, X(0), right, transposed);
}

static evn_conv2d_options conv_options(const evn__site *site) {
    return (evn_conv2d_options){site->node.attributes.stride, site->node.attributes.padding};
}

void evn__vjp_CONV2D(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    evn_conv2d_options options = conv_options(site);
    x_bar[0] = evn_conv2d_input_grad(site->graph, y_bar, X(1), OPERAND_SHAPE(0), options);
    x_bar[1] = evn_conv2d_weight_grad(site->graph, X(0), y_bar, OPERAND_SHAPE(1), options);
}

void evn__vjp_CONV2D_INPUT_GRAD(const evn__site *site, evn_value z_bar, evn_value *x_bar) {
    evn_conv2d_options options = conv_options(site);
    x_bar[0] = evn_conv2d(site->graph, z_bar, X(1), options);
    x_bar[1] = evn_conv2d_weight_grad(site->graph, z_bar, X(0), OPERAND_SHAPE(1), options);
}

void evn__vjp_CONV2D_WEIGHT_GRAD(const evn__site *site, evn_value z_bar, evn_value *x_bar) {
    evn_conv2d_options options = conv_options(site);
    x_bar[0] = evn_conv2d_input_grad(site->graph, X(1), z_bar, OPERAND_SHAPE(0), options);
    x_bar[1] = evn_conv2d(site->graph, X(0), z_bar, options);
}

/// The node's own operation on other operands.
static evn_value again(const evn__site *site, evn_value a, evn_value b) {
    evn_conv2d_options options = conv_options(site);
    switch (site->node.op) {
    case EVN__OP_CONV2D:
        return evn_conv2d(site->graph, a, b, options);
    case EVN__OP_CONV2D_INPUT_GRAD:
        return evn_conv2d_input_grad(site->graph, a, b, site->node.shape, options);
    default:
        return evn_conv2d_weight_grad(site->graph, a, b, site->node.shape, options);
    }
}

static evn_value bilinear(const evn__site *site, const evn_value *x_dot) {
    evn_value a = x_dot[0] == EVN_NONE ? EVN_NONE : again(site, x_dot[0], X(1));
    evn_value b = x_dot[1] == EVN_NONE ? EVN_NONE : again(site, X(0), x_dot[1]);
    return evn__add_tangents(site->graph, a, b);
}

evn_value evn__jvp_CONV2D(const evn__site *site, const evn_value *x_dot) {
    return bilinear(site, x_dot);
}

evn_value evn__jvp_CONV2D_INPUT_GRAD(const evn__site *site, const evn_value *x_dot) {
    return bilinear(site, x_dot);
}

evn_value evn__jvp_CONV2D_WEIGHT_GRAD(const evn__site *site, const evn_value *x_dot) {
    return bilinear(site, x_dot);
}

// Normalisation: the Jacobian is symmetric in each group, so vjp and jvp are one operation --------

static evn_value normalize_slope(const evn__site *site, evn_value v) {
    const evn__attributes *a = &site->node.attributes;
    return evn_normalize_grad(site->graph, X(0), v, a->groups, a->scalar);
}

void evn__vjp_NORMALIZE(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = normalize_slope(site, y_bar);
}

evn_value evn__jvp_NORMALIZE(const evn__site *site, const evn_value *x_dot) {
    return normalize_slope(site, x_dot[0]);
}

/// evn_normalize_grad written in other operations, so that it can be differentiated in x.
static evn_value expand_normalize_grad(evn_graph *g, evn_value x, evn_value v,
                                       const evn__attributes *a) {
    evn_shape shape = evn_value_shape(g, x);
    int64_t channels = shape.dim[shape.rank - 1], samples = shape.dim[0];
    evn_shape grouped = EVN_SHAPE(samples, evn_shape_count(shape) / samples / channels, a->groups,
                                  channels / a->groups);
    const unsigned within = 1u << 1 | 1u << 3;
    x = evn_reshape(g, x, grouped);
    v = evn_reshape(g, v, grouped);
    evn_value centred = evn_sub(g, x, evn_mean(g, x, within));
    evn_value variance = evn_mean(g, evn_mul(g, centred, centred), within);
    evn_value sigma = evn_sqrt(g, evn_add(g, variance, evn_constant(g, a->scalar)));
    evn_value unit = evn_div(g, centred, sigma);
    evn_value along = evn_mul(g, unit, evn_mean(g, evn_mul(g, unit, v), within));
    evn_value rest = evn_sub(g, evn_sub(g, v, evn_mean(g, v, within)), along);
    return evn_reshape(g, evn_div(g, rest, sigma), shape);
}

/// d/dx of normalize_grad(x, v) with v held: in a graph of its own, because v may depend on x.
/// `seed` is y_bar when `back`, else x_dot.
static evn_status differentiate_expanded(const evn__site *site, evn_value seed, bool back,
                                         evn_value *result) {
    evn_graph *g = NULL;
    EVN_TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", site->node.shape), v = evn_input(g, "v", site->node.shape);
    evn_value s = evn_input(g, "seed", site->node.shape), out = EVN_NONE;
    evn_value y = expand_normalize_grad(g, x, v, &site->node.attributes);
    evn_status status =
        back ? evn_pullback(g, &y, &s, 1, &x, 1, &out) : evn_pushforward(g, &x, &s, 1, &y, 1, &out);
    if (status == EVN_OK) {
        evn_output(g, "result", out);
        evn_value inputs[] = {X(0), X(1), seed};
        status = evn_graph_inline(site->graph, g, inputs, result);
    }
    evn_graph_destroy(&g);
    return status;
}

static evn_value expanded(const evn__site *site, evn_value seed, bool back) {
    evn_value result = EVN_NONE;
    evn_status status = differentiate_expanded(site, seed, back, &result);
    return status == EVN_OK ? result
                            : evn__graph_fail(site->graph, status, "%s", evn_error_message());
}

void evn__vjp_NORMALIZE_GRAD(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = expanded(site, y_bar, true);
    x_bar[1] = normalize_slope(site, y_bar);
}

evn_value evn__jvp_NORMALIZE_GRAD(const evn__site *site, const evn_value *x_dot) {
    evn_value a = x_dot[0] == EVN_NONE ? EVN_NONE : expanded(site, x_dot[0], false);
    evn_value b = x_dot[1] == EVN_NONE ? EVN_NONE : normalize_slope(site, x_dot[1]);
    return evn__add_tangents(site->graph, a, b);
}

// Softmax -----------------------------------------------------------------------------------------

void evn__vjp_LOG_SOFTMAX(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    evn_graph *g = site->graph;
    unsigned last = 1u << (site->node.shape.rank - 1);
    evn_value share = evn_mul(g, evn_exp(g, site->y), evn_sum(g, y_bar, last));
    x_bar[0] = evn_sub(g, y_bar, share);
}

evn_value evn__jvp_LOG_SOFTMAX(const evn__site *site, const evn_value *x_dot) {
    evn_graph *g = site->graph;
    unsigned last = 1u << (site->node.shape.rank - 1);
    evn_value mean = evn_sum(g, evn_mul(g, evn_exp(g, site->y), x_dot[0]), last);
    return evn_sub(g, x_dot[0], mean);
}

// Pooling: linear, given where the maxima are -----------------------------------------------------

#define WINDOW site->node.attributes.window, site->node.attributes.stride

void evn__vjp_MEAN_POOL2D(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_mean_pool2d_grad(site->graph, y_bar, OPERAND_SHAPE(0), WINDOW);
}

evn_value evn__jvp_MEAN_POOL2D(const evn__site *site, const evn_value *x_dot) {
    return evn_mean_pool2d(site->graph, x_dot[0], WINDOW);
}

void evn__vjp_MEAN_POOL2D_GRAD(const evn__site *site, evn_value z_bar, evn_value *x_bar) {
    x_bar[0] = evn_mean_pool2d(site->graph, z_bar, WINDOW);
}

evn_value evn__jvp_MEAN_POOL2D_GRAD(const evn__site *site, const evn_value *x_dot) {
    return evn_mean_pool2d_grad(site->graph, x_dot[0], site->node.shape, WINDOW);
}

void evn__vjp_MAX_POOL2D_SELECT(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[1] = evn_max_pool2d_scatter(site->graph, X(0), y_bar, WINDOW);
}

evn_value evn__jvp_MAX_POOL2D_SELECT(const evn__site *site, const evn_value *x_dot) {
    return x_dot[1] == EVN_NONE ? EVN_NONE
                                : evn_max_pool2d_select(site->graph, X(0), x_dot[1], WINDOW);
}

void evn__vjp_MAX_POOL2D_SCATTER(const evn__site *site, evn_value z_bar, evn_value *x_bar) {
    x_bar[1] = evn_max_pool2d_select(site->graph, X(0), z_bar, WINDOW);
}

evn_value evn__jvp_MAX_POOL2D_SCATTER(const evn__site *site, const evn_value *x_dot) {
    return x_dot[1] == EVN_NONE ? EVN_NONE
                                : evn_max_pool2d_scatter(site->graph, X(0), x_dot[1], WINDOW);
}
