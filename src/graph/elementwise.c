// SPDX-License-Identifier: Apache-2.0
// Builders of constants and element-wise operations, with the identities that keep the graphs of
// the transforms small: x + 0, x · 1, x · 0, constant folding.
#include "graph/node.h"

#include <math.h>
#include <string.h>

evn_value evn_constant(evn_graph *graph, double value) {
    return evn__node_add(
        graph,
        &(evn__node){.op = EVN__OP_CONSTANT, .shape = EVN_SCALAR, .attributes.scalar = value});
}

evn_value evn_full(evn_graph *graph, evn_shape shape, double value) {
    return evn_broadcast(graph, evn_constant(graph, value), shape);
}

// A table's identity is its data: an equal one is found before the data are copied.
static const double *find_table(const evn_graph *graph, evn_shape shape, const double *data) {
    size_t bytes = sizeof(*data) * (size_t)evn_shape_count(shape);
    for (int i = 0; i < graph->node_count; ++i) {
        const evn__node *node = &graph->nodes[i];
        if (node->op == EVN__OP_TABLE && evn_shape_equal(node->shape, shape) &&
            memcmp(node->attributes.table, data, bytes) == 0) {
            return node->attributes.table;
        }
    }
    return NULL;
}

evn_value evn_table(evn_graph *graph, evn_shape shape, const double *data) {
    if (!graph || !data || !evn__shape_is_valid(shape)) {
        char text[128];
        return evn__graph_fail(graph, data ? EVN_ERR_SHAPE : EVN_ERR_ARGUMENT,
                               "table: %s for a shape %s", data ? "data" : "no data",
                               evn__shape_text(shape, text));
    }
    const double *table = find_table(graph, shape, data);
    if (!table) {
        size_t bytes = sizeof(*data) * (size_t)evn_shape_count(shape);
        double *copy = evn__arena_alloc(&graph->arena, bytes);
        if (!copy) {
            return evn__graph_fail(graph, EVN_ERR_MEMORY, "no memory for a table");
        }
        memcpy(copy, data, bytes);
        table = copy;
    }
    return evn__node_add(
        graph, &(evn__node){.op = EVN__OP_TABLE, .shape = shape, .attributes.table = table});
}

/// The value that every element has, if that is known: sees through broadcasts and reshapes.
static bool uniform_value(const evn_graph *graph, evn_value value, double *uniform) {
    const evn__node *node = evn__node_at(graph, value);
    while (node->op == EVN__OP_BROADCAST || node->op == EVN__OP_RESHAPE) {
        node = evn__node_at(graph, node->operands[0]);
    }
    *uniform = node->attributes.scalar;
    return node->op == EVN__OP_CONSTANT;
}

static double fold(evn__op op, double a, double b) {
    switch (op) {
    case EVN__OP_ADD:
        return a + b;
    case EVN__OP_SUB:
        return a - b;
    case EVN__OP_MUL:
        return a * b;
    case EVN__OP_DIV:
        return a / b;
    case EVN__OP_NEG:
        return -a;
    case EVN__OP_SQRT:
        return sqrt(a);
    default:
        return NAN;
    }
}

static bool folds(evn__op op) {
    return op == EVN__OP_ADD || op == EVN__OP_SUB || op == EVN__OP_MUL || op == EVN__OP_DIV ||
           op == EVN__OP_NEG || op == EVN__OP_SQRT;
}

static evn_value unusable(evn_graph *graph, evn__op op) {
    return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "%s: an operand is not a value of this graph",
                           evn__op_table[op].text);
}

static evn_value unary(evn_graph *graph, evn__op op, evn_value x) {
    if (!evn__graph_has(graph, x)) {
        return unusable(graph, op);
    }
    evn_shape shape = evn_value_shape(graph, x);
    double value;
    if (folds(op) && uniform_value(graph, x, &value)) {
        return evn_full(graph, shape, fold(op, value, 0));
    }
    return evn__node_add(
        graph, &(evn__node){.op = op, .shape = shape, .operand_count = 1, .operands = {x}});
}

