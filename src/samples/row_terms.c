// SPDX-License-Identifier: Apache-2.0
#include "samples/row_terms.h"

#include "kernels/shared.h"

const evn__node *evn__row_node(const evn__emission *e, evn_value value) {
    return evn__node_at(e->s->graph, value);
}

bool evn__row_is_contraction(const evn__emission *e, evn_value value) {
    return e->s->kind[value] == EVN__SAMPLES_CONTRACTION;
}

bool evn__row_is_total(const evn__emission *e, evn_value value) {
    const evn__node *node = evn__row_node(e, value);
    return evn__row_is_contraction(e, value) && node->op == EVN__OP_SUM &&
           node->attributes.axes > 1;
}

static evn__index row_index(evn__affine element) {
    return (evn__index){{evn__affine_of(EVN__VAR_SAMPLE, 0), element}};
}

static int64_t last_extent(const evn__emission *e, evn_value value) {
    evn_shape shape = evn_value_shape(e->s->graph, value);
    return shape.rank < 2 ? 1 : shape.dim[1];
}

int64_t evn__row_terms(const evn__emission *e, evn_value value) {
    const evn__node *node = evn__row_node(e, value);
    bool has = node->op == EVN__OP_MATMUL || node->op == EVN__OP_SUM;
    return has ? last_extent(e, node->operands[0]) : 1;
}

void evn__row_contraction_extents(const evn__emission *e, evn_value value, int64_t *m, int64_t *n) {
    const evn__node *node = evn__row_node(e, value);
    bool matmul = node->op == EVN__OP_MATMUL;
    *m = matmul ? node->shape.dim[0] : 1;
    *n = matmul ? node->shape.dim[1] : last_extent(e, value);
}

// Expressions -------------------------------------------------------------------------------------

bool evn__row_term(evn__emission *e, evn_value value, evn__affine element, evn__affine k,
                   evn__text *text) {
    const evn__node *node = evn__row_node(e, value);
    if (node->op == EVN__OP_MATMUL) {
        evn__affine index[] = {evn__affine_of(EVN__VAR_SAMPLE, 0), element, k};
        return evn__emission_product(e, value, index, EVN__VAR_SAMPLE, text);
    }
    evn__index at = row_index(k);
    return evn__emission_read(e, node->operands[0], &at, EVN__VAR_SAMPLE, text);
}

static bool sum_terms(evn__emission *e, evn_value value, evn__affine element, evn__text *text) {
    bool fits = true;
    for (int64_t k = 0; k < evn__row_terms(e, value) && fits; ++k) {
        evn__text_append(text, k ? " + " : "");
        fits = evn__row_term(e, value, element, evn__affine_of(EVN__VAR_ONE, k), text);
    }
    return fits;
}

bool evn__row_placed(evn__emission *e, evn_value value, int64_t element, evn__text *text) {
    const evn__node *node = evn__row_node(e, value);
    bool pad = node->op == EVN__OP_PAD;
    int64_t start = pad ? node->attributes.start[1] : 0;
    for (int k = 0; k < node->operand_count; ++k) {
        int64_t extent = last_extent(e, node->operands[k]);
        if (element >= start && element < start + extent) {
            evn__index at = row_index(evn__affine_of(EVN__VAR_ONE, element - start));
            return evn__emission_read(e, node->operands[k], &at, EVN__VAR_SAMPLE, text);
        }
        start += extent;
    }
    evn__text_append(text, "(samples)(R(0.0))");
    return pad;
}

bool evn__row_expression(evn__emission *e, evn_value value, evn__affine element, evn__text *text) {
    const evn__node *node = evn__row_node(e, value);
    if (node->op == EVN__OP_PAD || node->op == EVN__OP_CONCAT) {
        return evn__row_placed(e, value, element.c[EVN__VAR_ONE], text);
    }
    if (node->op != EVN__OP_MATMUL && node->op != EVN__OP_SUM) {
        evn__index at = row_index(element);
        return evn__emission_element(e, value, &at, EVN__VAR_SAMPLE, text);
    }
    return sum_terms(e, value, element, text);
}

// Writing -----------------------------------------------------------------------------------------

/// Lanes behind the last sample do not count.
static const char *live_factor(const evn__emission *e) {
    return e->s->batch % e->s->per_item == 0 ? "" : "live * ";
}

/// Room for one more sum that waits in local memory, for its place in the slab. (simt)
static void take_slot(evn__emission *e, const evn__sample_slab *slab, evn__text *text) {
    evn__waiting_sums *sums = &e->sums;
    if (sums->count == EVN_SUM_SLOTS || (sums->count > 0 && sums->slab != slab)) {
        evn__emission_flush(e, text);
        sums->flushed = true;
    }
    sums->slab = slab;
    ++sums->count;
}

void evn__row_assign_partial(evn__emission *e, evn_value value, evn__affine row, evn__affine column,
                             evn__text *text) {
    char at[160];
    const evn__sample_slab *slab = &e->s->slabs[e->s->slab[value]];
    evn__affine flat = column;
    for (int v = 0; v < EVN__VARS; ++v) {
        flat.c[v] += row.c[v] * last_extent(e, value);
    }
    flat.c[EVN__VAR_ONE] += e->s->offset[value];
    evn__affine_text(&flat, at);
    if (e->s->simt) {
        take_slot(e, slab, text);
        evn__text_append(text, "LEAVE_SUM(%s, %s", at, live_factor(e));
    } else {
        evn__text_append(text, "a%d[(long)item * %lld + %s] = evn_sum_samples(%s",
                         evn__emission_argument(e, "OUTPUT", slab->memory), (long long)slab->total,
                         at, live_factor(e));
    }
}

bool evn__row_contract(evn__emission *e, evn_value value, evn__affine row, evn__affine column,
                       evn__text *text) {
    const evn__node *node = evn__row_node(e, value);
    evn__row_assign_partial(e, value, row, column, text);
    bool fits;
    if (evn__row_is_total(e, value)) {
        evn__text_append(text, "(");
        fits = sum_terms(e, value, column, text);
        evn__text_append(text, ")");
    } else if (node->op == EVN__OP_MATMUL) {
        evn__affine index[] = {row, column, evn__affine_of(EVN__VAR_SAMPLE, 0)};
        fits = evn__emission_product(e, value, index, EVN__VAR_SAMPLE, text);
    } else {
        evn__index index = row_index(column);
        fits = evn__emission_read(e, node->operands[0], &index, EVN__VAR_SAMPLE, text);
    }
    evn__text_append(text, ");\n");
    return fits;
}
