// SPDX-License-Identifier: Apache-2.0
#include "ode/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void evn__system_free(evn__system *system) {
    evn_graph_destroy(&system->graph);
    free(system->controlled);
    free(system->pairs);
    free(system->quadrature);
    *system = (evn__system){0};
}

evn_shape evn__system_state_shape(const evn__system *system, int index) {
    return evn_value_shape(system->graph, evn_graph_input(system->graph, evn__system_state(index)));
}

evn_shape evn__system_parameter_shape(const evn__system *system, int index) {
    return evn_value_shape(system->graph,
                           evn_graph_input(system->graph, evn__system_parameter(system, index)));
}

int evn__system_pairs_of_one(const evn__system *system, int first) {
    int end = first;
    while (end < system->pair_count &&
           system->pairs[end].parameter == system->pairs[first].parameter) {
        ++end;
    }
    return end - first;
}

// Checks of f and g -------------------------------------------------------------------------------

static evn_shape input_shape(const evn_graph *graph, int index) {
    return evn_value_shape(graph, evn_graph_input(graph, index));
}

static evn_status check_time(const evn_graph *graph, const char *which) {
    EVN_TRY(evn_graph_status(graph));
    EVN_CHECK(evn_graph_input_count(graph) > 0 &&
                  strcmp(evn_graph_input_name(graph, 0), "t") == 0 &&
                  input_shape(graph, 0).rank == 0,
              EVN_ERR_ARGUMENT, "the first input of %s must be the scalar t", which);
    return EVN_OK;
}

static evn_status check_f(const evn_graph *f) {
    EVN_TRY(check_time(f, "f"));
    EVN_CHECK(evn_graph_input_count(f) > 1 && strcmp(evn_graph_input_name(f, 1), "x") == 0,
              EVN_ERR_ARGUMENT, "the second input of f must be x");
    EVN_CHECK(evn_graph_output_count(f) == 1, EVN_ERR_ARGUMENT, "f must have one output, dx/dt");
    evn_shape dx = evn_value_shape(f, evn_graph_output(f, 0));
    EVN_CHECK(evn_shape_equal(dx, input_shape(f, 1)), EVN_ERR_SHAPE,
              "dx/dt must have the shape of x");
    return EVN_OK;
}

/// Whether input `index` of f is a weight that g moves.
static bool evolves(const evn_graph *f, const evn_graph *g, int index) {
    return g && index >= 2 && evn_graph_find_input(g, evn_graph_input_name(f, index)) >= 0;
}

static evn_status check_slope(const evn_graph *f, const evn_graph *g, int index) {
    const char *name = evn_graph_input_name(f, index);
    char slope[256];
    snprintf(slope, sizeof(slope), "d%s", name);
    int output = evn_graph_find_output(g, slope);
    EVN_CHECK(output >= 0, EVN_ERR_ARGUMENT, "g reads weight %s but has no output %s", name, slope);
    int input = evn_graph_find_input(g, name);
    EVN_CHECK(
        evn_shape_equal(input_shape(g, input), input_shape(f, index)) &&
            evn_shape_equal(evn_value_shape(g, evn_graph_output(g, output)), input_shape(f, index)),
        EVN_ERR_SHAPE, "f and g disagree on the shape of weight %s", name);
    return EVN_OK;
}

static evn_status check_g(const evn_graph *f, const evn_graph *g) {
    int moved = 0;
    EVN_TRY(check_time(g, "g"));
    for (int i = 2; i < evn_graph_input_count(f); ++i) {
        if (evolves(f, g, i)) {
            EVN_TRY(check_slope(f, g, i));
            ++moved;
        }
    }
    EVN_CHECK(moved == evn_graph_output_count(g), EVN_ERR_ARGUMENT,
              "g has %d outputs, but moves %d weights of f", evn_graph_output_count(g), moved);
    return EVN_OK;
}

// Joining -----------------------------------------------------------------------------------------

/// Declare the inputs of the joint graph and list the weights in the order of the interface.
static evn_status declare(evn_dynamics *d, const evn_graph *f, const evn_graph *g) {
    evn_graph *joint = d->system.graph;
    int f_inputs = evn_graph_input_count(f);
    evn_input(joint, "t", EVN_SCALAR);
    evn_input(joint, "x", input_shape(f, 1));
    d->system.state_count = 1;
    for (int pass = 0; pass < 2; ++pass) { // evolving weights are states and come first
        for (int i = 2; i < f_inputs; ++i) {
            if (evolves(f, g, i) != (pass == 0)) {
                continue;
            }
            int *count = pass == 0 ? &d->system.state_count : &d->system.parameter_count;
            d->weights[i - 2] = (evn__weight){NULL, pass == 0, (*count)++};
            evn_input(joint, evn_graph_input_name(f, i), input_shape(f, i));
        }
    }
    d->weight_count = f_inputs - 2;
    for (int i = 1; g && i < evn_graph_input_count(g); ++i) {
        const char *name = evn_graph_input_name(g, i);
        if (evn_graph_find_input(f, name) < 0) {
            d->weights[d->weight_count++] = (evn__weight){NULL, false, d->system.parameter_count++};
            evn_input(joint, name, input_shape(g, i));
        }
    }
    return evn_graph_status(joint);
}

static void name_weights(evn_dynamics *d) {
    for (int i = 0; i < d->weight_count; ++i) {
        evn__weight *w = &d->weights[i];
        int input =
            w->evolves ? evn__system_state(w->index) : evn__system_parameter(&d->system, w->index);
        w->name = evn_graph_input_name(d->system.graph, input);
    }
}

