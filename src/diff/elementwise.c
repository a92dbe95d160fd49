// SPDX-License-Identifier: Apache-2.0
// Rules of the element-wise operations. All but the products and quotients act on each element by
// a known derivative, so that vjp and jvp are the same multiplication.
#include "diff/rules.h"

#define X(i) (site->node.operands[i])

// Leaves have no operands: nothing to propagate.
#define LEAF(NAME)                                                                                 \
    void evn__vjp_##NAME(const evn__site *site, evn_value y_bar, evn_value *x_bar) {               \
        (void)site, (void)y_bar, (void)x_bar;                                                      \
    }                                                                                              \
    evn_value evn__jvp_##NAME(const evn__site *site, const evn_value *x_dot) {                     \
        (void)site, (void)x_dot;                                                                   \
        return EVN_NONE;                                                                           \
    }

LEAF(INPUT)
LEAF(CONSTANT)
LEAF(TABLE)

// Derivative zero almost everywhere.
LEAF(SIGN)
LEAF(DETACH)
LEAF(STEP)

// y = op(x): tangent and cotangent are multiplied by derivative_NAME(site).
#define POINTWISE(NAME)                                                                            \
    void evn__vjp_##NAME(const evn__site *site, evn_value y_bar, evn_value *x_bar) {               \
        x_bar[0] = evn_mul(site->graph, derivative_##NAME(site), y_bar);                           \
    }                                                                                              \
    evn_value evn__jvp_##NAME(const evn__site *site, const evn_value *x_dot) {                     \
        return evn_mul(site->graph, derivative_##NAME(site), x_dot[0]);                            \
    }

static evn_value derivative_NEG(const evn__site *site) {
    return evn_constant(site->graph, -1);
}

static evn_value derivative_ABS(const evn__site *site) {
    return evn_sign(site->graph, X(0));
}

static evn_value derivative_EXP(const evn__site *site) {
    return site->y;
}

static evn_value derivative_LOG(const evn__site *site) {
    return evn_div(site->graph, evn_constant(site->graph, 1), X(0));
}

static evn_value derivative_SQRT(const evn__site *site) {
    return evn_div(site->graph, evn_constant(site->graph, 0.5), site->y);
}

static evn_value derivative_SIN(const evn__site *site) {
    return evn_cos(site->graph, X(0));
}

static evn_value derivative_COS(const evn__site *site) {
    return evn_neg(site->graph, evn_sin(site->graph, X(0)));
}

static evn_value derivative_TANH(const evn__site *site) {
    evn_graph *g = site->graph;
    return evn_sub(g, evn_constant(g, 1), evn_mul(g, site->y, site->y));
}

static evn_value derivative_SIGMOID(const evn__site *site) {
    evn_graph *g = site->graph;
    return evn_mul(g, site->y, evn_sub(g, evn_constant(g, 1), site->y));
}

static evn_value derivative_SOFTPLUS(const evn__site *site) {
    return evn_sigmoid(site->graph, X(0));
}

// y > 0 just where x > 0, and y is kept anyway: it is what the next layer reads.
static evn_value derivative_RELU(const evn__site *site) {
    return evn_step(site->graph, site->y);
}

POINTWISE(NEG)
POINTWISE(ABS)
POINTWISE(EXP)
POINTWISE(LOG)
POINTWISE(SQRT)
POINTWISE(SIN)
POINTWISE(COS)
POINTWISE(TANH)
POINTWISE(SIGMOID)
POINTWISE(SOFTPLUS)
POINTWISE(RELU)

static evn_value times(evn_graph *graph, evn_value factor, evn_value tangent) {
    return tangent == EVN_NONE ? EVN_NONE : evn_mul(graph, factor, tangent);
}

void evn__vjp_ADD(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    (void)site;
    x_bar[0] = y_bar;
    x_bar[1] = y_bar;
}

evn_value evn__jvp_ADD(const evn__site *site, const evn_value *x_dot) {
    return evn__add_tangents(site->graph, x_dot[0], x_dot[1]);
}

void evn__vjp_SUB(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = y_bar;
    x_bar[1] = evn_neg(site->graph, y_bar);
}

evn_value evn__jvp_SUB(const evn__site *site, const evn_value *x_dot) {
    if (x_dot[1] == EVN_NONE) {
        return x_dot[0];
    }
    return x_dot[0] == EVN_NONE ? evn_neg(site->graph, x_dot[1])
                                : evn_sub(site->graph, x_dot[0], x_dot[1]);
}

void evn__vjp_MUL(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_mul(site->graph, y_bar, X(1));
    x_bar[1] = evn_mul(site->graph, y_bar, X(0));
}

evn_value evn__jvp_MUL(const evn__site *site, const evn_value *x_dot) {
    evn_graph *g = site->graph;
    return evn__add_tangents(g, times(g, X(1), x_dot[0]), times(g, X(0), x_dot[1]));
}

void evn__vjp_MASK(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_mask(site->graph, y_bar, X(1));
}

evn_value evn__jvp_MASK(const evn__site *site, const evn_value *x_dot) {
    return x_dot[0] == EVN_NONE ? EVN_NONE : evn_mask(site->graph, x_dot[0], X(1));
}

static evn_value quotient_slope(const evn__site *site) {
    return evn_neg(site->graph, evn_div(site->graph, site->y, X(1)));
}

void evn__vjp_DIV(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_div(site->graph, y_bar, X(1));
    x_bar[1] = evn_mul(site->graph, y_bar, quotient_slope(site));
}

evn_value evn__jvp_DIV(const evn__site *site, const evn_value *x_dot) {
    evn_graph *g = site->graph;
    evn_value a = x_dot[0] == EVN_NONE ? EVN_NONE : evn_div(g, x_dot[0], X(1));
    evn_value b = x_dot[1] == EVN_NONE ? EVN_NONE : evn_mul(g, x_dot[1], quotient_slope(site));
    return evn__add_tangents(g, a, b);
}

/// 1 where the first operand is the larger; of equal operands the second counts.
static evn_value first_wins(const evn__site *site) {
    return evn_step(site->graph, evn_sub(site->graph, X(0), X(1)));
}

static evn_value second_wins(const evn__site *site) {
    return evn_sub(site->graph, evn_constant(site->graph, 1), first_wins(site));
}

void evn__vjp_MAXIMUM(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_mul(site->graph, first_wins(site), y_bar);
    x_bar[1] = evn_mul(site->graph, second_wins(site), y_bar);
}

evn_value evn__jvp_MAXIMUM(const evn__site *site, const evn_value *x_dot) {
    evn_graph *g = site->graph;
    return evn__add_tangents(g, times(g, first_wins(site), x_dot[0]),
                             times(g, second_wins(site), x_dot[1]));
}
