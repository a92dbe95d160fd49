// SPDX-License-Identifier: Apache-2.0
// Epilogues: an element-wise unit that reads the result of a kernel, element by element, becomes
// generated code in that kernel, which runs on each piece of the result while it is in a cache. A
// family offers the place (EPILOGUE of kernels/variant.cl, evn__lower_emit_result); where the
// algorithm it chooses has none, the unit is a kernel of its own after all.
#include "plan/fusion.h"

#include <stdlib.h>

// A family's kernel takes 0.15 s to compile with an epilogue, three times what a generated kernel
// takes: thousands of launches. An epilogue has to save a pass over memory, and to be the same in
// every stage of a step, as scale and shift, bias and activation are; the stages' sums are not.
// Measured: docs/performance/notes.md, Start.
enum { MIN_ELEMENTS = 1 << 14, MAX_FURTHER_READS = 2 };

/// Families one of whose algorithms takes an epilogue. The input gradient of a convolution has
/// none: what follows it in a backward pass reads and writes many tensors, faster in their order
/// than in that of its tiles.
static bool takes_epilogue(evn__op op) {
    return op == EVN__OP_NORMALIZE || op == EVN__OP_NORMALIZE_GRAD || op == EVN__OP_MATMUL ||
           op == EVN__OP_CONV2D || op == EVN__OP_SUM;
}

bool evn__plan_rows_fit(const evn__fusion *f, int unit, int64_t columns) {
    const evn_graph *g = f->in->graph;
    for (int v = f->units->rows[unit].group.first; v != EVN_NONE; v = f->units->elements.next[v]) {
        for (int k = 0; f->units->rows[unit].group.family != v && k < g->nodes[v].operand_count;
             ++k) {
            evn_value read = evn__read_by(g, v, k);
            evn__access access = evn__access_of(g, read);
            int64_t stride = 0;
            if (evn_shape_count(evn_value_shape(g, read)) > 1 &&
                (!evn__access_split(&access, columns, &stride) || stride > 1)) {
                return false;
            }
        }
    }
    return true;
}

/// Tensors that the unit reads besides `result`.
static int further_reads(evn__fusion *f, int unit, evn_value result) {
    const evn_graph *g = f->in->graph;
    evn__marks_clear(&f->read);
    for (int v = f->units->rows[unit].group.first; v != EVN_NONE; v = f->units->elements.next[v]) {
        for (int k = 0; k < g->nodes[v].operand_count; ++k) {
            evn_value read = evn__strip(g, g->nodes[v].operands[k]);
            if (read != result && f->units->elements.unit_of[read] != unit &&
                g->nodes[read].op != EVN__OP_CONSTANT) {
                evn__mark(&f->read, read);
            }
        }
    }
    return f->read.count;
}

/// Whether the pass over memory that is saved is worth compiling the family's kernel again. A sum
/// that the kernel begins saves as much as a tensor costs that it reads.
static bool pays(evn__fusion *f, int kernel, int group, evn_value result) {
    return f->in->all_epilogues ||
           (evn_shape_count(evn_value_shape(f->in->graph, result)) >= MIN_ELEMENTS &&
            further_reads(f, group, result) <=
                MAX_FURTHER_READS + evn__plan_sums_of(f, kernel, group));
}

static int64_t last_extent(const evn__fusion *f, evn_value value) {
    evn_shape shape = evn_value_shape(f->in->graph, value);
    return shape.rank > 0 ? shape.dim[shape.rank - 1] : 1;
}

/// @param group  reads the kernel's result
static bool may_attach(evn__fusion *f, int kernel, int group) {
    const evn__unit *from = &f->units->rows[kernel], *to = &f->units->rows[group];
    return to->generated && !to->dead && from->phase == to->phase &&
           evn_shape_count(evn_value_shape(f->in->graph, from->group.family)) ==
               evn_shape_count(evn_value_shape(f->in->graph, to->group.first)) &&
           pays(f, kernel, group, from->group.family) &&
           evn__plan_rows_fit(f, group, last_extent(f, from->group.family)) &&
           evn__fusion_has_room(f, kernel, group) && !evn__fusion_has_detour(f, kernel, group);
}

static int smaller_first(const void *a, const void *b) {
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/// The units that read `value`, in the order of their numbers, into `units`.
static int list_groups(const evn__fusion *f, evn_value value, int *units) {
    int count = 0, distinct = 0;
    for (int i = f->classes->first_reader[value]; i < f->classes->first_reader[value + 1]; ++i) {
        int unit = f->units->elements.unit_of[f->classes->readers[i]];
        if (unit >= 0 && f->units->rows[unit].generated) {
            units[count++] = unit;
        }
    }
    qsort(units, (size_t)count, sizeof(*units), smaller_first);
    for (int i = 0; i < count; ++i) {
        if (i == 0 || units[i] != units[i - 1]) {
            units[distinct++] = units[i];
        }
    }
    return distinct;
}

static evn_status attach_to(evn__fusion *f, int kernel, int *groups) {
    int count = list_groups(f, f->units->rows[kernel].group.family, groups);
    for (int i = 0; i < count; ++i) {
        if (may_attach(f, kernel, groups[i])) {
            EVN_TRY(evn__fusion_merge(f, kernel, groups[i]));
            f->units->rows[kernel].epilogue = true;
        }
    }
    return EVN_OK;
}

evn_status evn__plan_attach(evn__fusion *f) {
    int *groups = NULL;
    EVN_TRY(EVN_NEW(&groups, f->classes->first_reader[f->in->graph->node_count] + 1));
    evn_status status = EVN_OK;
    for (int kernel = 0; kernel < f->units->count && status == EVN_OK; ++kernel) {
        evn_value family = f->units->rows[kernel].group.family;
        if (family != EVN_NONE && takes_epilogue(evn__node_at(f->in->graph, family)->op)) {
            status = attach_to(f, kernel, groups);
        }
    }
    free(groups);
    return status;
}
