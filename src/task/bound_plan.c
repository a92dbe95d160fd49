// SPDX-License-Identifier: Apache-2.0
#include "task/bound_plan.h"

#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>

static evn_status bind_parameters(evn__bound_plan *bound, const evn_graph *graph,
                                  const evn_parameters *parameters) {
    EVN_TRY(EVN_NEW(&bound->inputs, evn_graph_input_count(graph)));
    EVN_TRY(EVN_NEW(&bound->outputs, evn_graph_output_count(graph)));
    for (int i = 0; i < evn_graph_input_count(graph); ++i) {
        int index = evn_parameters_find(parameters, evn_graph_input_name(graph, i));
        if (index >= 0) {
            bound->inputs[i] = evn_parameters_value(parameters, index);
        }
    }
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        char name[256];
        snprintf(name, sizeof(name), "%s_bar", evn_parameters_name(parameters, i));
        evn__bound_plan_output(bound, graph, name, evn_parameters_gradient(parameters, i));
    }
    return EVN_OK;
}

evn_status evn__bound_plan_create(evn_device *device, const evn_graph *graph,
                                  const evn_plan_options *options, const evn_parameters *parameters,
                                  evn__bound_plan *bound) {
    EVN_TRY(evn_plan_create(device, graph, options, &bound->plan));
    return bind_parameters(bound, graph, parameters);
}

void evn__bound_plan_free(evn__bound_plan *bound) {
    evn_plan_destroy(&bound->plan);
    free(bound->inputs);
    free(bound->outputs);
    *bound = (evn__bound_plan){0};
}

void evn__bound_plan_input(evn__bound_plan *bound, const evn_graph *graph, const char *name,
                           evn_binding to) {
    int index = evn_graph_find_input(graph, name);
    if (index >= 0) {
        bound->inputs[index] = to;
    }
}

void evn__bound_plan_output(evn__bound_plan *bound, const evn_graph *graph, const char *name,
                            evn_binding to) {
    int index = evn_graph_find_output(graph, name);
    if (index >= 0) {
        bound->outputs[index] = to;
    }
}
