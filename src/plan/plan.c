// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.h"

#include "host/counting.h"
#include "host/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// An output that is an input, a table or another output is a value of its own, so that every
/// output has one kernel that writes it.
/// @param taken  per value: an output before this one is it, behind reshapes
static evn_value own_value(evn_graph *graph, evn_value value, int index, const bool *taken) {
    evn_value source = evn__strip(graph, value);
    evn__op op = evn__node_at(graph, source)->op;
    if (op != EVN__OP_INPUT && op != EVN__OP_TABLE && !taken[source]) {
        return value;
    }
    // A view that moves nothing; the unused order keeps copies of one value from being one node.
    evn__node copy = {.op = EVN__OP_SLICE, .operand_count = 1, .operands = {value}};
    copy.shape = evn_value_shape(graph, value);
    copy.attributes.order[0] = index + 1;
    return evn__node_add(graph, &copy);
}

static evn_status copy_outputs(const evn_graph *source, evn_graph *graph,
                               const evn_value *outputs) {
    bool *taken = NULL;
    EVN_TRY(EVN_NEW(&taken, graph->node_count + source->output_count));
    for (int i = 0; i < source->output_count; ++i) {
        evn_value value = own_value(graph, outputs[i], i, taken);
        evn_output(graph, source->outputs[i].name, value);
        if (value != EVN_NONE) {
            taken[evn__strip(graph, value)] = true;
        }
    }
    free(taken);
    return evn_graph_status(graph);
}

static evn_status copy_graph(const evn_graph *source, evn_graph **graph) {
    evn_value *values = NULL;
    EVN_TRY(evn_graph_status(source));
    EVN_TRY(evn__graph_verify(source));
    EVN_TRY(evn_graph_create(graph));
    EVN_TRY(EVN_NEW(&values, source->input_count + source->output_count));
    for (int i = 0; i < source->input_count; ++i) {
        values[i] = evn_input(*graph, source->inputs[i].name,
                              evn_value_shape(source, source->inputs[i].value));
    }
    evn_value *outputs = values + source->input_count;
    evn_status status = evn__graph_inline_values(*graph, source, values, outputs);
    if (status == EVN_OK) {
        status = copy_outputs(source, *graph, outputs);
    }
    free(values);
    return status;
}

static evn_status check_late(const evn_graph *graph, const char *const *late) {
    for (; late && *late; ++late) {
        EVN_CHECK(evn_graph_find_input(graph, *late) >= 0, EVN_ERR_ARGUMENT,
                  "late input %s: the graph has no input of that name", *late);
    }
    return EVN_OK;
}

static evn_status build(evn_plan *plan, const evn_graph *graph, const evn_plan_options *options) {
    const evn_device_info *info = evn_device_get_info(plan->in.device);
    EVN_CHECK(!plan->in.fp64 || info->has_fp64, EVN_ERR_ARGUMENT,
              "device %s has no double precision: use single precision or another device",
              info->name);
    EVN_TRY(copy_graph(graph, &plan->graph));
    plan->in.graph = plan->graph;
    EVN_TRY(check_late(plan->graph, options->late_inputs));
    plan->phased = options->late_inputs != NULL;
    EVN_TRY(evn__plan_classify(&plan->in, options->late_inputs, &plan->classes));
    EVN_TRY(evn__plan_by_sample(&plan->in, &plan->classes, options, &plan->units));
    if (!plan->units.lanes) {
        EVN_TRY(evn__plan_fuse(&plan->in, &plan->classes, &plan->units));
    }
    EVN_TRY(evn__plan_lower(&plan->in, &plan->units, &plan->launches));
    EVN_TRY(evn__plan_check_reads(&plan->in, &plan->units, &plan->launches));
    EVN_TRY(evn__plan_compile(&plan->in, &plan->units, &plan->launches, &plan->kernels));
    EVN_TRY(evn__plan_place(&plan->in, &plan->launches, &plan->memory));
    return evn__plan_measure_ports(&plan->in, &plan->port_elements);
}

