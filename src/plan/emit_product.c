// SPDX-License-Identifier: Apache-2.0
// The function of a large product of a vector, whose items are parts of the result.
#include "plan/emission.h"

#include "ops/tasks.h"
#include <stdio.h>

// As in kernels/samples.cl.
enum { TILE_VECTORS = 8, RUN_OF_DOTS = 64 };

typedef struct product {
    evn_value vector, matrix;
    int64_t elements, terms;
    bool dots; ///< the terms of an element lie side by side in the matrix
} product;

/// False where neither operand is a vector.
static bool describe(const evn__samples *s, evn_value value, product *p) {
    const evn__node *node = evn__node_at(s->graph, value);
    bool one_row = node->shape.dim[0] == 1;
    evn_shape a = evn_value_shape(s->graph, node->operands[0]);
    *p = (product){
        .vector = evn__plan_strip(s->graph, node->operands[!one_row]),
        .matrix = evn__plan_strip(s->graph, node->operands[one_row]),
        .elements = evn_shape_count(node->shape),
        .terms = a.dim[!node->attributes.transpose_a],
        .dots = one_row ? node->attributes.transpose_b : !node->attributes.transpose_a,
    };
    return one_row || node->shape.dim[1] == 1;
}

bool evn__samples_divides(const evn__samples *s, evn_value value) {
    product p;
    return describe(s, value, &p) && (p.dots || p.elements >= (int64_t)TILE_VECTORS * s->lanes);
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
    char vector[64], matrix[64], result[64];
    product p;
    describe(e->s, e->group->large, &p);
    write_place(e, "INPUT", p.vector, vector);
    write_place(e, "INPUT", p.matrix, matrix);
    write_place(e, "OUTPUT", e->group->large, result);
    evn__text_append(&e->body, "    evn_product_%s(item, %s, %s, %s, %lld, %lld);\n",
                     p.dots ? "dots" : "columns", vector, matrix, result, (long long)p.elements,
                     (long long)p.terms);
    return (int)evn__divide_up(p.elements, p.dots ? RUN_OF_DOTS : TILE_VECTORS * e->s->lanes);
}
