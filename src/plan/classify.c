// SPDX-License-Identifier: Apache-2.0
// Which values are needed, in which phase, and which of them must have memory.
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_SCALAR_ARGUMENTS = 22, // of a scalar: two of them fit into a kernel
    MAX_SCALAR_STEPS = 128,    // of its computation, which every kernel repeats
};

static evn__op_class class_of(const evn_plan *plan, evn_value value) {
    return evn__op_table[evn__node_at(plan->graph, value)->op].class;
}

int evn__plan_arguments(const evn_plan *plan, evn_value value, evn__marks *seen) {
    const evn__node *node = evn__node_at(plan->graph, value);
    bool view = node->op == EVN__OP_RESHAPE || evn__is_moving(node);
    int count = 0;
    if (!evn__mark(seen, value)) {
        return 0;
    }
    if (!view && !evn__elements_inline(&plan->elements, value)) {
        return 1;
    }
    for (int k = 0; k < node->operand_count; ++k) {
        count += evn__plan_arguments(plan, node->operands[k], seen);
    }
    return count;
}

/// Scalars that are computed on the spot take their operands as arguments: those of too many, or of
/// too many steps, are held in memory.
static evn_status hold_scalars(evn_plan *plan) {
    int count = plan->graph->node_count;
    evn__marks seen = {0};
    EVN_TRY(EVN_NEW(&seen.at, count + 1));
    for (int v = 0; v < count; ++v) {
        if (plan->needed[v] && evn__elements_inline(&plan->elements, v)) {
            evn__marks_clear(&seen);
            plan->elements.held[v] = evn__plan_arguments(plan, v, &seen) > MAX_SCALAR_ARGUMENTS ||
                                     seen.count > MAX_SCALAR_STEPS;
        }
    }
    free(seen.at);
    return EVN_OK;
}

static bool is_late_name(const char *name, const char *const *late_inputs) {
    for (; late_inputs && *late_inputs; ++late_inputs) {
        if (strcmp(*late_inputs, name) == 0) {
            return true;
        }
    }
    return false;
}

/// depends[v]: v depends on a late input.
static void mark_dependent(const evn_plan *plan, const char *const *late_inputs, bool *depends) {
    const evn_graph *g = plan->graph;
    for (int i = 0; i < g->input_count; ++i) {
        depends[g->inputs[i].value] = is_late_name(g->inputs[i].name, late_inputs);
    }
    for (int i = 0; i < g->node_count; ++i) {
        for (int k = 0; k < g->nodes[i].operand_count; ++k) {
            depends[i] = depends[i] || depends[g->nodes[i].operands[k]];
        }
    }
}

/// Phase 0 computes just what the outputs that can be known early need; all else is late, also
/// what could run early: it would have to be kept for phase 1.
static evn_status mark_late(evn_plan *plan, const char *const *late_inputs) {
    const evn_graph *g = plan->graph;
    mark_dependent(plan, late_inputs, plan->late);
    bool *early = evn__arena_alloc(&plan->arena, sizeof(bool) * (size_t)g->node_count);
    EVN_CHECK(early, EVN_ERR_MEMORY, "no memory to tell the phases of %d nodes apart",
              g->node_count);
    for (int i = 0; i < g->output_count; ++i) {
        early[g->outputs[i].value] = !plan->late[g->outputs[i].value];
    }
    for (int i = g->node_count - 1; i >= 0; --i) {
        for (int k = 0; early[i] && k < g->nodes[i].operand_count; ++k) {
            early[g->nodes[i].operands[k]] = true;
        }
    }
    for (int i = 0; late_inputs && i < g->node_count; ++i) {
        plan->late[i] = !early[i];
    }
    return EVN_OK;
}

static void store(evn_plan *plan, evn_value value) {
    value = evn__strip(plan->graph, value);
    plan->elements.stored[value] = true;
}

/// What a view shows has memory, unless it is a literal or a scalar that is computed on the spot.
static void store_source(evn_plan *plan, const evn__node *view) {
    evn_value source = evn__strip(plan->graph, view->operands[0]);
    if (evn__node_at(plan->graph, source)->op != EVN__OP_CONSTANT &&
        !evn__elements_inline(&plan->elements, source)) {
        plan->elements.stored[source] = true;
    }
}

/// The operand of a generated kernel: a view is read in place; an element-wise value may be fused,
/// which evn__plan_fuse decides.
static void store_for_element(evn_plan *plan, evn_value operand) {
    evn_value value = evn__strip(plan->graph, operand);
    const evn__node *node = evn__node_at(plan->graph, value);
    if (evn__is_moving(node)) {
        store_source(plan, node);
    } else if (node->op != EVN__OP_CONSTANT && class_of(plan, value) != EVN__CLASS_ELEMENT) {
        plan->elements.stored[value] = true;
    }
}

static void store_operands(evn_plan *plan, evn_value value) {
    const evn__node *node = evn__node_at(plan->graph, value);
    evn__op_class class = class_of(plan, value);
    if (plan->elements.stored[value] && evn__is_moving(node)) {
        store_source(plan, node);
    }
    for (int k = 0; k < node->operand_count; ++k) {
        if (class == EVN__CLASS_KERNEL) {
            store(plan, node->operands[k]);
        } else if (class == EVN__CLASS_ELEMENT) {
            store_for_element(plan, node->operands[k]);
        }
    }
}

/// The readers of every value, in the order of the graph.
static evn_status list_readers(evn_plan *plan) {
    const evn_graph *g = plan->graph;
    int *end = plan->first_reader + 1; // the next row begins where this one has come to
    size_t edges = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (int v = 0; v < g->node_count; ++v) {
            for (int k = 0; plan->needed[v] && k < g->nodes[v].operand_count; ++k) {
                evn_value read = evn__strip(g, g->nodes[v].operands[k]);
                if (pass == 0) {
                    ++end[read + 1];
                    ++edges;
                } else {
                    plan->readers[end[read]++] = v;
                }
            }
        }
        if (pass == 0) {
            plan->readers = evn__arena_alloc(&plan->arena, sizeof(evn_value) * (edges + 1));
            EVN_CHECK(plan->readers, EVN_ERR_MEMORY, "no memory for %zu operands", edges);
            for (int v = 0; v < g->node_count; ++v) {
                end[v + 1] += end[v];
            }
        }
    }
    return EVN_OK;
}

static evn_status check_size(const evn_plan *plan, evn_value value) {
    char text[128];
    evn_shape shape = evn_value_shape(plan->graph, value);
    EVN_CHECK(evn_shape_count(shape) < INT32_MAX, EVN_ERR_SHAPE,
              "a value of shape %s has too many elements for one kernel: make the batch smaller",
              evn__shape_text(shape, text));
    return EVN_OK;
}

evn_status evn__plan_classify(evn_plan *plan, const char *const *late_inputs) {
    const evn_graph *g = plan->graph;
    evn__graph_needed(g, plan->needed);
    EVN_TRY(mark_late(plan, late_inputs));
    EVN_TRY(hold_scalars(plan));
    EVN_TRY(list_readers(plan));
    for (int i = 0; i < g->output_count; ++i) {
        store(plan, g->outputs[i].value);
    }
    // Users come after their operands: going back, a value's own storage is known before that of
    // what it reads.
    for (int i = g->node_count - 1; i >= 0; --i) {
        if (plan->needed[i]) {
            EVN_TRY(check_size(plan, i));
            store_operands(plan, i);
        }
    }
    return EVN_OK;
}
