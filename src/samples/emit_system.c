// SPDX-License-Identifier: Apache-2.0
// Linear systems of samples, each its own, in a kernel of rows.
#include "samples/emission.h"

#include <stdio.h>

/// The matrix of a linear system, which may be a view of a row, in C order or transposed.
static void read_matrix(evn__emission *e, evn_value value, int number) {
    const evn__node *node = evn__node_at(e->s->graph, value);
    int64_t n = evn__samples_count(e->s, value);
    for (int64_t i = 0; i < n * n; ++i) {
        int64_t row = node->attributes.transpose_a ? i % n : i / n;
        int64_t column = node->attributes.transpose_a ? i / n : i % n;
        evn__index at = {{evn__affine_of(EVN__VAR_SAMPLE, 0), evn__affine_of(EVN__VAR_ONE, row),
                          evn__affine_of(EVN__VAR_ONE, column)}};
        evn__text_append(&e->body, "    m%d[%lld] = ", number, (long long)i);
        evn__emission_demand(
            e, evn__emission_read(e, node->operands[0], &at, EVN__VAR_SAMPLE, &e->body));
        evn__text_append(&e->body, ";\n");
    }
}

/// The right-hand side becomes the solution in place. The matrix is in a block of its own, so that
/// the next system's has its place.
void evn__emit_system(evn__emission *e, evn_value value) {
    int number = evn__emission_number(e, value);
    int64_t n = evn__samples_count(e->s, value);
    evn__text_append(&e->body, "    samples v%d[%lld];\n    {\n    samples m%d[%lld];\n", number,
                     (long long)n, number, (long long)(n * n));
    read_matrix(e, value, number);
    for (int64_t i = 0; i < n; ++i) {
        evn__index at = {{evn__affine_of(EVN__VAR_SAMPLE, 0), evn__affine_of(EVN__VAR_ONE, i)}};
        evn__text_append(&e->body, "    v%d[%lld] = ", number, (long long)i);
        evn__emission_demand(e, evn__emission_read(e, evn__node_at(e->s->graph, value)->operands[1],
                                                   &at, EVN__VAR_SAMPLE, &e->body));
        evn__text_append(&e->body, ";\n");
    }
    evn__text_append(&e->body, "    evn_solve_samples(m%d, v%d, %lld);\n    }\n", number, number,
                     (long long)n);
    for (int64_t i = 0; i < n; ++i) {
        char name[48];
        snprintf(name, sizeof(name), "v%d[%lld]", number, (long long)i);
        evn__emission_store(e, value, evn__affine_of(EVN__VAR_ONE, i), name, &e->body);
    }
    evn__emission_take_private(e, n * e->s->per_item);
    evn__emission_take_block(e, n * n * e->s->per_item);
    e->state[value] = EVN__EMITTED_ARRAY;
}
