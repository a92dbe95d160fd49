// SPDX-License-Identifier: Apache-2.0
#include "gradients/adjoint.h"

#include "evonode/diff.h"
#include "integrator/weight_gradient.h"
#include "methods/interpolant.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_SCALARS = 2 }; // t and dt of a step

typedef struct adjoint_build {
    const evn__system *system;
    evn__system *adjoint;
    evn_graph *graph;
    bool pairs;        ///< whether there may be any
    int bar_count;     ///< states + parameters
    evn_value *inputs; ///< of the system: t, states, parameters
    evn_value *seeds;  ///< cotangents of the states
    evn_value *slopes; ///< of the states
    evn_value *bars;   ///< vjp in states and parameters
    int term_count;    ///< the states are those of interpolants of so many terms; 0: they are not
    evn_value *terms;  ///< [states][term_count]
} adjoint_build;

static const char *source_name(const adjoint_build *b, int input) {
    return evn_graph_input_name(b->system->graph, input);
}

static evn_shape source_shape(const adjoint_build *b, int input) {
    return evn_value_shape(b->system->graph, evn_graph_input(b->system->graph, input));
}

static evn_value bar_input(const adjoint_build *b, int input) {
    char name[256];
    snprintf(name, sizeof(name), "%s_bar", source_name(b, input));
    return evn_input(b->graph, name, source_shape(b, input));
}

/// Behind the parameters: terms of the interpolants of all states, t and dt of the step.
static void declare_step(adjoint_build *b, evn_value *terms) {
    evn_graph *g = b->graph;
    int states = b->system->state_count;
    for (int i = 0; i < states * b->term_count; ++i) {
        char name[256];
        int input = evn__system_state(i / b->term_count);
        int term = i % b->term_count;
        snprintf(name, sizeof(name), "%s_term.%d", source_name(b, input), term);
        terms[i] = evn_input(g, name, source_shape(b, input));
    }
    evn_value begin = evn_input(g, "step_t", EVN_SCALAR), dt = evn_input(g, "step_dt", EVN_SCALAR);
    evn_value part = evn_div(g, evn_sub(g, b->inputs[0], begin), dt);
    for (int i = 0; i < states; ++i) {
        b->inputs[evn__system_state(i)] = evn__interpolant_value(
            g, terms + (size_t)i * (size_t)b->term_count, b->term_count, part);
    }
}

/// Inputs: t, states, cotangents of states, quadratures, parameters; or, along a step, its
/// interpolants behind all in the place of the states.
static void declare(adjoint_build *b) {
    const evn__system *s = b->system;
    b->inputs[0] = evn_input(b->graph, "t", EVN_SCALAR);
    for (int i = 0; i < s->state_count && b->term_count == 0; ++i) {
        int input = evn__system_state(i);
        b->inputs[input] = evn_input(b->graph, source_name(b, input), source_shape(b, input));
    }
    for (int i = 0; i < s->state_count; ++i) {
        b->seeds[i] = bar_input(b, evn__system_state(i));
    }
    for (int i = 0; i < s->parameter_count; ++i) {
        if (b->adjoint->quadrature[i] >= 0) {
            bar_input(b, evn__system_parameter(s, i)); // which the slope does not read
        }
    }
    for (int i = 0; i < s->parameter_count; ++i) {
        int input = evn__system_parameter(s, i);
        b->inputs[input] = evn_input(b->graph, source_name(b, input), source_shape(b, input));
    }
    if (b->term_count > 0) {
        declare_step(b, b->terms);
    }
}

static evn_status pull_back(adjoint_build *b) {
    EVN_TRY(evn_graph_create(&b->graph));
    declare(b);
    EVN_TRY(evn_graph_status(b->graph));
    EVN_TRY(evn_graph_inline(b->graph, b->system->graph, b->inputs, b->slopes));
    return evn_pullback(b->graph, b->slopes, b->seeds, b->system->state_count, b->inputs + 1,
                        b->bar_count, b->bars);
}

/// Decide which parameters have pairs, from a graph in which all have quadratures.
static evn_status find_pairs(adjoint_build *b) {
    const evn__system *s = b->system;
    evn__system *adjoint = b->adjoint;
    EVN_TRY(EVN_NEW(&adjoint->pairs, s->parameter_count * EVN__WEIGHT_GRADIENT_TERMS));
    EVN_TRY(EVN_NEW(&adjoint->quadrature, adjoint->parameter_count)); // 0: of no interest
    EVN_TRY(pull_back(b));
    for (int i = 0; i < s->parameter_count; ++i) {
        evn__product terms[EVN__WEIGHT_GRADIENT_TERMS];
        int count;
        if (!b->pairs ||
            !evn__weight_gradient_find(b->graph, b->bars[s->state_count + i], terms, &count)) {
            adjoint->quadrature[i] = adjoint->state_count++;
            continue;
        }
        adjoint->quadrature[i] = -1;
        for (int k = 0; k < count; ++k) {
            adjoint->pairs[adjoint->pair_count++] = (evn__pair){
                i, terms[k].rows, {terms[k].columns[EVN__LEFT], terms[k].columns[EVN__RIGHT]}};
        }
    }
    evn_graph_destroy(&b->graph);
    return EVN_OK;
}

