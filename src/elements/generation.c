// SPDX-License-Identifier: Apache-2.0
// Formulas, numbers and arguments of generated kernels.
#include "elements/generation.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const formulas[EVN__OP_COUNT] = {
    [EVN__OP_ADD] = "%s + %s",
    [EVN__OP_SUB] = "%s - %s",
    [EVN__OP_MUL] = "%s * %s",
    [EVN__OP_DIV] = "%s / %s",
    [EVN__OP_MAXIMUM] = "evn_maximum(%s, %s)",
    [EVN__OP_MASK] = "evn_mask(%s, %s)",
    [EVN__OP_NEG] = "-%s",
    [EVN__OP_ABS] = "fabs(%s)",
    [EVN__OP_SIGN] = "evn_sign(%s)",
    [EVN__OP_STEP] = "evn_step(%s)",
    [EVN__OP_DETACH] = "%s",
    [EVN__OP_EXP] = "exp(%s)",
    [EVN__OP_LOG] = "log(%s)",
    [EVN__OP_SQRT] = "sqrt(%s)",
    [EVN__OP_SIN] = "sin(%s)",
    [EVN__OP_COS] = "cos(%s)",
    [EVN__OP_TANH] = "tanh(%s)",
    [EVN__OP_SIGMOID] = "evn_sigmoid(%s)",
    [EVN__OP_SOFTPLUS] = "evn_softplus(%s)",
    [EVN__OP_RELU] = "evn_relu(%s)",
};

const char *evn__formula(evn__op op) {
    return formulas[op];
}

bool evn__elements_inline(const evn_graph *graph, const bool *held, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    return evn__op_table[node->op].class == EVN__CLASS_ELEMENT && !held[value] &&
           evn_shape_count(node->shape) == 1;
}

enum { ROOM = 10 }; // arguments left to what is read, where numbers would take the last ones

/// Numbers that stay in the text: the compiler simplifies with them, and they do not vary.
static bool is_plain(double value) {
    return value == 0 || value == 1 || value == -1 || value == 2 || value == 0.5;
}

void evn__literal(double value, char text[64]) {
    if (isnan(value)) {
        snprintf(text, 64, "((real)NAN)");
    } else if (isinf(value)) {
        snprintf(text, 64, "((real)%sINFINITY)", value < 0 ? "-" : "");
    } else {
        evn__print(text, 64, "%.17g", value);
        bool plain = !strpbrk(text, ".e");
        evn__print(text, 64, "R(%.17g%s)", value, plain ? ".0" : "");
    }
}

// Arguments ---------------------------------------------------------------------------------------

evn_status evn__generation_add(evn__generation *g, evn__operand added, int *number) {
    EVN_CHECK(g->call.operand_count < EVN__MAX_OPERANDS, EVN_ERR_INTERNAL,
              "a fused kernel has more than %d operands", EVN__MAX_OPERANDS);
    *number = g->call.operand_count;
    g->call.operands[g->call.operand_count++] = added;
    return EVN_OK;
}

evn_status evn__generation_bind(evn__generation *g, const char *direction, evn__operand bound,
                                int *number) {
    EVN_TRY(evn__generation_add(g, bound, number));
    evn__text_append(&g->head, ", %s(a%d)", direction, *number);
    evn__text_append(&g->pointers, "    %s_OF(a%d);\n", direction, *number);
    evn__text_append(&g->formals, ", __global %sreal *a%d", direction[0] == 'I' ? "const " : "",
                     *number);
    evn__text_append(&g->pass, ", a%d_buffer + a%d_offset", *number, *number);
    return EVN_OK;
}

evn_status evn__generation_literal(evn__generation *g, double value, char text[64]) {
    int number = -1;
    for (int i = 0; i < g->call.operand_count; ++i) {
        const evn__operand *known = &g->call.operands[i];
        if (known->kind == EVN__OPERAND_REAL && known->real == value) {
            number = i;
        }
    }
    bool full = g->call.operand_count >= EVN__MAX_OPERANDS / 2 ||
                g->call.operand_count + g->reserved + ROOM >= EVN__MAX_OPERANDS;
    if (number < 0 && (is_plain(value) || !isfinite(value) || full)) {
        evn__literal(value, text);
        return EVN_OK;
    }
    if (number < 0) {
        EVN_TRY(evn__generation_add(g, evn__operand_real(value), &number));
        evn__text_append(&g->head, ", const real a%d", number);
        evn__text_append(&g->formals, ", const real a%d", number);
        evn__text_append(&g->pass, ", a%d", number);
    }
    snprintf(text, 64, "a%d", number);
    return EVN_OK;
}

evn_status evn__generation_argument(evn__generation *g, evn_value source, int *number) {
    for (int i = 0; i < g->call.operand_count; ++i) {
        if (g->call.operands[i].kind == EVN__OPERAND_VALUE && g->call.operands[i].value == source) {
            *number = i;
            return EVN_OK;
        }
    }
    return evn__generation_bind(g, "INPUT", evn__operand_value(source), number);
}

static bool access_equal(const evn__access *a, const evn__access *b) {
    bool equal = a->source == b->source && a->rank == b->rank && a->start == b->start;
    for (int i = 0; equal && i < a->rank; ++i) {
        equal = a->dim[i] == b->dim[i] && a->stride[i] == b->stride[i];
    }
    return equal;
}

evn_status evn__generation_read(evn__generation *g, const evn__access *access, int *index) {
    for (int i = 0; i < g->read_count; ++i) {
        if (access_equal(&g->reads[i].access, access)) {
            *index = i;
            return EVN_OK;
        }
    }
    EVN_CHECK(g->read_count < EVN__MAX_OPERANDS, EVN_ERR_INTERNAL,
              "a fused kernel reads more than %d operands", EVN__MAX_OPERANDS);
    evn__read *o = &g->reads[g->read_count];
    o->access = *access;
    EVN_TRY(evn__generation_argument(g, access->source, &o->argument));
    *index = g->read_count++;
    return EVN_OK;
}