/// Inline f or g, its inputs found by name.
static evn_status inline_by_name(evn_graph *joint, const evn_graph *part, evn_value *outputs) {
    evn_value *inputs = NULL;
    EVN_TRY(EVN_NEW(&inputs, evn_graph_input_count(part)));
    for (int i = 0; i < evn_graph_input_count(part); ++i) {
        int index = evn_graph_find_input(joint, evn_graph_input_name(part, i));
        inputs[i] = evn_graph_input(joint, index);
    }
    evn_status status = evn_graph_inline(joint, part, inputs, outputs);
    free(inputs);
    return status;
}

static evn_status join(evn_dynamics *d, const evn_graph *f, const evn_graph *g, evn_value *slopes) {
    evn_graph *joint = d->system.graph;
    EVN_TRY(inline_by_name(joint, f, slopes));
    evn_output(joint, "dx", slopes[0]);
    if (g) {
        EVN_TRY(inline_by_name(joint, g, slopes));
    }
    for (int i = 1; i < d->system.state_count; ++i) {
        char name[256];
        snprintf(name, sizeof(name), "d%s", evn_graph_input_name(joint, evn__system_state(i)));
        evn_output(joint, name, slopes[evn_graph_find_output(g, name)]);
    }
    return evn_graph_status(joint);
}

static evn_status make(evn_dynamics *d, const evn_graph *f, const evn_graph *g) {
    int most = evn_graph_input_count(f) + (g ? evn_graph_input_count(g) : 0);
    evn_value *slopes = NULL;
    EVN_TRY(evn_graph_create(&d->system.graph));
    EVN_TRY(EVN_NEW(&d->weights, most));
    EVN_TRY(EVN_NEW(&d->system.controlled, most));
    EVN_TRY(declare(d, f, g));
    name_weights(d);
    for (int i = 0; i < d->system.state_count; ++i) {
        d->system.controlled[i] = true;
    }
    EVN_TRY(EVN_NEW(&slopes, most));
    evn_status status = join(d, f, g, slopes);
    free(slopes);
    return status;
}

evn_status evn_dynamics_create(const evn_graph *f, const evn_graph *g, evn_dynamics **dynamics) {
    EVN_REQUIRE(dynamics);
    *dynamics = NULL;
    EVN_TRY(check_f(f));
    if (g) {
        EVN_TRY(check_g(f, g));
    }
    EVN_TRY(EVN_NEW(dynamics, 1));
    evn_status status = make(*dynamics, f, g);
    if (status != EVN_OK) {
        evn_dynamics_destroy(dynamics);
    }
    return status;
}

void evn_dynamics_destroy(evn_dynamics **dynamics) {
    if (dynamics && *dynamics) {
        evn__system_free(&(*dynamics)->system);
        free((*dynamics)->weights);
        free(*dynamics);
        *dynamics = NULL;
    }
}

static evn_status copy_system(const evn__system *system, evn__system *copy) {
    const evn_graph *from = system->graph;
    int states = system->state_count, inputs = evn_graph_input_count(from);
    *copy = (evn__system){.state_count = states, .parameter_count = system->parameter_count};
    EVN_TRY(EVN_NEW(&copy->controlled, states));
    memcpy(copy->controlled, system->controlled, sizeof(bool) * (size_t)states);
    EVN_TRY(evn_graph_create(&copy->graph));
    for (int i = 0; i < inputs; ++i) {
        evn_input(copy->graph, evn_graph_input_name(from, i), input_shape(from, i));
    }
    evn_value *slopes = NULL;
    EVN_TRY(EVN_NEW(&slopes, states));
    evn_status status = inline_by_name(copy->graph, from, slopes);
    for (int i = 0; i < states && status == EVN_OK; ++i) {
        evn_output(copy->graph, evn_graph_output_name(from, i), slopes[i]);
    }
    free(slopes);
    return status == EVN_OK ? evn_graph_status(copy->graph) : status;
}

evn_status evn__dynamics_copy(const evn_dynamics *dynamics, evn_dynamics **copy) {
    EVN_TRY(EVN_NEW(copy, 1));
    evn_status status = copy_system(&dynamics->system, &(*copy)->system);
    if (status == EVN_OK) {
        status = EVN_NEW(&(*copy)->weights, dynamics->weight_count);
    }
    if (status != EVN_OK) {
        evn_dynamics_destroy(copy);
        return status;
    }
    (*copy)->weight_count = dynamics->weight_count;
    memcpy((*copy)->weights, dynamics->weights,
           sizeof(evn__weight) * (size_t)dynamics->weight_count);
    name_weights(*copy);
    return EVN_OK;
}

evn_shape evn_dynamics_state_shape(const evn_dynamics *dynamics) {
    return dynamics ? evn__system_state_shape(&dynamics->system, 0) : EVN_SCALAR;
}

int evn_dynamics_weight_count(const evn_dynamics *dynamics) {
    return dynamics ? dynamics->weight_count : 0;
}

static const evn__weight *weight_at(const evn_dynamics *dynamics, int index) {
    return index >= 0 && index < evn_dynamics_weight_count(dynamics) ? &dynamics->weights[index]
                                                                     : NULL;
}

const char *evn_dynamics_weight_name(const evn_dynamics *dynamics, int index) {
    const evn__weight *w = weight_at(dynamics, index);
    return w ? w->name : NULL;
}

evn_shape evn_dynamics_weight_shape(const evn_dynamics *dynamics, int index) {
    const evn__weight *w = weight_at(dynamics, index);
    return !w           ? EVN_SCALAR
           : w->evolves ? evn__system_state_shape(&dynamics->system, w->index)
                        : evn__system_parameter_shape(&dynamics->system, w->index);
}

bool evn_dynamics_weight_evolves(const evn_dynamics *dynamics, int index) {
    const evn__weight *w = weight_at(dynamics, index);
    return w && w->evolves;
}