static void output_slope(adjoint_build *b, int input, evn_value bar) {
    char name[256];
    snprintf(name, sizeof(name), "d%s_bar", source_name(b, input));
    evn_output(b->graph, name, evn_neg(b->graph, bar));
}

static void output_pairs(adjoint_build *b, int parameter) {
    evn__product terms[EVN__WEIGHT_GRADIENT_TERMS];
    int count;
    evn__weight_gradient_find(b->graph, b->bars[b->system->state_count + parameter], terms, &count);
    for (int k = 0; k < count; ++k) {
        char name[64];
        snprintf(name, sizeof(name), "pair.%d.%d.left", parameter, k);
        evn_output(b->graph, name, terms[k].side[EVN__LEFT]);
        snprintf(name, sizeof(name), "pair.%d.%d.right", parameter, k);
        evn_output(b->graph, name, evn_neg(b->graph, terms[k].side[EVN__RIGHT]));
    }
}

static evn_status build(adjoint_build *b) {
    const evn__system *s = b->system;
    EVN_TRY(find_pairs(b));
    EVN_TRY(pull_back(b));
    for (int i = 0; i < s->state_count && b->term_count == 0; ++i) {
        evn_output(b->graph, evn_graph_output_name(s->graph, i), b->slopes[i]);
    }
    for (int i = 0; i < s->state_count; ++i) {
        output_slope(b, evn__system_state(i), b->bars[i]);
    }
    for (int i = 0; i < s->parameter_count; ++i) {
        if (b->adjoint->quadrature[i] >= 0) {
            output_slope(b, evn__system_parameter(s, i), b->bars[s->state_count + i]);
        }
    }
    for (int i = 0; i < s->parameter_count; ++i) {
        if (b->adjoint->quadrature[i] < 0) {
            output_pairs(b, i);
        }
    }
    return evn_graph_status(b->graph);
}

/// States and their cotangents stand for several where those of the system do; quadratures do not.
static evn_status keep_parts(const evn__system *system, int carried, evn__system *adjoint) {
    if (system->parted < system->state_count) {
        return EVN_OK;
    }
    adjoint->part_count = system->part_count;
    adjoint->parted = carried;
    EVN_TRY(EVN_NEW(&adjoint->parts, system->part_count));
    memcpy(adjoint->parts, system->parts, (size_t)system->part_count * sizeof(*system->parts));
    return EVN_OK;
}

/// @param term_count  along a step: of the interpolant of a state; 0: not so
static evn_status make(const evn__system *system, int term_count, bool pairs,
                       evn__system *adjoint) {
    int states = system->state_count, parameters = system->parameter_count;
    bool along = term_count > 0;
    int carried = along ? states : 2 * states;
    // Pairs have no error, and along steps cotangents of constant weights are outside of the norm.
    bool judged = !along && evn__norm_kind_of(system->options.norm)->reach >= EVN__REACH_CONSTANT;
    int terms = states * term_count;
    adjoint_build b = {.system = system,
                       .adjoint = adjoint,
                       .term_count = term_count,
                       .pairs = pairs && !judged,
                       .bar_count = states + parameters};
    *adjoint = (evn__system){.state_count = carried,
                             .parameter_count = parameters + (along ? terms + STEP_SCALARS : 0),
                             .options = system->options};
    EVN_TRY(keep_parts(system, carried, adjoint));
    EVN_TRY(EVN_NEW(&adjoint->controlled, carried + parameters));
    for (int i = 0; i < carried + parameters; ++i) {
        adjoint->controlled[i] = i < carried ? system->controlled[i % states] : judged;
    }
    evn_value *values = NULL;
    EVN_TRY(EVN_NEW(&values, 2 * states + 2 * b.bar_count + 1 + terms));
    b.inputs = values;
    b.seeds = b.inputs + b.bar_count + 1;
    b.slopes = b.seeds + states;
    b.bars = b.slopes + states;
    b.terms = b.bars + b.bar_count;
    evn_status status = build(&b);
    adjoint->graph = b.graph;
    free(values);
    return status;
}

evn_status evn__system_adjoint(const evn__system *system, bool pairs, evn__system *adjoint) {
    return make(system, 0, pairs, adjoint);
}

evn_status evn__system_adjoint_along(const evn__system *system, int terms, bool pairs,
                                     evn__system *adjoint) {
    return make(system, terms, pairs, adjoint);
}
