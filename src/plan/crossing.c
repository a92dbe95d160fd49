// SPDX-License-Identifier: Apache-2.0
// What the launches of one unit read of another: those values need memory, whatever else becomes of
// them. The walk below goes where generate.c goes when it writes a kernel, so that what it does not
// meet is read by nobody.
#include "plan/fusion.h"

/// A scalar that is computed on the spot is not read, also where it has memory: its operands are.
/// @param met  per value: 1 + the last unit that met this scalar
static void mark_source(const evn__fusion *f, int unit, evn_value source, int *met) {
    const evn__node *node = evn__node_at(f->in->graph, source);
    if (!evn__elements_inline(f->in->graph, f->classes->held, source)) {
        bool elsewhere =
            f->units->elements.unit_of[source] >= 0 && f->units->elements.unit_of[source] != unit;
        f->units->elements.crosses[source] = f->units->elements.crosses[source] || elsewhere;
        return;
    }
    for (int k = 0; met[source] != unit + 1 && k < node->operand_count; ++k) {
        mark_source(f, unit, evn__source_of(f->in->graph, node->operands[k]), met);
    }
    met[source] = unit + 1;
}

static void mark_member(const evn__fusion *f, evn_value value, int *met) {
    const evn__node *node = evn__node_at(f->in->graph, value);
    int unit = f->units->elements.unit_of[value];
    if (evn__is_moving(node)) {
        mark_source(f, unit, evn__source_of(f->in->graph, value), met);
        return;
    }
    for (int k = 0; k < node->operand_count; ++k) {
        evn_value read = evn__strip(f->in->graph, node->operands[k]);
        if (f->units->elements.unit_of[read] != unit) {
            mark_source(f, unit, evn__source_of(f->in->graph, read), met);
        }
    }
}

/// A family reads the memory of its operands, but for a sum that another kernel begins.
static void mark_family(const evn__fusion *f, evn_value value) {
    const evn__node *node = evn__node_at(f->in->graph, value);
    for (int k = 0; !f->units->elements.partials[value].begun && k < node->operand_count; ++k) {
        f->units->elements.crosses[evn__strip(f->in->graph, node->operands[k])] = true;
    }
}

evn_status evn__plan_store_crossing(const evn__fusion *f) {
    const evn_graph *g = f->in->graph;
    int *met = evn__arena_alloc(f->in->arena, sizeof(int) * (size_t)(g->node_count + 1));
    EVN_CHECK(met, EVN_ERR_MEMORY, "no memory to find what %d kernels read", f->units->count);
    for (int i = 0; i < g->output_count; ++i) {
        f->units->elements.crosses[evn__strip(g, g->outputs[i].value)] = true;
    }
    for (int v = 0; v < g->node_count; ++v) {
        int unit = f->units->elements.unit_of[v];
        if (unit >= 0 && f->units->rows[unit].group.family == v) {
            mark_family(f, v);
        } else if (unit >= 0) {
            mark_member(f, v, met);
        }
    }
    for (int v = 0; v < g->node_count; ++v) {
        if (f->units->elements.partials[v].begun) { // what is only summed needs no memory
            f->units->elements.stored[evn__strip(g, g->nodes[v].operands[0])] = false;
        }
    }
    for (int v = 0; v < g->node_count; ++v) {
        f->units->elements.stored[v] =
            f->units->elements.stored[v] || f->units->elements.crosses[v];
    }
    return EVN_OK;
}
