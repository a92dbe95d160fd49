// SPDX-License-Identifier: Apache-2.0
// The kernel of a group of rows: every variable holds one element for each sample of an item. Short
// rows are unrolled; longer ones are loops over their elements, in which all values join that read
// each other at the same element only, and the sums over them.
#include "samples/emission.h"

#include "kernels/shared.h"
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = EVN__SAMPLES_SMALL, MAX_JOINED = 256 };

static const evn__node *node_of(const evn__emission *e, evn_value value) {
    return evn__node_at(e->s->graph, value);
}

static bool is_contraction(const evn__emission *e, evn_value value) {
    return e->s->kind[value] == EVN__SAMPLES_CONTRACTION;
}

/// A sum over the samples and over each row.
static bool is_total(const evn__emission *e, evn_value value) {
    const evn__node *node = node_of(e, value);
    return is_contraction(e, value) && node->op == EVN__OP_SUM && node->attributes.axes > 1;
}

static evn__index row_index(evn__affine element) {
    return (evn__index){{evn__affine_of(EVN__VAR_SAMPLE, 0), element}};
}

static int64_t last_extent(const evn__emission *e, evn_value value) {
    evn_shape shape = evn_value_shape(e->s->graph, value);
    return shape.rank < 2 ? 1 : shape.dim[1];
}

/// Terms that each element of a product or sum of rows has.
static int64_t terms(const evn__emission *e, evn_value value) {
    const evn__node *node = node_of(e, value);
    bool has = node->op == EVN__OP_MATMUL || node->op == EVN__OP_SUM;
    return has ? last_extent(e, node->operands[0]) : 1;
}

// Expressions -------------------------------------------------------------------------------------

static bool term(evn__emission *e, evn_value value, evn__affine element, evn__affine k,
                 evn__text *text) {
    const evn__node *node = node_of(e, value);
    if (node->op == EVN__OP_MATMUL) {
        evn__affine index[] = {evn__affine_of(EVN__VAR_SAMPLE, 0), element, k};
        return evn__emission_product(e, value, index, EVN__VAR_SAMPLE, text);
    }
    evn__index at = row_index(k);
    return evn__emission_read(e, node->operands[0], &at, EVN__VAR_SAMPLE, text);
}

static bool sum_terms(evn__emission *e, evn_value value, evn__affine element, evn__text *text) {
    bool fits = true;
    for (int64_t k = 0; k < terms(e, value) && fits; ++k) {
        evn__text_append(text, k ? " + " : "");
        fits = term(e, value, element, evn__affine_of(EVN__VAR_ONE, k), text);
    }
    return fits;
}

