// SPDX-License-Identifier: Apache-2.0
// Leaves and element-wise operations. Operands are taken in the shape that they have: ONNX
// broadcasts.
#include "exchange/onnx_rules.h"

#include "ref/ref.h"

#include <string.h>

const char *evn__onnx_name(evn__onnx_translation *t, evn__onnx_value *value) {
    if (!value->name && value->is_constant) {
        value->name = evn__onnx_scalar(&t->model, value->constant);
    } else if (!value->name) {
        value->name = evn__onnx_channels_last(t, value->channels_first);
    }
    return value->name;
}

// Leaves ------------------------------------------------------------------------------------------

/// Inputs are the translation's own business (onnx.c).
void evn__onnx_INPUT(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                     evn__onnx_value *y) {
    (void)t, (void)node, (void)x, (void)y;
}

void evn__onnx_CONSTANT(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                        evn__onnx_value *y) {
    (void)t, (void)x;
    y->is_constant = true;
    y->constant = node->attributes.scalar;
}

void evn__onnx_TABLE(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                     evn__onnx_value *y) {
    (void)x;
    y->name = evn__onnx_table(&t->model, t->model.prefix, node->shape, node->attributes.table);
}

// Element-wise ------------------------------------------------------------------------------------

/// The shape that operands broadcast to, and where its batch is.
static void broadcast(const evn__node *node, evn__onnx_value **x, evn__onnx_value *y) {
    y->shape = x[0]->shape;
    for (int k = 0; k < node->operand_count; ++k) {
        if (x[k]->shape.rank > y->shape.rank) {
            y->shape = x[k]->shape;
        }
    }
    for (int k = 0; k < node->operand_count; ++k) {
        int missing = y->shape.rank - x[k]->shape.rank;
        for (int i = 0; i < x[k]->shape.rank; ++i) {
            int64_t extent = x[k]->shape.dim[i], *to = &y->shape.dim[missing + i];
            *to = extent > *to ? extent : *to;
        }
        y->batch = x[k]->batch >= 0 ? x[k]->batch + missing : y->batch;
    }
}

/// What is known is computed here, in double precision.
static bool fold(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                 evn__onnx_value *y) {
    evn__node scalar = *node;
    const double *operands[EVN_MAX_INPUTS];
    for (int k = 0; k < node->operand_count; ++k) {
        if (!x[k]->is_constant) {
            return false;
        }
        operands[k] = &x[k]->constant;
    }
    scalar.shape = y->shape = EVN_SCALAR;
    evn__ref_elementwise(t->graph, &scalar, operands, &y->constant);
    y->is_constant = true;
    return true;
}

/// Whether the operation can be done with channels first, as what it is done to is there: then
/// nothing has to be transposed for it.
static bool suits_channels_first(const evn__node *node, evn__onnx_value **x) {
    bool there = false, suits = true;
    for (int k = 0; k < node->operand_count; ++k) {
        there = there || (x[k]->channels_first && !x[k]->name);
        suits = suits && (x[k]->is_constant || x[k]->shape.rank <= 1 || x[k]->shape.rank == 4);
    }
    return there && suits;
}

/// An operand, broadcast against images with channels first.
static const char *with_channels_first(evn__onnx_translation *t, evn__onnx_value *x) {
    if (x->is_constant || x->shape.rank == 0) {
        return evn__onnx_name(t, x);
    }
    if (x->shape.rank == 4) {
        return evn__onnx_channels_first(t, x);
    }
    if (!x->per_channel) {
        const evn__onnx_list shape = {3, {x->shape.dim[0], 1, 1}};
        x->per_channel = evn__onnx_reshape(t, evn__onnx_name(t, x), &shape);
    }
    return x->per_channel;
}

static void elementwise(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                        evn__onnx_value *y, const char *type) {
    const char *arguments[3] = {0};
    if (fold(t, node, x, y)) {
        return;
    }
    bool first = suits_channels_first(node, x);
    broadcast(node, x, y);
    for (int k = 0; k < node->operand_count; ++k) {
        arguments[k] = first ? with_channels_first(t, x[k]) : evn__onnx_name(t, x[k]);
    }
    *(first ? &y->channels_first : &y->name) = evn__onnx_node(&t->model, type, arguments, NULL);
}

#define ELEMENT(NAME, type)                                                                        \
    void evn__onnx_##NAME(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,    \
                          evn__onnx_value *y) {                                                    \
        elementwise(t, node, x, y, type);                                                          \
    }

ELEMENT(ADD, "Add")
ELEMENT(SUB, "Sub")
ELEMENT(MUL, "Mul")
ELEMENT(DIV, "Div")
ELEMENT(MAXIMUM, "Max")
ELEMENT(NEG, "Neg")
ELEMENT(ABS, "Abs")
ELEMENT(SIGN, "Sign")
ELEMENT(DETACH, "Identity")
ELEMENT(EXP, "Exp")
ELEMENT(LOG, "Log")
ELEMENT(SQRT, "Sqrt")
ELEMENT(SIN, "Sin")
ELEMENT(COS, "Cos")
ELEMENT(TANH, "Tanh")
ELEMENT(SIGMOID, "Sigmoid")
ELEMENT(SOFTPLUS, "Softplus")
ELEMENT(RELU, "Relu")

/// x where keep > 0, else 0.
void evn__onnx_MASK(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                    evn__onnx_value *y) {
    if (!fold(t, node, x, y)) {
        broadcast(node, x, y);
        const char *value = evn__onnx_name(t, x[0]), *keep = evn__onnx_name(t, x[1]);
        const char *zero = evn__onnx_scalar(&t->model, 0);
        const char *kept =
            evn__onnx_node(&t->model, "Greater", EVN__ONNX_ARGUMENTS(keep, zero), NULL);
        y->name = evn__onnx_node(&t->model, "Where", EVN__ONNX_ARGUMENTS(kept, value, zero), NULL);
    }
}

/// 1 where x > 0, else 0: the positive part of the sign.
void evn__onnx_STEP(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                    evn__onnx_value *y) {
    if (!fold(t, node, x, y)) {
        broadcast(node, x, y);
        const char *of = evn__onnx_name(t, x[0]);
        const char *sign = evn__onnx_node(&t->model, "Sign", EVN__ONNX_ARGUMENTS(of), NULL);
        y->name = evn__onnx_node(&t->model, "Relu", EVN__ONNX_ARGUMENTS(sign), NULL);
    }
}
