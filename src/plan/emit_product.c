// SPDX-License-Identifier: Apache-2.0
// The function of a large product of a vector, whose items are parts of the result.
#include "plan/emission.h"

#include "ops/tasks.h"

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

int evn__emit_product(evn__emission *e) {
    product p;
    describe(e->s, e->group->large, &p);
    int vector = evn__emission_argument(e, "INPUT", evn__operand_value(p.vector));
    int matrix = evn__emission_argument(e, "INPUT", evn__operand_value(p.matrix));
    int result = evn__emission_argument(e, "OUTPUT", evn__operand_value(e->group->large));
    evn__text_append(&e->body, "    evn_product_%s(item, a%d, a%d, a%d, %lld, %lld);\n",
                     p.dots ? "dots" : "columns", vector, matrix, result, (long long)p.elements,
                     (long long)p.terms);
    return (int)evn__divide_up(p.elements, p.dots ? RUN_OF_DOTS : TILE_VECTORS * e->s->lanes);
}
