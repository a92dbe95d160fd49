// SPDX-License-Identifier: Apache-2.0
// What the launches of one unit read of another: those values need memory, whatever else becomes of
// them. The walk below goes where generate.c goes when it writes a kernel, so that what it does not
// meet is read by nobody.
#include "plan/plan.h"

#include <stdlib.h>

/// What is read where an element-wise operation reads `value`: behind reshapes and one view.
static evn_value source_of(const evn_graph *graph, evn_value value) {
    value = evn__strip(graph, value);
    const evn__node *node = evn__node_at(graph, value);
    return evn__is_moving(node) ? evn__strip(graph, node->operands[0]) : value;
}

/// A scalar that is computed on the spot is not read, also where it has memory: its operands are.
/// @param met  per value: 1 + the last unit that met this scalar
static void mark_source(evn_plan *plan, int unit, evn_value source, int *met) {
    const evn__node *node = evn__node_at(plan->in.graph, source);
    if (!evn__elements_inline(plan->in.graph, plan->classes.held, source)) {
        bool elsewhere =
            plan->elements.unit_of[source] >= 0 && plan->elements.unit_of[source] != unit;
        plan->elements.crosses[source] = plan->elements.crosses[source] || elsewhere;
        return;
    }
    for (int k = 0; met[source] != unit + 1 && k < node->operand_count; ++k) {
        mark_source(plan, unit, source_of(plan->in.graph, node->operands[k]), met);
    }
    met[source] = unit + 1;
}

static void mark_member(evn_plan *plan, evn_value value, int *met) {
    const evn__node *node = evn__node_at(plan->in.graph, value);
    int unit = plan->elements.unit_of[value];
    if (evn__is_moving(node)) {
        mark_source(plan, unit, source_of(plan->in.graph, value), met);
        return;
    }
    for (int k = 0; k < node->operand_count; ++k) {
        evn_value read = evn__strip(plan->in.graph, node->operands[k]);
        if (plan->elements.unit_of[read] != unit) {
            mark_source(plan, unit, source_of(plan->in.graph, read), met);
        }
    }
}

/// A family reads the memory of its operands, but for a sum that another kernel begins.
static void mark_family(evn_plan *plan, evn_value value) {
    const evn__node *node = evn__node_at(plan->in.graph, value);
    for (int k = 0; !plan->elements.partials[value].begun && k < node->operand_count; ++k) {
        plan->elements.crosses[evn__strip(plan->in.graph, node->operands[k])] = true;
    }
}

evn_status evn__plan_store_crossing(evn_plan *plan) {
    const evn_graph *g = plan->in.graph;
    int *met = evn__arena_alloc(plan->in.arena, sizeof(int) * (size_t)(g->node_count + 1));
    EVN_CHECK(met, EVN_ERR_MEMORY, "no memory to find what %d kernels read", plan->unit_count);
    for (int i = 0; i < g->output_count; ++i) {
        plan->elements.crosses[evn__strip(g, g->outputs[i].value)] = true;
    }
    for (int v = 0; v < g->node_count; ++v) {
        int unit = plan->elements.unit_of[v];
        if (unit >= 0 && plan->units[unit].group.family == v) {
            mark_family(plan, v);
        } else if (unit >= 0) {
            mark_member(plan, v, met);
        }
    }
    for (int v = 0; v < g->node_count; ++v) {
        if (plan->elements.partials[v].begun) { // what is only summed needs no memory
            plan->elements.stored[evn__strip(g, g->nodes[v].operands[0])] = false;
        }
    }
    for (int v = 0; v < g->node_count; ++v) {
        plan->elements.stored[v] = plan->elements.stored[v] || plan->elements.crosses[v];
    }
    return EVN_OK;
}

evn_status evn__plan_check_reads(const evn_plan *plan) {
    int count = plan->in.graph->node_count;
    bool *written = NULL;
    if (plan->lanes) {
        return EVN_OK; // kernels over samples belong to no unit's values
    }
    EVN_TRY(EVN_NEW(&written, count + 1));
    evn_value missing = EVN_NONE;
    for (int i = 0; i < plan->launch_count; ++i) {
        const evn__launch *launch = &plan->launches[i];
        for (int k = 0; k < launch->slot_count; ++k) {
            const evn__slot *slot = &plan->slots[launch->first_slot + k];
            if (slot->kind == EVN__OPERAND_VALUE && plan->elements.unit_of[slot->value] >= 0) {
                written[slot->value] |= launch->unit == plan->elements.unit_of[slot->value];
                missing = written[slot->value] ? missing : slot->value;
            }
        }
    }
    free(written);
    EVN_CHECK(missing == EVN_NONE, EVN_ERR_INTERNAL,
              "the plan reads value %d before a kernel writes it", missing);
    return EVN_OK;
}