static bool broadcast_shape(evn_shape a, evn_shape b, evn_shape *shape) {
    *shape = a.rank > b.rank ? a : b;
    for (int i = 1; i <= shape->rank; ++i) {
        int64_t x = i <= a.rank ? a.dim[a.rank - i] : 1;
        int64_t y = i <= b.rank ? b.dim[b.rank - i] : 1;
        if (x != y && x != 1 && y != 1) {
            return false;
        }
        shape->dim[shape->rank - i] = x > y ? x : y;
    }
    return true;
}

/// The operand that the operation leaves as it is, EVN_NONE when there is no such identity.
static evn_value identity(evn_graph *graph, evn__op op, evn_value a, evn_value b) {
    double x = NAN, y = NAN;
    bool a_known = uniform_value(graph, a, &x), b_known = uniform_value(graph, b, &y);
    if (a_known && b_known && folds(op)) {
        return evn_full(graph, evn_value_shape(graph, a), fold(op, x, y));
    }
    switch (op) {
    case EVN__OP_ADD:
        return b_known && y == 0 ? a : a_known && x == 0 ? b : EVN_NONE;
    case EVN__OP_SUB:
        return b_known && y == 0 ? a : a_known && x == 0 ? evn_neg(graph, b) : EVN_NONE;
    case EVN__OP_MUL:
        return b_known && y == 1    ? a
               : a_known && x == 1  ? b
               : b_known && y == -1 ? evn_neg(graph, a)
               : a_known && x == -1 ? evn_neg(graph, b)
                                    : EVN_NONE;
    case EVN__OP_DIV:
        return b_known && y == 1 ? a : EVN_NONE;
    default:
        return EVN_NONE;
    }
}

static evn_value binary(evn_graph *graph, evn__op op, evn_value a, evn_value b) {
    if (!evn__graph_has(graph, a) || !evn__graph_has(graph, b)) {
        return unusable(graph, op);
    }
    evn_shape shape, sa = evn_value_shape(graph, a), sb = evn_value_shape(graph, b);
    if (!broadcast_shape(sa, sb, &shape)) {
        char x[128], y[128];
        return evn__graph_fail(graph, EVN_ERR_SHAPE, "%s: %s and %s cannot be broadcast together",
                               evn__op_table[op].text, evn__shape_text(sa, x),
                               evn__shape_text(sb, y));
    }
    a = evn_broadcast(graph, a, shape);
    b = evn_broadcast(graph, b, shape);
    if (a == EVN_NONE || b == EVN_NONE) {
        return EVN_NONE;
    }
    evn_value known = identity(graph, op, a, b);
    if (known != EVN_NONE) {
        return known;
    }
    return evn__node_add(
        graph, &(evn__node){.op = op, .shape = shape, .operand_count = 2, .operands = {a, b}});
}

#define UNARY(function, NAME)                                                                      \
    evn_value function(evn_graph *graph, evn_value x) {                                            \
        return unary(graph, EVN__OP_##NAME, x);                                                    \
    }
#define BINARY(function, NAME)                                                                     \
    evn_value function(evn_graph *graph, evn_value a, evn_value b) {                               \
        return binary(graph, EVN__OP_##NAME, a, b);                                                \
    }

BINARY(evn_add, ADD)
BINARY(evn_sub, SUB)
BINARY(evn_mul, MUL)
BINARY(evn_div, DIV)
BINARY(evn_maximum, MAXIMUM)
BINARY(evn_mask, MASK)
UNARY(evn_neg, NEG)
UNARY(evn_abs, ABS)
UNARY(evn_sign, SIGN)
UNARY(evn_detach, DETACH)
UNARY(evn_step, STEP)
UNARY(evn_exp, EXP)
UNARY(evn_log, LOG)
UNARY(evn_sqrt, SQRT)
UNARY(evn_sin, SIN)
UNARY(evn_cos, COS)
UNARY(evn_tanh, TANH)
UNARY(evn_sigmoid, SIGMOID)
UNARY(evn_softplus, SOFTPLUS)
UNARY(evn_relu, RELU)

evn_value evn_scale(evn_graph *graph, evn_value x, double factor) {
    return evn_mul(graph, x, evn_constant(graph, factor));
}

evn_value evn__minimum(evn_graph *graph, evn_value a, evn_value b) {
    return evn_neg(graph, evn_maximum(graph, evn_neg(graph, a), evn_neg(graph, b)));
}
