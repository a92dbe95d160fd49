// SPDX-License-Identifier: Apache-2.0
// The kernel of a group of rows: every variable holds one element for each sample of an item. Short
// rows are unrolled; longer ones are loops over their elements (samples/row_loop.h), or, with two
// long axes, loops of their own.
#include "samples/emission.h"
#include "samples/row_loop.h"
#include "samples/row_terms.h"

#include <stdio.h>
#include <stdlib.h>

// Short rows --------------------------------------------------------------------------------------

static void unroll_contraction(evn__emission *e, evn_value value) {
    int64_t m, n;
    evn__row_contraction_extents(e, value, &m, &n);
    for (int64_t i = 0; i < m * n; ++i) {
        evn__emission_demand(e, evn__row_contract(e, value, evn__affine_of(EVN__VAR_ONE, i / n),
                                                  evn__affine_of(EVN__VAR_ONE, i % n), &e->body));
    }
    e->state[value] = EVN__EMITTED_SMALL;
}

static void unroll_row(evn__emission *e, evn_value value) {
    int number = evn__emission_number(e, value);
    for (int64_t c = 0; c < evn__samples_count(e->s, value); ++c) {
        char name[32];
        evn__affine element = evn__affine_of(EVN__VAR_ONE, c);
        snprintf(name, sizeof(name), "v%d_%lld", number, (long long)c);
        evn__text_append(&e->body, "    const samples %s = ", name);
        evn__emission_demand(e, evn__row_expression(e, value, element, &e->body));
        evn__text_append(&e->body, ";\n");
        evn__emission_store(e, value, element, name, &e->body);
    }
    e->state[value] = EVN__EMITTED_SMALL;
}

/// What a compiler finds one after the other for it: a product or an addition each.
static int64_t unrolled_terms(const evn__emission *e, evn_value value) {
    int64_t m, n;
    if (evn__row_is_contraction(e, value) && !evn__row_is_total(e, value)) {
        evn__row_contraction_extents(e, value, &m, &n);
        return m * n;
    }
    return evn__samples_count(e->s, value) * evn__row_terms(e, value);
}

static void unroll(evn__emission *e, evn_value value) {
    e->unrolled += unrolled_terms(e, value);
    if (evn__row_node(e, value)->op == EVN__OP_SOLVE) {
        evn__emit_system(e, value);
    } else if (evn__row_is_contraction(e, value)) {
        unroll_contraction(e, value);
    } else {
        unroll_row(e, value);
    }
}

// Loops of their own ------------------------------------------------------------------------------

static void nest_contraction(evn__emission *e, evn_value value) {
    int64_t m, n;
    evn__row_contraction_extents(e, value, &m, &n);
    e->range[EVN__VAR_I] = m;
    e->range[EVN__VAR_J] = n;
    evn__text term = {0};
    evn__emission_flush(e, &e->body);
    e->sums.flushed = false;
    evn__emission_demand(e, evn__row_contract(e, value, evn__affine_of(EVN__VAR_I, 0),
                                              evn__row_loop_variable(), &term));
    evn__text_need(&e->body, &term);
    evn__text_append(&e->body, "    for (int i = 0; i < %lld; ++i) {\n", (long long)m);
    evn__row_append_loop(e, n, term.data);
    evn__text_append(&e->body, "    }\n");
    free(term.data);
}

/// Columns that are summed together: their sums wait for each other less, and share the row.
static int64_t columns_together(int64_t count) {
    return count % 8 == 0 ? 8 : 1;
}

static void sum_columns(evn__emission *e, evn_value value, int64_t together) {
    evn__text_append(&e->body, "        for (int k = 0; k < %lld; ++k) {\n",
                     (long long)evn__row_terms(e, value));
    for (int64_t c = 0; c < together; ++c) {
        evn__affine column = evn__row_loop_variable();
        column.c[EVN__VAR_ONE] = c;
        evn__text_append(&e->body, "            sum%lld += ", (long long)c);
        evn__emission_demand(
            e, evn__row_term(e, value, column, evn__affine_of(EVN__VAR_K, 0), &e->body));
        evn__text_append(&e->body, ";\n");
    }
    evn__text_append(&e->body, "        }\n");
}

static void nest_product(evn__emission *e, evn_value value) {
    int number = evn__emission_number(e, value);
    int64_t count = evn__samples_count(e->s, value), together = columns_together(count);
    e->range[EVN__VAR_J] = count - together + 1;
    e->range[EVN__VAR_K] = evn__row_terms(e, value);
    evn__text_append(&e->body,
                     "    samples v%d[%lld];\n"
                     "    for (int j = 0; j < %lld; j += %lld) {\n",
                     number, (long long)count, (long long)count, (long long)together);
    for (int64_t c = 0; c < together; ++c) {
        evn__text_append(&e->body, "        samples sum%lld = (samples)(R(0.0));\n", (long long)c);
    }
    sum_columns(e, value, together);
    for (int64_t c = 0; c < together; ++c) {
        char name[32];
        evn__affine column = evn__row_loop_variable();
        column.c[EVN__VAR_ONE] = c;
        snprintf(name, sizeof(name), "sum%lld", (long long)c);
        evn__text_append(&e->body, "        v%d[j + %lld] = %s;\n", number, (long long)c, name);
        evn__emission_store(e, value, column, name, &e->body);
    }
    evn__text_append(&e->body, "    }\n");
    evn__emission_take_private(e, count * e->s->per_item);
}

static void nest_parts(evn__emission *e, evn_value value) {
    int number = evn__emission_number(e, value);
    int64_t count = evn__samples_count(e->s, value);
    evn__text_append(&e->body, "    samples v%d[%lld];\n", number, (long long)count);
    for (int64_t c = 0; c < count; ++c) {
        char name[48];
        evn__affine element = evn__affine_of(EVN__VAR_ONE, c);
        snprintf(name, sizeof(name), "v%d[%lld]", number, (long long)c);
        evn__text_append(&e->body, "    %s = ", name);
        evn__emission_demand(e, evn__row_placed(e, value, c, &e->body));
        evn__text_append(&e->body, ";\n");
        evn__emission_store(e, value, element, name, &e->body);
    }
    evn__emission_take_private(e, count * e->s->per_item);
}

static void write_nest(evn__emission *e, evn_value value) {
    evn__op op = evn__row_node(e, value)->op;
    if (evn__row_is_contraction(e, value)) {
        nest_contraction(e, value);
    } else if (op == EVN__OP_MATMUL) {
        nest_product(e, value);
    } else {
        nest_parts(e, value);
    }
    e->range[EVN__VAR_I] = e->range[EVN__VAR_J] = e->range[EVN__VAR_K] = 1;
    e->state[value] = EVN__EMITTED_ARRAY;
}

/// Short rows from `from` on that wait for no loop: what reads them can then join the next one.
static void unroll_ready(evn__emission *e, evn_value from) {
    for (evn_value v = evn__emission_next(e, from); v != EVN_NONE && e->fits;
         v = evn__emission_next(e, v + 1)) {
        if (evn__row_loop_extent(e, v) == 0 && evn__emission_ready(e, v)) {
            unroll(e, v);
        }
    }
}

void evn__emit_rows(evn__emission *e) {
    unroll_ready(e, 0);
    for (evn_value v = evn__emission_next(e, 0); v != EVN_NONE && e->fits;
         v = evn__emission_next(e, v + 1)) {
        if (evn__row_is_nest(e, v)) {
            write_nest(e, v);
        } else {
            evn__row_write_loop(e, v);
        }
        unroll_ready(e, v);
    }
    evn__emission_demand(e, evn__emission_next(e, 0) == EVN_NONE);
}