/// An element of operands side by side, or of one with zeros around it.
static bool placed(evn__emission *e, evn_value value, int64_t element, evn__text *text) {
    const evn__node *node = node_of(e, value);
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

/// Element `element` of a row, its terms unrolled.
static bool expression(evn__emission *e, evn_value value, evn__affine element, evn__text *text) {
    const evn__node *node = node_of(e, value);
    if (node->op == EVN__OP_PAD || node->op == EVN__OP_CONCAT) {
        return placed(e, value, element.c[EVN__VAR_ONE], text);
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

/// What begins the statement that sums over samples and leaves an element of a contraction in its
/// slab; a term and ");" end it.
static void assign_partial(evn__emission *e, evn_value value, evn__affine row, evn__affine column,
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

/// One element of a contraction: the sum over this work-item's samples.
static bool contract(evn__emission *e, evn_value value, evn__affine row, evn__affine column,
                     evn__text *text) {
    const evn__node *node = node_of(e, value);
    assign_partial(e, value, row, column, text);
    bool fits;
    if (is_total(e, value)) {
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

// Short rows --------------------------------------------------------------------------------------

static void contraction_extents(const evn__emission *e, evn_value value, int64_t *m, int64_t *n) {
    const evn__node *node = node_of(e, value);
    bool matmul = node->op == EVN__OP_MATMUL;
    *m = matmul ? node->shape.dim[0] : 1;
    *n = matmul ? node->shape.dim[1] : last_extent(e, value);
}

static void unroll_contraction(evn__emission *e, evn_value value) {
    int64_t m, n;
    contraction_extents(e, value, &m, &n);
    for (int64_t i = 0; i < m * n; ++i) {
        e->fits = e->fits && contract(e, value, evn__affine_of(EVN__VAR_ONE, i / n),
                                      evn__affine_of(EVN__VAR_ONE, i % n), &e->body);
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
        e->fits = e->fits && expression(e, value, element, &e->body);
        evn__text_append(&e->body, ";\n");
        evn__emission_store(e, value, element, name, &e->body);
    }
    e->state[value] = EVN__EMITTED_SMALL;
}

/// What a compiler finds one after the other for it: a product or an addition each.
static int64_t unrolled_terms(const evn__emission *e, evn_value value) {
    int64_t m, n;
    if (is_contraction(e, value) && !is_total(e, value)) {
        contraction_extents(e, value, &m, &n);
        return m * n;
    }
    return evn__samples_count(e->s, value) * terms(e, value);
}

static void unroll(evn__emission *e, evn_value value) {
    e->unrolled += unrolled_terms(e, value);
    if (node_of(e, value)->op == EVN__OP_SOLVE) {
        evn__emit_system(e, value);
    } else if (is_contraction(e, value)) {
        unroll_contraction(e, value);
    } else {
        unroll_row(e, value);
    }
}

// Loops -------------------------------------------------------------------------------------------

/// Elements of the loop that computes the value: 0 where it is unrolled.
static int64_t loop_extent(const evn__emission *e, evn_value value) {
    int64_t a, b;
    if (node_of(e, value)->op == EVN__OP_SOLVE) {
        return 0; // its loops are a function of their own
    }
    if (is_contraction(e, value) && !is_total(e, value)) {
        contraction_extents(e, value, &a, &b);
    } else {
        a = evn__samples_count(e->s, value);
        b = terms(e, value);
    }
    int64_t larger = a > b ? a : b;
    return larger > SMALL ? larger : 0;
}

/// Two long axes, or parts put together: a loop of its own.
static bool is_nest(const evn__emission *e, evn_value value) {
    int64_t a, b;
    const evn__node *node = node_of(e, value);
    if (is_contraction(e, value)) {
        contraction_extents(e, value, &a, &b);
    } else {
        a = evn__samples_count(e->s, value);
        b = node->op == EVN__OP_PAD || node->op == EVN__OP_CONCAT ? a : terms(e, value);
    }
    return a > SMALL && b > SMALL;
}

static bool is_reduction(const evn__emission *e, evn_value value) {
    return (!is_contraction(e, value) || is_total(e, value)) && terms(e, value) > SMALL;
}

static evn__affine loop_variable(void) {
    return evn__affine_of(EVN__VAR_J, 0);
}

static bool contract_in_loop(evn__emission *e, evn_value value, evn__text *text) {
    int64_t m, n;
    bool fits = true;
    contraction_extents(e, value, &m, &n);
    for (int64_t i = 0; i < (m < n ? m : n) && fits; ++i) {
        evn__affine other = evn__affine_of(EVN__VAR_ONE, i);
        fits = m < n ? contract(e, value, other, loop_variable(), text)
                     : contract(e, value, loop_variable(), other, text);
    }
    return fits;
}

static bool reduce_in_loop(evn__emission *e, evn_value value, evn__text *text) {
    bool fits = true;
    for (int64_t c = 0; c < evn__samples_count(e->s, value) && fits; ++c) {
        evn__text_append(text, "v%d_%lld += ", evn__emission_number(e, value), (long long)c);
        fits = term(e, value, evn__affine_of(EVN__VAR_ONE, c), loop_variable(), text);
        evn__text_append(text, ";\n");
    }
    return fits;
}

/// The statements of one value in the loop, if everything they read is there.
static bool join(evn__emission *e, evn_value value, evn__text *loop) {
    evn__text text = {0};
    const evn__waiting_sums before = e->sums;
    bool fits;
    evn__emitted state = EVN__EMITTED_PENDING;
    if (is_reduction(e, value)) {
        fits = reduce_in_loop(e, value, &text);
    } else if (is_contraction(e, value)) {
        fits = contract_in_loop(e, value, &text);
    } else {
        state = EVN__EMITTED_LOCAL;
        evn__text_append(&text, "const samples l%d = ", evn__emission_number(e, value));
        fits = expression(e, value, loop_variable(), &text);
        evn__text_append(&text, ";\n");
    }
    evn__text_need(&e->body, &text);
    if (fits && text.status == EVN_OK) {
        evn__text_append(loop, "%s", text.data);
        e->state[value] = state;
    } else {
        e->sums = before;
    }
    free(text.data);
    return fits;
}

/// The members of a loop, in order.
typedef struct joined_values {
    int count;
    evn_value value[MAX_JOINED];
    bool waits[MAX_JOINED]; ///< for a later loop, where its readers are
} joined_values;

static int find_joined(const joined_values *joined, evn_value value) {
    for (int i = 0; i < joined->count; ++i) {
        if (joined->value[i] == value) {
            return i;
        }
    }
    return -1;
}

/// Join what can be joined, until the loop is full.
static void collect(evn__emission *e, int64_t extent, evn__text *loop, joined_values *joined) {
    joined->count = 0;
    for (evn_value v = evn__emission_next(e, 0); v != EVN_NONE && joined->count < MAX_JOINED;
         v = evn__emission_next(e, v + 1)) {
        if (loop_extent(e, v) == extent && !is_nest(e, v) && evn__emission_ready(e, v) &&
            join(e, v, loop)) {
            joined->waits[joined->count] = false;
            joined->value[joined->count++] = v;
        }
    }
}

/// Join those of `all` that do not wait.
static void collect_again(evn__emission *e, const joined_values *all, evn__text *loop,
                          joined_values *joined) {
    joined->count = 0;
    for (int i = 0; i < all->count; ++i) {
        if (!all->waits[i]) {
            e->fits = e->fits && join(e, all->value[i], loop);
            joined->waits[joined->count] = false;
            joined->value[joined->count++] = all->value[i];
        }
    }
}

static bool is_kept(const evn__emission *e, evn_value value) {
    return e->s->group[value] == e->index && (e->s->slab[value] >= 0 || e->s->stored[value]);
}

/// Whether all that reads the value waits too, or can join a later loop like this one.
static bool is_read_in_later_loops(const evn__emission *e, const joined_values *joined,
                                   evn_value value, int64_t extent) {
    for (int i = e->s->first_reader[value]; i < e->s->first_reader[value + 1]; ++i) {
        evn_value reader = e->s->readers[i];
        int here = find_joined(joined, reader);
        if (e->group->member[reader] &&
            (here >= 0 ? !joined->waits[here]
                       : loop_extent(e, reader) != extent || is_nest(e, reader))) {
            return false;
        }
    }
    return true;
}

/// Whether the value reads one that this loop computes: waiting, it would need an array for that.
static bool reads_in_loop(const evn__emission *e, const joined_values *joined, evn_value value) {
    const evn__node *node = node_of(e, value);
    for (int k = 0; k < node->operand_count; ++k) {
        int here = find_joined(joined, evn__samples_source(e->s, node->operands[k]));
        if (here >= 0 && !joined->waits[here]) {
            return true;
        }
    }
    return false;
}

/// Values that only later loops read are left to them, which saves an array for each.
/// @return how many of the loop's members wait
static int find_waiting(const evn__emission *e, int64_t extent, joined_values *joined) {
    int waiting = 0;
    for (int i = 0; i < joined->count; ++i) {
        evn_value v = joined->value[i];
        joined->waits[i] = e->state[v] == EVN__EMITTED_LOCAL && !is_kept(e, v);
        waiting += joined->waits[i];
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = joined->count - 1; i >= 0; --i) {
            evn_value v = joined->value[i];
            if (joined->waits[i] &&
                (reads_in_loop(e, joined, v) || !is_read_in_later_loops(e, joined, v, extent))) {
                joined->waits[i] = false;
                changed = true;
                --waiting;
            }
        }
    }
    return waiting;
}

/// What the loop needs before it, and what it leaves.
static void settle(evn__emission *e, evn_value value, evn__text *loop, evn__text *after) {
    int number = evn__emission_number(e, value);
    char name[32];
    if (e->state[value] == EVN__EMITTED_LOCAL) {
        int64_t count = evn__samples_count(e->s, value);
        snprintf(name, sizeof(name), "l%d", number);
        evn__emission_store(e, value, loop_variable(), name, loop);
        if (evn__emission_read_later(e, value)) {
            evn__text_append(&e->body, "    samples v%d[%lld];\n", number, (long long)count);
            evn__text_append(loop, "v%d[j] = l%d;\n", number, number);
            evn__emission_take_private(e, count * e->s->per_item);
        }
        e->state[value] = EVN__EMITTED_ARRAY;
        return;
    }
    for (int64_t c = 0; is_reduction(e, value) && c < evn__samples_count(e->s, value); ++c) {
        evn__affine element = evn__affine_of(EVN__VAR_ONE, c);
        snprintf(name, sizeof(name), "v%d_%lld", number, (long long)c);
        evn__text_append(&e->body, "    samples %s = (samples)(R(0.0));\n", name);
        if (is_total(e, value)) {
            assign_partial(e, value, element, element, after);
            evn__text_append(after, "%s);\n", name);
        } else {
            evn__emission_store(e, value, element, name, after);
        }
    }
    e->state[value] = EVN__EMITTED_SMALL;
}

/// The loop over `extent` elements with that body, each iteration of which leaves the sums that
/// wait, or more where some did not: as many iterations as there is room for wait together.
static void append_loop(evn__emission *e, int64_t extent, const char *loop) {
    const char *body = loop ? loop : "";
    const evn__waiting_sums *sums = &e->sums;
    long long count = extent;
    long long together = sums->count == 0 || sums->flushed ? 1 : EVN_SUM_SLOTS / sums->count;
    if (together > 1) {
        evn__text_append(&e->body,
                         "    for (int j0 = 0; j0 < %lld; j0 += %lld) {\n"
                         "    NOT_UNROLLED for (int j = j0; j < min(j0 + %lld, %lld); ++j) {\n"
                         "%s    }\n",
                         count, together, together, count, body);
    } else {
        evn__text_append(&e->body, "    for (int j = 0; j < %lld; ++j) {\n%s", count, body);
    }
    evn__emission_flush(e, &e->body);
    evn__text_append(&e->body, "    }\n");
}

static void write_loop(evn__emission *e, evn_value first) {
    int64_t extent = loop_extent(e, first);
    joined_values all, joined;
    evn__text attempt = {0}, loop = {0}, after = {0};
    e->range[EVN__VAR_J] = extent;
    e->here = loop_variable();
    evn__emission_flush(e, &e->body);
    collect(e, extent, &attempt, &all);
    // Of a full loop nothing waits: what waits for a loop that is full again would wait for ever.
    int waiting = all.count < MAX_JOINED ? find_waiting(e, extent, &all) : 0;
    for (int i = 0; i < all.count; ++i) {
        e->state[all.value[i]] = EVN__EMITTED_NOT;
    }
    free(attempt.data);
    e->fits = e->fits && all.count > 0;
    e->sums = (evn__waiting_sums){0};
    collect_again(e, &all, &loop, &joined);
    const evn__waiting_sums inside = e->sums;
    e->sums = (evn__waiting_sums){0};
    for (int i = 0; i < joined.count; ++i) {
        settle(e, joined.value[i], &loop, &after);
    }
    evn__text_need(&e->body, &attempt);
    evn__text_need(&e->body, &loop);
    evn__text_need(&e->body, &after);
    const evn__waiting_sums behind = e->sums;
    if (waiting < all.count) {
        e->sums = inside;
        append_loop(e, extent, loop.data);
        e->sums = behind;
        evn__text_append(&e->body, "%s", after.data ? after.data : "");
    }
    e->range[EVN__VAR_J] = 1;
    free(loop.data);
    free(after.data);
}

// Loops of their own ------------------------------------------------------------------------------

static void nest_contraction(evn__emission *e, evn_value value) {
    int64_t m, n;
    contraction_extents(e, value, &m, &n);
    e->range[EVN__VAR_I] = m;
    e->range[EVN__VAR_J] = n;
    evn__text term = {0};
    evn__emission_flush(e, &e->body);
    e->sums.flushed = false;
    e->fits = e->fits && contract(e, value, evn__affine_of(EVN__VAR_I, 0), loop_variable(), &term);
    evn__text_need(&e->body, &term);
    evn__text_append(&e->body, "    for (int i = 0; i < %lld; ++i) {\n", (long long)m);
    append_loop(e, n, term.data);
    evn__text_append(&e->body, "    }\n");
    free(term.data);
}

/// Columns that are summed together: their sums wait for each other less, and share the row.
static int64_t columns_together(int64_t count) {
    return count % 8 == 0 ? 8 : 1;
}

static void sum_columns(evn__emission *e, evn_value value, int64_t together) {
    evn__text_append(&e->body, "        for (int k = 0; k < %lld; ++k) {\n",
                     (long long)terms(e, value));
    for (int64_t c = 0; c < together; ++c) {
        evn__affine column = loop_variable();
        column.c[EVN__VAR_ONE] = c;
        evn__text_append(&e->body, "            sum%lld += ", (long long)c);
        e->fits = e->fits && term(e, value, column, evn__affine_of(EVN__VAR_K, 0), &e->body);
        evn__text_append(&e->body, ";\n");
    }
    evn__text_append(&e->body, "        }\n");
}

static void nest_product(evn__emission *e, evn_value value) {
    int number = evn__emission_number(e, value);
    int64_t count = evn__samples_count(e->s, value), together = columns_together(count);
    e->range[EVN__VAR_J] = count - together + 1;
    e->range[EVN__VAR_K] = terms(e, value);
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
        evn__affine column = loop_variable();
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
        e->fits = e->fits && placed(e, value, c, &e->body);
        evn__text_append(&e->body, ";\n");
        evn__emission_store(e, value, element, name, &e->body);
    }
    evn__emission_take_private(e, count * e->s->per_item);
}

static void write_nest(evn__emission *e, evn_value value) {
    evn__op op = node_of(e, value)->op;
    if (is_contraction(e, value)) {
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
        if (loop_extent(e, v) == 0 && evn__emission_ready(e, v)) {
            unroll(e, v);
        }
    }
}

void evn__emit_rows(evn__emission *e) {
    unroll_ready(e, 0);
    for (evn_value v = evn__emission_next(e, 0); v != EVN_NONE && e->fits;
         v = evn__emission_next(e, v + 1)) {
        if (is_nest(e, v)) {
            write_nest(e, v);
        } else {
            write_loop(e, v);
        }
        unroll_ready(e, v);
    }
    e->fits = e->fits && evn__emission_next(e, 0) == EVN_NONE;
}
