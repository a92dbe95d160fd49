// SPDX-License-Identifier: Apache-2.0
#include "samples/row_loop.h"

#include "kernels/shared.h"
#include "samples/row_terms.h"
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = EVN__SAMPLES_SMALL, MAX_JOINED = 256 };

int64_t evn__row_loop_extent(const evn__emission *e, evn_value value) {
    int64_t a, b;
    if (evn__row_node(e, value)->op == EVN__OP_SOLVE) {
        return 0; // its loops are a function of their own
    }
    if (evn__row_is_contraction(e, value) && !evn__row_is_total(e, value)) {
        evn__row_contraction_extents(e, value, &a, &b);
    } else {
        a = evn__samples_count(e->s, value);
        b = evn__row_terms(e, value);
    }
    int64_t larger = a > b ? a : b;
    return larger > SMALL ? larger : 0;
}

bool evn__row_is_nest(const evn__emission *e, evn_value value) {
    int64_t a, b;
    const evn__node *node = evn__row_node(e, value);
    if (evn__row_is_contraction(e, value)) {
        evn__row_contraction_extents(e, value, &a, &b);
    } else {
        a = evn__samples_count(e->s, value);
        b = node->op == EVN__OP_PAD || node->op == EVN__OP_CONCAT ? a : evn__row_terms(e, value);
    }
    return a > SMALL && b > SMALL;
}

static bool is_reduction(const evn__emission *e, evn_value value) {
    return (!evn__row_is_contraction(e, value) || evn__row_is_total(e, value)) &&
           evn__row_terms(e, value) > SMALL;
}

static bool contract_in_loop(evn__emission *e, evn_value value, evn__text *text) {
    int64_t m, n;
    bool fits = true;
    evn__row_contraction_extents(e, value, &m, &n);
    for (int64_t i = 0; i < (m < n ? m : n) && fits; ++i) {
        evn__affine other = evn__affine_of(EVN__VAR_ONE, i);
        fits = m < n ? evn__row_contract(e, value, other, evn__row_loop_variable(), text)
                     : evn__row_contract(e, value, evn__row_loop_variable(), other, text);
    }
    return fits;
}

static bool reduce_in_loop(evn__emission *e, evn_value value, evn__text *text) {
    bool fits = true;
    for (int64_t c = 0; c < evn__samples_count(e->s, value) && fits; ++c) {
        evn__text_append(text, "v%d_%lld += ", evn__emission_number(e, value), (long long)c);
        fits = evn__row_term(e, value, evn__affine_of(EVN__VAR_ONE, c), evn__row_loop_variable(),
                             text);
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
    } else if (evn__row_is_contraction(e, value)) {
        fits = contract_in_loop(e, value, &text);
    } else {
        state = EVN__EMITTED_LOCAL;
        evn__text_append(&text, "const samples l%d = ", evn__emission_number(e, value));
        fits = evn__row_expression(e, value, evn__row_loop_variable(), &text);
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
        if (evn__row_loop_extent(e, v) == extent && !evn__row_is_nest(e, v) &&
            evn__emission_ready(e, v) && join(e, v, loop)) {
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
            evn__emission_demand(e, join(e, all->value[i], loop));
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
        if (e->group->member[reader] && (here >= 0 ? !joined->waits[here]
                                                   : evn__row_loop_extent(e, reader) != extent ||
                                                         evn__row_is_nest(e, reader))) {
            return false;
        }
    }
    return true;
}

/// Whether the value reads one that this loop computes: waiting, it would need an array for that.
static bool reads_in_loop(const evn__emission *e, const joined_values *joined, evn_value value) {
    const evn__node *node = evn__row_node(e, value);
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
        evn__emission_store(e, value, evn__row_loop_variable(), name, loop);
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
        if (evn__row_is_total(e, value)) {
            evn__row_assign_partial(e, value, element, element, after);
            evn__text_append(after, "%s);\n", name);
        } else {
            evn__emission_store(e, value, element, name, after);
        }
    }
    e->state[value] = EVN__EMITTED_SMALL;
}

void evn__row_append_loop(evn__emission *e, int64_t extent, const char *loop) {
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

void evn__row_write_loop(evn__emission *e, evn_value first) {
    int64_t extent = evn__row_loop_extent(e, first);
    joined_values all, joined;
    evn__text attempt = {0}, loop = {0}, after = {0};
    e->range[EVN__VAR_J] = extent;
    e->here = evn__row_loop_variable();
    evn__emission_flush(e, &e->body);
    collect(e, extent, &attempt, &all);
    // Of a full loop nothing waits: what waits for a loop that is full again would wait for ever.
    int waiting = all.count < MAX_JOINED ? find_waiting(e, extent, &all) : 0;
    for (int i = 0; i < all.count; ++i) {
        e->state[all.value[i]] = EVN__EMITTED_NOT;
    }
    free(attempt.data);
    evn__emission_demand(e, all.count > 0);
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
        evn__row_append_loop(e, extent, loop.data);
        e->sums = behind;
        evn__text_append(&e->body, "%s", after.data ? after.data : "");
    }
    e->range[EVN__VAR_J] = 1;
    free(loop.data);
    free(after.data);
}
