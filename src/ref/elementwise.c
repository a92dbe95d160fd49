// SPDX-License-Identifier: Apache-2.0
// NaN in gives NaN out in every operation, but where a mask leaves it out.
#include "ref/ref.h"

#include <math.h>
#include <string.h>

void evn__ref_constant(const evn_graph *graph, const evn__node *node, const double *const *operands,
                       double *result) {
    (void)graph, (void)operands;
    result[0] = node->attributes.scalar;
}

void evn__ref_table_data(const evn_graph *graph, const evn__node *node,
                         const double *const *operands, double *result) {
    (void)graph, (void)operands;
    memcpy(result, node->attributes.table, (size_t)evn_shape_count(node->shape) * sizeof(double));
}

static double one_argument(evn__op op, double x) {
    switch (op) {
    case EVN__OP_NEG:
        return -x;
    case EVN__OP_ABS:
        return fabs(x);
    case EVN__OP_SIGN:
        return x > 0 ? 1 : x < 0 ? -1 : x;
    case EVN__OP_DETACH:
        return x;
    case EVN__OP_STEP:
        return isnan(x) ? x : x > 0;
    case EVN__OP_EXP:
        return exp(x);
    case EVN__OP_LOG:
        return log(x);
    case EVN__OP_SQRT:
        return sqrt(x);
    case EVN__OP_SIN:
        return sin(x);
    case EVN__OP_COS:
        return cos(x);
    case EVN__OP_TANH:
        return tanh(x);
    case EVN__OP_SIGMOID:
        return 1 / (1 + exp(-x));
    case EVN__OP_SOFTPLUS:
        return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
    case EVN__OP_RELU:
        return x <= 0 ? 0 : x;
    default:
        return NAN;
    }
}

static double two_arguments(evn__op op, double a, double b) {
    switch (op) {
    case EVN__OP_ADD:
        return a + b;
    case EVN__OP_SUB:
        return a - b;
    case EVN__OP_MUL:
        return a * b;
    case EVN__OP_DIV:
        return a / b;
    case EVN__OP_MAXIMUM:
        return isnan(a) || a > b ? a : b;
    case EVN__OP_MASK:
        return b > 0 ? a : 0;
    default:
        return NAN;
    }
}

void evn__ref_elementwise(const evn_graph *graph, const evn__node *node,
                          const double *const *operands, double *result) {
    (void)graph;
    int64_t count = evn_shape_count(node->shape);
    for (int64_t i = 0; i < count; ++i) {
        result[i] = node->operand_count == 1
                        ? one_argument(node->op, operands[0][i])
                        : two_arguments(node->op, operands[0][i], operands[1][i]);
    }
}
