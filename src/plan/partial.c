// SPDX-License-Identifier: Apache-2.0
// Partial sums: where a generated kernel or an epilogue computes the rows that a sum adds up, each
// of its work-items adds up those that it computes, and the sum's own kernel is left with one row
// for each work-item. What is summed then needs no memory.
#include "plan/fusion.h"

#include "host/items.h"

// Measured: docs/performance/notes.md, GroupNorm + ReLU.
enum {
    MIN_COLUMNS = 16, // a vector,
    MIN_ROWS = 16,    // and more rows than become partial sums
    MAX_SUMS = 8,     // of one kernel: each is an argument
};

/// Columns of the operand, seen as rows, where the sum runs over all rows; else 0.
static int64_t columns_of(const evn_graph *graph, evn_value sum) {
    const evn__node *node = evn__node_at(graph, sum);
    int64_t columns = evn_shape_count(node->shape);
    int64_t rows = evn_shape_count(evn_value_shape(graph, node->operands[0])) / columns;
    bool fits = node->attributes.axis == 0 && rows >= MIN_ROWS && columns >= MIN_COLUMNS;
    return fits ? columns : 0;
}

/// Which units can: where work-items are not wide, each computes one element. Of the families those
/// that have EPILOGUE_BEGIN of kernels/variant.cl.
static bool can_begin(const evn__fusion *f, const evn__unit *unit, int64_t columns) {
    if (columns == 0 || !evn__items_are_wide(evn_device_get_info(f->in->device))) {
        return false;
    }
    if (unit->group.family == EVN_NONE) {
        return true;
    }
    const evn__node *node = evn__node_at(f->in->graph, unit->group.family);
    return (node->op == EVN__OP_NORMALIZE || node->op == EVN__OP_NORMALIZE_GRAD) &&
           node->shape.dim[node->shape.rank - 1] == columns;
}

static bool may_begin(evn__fusion *f, int kernel, evn_value sum) {
    const evn__unit *unit = &f->units->rows[kernel];
    int64_t columns = columns_of(f->in->graph, sum);
    return can_begin(f, unit, columns) && (unit->generated || unit->epilogue) &&
           unit->phase == f->classes->late[sum] && unit->group.sums < MAX_SUMS &&
           (unit->group.sums == 0 || unit->group.columns == columns) &&
           evn__plan_rows_fit(f, kernel, columns) && evn__fusion_has_room(f, kernel, kernel);
}

int evn__plan_sums_of(const evn__fusion *f, int kernel, int group) {
    const evn_graph *g = f->in->graph;
    int count = 0;
    for (int v = f->units->rows[group].group.first; v != EVN_NONE; v = f->units->elements.next[v]) {
        for (int i = f->classes->first_reader[v]; i < f->classes->first_reader[v + 1]; ++i) {
            evn_value sum = f->classes->readers[i];
            count += g->nodes[sum].op == EVN__OP_SUM &&
                     can_begin(f, &f->units->rows[kernel], columns_of(g, sum));
        }
    }
    return count;
}

/// Sums are begun in the order of the graph.
static void add_sum(const evn__fusion *f, int kernel, evn_value sum) {
    evn__unit *unit = &f->units->rows[kernel];
    f->units->elements.partials[sum] = (evn__partial){.begun = true, .next = EVN_NONE};
    *(unit->group.sums ? &f->units->elements.partials[unit->group.last_sum].next
                       : &unit->group.first_sum) = sum;
    unit->group.last_sum = sum;
    unit->group.columns = columns_of(f->in->graph, sum);
    ++unit->group.sums;
}

void evn__plan_begin_sums(evn__fusion *f) {
    for (int v = 0; v < f->in->graph->node_count; ++v) {
        const evn__node *node = evn__node_at(f->in->graph, v);
        if (!f->classes->needed[v] || node->op != EVN__OP_SUM) {
            continue;
        }
        int kernel = f->units->elements.unit_of[evn__strip(f->in->graph, node->operands[0])];
        if (kernel >= 0 && may_begin(f, kernel, v)) {
            add_sum(f, kernel, v);
        }
    }
}
