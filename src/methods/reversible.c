// SPDX-License-Identifier: Apache-2.0
#include "methods/reversible.h"

#include "evonode/diff.h"
#include "methods/step.h"
#include <stdio.h>
#include <stdlib.h>

enum { SCALARS = 2, TIMES = 3, PARTS = EVN__REVERSIBLE_PARTS, SIDES = 2, NAME = 256 };

static const char *const suffixes[PARTS] = {"", "_low", "_pair", "_pair_low"};

/// A step under construction; arrays are over states or parameters.
typedef struct build {
    const evn__reversible *method;
    evn_graph *graph;
    evn_graph *change; ///< Ψ: inputs t, dt, states, parameters, end, backward then its cotangents;
                       ///< outputs the changes, backward then the cotangents of states, parameters
    evn_value t, dt;
    evn_value *part[PARTS];
    evn_value *parameters;
    evn_value *y_bar, *z_bar, *shares; ///< backward; shares of this step for the parameters
    evn_value t_bar, dt_bar;           ///< backward, with times
    evn_value *inputs, *outputs;       ///< of `change`
    evn_value *seeds;
    evn_value *memory;
} build;

static int states_of(const build *b) {
    return b->method->system->state_count;
}

static int parameters_of(const build *b) {
    return b->method->system->parameter_count;
}

static const char *state_name(const build *b, int index) {
    return evn_graph_input_name(b->method->system->graph, evn__system_state(index));
}

static const char *parameter_name(const build *b, int index) {
    return evn_graph_input_name(b->method->system->graph,
                                evn__system_parameter(b->method->system, index));
}

// A number and what is beyond its last digit ------------------------------------------------------

/// State i of a part += change.
static void add(build *b, int part, int i, evn_value change) {
    evn_graph *g = b->graph;
    evn_value *high = &b->part[part][i], *low = &b->part[part + 1][i];
    evn_value sum = evn_add(g, *high, change), rest = evn_sub(g, sum, *high);
    evn_value lost = evn_add(g, evn_sub(g, *high, evn_sub(g, sum, rest)), evn_sub(g, change, rest));
    evn_value below = evn_add(g, *low, lost);
    *high = evn_add(g, sum, below);
    *low = evn_sub(g, below, evn_sub(g, *high, sum));
}

/// (1 − λ) (z − y) + Ψ, of state i, from what is known of both.
static evn_value coupled(build *b, int i, evn_value change) {
    evn_graph *g = b->graph;
    evn_value high = evn_sub(g, b->part[EVN__REVERSIBLE_Z][i], b->part[EVN__REVERSIBLE_Y][i]);
    evn_value low =
        evn_sub(g, b->part[EVN__REVERSIBLE_Z_LOW][i], b->part[EVN__REVERSIBLE_Y_LOW][i]);
    return evn_add(g, evn_scale(g, evn_add(g, high, low), 1 - b->method->coupling), change);
}

// Ψ -----------------------------------------------------------------------------------------------

static void accumulate(evn_graph *graph, evn_value share, evn_value *sum) {
    *sum = evn_add(graph, *sum, share);
}

/// What the cotangents of Ψ's own times, its end too, are to t and dt: see change_at.
static void add_time_bars(build *b, bool back) {
    evn_graph *g = b->graph;
    const evn_value *own = b->outputs + 2 * states_of(b) + parameters_of(b);
    evn_value begin = own[0], length = own[1], end = own[2], at_dt = back ? begin : end;
    accumulate(g, evn_add(g, begin, end), &b->t_bar);
    accumulate(g, evn_add(g, at_dt, back ? evn_neg(g, length) : length), &b->dt_bar);
}

/// Ψ(t, dt, y), or, `back`, Ψ(t + dt, −dt, y), which ends at t itself, not a digit before it, where
/// f may be anything; backward with its pullback of b->seeds.
static evn_status change_at(build *b, bool back, const evn_value *y) {
    int states = states_of(b), parameters = parameters_of(b);
    evn_value *to = b->inputs, after = evn_add(b->graph, b->t, b->dt);
    *to++ = back ? after : b->t;
    *to++ = back ? evn_neg(b->graph, b->dt) : b->dt;
    for (int i = 0; i < states; ++i) {
        *to++ = y[i];
    }
    for (int i = 0; i < parameters; ++i) {
        *to++ = b->parameters[i];
    }
    *to++ = back ? b->t : after;
    for (int i = 0; i < states && b->seeds; ++i) {
        *to++ = b->seeds[i];
    }
    EVN_TRY(evn_graph_inline(b->graph, b->change, b->inputs, b->outputs));
    if (b->seeds && b->method->times) {
        add_time_bars(b, back);
    }
    return evn_graph_status(b->graph);
}

