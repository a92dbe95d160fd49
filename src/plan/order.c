// SPDX-License-Identifier: Apache-2.0
// The order of units while they merge: whoever reads another unit has the larger label. Whether a
// path leads from one unit to another is then a question to the units between the two alone
// (Pearce, Kelly 2006: a dynamic topological sort, here of a graph whose nodes are contracted).
#include "plan/fusion.h"

#include <stdlib.h>

enum {
    SPACING_BITS = 32, // of labels, so that many units find room between two of them
    MAX_SEARCH = 256,  // units; after so many a path is taken for found: nothing merges
};

void evn__fusion_append(evn__fusion *f, int unit) {
    f->before[unit] = f->last;
    f->after[unit] = -1;
    f->label[unit] = ((int64_t)1 << SPACING_BITS) + (f->last >= 0 ? f->label[f->last] : 0);
    *(f->last >= 0 ? &f->after[f->last] : &f->head) = unit;
    f->last = unit;
}

static void unlink_unit(evn__fusion *f, int unit) {
    int before = f->before[unit], after = f->after[unit];
    *(before >= 0 ? &f->after[before] : &f->head) = after;
    *(after >= 0 ? &f->before[after] : &f->last) = before;
}

static void link_before(evn__fusion *f, int unit, int after) {
    int before = f->before[after];
    f->before[unit] = before;
    f->after[unit] = after;
    f->before[after] = unit;
    *(before >= 0 ? &f->after[before] : &f->head) = unit;
}

static void renumber(evn__fusion *f) {
    int64_t label = 0;
    for (int unit = f->head; unit >= 0; unit = f->after[unit]) {
        f->label[unit] = label += (int64_t)1 << SPACING_BITS;
    }
}

/// Labels of the `count` units before `unit`, which have just come there.
static void label_before(evn__fusion *f, int unit, int count) {
    int first = unit;
    for (int i = 0; i < count; ++i) {
        first = f->before[first];
    }
    int64_t low = f->before[first] >= 0 ? f->label[f->before[first]] : 0;
    int64_t step = (f->label[unit] - low) / (count + 1);
    if (step == 0) {
        renumber(f);
        return;
    }
    for (; first != unit; first = f->after[first]) {
        f->label[first] = low += step;
    }
}

// Paths -------------------------------------------------------------------------------------------

/// Find the units that `value` reads, through views and inline scalars: those behind `from` in the
/// order join `found`.
/// @return whether `from` itself is one of them, other than by an element of its own for the same
///         element of a `member` of the unit that the search began with
static bool find_sources(evn__fusion *f, evn_value value, int from, bool member) {
    const evn__node *node = evn__node_at(f->in->graph, value);
    bool same = member && !evn__is_moving(node);
    for (int k = 0; k < node->operand_count; ++k) {
        evn_value operand = evn__strip(f->in->graph, node->operands[k]);
        int unit = f->units->elements.unit_of[operand];
        if (unit == from) {
            if (!same) {
                return true;
            }
        } else if (unit < 0) {
            if (evn__mark(&f->met, operand) && find_sources(f, operand, from, false)) {
                return true;
            }
        } else if (f->label[unit] > f->label[from] && evn__mark(&f->seen, unit)) {
            if (f->behind_of == from && evn__is_marked(&f->behind, unit)) {
                return true;
            }
            f->found[f->found_count++] = unit;
        }
    }
    return false;
}

static bool search(evn__fusion *f, int from, int to) {
    f->found_count = 0;
    evn__marks_clear(&f->met);
    evn__marks_clear(&f->seen);
    evn__mark(&f->seen, to);
    for (int v = f->units->rows[to].group.first; v != EVN_NONE; v = f->units->elements.next[v]) {
        if (find_sources(f, v, from, true)) {
            return true;
        }
    }
    for (int i = 0; i < f->found_count; ++i) {
        int unit = f->found[i];
        for (int v = f->units->rows[unit].group.first; v != EVN_NONE;
             v = f->units->elements.next[v]) {
            if (find_sources(f, v, from, false) || f->found_count > MAX_SEARCH) {
                return true;
            }
        }
    }
    return false;
}

bool evn__fusion_has_detour(evn__fusion *f, int from, int to) {
    bool found = search(f, from, to);
    f->units->steps += f->found_count;
    if (found && from == f->behind_of) {
        evn__mark(&f->behind, to);
    }
    return found;
}

// Merging -----------------------------------------------------------------------------------------

typedef struct labelled {
    int64_t label;
    int unit;
} labelled;

static int lower_label_first(const void *a, const void *b) {
    const labelled *x = a, *y = b;
    return (x->label > y->label) - (x->label < y->label);
}

/// What the search found has to come before what it did not lead to.
static evn_status move_found(evn__fusion *f, int before) {
    labelled *rows = NULL;
    EVN_TRY(EVN_NEW(&rows, f->found_count + 1));
    for (int i = 0; i < f->found_count; ++i) {
        rows[i] = (labelled){f->label[f->found[i]], f->found[i]};
    }
    qsort(rows, (size_t)f->found_count, sizeof(*rows), lower_label_first);
    for (int i = 0; i < f->found_count; ++i) {
        unlink_unit(f, rows[i].unit);
        link_before(f, rows[i].unit, before);
    }
    label_before(f, before, f->found_count);
    free(rows);
    return EVN_OK;
}

/// The members of both, in the order of the graph.
static evn_value join_members(const evn__fusion *f, evn_value a, evn_value b) {
    evn_value first = EVN_NONE, *end = &first;
    while (a != EVN_NONE && b != EVN_NONE) {
        evn_value *smaller = a < b ? &a : &b;
        *end = *smaller;
        end = &f->units->elements.next[*smaller];
        *smaller = *end;
    }
    *end = a != EVN_NONE ? a : b;
    return first;
}

evn_status evn__fusion_merge(evn__fusion *f, int kept, int gone) {
    int early = f->label[kept] < f->label[gone] ? kept : gone;
    EVN_TRY(move_found(f, early));
    if (early == gone) { // the one that is kept takes its place
        unlink_unit(f, kept);
        link_before(f, kept, gone);
        f->label[kept] = f->label[gone];
    }
    unlink_unit(f, gone);
    for (int v = f->units->rows[gone].group.first; v != EVN_NONE; v = f->units->elements.next[v]) {
        f->units->elements.unit_of[v] = kept;
    }
    f->units->rows[kept].group.first =
        join_members(f, f->units->rows[kept].group.first, f->units->rows[gone].group.first);
    f->units->rows[gone].dead = true;
    f->members[kept] += f->members[gone];
    return EVN_OK;
}
