// SPDX-License-Identifier: Apache-2.0
#include "dynamics/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void evn__system_free(evn__system *system) {
    evn_graph_destroy(&system->graph);
    free(system->controlled);
    free(system->parts);
    free(system->pairs);
    free(system->quadrature);
    *system = (evn__system){0};
}

evn_shape evn__system_time_shape(const evn__system *system) {
    return evn_value_shape(system->graph, evn_graph_input(system->graph, 0));
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

void evn__system_set_norm(evn__system *system, evn_norm norm) {
    system->options.norm = norm;
    for (int i = 0; i < system->state_count; ++i) {
        system->controlled[i] = i == 0 || evn__norm_kind_of(norm)->reach >= EVN__REACH_EVOLVING;
    }
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

/// The output of g that is the slope of weight `name`; −1: none.
static int find_slope(const evn_graph *g, const char *name) {
    char slope[EVN_MAX_NAME + 2];
    snprintf(slope, sizeof(slope), "d%s", name);
    return evn_graph_find_output(g, slope);
}

/// Whether input `index` of f is a weight that g moves.
static bool evolves(const evn_graph *f, const evn_graph *g, int index) {
    return g && index >= 2 && find_slope(g, evn_graph_input_name(f, index)) >= 0;
}

/// A weight that g reads, or moves, or both.
static evn_status check_weight(const evn_graph *f, const evn_graph *g, int index) {
    const char *name = evn_graph_input_name(f, index);
    int input = evn_graph_find_input(g, name), output = find_slope(g, name);
    evn_shape shape = input_shape(f, index);
    bool reads = input < 0 || evn_shape_equal(input_shape(g, input), shape);
    bool moves =
        output < 0 || evn_shape_equal(evn_value_shape(g, evn_graph_output(g, output)), shape);
    EVN_CHECK(reads && moves, EVN_ERR_SHAPE, "f and g disagree on the shape of weight %s", name);
    return EVN_OK;
}

static evn_status check_g(const evn_graph *f, const evn_graph *g) {
    int moved = 0, x = evn_graph_find_input(g, "x");
    EVN_TRY(check_time(g, "g"));
    EVN_CHECK(x < 0 || evn_shape_equal(input_shape(g, x), input_shape(f, 1)), EVN_ERR_SHAPE,
              "the input x of g is the state, and must have its shape; give a parameter another "
              "name");
    for (int i = 2; i < evn_graph_input_count(f); ++i) {
        EVN_TRY(check_weight(f, g, i));
        moved += evolves(f, g, i);
    }
    EVN_CHECK(
        moved == evn_graph_output_count(g), EVN_ERR_ARGUMENT,
        "g has %d outputs, but moves %d weights of f: each of its outputs has to be the slope "
        "of one, d and its name",
        evn_graph_output_count(g), moved);
    return EVN_OK;
}

// Joining -----------------------------------------------------------------------------------------

static void declare_state(evn_graph *graph, int index, evn_shape shape) {
    char name[32];
    snprintf(name, sizeof(name), "w%d", index);
    evn_input(graph, index == 0 ? "x" : name, shape);
}

static void declare_parameter(evn_graph *graph, int index, evn_shape shape) {
    char name[32];
    snprintf(name, sizeof(name), "p%d", index);
    evn_input(graph, name, shape);
}

static void output_slope(evn_graph *graph, int state, evn_value slope) {
    char name[32];
    snprintf(name, sizeof(name), "dw%d", state);
    evn_output(graph, state == 0 ? "dx" : name, slope);
}

static evn_status name_weight(evn_dynamics *d, int weight, const char *name) {
    d->weights[weight].name = evn__arena_string(&d->arena, name);
    EVN_CHECK(d->weights[weight].name, EVN_ERR_MEMORY, "no memory for the name %s", name);
    return EVN_OK;
}

/// Declare the inputs of the joint graph and list the weights in the order of the interface.
static evn_status declare(evn_dynamics *d, const evn_graph *f, const evn_graph *g) {
    evn__system *s = &d->system;
    int f_inputs = evn_graph_input_count(f);
    evn_input(s->graph, "t", EVN_SCALAR);
    declare_state(s->graph, s->state_count++, input_shape(f, 1));
    for (int pass = 0; pass < 2; ++pass) { // evolving weights are states and come first
        for (int i = 2; i < f_inputs; ++i) {
            if (evolves(f, g, i) != (pass == 0)) {
                continue;
            }
            int index = pass == 0 ? s->state_count++ : s->parameter_count++;
            (pass == 0 ? declare_state : declare_parameter)(s->graph, index, input_shape(f, i));
            d->weights[i - 2] = (evn__weight){NULL, pass == 0, index};
            EVN_TRY(name_weight(d, i - 2, evn_graph_input_name(f, i)));
        }
    }
    d->weight_count = f_inputs - 2;
    for (int i = 1; g && i < evn_graph_input_count(g); ++i) {
        const char *name = evn_graph_input_name(g, i);
        if (evn_graph_find_input(f, name) < 0) {
            declare_parameter(s->graph, s->parameter_count, input_shape(g, i));
            d->weights[d->weight_count] = (evn__weight){NULL, false, s->parameter_count++};
            EVN_TRY(name_weight(d, d->weight_count++, name));
        }
    }
    return evn_graph_status(s->graph);
}

/// Of the joint graph: which input is called so in f and g.
static int find_input(const evn_dynamics *d, const char *name) {
    for (int i = 0; i < d->weight_count; ++i) {
        const evn__weight *w = &d->weights[i];
        if (strcmp(w->name, name) == 0) {
            return w->evolves ? evn__system_state(w->index)
                              : evn__system_parameter(&d->system, w->index);
        }
    }
    return strcmp(name, "t") == 0 ? 0 : evn__system_state(0);
}

static evn_status inline_part(const evn_dynamics *d, const evn_graph *part, evn_value *outputs) {
    evn_value *inputs = NULL;
    EVN_TRY(EVN_NEW(&inputs, evn_graph_input_count(part)));
    for (int i = 0; i < evn_graph_input_count(part); ++i) {
        int index = find_input(d, evn_graph_input_name(part, i));
        inputs[i] = evn_graph_input(d->system.graph, index);
    }
    evn_status status = evn_graph_inline(d->system.graph, part, inputs, outputs);
    free(inputs);
    return status;
}

static evn_status join(evn_dynamics *d, const evn_graph *f, const evn_graph *g, evn_value *slopes,
                       evn_value *of_g) {
    EVN_TRY(inline_part(d, f, slopes));
    if (g) {
        EVN_TRY(inline_part(d, g, of_g));
    }
    for (int i = 0; i < d->weight_count; ++i) {
        if (d->weights[i].evolves) {
            slopes[d->weights[i].index] = of_g[find_slope(g, d->weights[i].name)];
        }
    }
    for (int i = 0; i < d->system.state_count; ++i) {
        output_slope(d->system.graph, i, slopes[i]);
    }
    return evn_graph_status(d->system.graph);
}

static evn_status make(evn_dynamics *d, const evn_graph *f, const evn_graph *g) {
    int inputs = evn_graph_input_count(f) + evn_graph_input_count(g);
    evn_value *slopes = NULL;
    EVN_TRY(evn_graph_create(&d->system.graph));
    EVN_TRY(EVN_NEW(&d->weights, inputs));
    EVN_TRY(EVN_NEW(&d->system.controlled, inputs));
    EVN_TRY(declare(d, f, g));
    evn__system_set_norm(&d->system, EVN_NORM_STATE);
    EVN_TRY(EVN_NEW(&slopes, inputs + evn_graph_output_count(g)));
    evn_status status = join(d, f, g, slopes, slopes + inputs);
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
        evn__arena_free(&(*dynamics)->arena);
        free((*dynamics)->weights);
        free(*dynamics);
        *dynamics = NULL;
    }
}

static evn_status copy_graph(const evn__system *system, evn_graph *copy, evn_value *values) {
    const evn_graph *from = system->graph;
    int inputs = evn_graph_input_count(from);
    for (int i = 0; i < inputs; ++i) {
        values[i] = evn_input(copy, evn_graph_input_name(from, i), input_shape(from, i));
    }
    EVN_TRY(evn_graph_inline(copy, from, values, values + inputs));
    for (int i = 0; i < system->state_count; ++i) {
        evn_output(copy, evn_graph_output_name(from, i), values[inputs + i]);
    }
    return evn_graph_status(copy);
}

static evn_status copy_system(const evn__system *system, evn__system *copy) {
    int states = system->state_count;
    *copy = (evn__system){.state_count = states,
                          .parameter_count = system->parameter_count,
                          .options = system->options};
    EVN_TRY(EVN_NEW(&copy->controlled, states));
    memcpy(copy->controlled, system->controlled, sizeof(bool) * (size_t)states);
    EVN_TRY(evn_graph_create(&copy->graph));
    evn_value *values = NULL;
    EVN_TRY(EVN_NEW(&values, evn_graph_input_count(system->graph) + states));
    evn_status status = copy_graph(system, copy->graph, values);
    free(values);
    return status;
}

static evn_status copy_into(const evn_dynamics *dynamics, evn_dynamics *copy) {
    EVN_TRY(copy_system(&dynamics->system, &copy->system));
    EVN_TRY(EVN_NEW(&copy->weights, dynamics->weight_count));
    copy->weight_count = dynamics->weight_count;
    for (int i = 0; i < copy->weight_count; ++i) {
        copy->weights[i] = dynamics->weights[i];
        EVN_TRY(name_weight(copy, i, dynamics->weights[i].name));
    }
    return EVN_OK;
}

evn_status evn__dynamics_copy(const evn_dynamics *dynamics, evn_dynamics **copy) {
    EVN_TRY(EVN_NEW(copy, 1));
    evn_status status = copy_into(dynamics, *copy);
    if (status != EVN_OK) {
        evn_dynamics_destroy(copy);
    }
    return status;
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
