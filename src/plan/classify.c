// SPDX-License-Identifier: Apache-2.0
// Which values are needed, in which phase, and which of them must have memory.
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_SCALAR_ARGUMENTS = 22, // of a scalar: two of them fit into a kernel
    MAX_SCALAR_STEPS = 128,    // of its computation, which every kernel repeats
};

static evn__op_class class_of(const evn_graph *graph, evn_value value) {
    return evn__op_table[evn__node_at(graph, value)->op].class;
}

int evn__plan_arguments(const evn__plan_input *in, const evn__classes *classes, evn_value value,
                        evn__marks *seen) {
    evn_value source = evn__source_of(in->graph, value);
    const evn__node *node = evn__node_at(in->graph, source);
    int count = 0;
    if (!evn__mark(seen, source)) {
        return 0;
    }
    if (!evn__elements_inline(in->graph, classes->held, source)) {
        return 1;
    }
    for (int k = 0; k < node->operand_count; ++k) {
        count += evn__plan_arguments(in, classes, node->operands[k], seen);
    }
    return count;
}

/// Scalars that are computed on the spot take their operands as arguments: those of too many, or of
/// too many steps, are held in memory.
static evn_status hold_scalars(const evn__plan_input *in, evn__classes *classes) {
    int count = in->graph->node_count;
    evn__marks seen = {0};
    EVN_TRY(EVN_NEW(&seen.at, count + 1));
    for (int v = 0; v < count; ++v) {
        if (classes->needed[v] && evn__elements_inline(in->graph, classes->held, v)) {
            evn__marks_clear(&seen);
            classes->held[v] = evn__plan_arguments(in, classes, v, &seen) > MAX_SCALAR_ARGUMENTS ||
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
static void mark_dependent(const evn_graph *g, const char *const *late_inputs, bool *depends) {
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
static evn_status mark_late(const evn__plan_input *in, const char *const *late_inputs,
                            evn__classes *classes) {
    const evn_graph *g = in->graph;
    mark_dependent(g, late_inputs, classes->late);
    bool *early = evn__arena_alloc(in->arena, sizeof(bool) * (size_t)g->node_count);
    EVN_CHECK(early, EVN_ERR_MEMORY, "no memory to tell the phases of %d nodes apart",
              g->node_count);
    for (int i = 0; i < g->output_count; ++i) {
        early[g->outputs[i].value] = !classes->late[g->outputs[i].value];
    }
    for (int i = g->node_count - 1; i >= 0; --i) {
        for (int k = 0; early[i] && k < g->nodes[i].operand_count; ++k) {
            early[g->nodes[i].operands[k]] = true;
        }
    }
    for (int i = 0; late_inputs && i < g->node_count; ++i) {
        classes->late[i] = !early[i];
    }
    return EVN_OK;
}

static void store(const evn__plan_input *in, evn__classes *classes, evn_value value) {
    value = evn__strip(in->graph, value);
    classes->stored[value] = true;
}

/// What a view shows has memory, unless it is a literal or a scalar that is computed on the spot.
static void store_source(const evn__plan_input *in, evn__classes *classes, const evn__node *view) {
    evn_value source = evn__strip(in->graph, view->operands[0]);
    if (evn__node_at(in->graph, source)->op != EVN__OP_CONSTANT &&
        !evn__elements_inline(in->graph, classes->held, source)) {
        classes->stored[source] = true;
    }
}

/// The operand of a generated kernel: a view is read in place; an element-wise value may be fused,
/// which evn__plan_fuse decides.
static void store_for_element(const evn__plan_input *in, evn__classes *classes, evn_value operand) {
    evn_value value = evn__strip(in->graph, operand);
    const evn__node *node = evn__node_at(in->graph, value);
    if (evn__is_moving(node)) {
        store_source(in, classes, node);
    } else if (node->op != EVN__OP_CONSTANT && class_of(in->graph, value) != EVN__CLASS_ELEMENT) {
        classes->stored[value] = true;
    }
}

static void store_operands(const evn__plan_input *in, evn__classes *classes, evn_value value) {
    const evn__node *node = evn__node_at(in->graph, value);
    evn__op_class class = class_of(in->graph, value);
    if (classes->stored[value] && evn__is_moving(node)) {
        store_source(in, classes, node);
    }
    for (int k = 0; k < node->operand_count; ++k) {
        if (class == EVN__CLASS_KERNEL) {
            store(in, classes, node->operands[k]);
        } else if (class == EVN__CLASS_ELEMENT) {
            store_for_element(in, classes, node->operands[k]);
        }
    }
}

/// The readers of every value, in the order of the graph.
static evn_status list_readers(const evn__plan_input *in, evn__classes *classes) {
    const evn_graph *g = in->graph;
    int *end = classes->first_reader + 1; // the next row begins where this one has come to
    size_t edges = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (int v = 0; v < g->node_count; ++v) {
            for (int k = 0; classes->needed[v] && k < g->nodes[v].operand_count; ++k) {
                evn_value read = evn__strip(g, g->nodes[v].operands[k]);
                if (pass == 0) {
                    ++end[read + 1];
                    ++edges;
                } else {
                    classes->readers[end[read]++] = v;
                }
            }
        }
        if (pass == 0) {
            classes->readers = evn__arena_alloc(in->arena, sizeof(evn_value) * (edges + 1));
            EVN_CHECK(classes->readers, EVN_ERR_MEMORY, "no memory for %zu operands", edges);
            for (int v = 0; v < g->node_count; ++v) {
                end[v + 1] += end[v];
            }
        }
    }
    return EVN_OK;
}

static evn_status check_size(const evn_graph *graph, evn_value value) {
    char text[128];
    evn_shape shape = evn_value_shape(graph, value);
    EVN_CHECK(evn_shape_count(shape) < INT32_MAX, EVN_ERR_SHAPE,
              "a value of shape %s has too many elements for one kernel: make the batch smaller",
              evn__shape_text(shape, text));
    return EVN_OK;
}

static evn_status allocate(const evn__plan_input *in, evn__classes *classes) {
    size_t count = (size_t)in->graph->node_count;
    bool **const flags[] = {&classes->needed, &classes->late, &classes->stored, &classes->held};
    bool fits = true;
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); ++i) {
        *flags[i] = evn__arena_alloc(in->arena, (count + 1) * sizeof(bool));
        fits = fits && *flags[i];
    }
    classes->first_reader = evn__arena_alloc(in->arena, (count + 2) * sizeof(int));
    EVN_CHECK(fits && classes->first_reader, EVN_ERR_MEMORY, "no memory for a plan of %zu nodes",
              count);
    return EVN_OK;
}

evn_status evn__plan_classify(const evn__plan_input *in, const char *const *late_inputs,
                              evn__classes *classes) {
    const evn_graph *g = in->graph;
    EVN_TRY(allocate(in, classes));
    evn__graph_needed(g, classes->needed);
    EVN_TRY(mark_late(in, late_inputs, classes));
    EVN_TRY(hold_scalars(in, classes));
    EVN_TRY(list_readers(in, classes));
    for (int i = 0; i < g->output_count; ++i) {
        store(in, classes, g->outputs[i].value);
    }
    // Users come after their operands: going back, a value's own storage is known before that of
    // what it reads.
    for (int i = g->node_count - 1; i >= 0; --i) {
        if (classes->needed[i]) {
            EVN_TRY(check_size(g, i));
            store_operands(in, classes, i);
        }
    }
    return EVN_OK;
}