evn_status evn_plan_create(evn_device *device, const evn_graph *graph,
                           const evn_plan_options *options, evn_plan **plan) {
    const evn_plan_options defaults = {0};
    EVN_REQUIRE(plan);
    *plan = NULL;
    EVN_REQUIRE(device);
    EVN_REQUIRE(graph);
    options = options ? options : &defaults;
    EVN_TRY(EVN_NEW(plan, 1));
    (*plan)->in = (evn__plan_input){.device = device,
                                    .arena = &(*plan)->arena,
                                    .fp64 = options->fp64,
                                    .fuse = !options->no_fuse,
                                    .all_epilogues = options->all_epilogues};
    evn_status status = build(*plan, graph, options);
    if (status != EVN_OK) {
        evn_plan_destroy(plan);
    } else {
        evn__device_tell(device, *plan, true);
    }
    return status;
}

void evn_plan_destroy(evn_plan **plan) {
    if (!plan || !*plan) {
        return;
    }
    evn__device_tell((*plan)->in.device, *plan, false);
    evn_buffer_destroy(&(*plan)->memory.scratch);
    evn_buffer_destroy(&(*plan)->saved);
    evn_buffer_destroy(&(*plan)->memory.tables);
    evn_buffer_destroy(&(*plan)->memory.one_run);
    evn_graph_destroy(&(*plan)->graph);
    evn__arena_free(&(*plan)->arena);
    free((*plan)->units.rows);
    free((*plan)->launches.rows);
    free((*plan)->launches.slots);
    free((*plan)->launches.scratch);
    free(*plan);
    *plan = NULL;
}

size_t evn_plan_saved_element_count(const evn_plan *plan) {
    return plan ? plan->memory.saved_elements : 0;
}

int evn_plan_launch_count(const evn_plan *plan) {
    int count = 0;
    for (int i = 0; plan && i < plan->launches.count; ++i) {
        count += !plan->launches.rows[i].replaced;
    }
    return count;
}

size_t evn_plan_bytes(const evn_plan *plan) {
    if (!plan) {
        return 0;
    }
    const evn_buffer *buffers[] = {plan->memory.scratch, plan->saved, plan->memory.tables};
    size_t bytes = 0;
    for (int i = 0; i < 3; ++i) {
        bytes += buffers[i] ? evn_buffer_bytes(buffers[i]) : 0;
    }
    return bytes;
}

static const char *home_name(evn__home home) {
    static const char *const names[] = {"none", "input", "output", "table", "scratch", "saved"};
    return names[home];
}

static void print_launch(const evn_plan *plan, const evn__launch *launch, evn__text *text) {
    evn__text_append(text, "%d %s%s", launch->phase, launch->name,
                     launch->source.family && launch->source.text ? "+epilogue" : "");
    for (int i = 0; i < launch->slot_count; ++i) {
        const evn__slot *slot = &plan->launches.slots[launch->first_slot + i];
        char shape[128];
        if (slot->kind == EVN__OPERAND_VALUE) {
            evn__text_append(text, " %%%d%s:%s", slot->value,
                             evn__shape_text(evn_value_shape(plan->in.graph, slot->value), shape),
                             home_name(evn__plan_place_of(plan, slot)->home));
        }
    }
    evn__text_append(text, "\n");
}

evn_status evn_plan_print(const evn_plan *plan, char **out) {
    evn__text text = {0};
    EVN_REQUIRE(plan);
    EVN_REQUIRE(out);
    for (int i = 0; i < plan->launches.count; ++i) {
        print_launch(plan, &plan->launches.rows[i], &text);
    }
    evn__text_append(&text, "scratch %zu saved %zu tables %zu elements\n",
                     plan->memory.scratch_elements, plan->memory.saved_elements,
                     plan->memory.table_elements);
    if (text.status != EVN_OK) {
        free(text.data);
        return text.status;
    }
    *out = text.data;
    return EVN_OK;
}