/// Ψ with its pullback in states and parameters, then in its times.
static evn_status differentiate(build *b) {
    int states = states_of(b), parameters = parameters_of(b);
    const char **wrt = NULL;
    evn_graph *plain = b->change;
    EVN_TRY(EVN_NEW(&wrt, states + parameters + TIMES + 1));
    for (int i = 0; i < states + parameters; ++i) {
        wrt[i] = evn_graph_input_name(plain, SCALARS + i);
    }
    const int times[TIMES] = {0, 1, SCALARS + states + parameters}; // t, dt, end
    for (int i = 0; i < TIMES && b->method->times; ++i) {
        wrt[states + parameters + i] = evn_graph_input_name(plain, times[i]);
    }
    evn_status status = evn_vjp(plain, wrt, &b->change);
    b->change = status == EVN_OK ? b->change : NULL;
    evn_graph_destroy(&plain);
    free(wrt);
    return status;
}

// Ports -------------------------------------------------------------------------------------------

static evn_status allocate(build *b, bool backward) {
    int states = states_of(b), parameters = parameters_of(b);
    int ports = SCALARS + 2 * states + parameters + 1;
    EVN_TRY(EVN_NEW(&b->memory, (PARTS + SIDES + 1) * states + 2 * parameters + 2 * ports));
    evn_value *at = b->memory;
    for (int p = 0; p < PARTS; ++p, at += states) {
        b->part[p] = at;
    }
    b->y_bar = at;
    b->z_bar = b->y_bar + states;
    b->seeds = backward ? b->z_bar + states : NULL;
    b->parameters = b->z_bar + 2 * states;
    b->shares = b->parameters + parameters;
    b->inputs = b->shares + parameters;
    b->outputs = b->inputs + ports;
    return EVN_OK;
}

static evn_value declare_state(build *b, int index, const char *suffix) {
    char name[NAME];
    snprintf(name, sizeof(name), "%s%s", state_name(b, index), suffix);
    return evn_input(b->graph, name, evn__system_state_shape(b->method->system, index));
}

static void declare(build *b) {
    b->t = evn_input(b->graph, "t", EVN_SCALAR);
    b->dt = evn_input(b->graph, "dt", EVN_SCALAR);
    for (int p = 0; p < PARTS; ++p) {
        for (int i = 0; i < states_of(b); ++i) {
            b->part[p][i] = declare_state(b, i, suffixes[p]);
        }
    }
    for (int i = 0; i < parameters_of(b); ++i) {
        b->parameters[i] = evn_input(b->graph, parameter_name(b, i),
                                     evn__system_parameter_shape(b->method->system, i));
    }
}

static void declare_bars(build *b) {
    for (int i = 0; i < states_of(b); ++i) {
        b->y_bar[i] = declare_state(b, i, "_bar");
    }
    for (int i = 0; i < states_of(b); ++i) {
        b->z_bar[i] = declare_state(b, i, "_pair_bar");
    }
    if (b->method->observes) {
        evn_value share =
            evn_input(b->graph, "observed", evn__system_state_shape(b->method->system, 0));
        b->y_bar[0] = evn_add(b->graph, b->y_bar[0], share);
    }
}

static void output_state(build *b, int index, const char *suffix, evn_value value) {
    char name[NAME];
    snprintf(name, sizeof(name), "%s%s", state_name(b, index), suffix);
    evn_output(b->graph, name, value);
}

static void output_states(build *b) {
    for (int p = 0; p < PARTS; ++p) {
        for (int i = 0; i < states_of(b); ++i) {
            output_state(b, i, suffixes[p], b->part[p][i]);
        }
    }
}

static void output_bars(build *b) {
    for (int i = 0; i < states_of(b); ++i) {
        output_state(b, i, "_bar", b->y_bar[i]);
    }
    for (int i = 0; i < states_of(b); ++i) {
        output_state(b, i, "_pair_bar", b->z_bar[i]);
    }
    for (int i = 0; i < parameters_of(b); ++i) {
        char name[NAME];
        snprintf(name, sizeof(name), "%s_bar", parameter_name(b, i));
        evn_value sum =
            evn_input(b->graph, name, evn__system_parameter_shape(b->method->system, i));
        evn_output(b->graph, name, evn_add(b->graph, sum, b->shares[i]));
    }
    if (b->method->times) {
        evn_output(b->graph, "t_bar", b->t_bar);
        evn_output(b->graph, "dt_bar", b->dt_bar);
    }
}

