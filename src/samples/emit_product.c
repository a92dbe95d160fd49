// SPDX-License-Identifier: Apache-2.0
// The function of a large product of a vector, whose items are parts of the result.
#include "samples/emission.h"

#include "kernels/shared.h"
#include "ops/tasks.h"
#include <stdio.h>

typedef struct product {
    evn_value vector, matrix;
    int64_t elements, terms;
    bool dots;   ///< the terms of an element lie side by side in the matrix
    bool sparse; ///< many elements of the vector are likely to be 0
} product;

static evn__op op_of(const evn__samples *s, evn_value value) {
    return evn__node_at(s->graph, evn__strip(s->graph, value))->op;
}

/// What a ReLU, or the gate of a ReLU's derivative, has passed.
static bool is_rectified(const evn__samples *s, evn_value value) {
    const evn__node *node = evn__node_at(s->graph, value);
    bool gated = node->op == EVN__OP_MUL && (op_of(s, node->operands[0]) == EVN__OP_STEP ||
                                             op_of(s, node->operands[1]) == EVN__OP_STEP);
    return node->op == EVN__OP_RELU || gated;
}

/// False where neither operand is a vector.
static bool describe(const evn__samples *s, evn_value value, product *p) {
    const evn__node *node = evn__node_at(s->graph, value);
    bool one_row = node->shape.dim[0] == 1;
    evn_shape a = evn_value_shape(s->graph, node->operands[0]);
    *p = (product){
        .vector = evn__strip(s->graph, node->operands[!one_row]),
        .matrix = evn__strip(s->graph, node->operands[one_row]),
        .elements = evn_shape_count(node->shape),
        .terms = a.dim[!node->attributes.transpose_a],
        .dots = one_row ? node->attributes.transpose_b : !node->attributes.transpose_a,
    };
    p->sparse = is_rectified(s, p->vector);
    return one_row || node->shape.dim[1] == 1;
}

/// What `reader` lets pass of `value` where it is above 0; EVN_NONE where it reads all.
static evn_value gate_of(const evn__samples *s, const evn__node *reader, evn_value value) {
    if (reader->op != EVN__OP_MUL || reader->operands[0] == reader->operands[1]) {
        return EVN_NONE;
    }
    const evn__node *other = evn__node_at(s->graph, reader->operands[reader->operands[0] == value]);
    return other->op == EVN__OP_STEP ? evn__strip(s->graph, other->operands[0]) : EVN_NONE;
}

/// Whether a product can read `value` in memory.
static bool is_in_memory(const evn__samples *s, evn_value value) {
    bool input = evn__node_at(s->graph, value)->op == EVN__OP_INPUT && !s->sampled[value];
    return input || (s->computed[value] && s->kind[value] == EVN__SAMPLES_UNIFORM);
}

evn_value evn__samples_gate(const evn__samples *s, evn_value value) {
    product p;
    evn_value gate = EVN_NONE;
    if (s->stored[value] || !describe(s, value, &p) || !p.dots) {
        return EVN_NONE;
    }
    for (int i = s->request->first_reader[value]; i < s->request->first_reader[value + 1]; ++i) {
        const evn__node *reader = evn__node_at(s->graph, s->request->readers[i]);
        for (int k = 0; k < reader->operand_count; ++k) {
            if (reader->operands[k] == value) {
                evn_value of_reader = gate_of(s, reader, value);
                if (of_reader == EVN_NONE || (gate != EVN_NONE && gate != of_reader)) {
                    return EVN_NONE;
                }
                gate = of_reader;
            }
        }
    }
    // Nodes come after what they read: an earlier one does not depend on the product.
    return gate != EVN_NONE && gate < value && is_in_memory(s, gate) ? gate : EVN_NONE;
}

bool evn__samples_divides(const evn__samples *s, evn_value value) {
    product p;
    return describe(s, value, &p) && (p.dots || p.elements >= (int64_t)EVN_TILE_VECTORS * s->lanes);
}

/// The expression of where a value begins in memory.
static void write_place(evn__emission *e, const char *direction, evn_value value, char text[64]) {
    int slab = e->s->slab[value];
    bool in_slab = slab >= 0 && !e->s->stored[value];
    int argument = evn__emission_argument(
        e, direction, in_slab ? e->s->slabs[slab].memory : evn__operand_value(value));
    snprintf(text, 64, "a%d + %lld", argument, in_slab ? (long long)e->s->offset[value] : 0);
}

int evn__emit_product(evn__emission *e) {
    char vector[64], gate[64] = "0", matrix[64], result[64];
    evn_value value = e->group->large;
    product p;
    describe(e->s, value, &p);
    write_place(e, "INPUT", p.vector, vector);
    write_place(e, "INPUT", p.matrix, matrix);
    write_place(e, "OUTPUT", value, result);
    if (e->s->gate[value] != EVN_NONE) {
        write_place(e, "INPUT", e->s->gate[value], gate);
    }
    evn__text_append(&e->body, "    evn_product_%s(item, %s, %s, %s, %s, %lld, %lld);\n",
                     p.dots ? "dots" : "columns", vector,
                     p.dots     ? gate
                     : p.sparse ? "true"
                                : "false",
                     matrix, result, (long long)p.elements, (long long)p.terms);
    return (int)evn__divide_up(p.elements,
                               p.dots ? EVN_RUN_OF_DOTS : EVN_TILE_VECTORS * e->s->lanes);
}