// Steps -------------------------------------------------------------------------------------------

static evn_status step_forward(build *b) {
    EVN_TRY(change_at(b, false, b->part[EVN__REVERSIBLE_Z]));
    for (int i = 0; i < states_of(b); ++i) {
        add(b, EVN__REVERSIBLE_Y, i, coupled(b, i, b->outputs[i]));
    }
    EVN_TRY(change_at(b, true, b->part[EVN__REVERSIBLE_Y]));
    for (int i = 0; i < states_of(b); ++i) {
        add(b, EVN__REVERSIBLE_Z, i, evn_neg(b->graph, b->outputs[i]));
    }
    return evn_graph_status(b->graph);
}

/// z before the step; y's cotangent gets what z' passes on to y'.
static evn_status undo_z(build *b) {
    int states = states_of(b);
    for (int i = 0; i < states; ++i) {
        b->seeds[i] = evn_neg(b->graph, b->z_bar[i]);
    }
    EVN_TRY(change_at(b, true, b->part[EVN__REVERSIBLE_Y]));
    for (int i = 0; i < states; ++i) {
        add(b, EVN__REVERSIBLE_Z, i, b->outputs[i]);
        b->y_bar[i] = evn_add(b->graph, b->y_bar[i], b->outputs[states + i]);
    }
    for (int i = 0; i < parameters_of(b); ++i) {
        b->shares[i] = b->outputs[2 * states + i];
    }
    return evn_graph_status(b->graph);
}

/// y before the step; y' passes its cotangent on to y and z.
static evn_status undo_y(build *b) {
    evn_graph *g = b->graph;
    int states = states_of(b);
    double coupling = b->method->coupling;
    for (int i = 0; i < states; ++i) {
        b->seeds[i] = b->y_bar[i];
    }
    EVN_TRY(change_at(b, false, b->part[EVN__REVERSIBLE_Z]));
    for (int i = 0; i < states; ++i) {
        evn_value change = evn_scale(g, coupled(b, i, b->outputs[i]), 1 / coupling);
        add(b, EVN__REVERSIBLE_Y, i, evn_neg(g, change));
        evn_value passed =
            evn_add(g, evn_scale(g, b->y_bar[i], 1 - coupling), b->outputs[states + i]);
        b->z_bar[i] = evn_add(g, b->z_bar[i], passed);
        b->y_bar[i] = evn_scale(g, b->y_bar[i], coupling);
    }
    for (int i = 0; i < parameters_of(b); ++i) {
        b->shares[i] = evn_add(g, b->shares[i], b->outputs[2 * states + i]);
    }
    return evn_graph_status(g);
}

static evn_status finish(build *b, evn_status status, evn_graph **graph) {
    evn_graph_destroy(&b->change);
    free(b->memory);
    if (status != EVN_OK) {
        evn_graph_destroy(&b->graph);
    }
    *graph = b->graph;
    return status;
}

static evn_status begin(build *b, bool backward) {
    EVN_TRY(allocate(b, backward));
    EVN_TRY(evn_graph_create(&b->graph));
    EVN_TRY(evn__change_graph(b->method->system, b->method->stepper, &b->change));
    EVN_TRY(backward ? differentiate(b) : EVN_OK);
    declare(b);
    return evn_graph_status(b->graph);
}

static evn_status build_forward(build *b) {
    EVN_TRY(begin(b, false));
    EVN_TRY(step_forward(b));
    output_states(b);
    return evn_graph_status(b->graph);
}

static evn_status build_backward(build *b) {
    EVN_TRY(begin(b, true));
    declare_bars(b);
    b->t_bar = b->dt_bar = b->method->times ? evn_constant(b->graph, 0) : EVN_NONE;
    EVN_TRY(evn_graph_status(b->graph));
    EVN_TRY(undo_z(b));
    EVN_TRY(undo_y(b));
    output_states(b);
    output_bars(b);
    return evn_graph_status(b->graph);
}

evn_status evn__reversible_forward(const evn__reversible *method, evn_graph **graph) {
    build b = {.method = method};
    return finish(&b, build_forward(&b), graph);
}

evn_status evn__reversible_backward(const evn__reversible *method, evn_graph **graph) {
    build b = {.method = method};
    return finish(&b, build_backward(&b), graph);
}
