// SPDX-License-Identifier: Apache-2.0
#include "events/event_graph.h"

#include "base/memory.h"
#include "dynamics/by_sample.h"
#include "evonode/diff.h"
#include "methods/step.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The events of a system --------------------------------------------------------------------------

/// The input of the joint graph that an event calls so; −1: none.
static int find_input(const evn_dynamics *d, const char *name) {
    for (int i = 0; i < d->weight_count; ++i) {
        const evn__weight *w = &d->weights[i];
        if (strcmp(w->name, name) == 0) {
            return w->evolves ? -1 : evn__system_parameter(&d->system, w->index);
        }
    }
    return strcmp(name, "t") == 0 ? 0 : strcmp(name, "x") == 0 ? evn__system_state(0) : -1;
}

static evn_status map_inputs(const evn_dynamics *d, const evn_graph *function, int event,
                             const evn_graph *joint, evn_value *inputs) {
    for (int i = 0; i < evn_graph_input_count(function); ++i) {
        const char *name = evn_graph_input_name(function, i);
        int index = find_input(d, name);
        EVN_CHECK(index >= 0, EVN_ERR_ARGUMENT,
                  "event %d: its function reads %s; it may read t, x, and weights of the dynamics "
                  "that do not evolve",
                  event, name);
        inputs[i] = evn_graph_input(joint, index);
        EVN_CHECK(evn_shape_equal(evn_value_shape(joint, inputs[i]),
                                  evn_value_shape(function, evn_graph_input(function, i))),
                  EVN_ERR_SHAPE, "event %d: its input %s has not the shape that it has in f", event,
                  name);
    }
    return EVN_OK;
}

/// [rows, 1] of what the function gives.
static evn_status inline_event(const evn_dynamics *d, const evn_graph *function, int event,
                               int64_t rows, evn_graph *joint, evn_value *value) {
    evn_value *inputs = NULL;
    EVN_CHECK(function && evn_graph_output_count(function) == 1, EVN_ERR_ARGUMENT,
              "event %d: a function is a graph with one output", event);
    evn_shape shape = evn_value_shape(function, evn_graph_output(function, 0));
    EVN_CHECK(evn_shape_count(shape) == rows && (rows == 1 || shape.dim[0] == rows), EVN_ERR_SHAPE,
              "event %d: its function gives %lld numbers; it should give %lld, %s", event,
              (long long)evn_shape_count(shape), (long long)rows,
              rows > 1 ? "one for each sample" : "one for all");
    EVN_TRY(EVN_NEW(&inputs, evn_graph_input_count(function) + 1));
    evn_status status = map_inputs(d, function, event, joint, inputs);
    status = status == EVN_OK ? evn_graph_inline(joint, function, inputs, value) : status;
    free(inputs);
    *value = evn_reshape(joint, *value, EVN_SHAPE(rows, 1));
    return status == EVN_OK ? evn_graph_status(joint) : status;
}

/// The inputs of the system, and e.
static evn_status join(const evn_dynamics *d, const evn_graph *function, int event, int64_t rows,
                       evn_graph *joint) {
    const evn_graph *from = d->system.graph;
    evn_value e = EVN_NONE;
    for (int i = 0; i < evn_graph_input_count(from); ++i) {
        evn_input(joint, evn_graph_input_name(from, i),
                  evn_value_shape(from, evn_graph_input(from, i)));
    }
    EVN_TRY(evn_graph_status(function));
    EVN_TRY(evn_graph_status(joint)); // of a failed one no shape is compared
    EVN_TRY(inline_event(d, function, event, rows, joint, &e));
    evn_output(joint, "e", e);
    return evn_graph_status(joint);
}

/// One event; the same for samples with times of their own.
static evn_status make_event(const evn_dynamics *d, bool by_sample, const evn_graph *function,
                             int event, evn__system *made) {
    evn__system joint = d->system; // but for the graph
    int64_t rows = by_sample ? evn_dynamics_state_shape(d).dim[0] : 1;
    joint.graph = NULL;
    EVN_TRY(evn_graph_create(&joint.graph));
    evn_status status = join(d, function, event, rows, joint.graph);
    if (status == EVN_OK && by_sample) {
        status = evn__system_by_sample(&joint, made);
        status = status == EVN_OK ? status : evn__prepend(status, "event %d, in place of f", event);
    } else if (status == EVN_OK) {
        *made = joint;
        joint.graph = NULL; // no longer its own
    }
    evn_graph_destroy(&joint.graph);
    return status;
}

static evn_status make(const evn_dynamics *d, bool by_sample, const evn_event *events, int count,
                       evn__event_system *made) {
    EVN_CHECK(!by_sample || evn_dynamics_state_shape(d).rank > 0, EVN_ERR_ARGUMENT,
              "steps of each sample's own need an axis of samples, the first of x, which is a "
              "scalar");
    EVN_TRY(EVN_NEW(&made->events, count));
    if (by_sample) {
        EVN_TRY(evn__system_by_sample(&d->system, &made->system));
    } else {
        made->system = d->system; // borrowed
    }
    for (made->count = 0; made->count < count; ++made->count) {
        EVN_TRY(make_event(d, by_sample, events[made->count].function, made->count,
                           &made->events[made->count]));
    }
    const evn_graph *any = made->events[0].graph;
    made->rows = (int)evn_value_shape(any, evn_graph_output(any, 0)).dim[0];
    return EVN_OK;
}

evn_status evn__event_system_create(evn_device *device, const evn_dynamics *dynamics,
                                    const evn_solver_options *options, const evn__stepper *stepper,
                                    const evn_event *events, int count, evn__event_system *made) {
    *made = (evn__event_system){.stepper = stepper, .adaptive = options->steps == 0};
    evn_status status = make(dynamics, options->per_sample, events, count, made);
    status = status == EVN_OK
                 ? evn__history_create(device, &made->system, stepper, options, &made->history)
                 : status;
    if (status != EVN_OK) {
        evn__event_system_free(made);
    }
    return status;
}

/// Whether the samples have times of their own: then both systems were made for them.
static bool is_lifted(const evn__event_system *s) {
    return s->system.graph && evn__system_time_shape(&s->system).rank > 0;
}

void evn__event_system_free(evn__event_system *s) {
    bool lifted = is_lifted(s);
    evn__history_free(&s->history);
    for (int i = 0; i < s->count; ++i) {
        if (lifted) {
            evn__system_free(&s->events[i]);
        } else {
            evn_graph_destroy(&s->events[i].graph);
        }
    }
    if (lifted) {
        evn__system_free(&s->system);
    }
    free(s->events);
    *s = (evn__event_system){0};
}

// Graphs ------------------------------------------------------------------------------------------

/// A graph under construction.
typedef struct build {
    const evn__event_system *s;
    evn_graph *graph;
    evn_value *states, *parameters, *slopes, *others, *bars; ///< [inputs of the steps] each
    evn_value *inputs;                                       ///< of what is inlined
    evn_value rtol, atol;
} build;

static evn_status begin(build *b) {
    size_t most = 4 * (size_t)evn_graph_input_count(b->s->history.system->graph) + 8;
    EVN_TRY(evn_graph_create(&b->graph));
    EVN_TRY(EVN_NEW(&b->states, 6 * most));
    b->parameters = b->states + most;
    b->slopes = b->parameters + most;
    b->others = b->slopes + most;
    b->bars = b->others + most;
    b->inputs = b->bars + most;
    return EVN_OK;
}

static evn_status finish(build *b, evn_status status, evn_graph **graph) {
    free(b->states);
    if (status != EVN_OK) {
        evn_graph_destroy(&b->graph);
    }
    *graph = b->graph;
    return status;
}

static evn_value time_input(build *b, const char *name) {
    return evn_input(b->graph, name, evn__system_time_shape(&b->s->system));
}

/// Inputs "<name>.0", … of the shapes of the states of a system.
static void state_inputs(build *b, const evn__system *system, const char *name, evn_value *values) {
    for (int i = 0; i < system->state_count; ++i) {
        char text[64];
        snprintf(text, sizeof(text), "%s.%d", name, i);
        values[i] = evn_input(b->graph, text, evn__system_state_shape(system, i));
    }
}

static void parameter_inputs(build *b) {
    for (int i = 0; i < b->s->system.parameter_count; ++i) {
        char text[64];
        snprintf(text, sizeof(text), "p%d", i);
        b->parameters[i] = evn_input(b->graph, text, evn__system_parameter_shape(&b->s->system, i));
    }
}

static void tolerance_inputs(build *b) {
    b->rtol = evn_input(b->graph, "rtol", EVN_SCALAR);
    b->atol = evn_input(b->graph, "atol", EVN_SCALAR);
}

static void state_outputs(build *b, const evn__system *system, const char *name,
                          const evn_value *values) {
    for (int i = 0; i < system->state_count; ++i) {
        char text[64];
        snprintf(text, sizeof(text), "%s.%d", name, i);
        evn_output(b->graph, text, values[i]);
    }
}

/// A graph of t, states of a system and parameters, with more inputs behind t and behind the
/// parameters.
static evn_status inline_at(build *b, const evn__system *system, const evn_graph *callee,
                            evn_value t, evn_value second, const evn_value *states, int rest_count,
                            const evn_value *rest, evn_value *outputs) {
    int count = 0;
    b->inputs[count++] = t;
    if (second != EVN_NONE) {
        b->inputs[count++] = second;
    }
    for (int i = 0; i < system->state_count; ++i) {
        b->inputs[count++] = states[i];
    }
    for (int i = 0; i < b->s->system.parameter_count; ++i) {
        b->inputs[count++] = b->parameters[i];
    }
    for (int i = 0; i < rest_count; ++i) {
        b->inputs[count++] = rest[i];
    }
    return evn_graph_inline(b->graph, callee, b->inputs, outputs);
}

/// One event, [rows, 1].
static evn_status one_at(build *b, int event, evn_value t, const evn_value *states, evn_value *e) {
    return inline_at(b, &b->s->system, b->s->events[event].graph, t, EVN_NONE, states, 0, NULL, e);
}

/// All, [rows, events].
static evn_status event_at(build *b, evn_value t, const evn_value *states, evn_value *e) {
    evn_value parts[EVN_MAX_INPUTS];
    for (int i = 0; i < b->s->count; ++i) {
        EVN_TRY(one_at(b, i, t, states, &parts[i]));
    }
    *e = evn_concat(b->graph, parts, b->s->count, 1);
    return evn_graph_status(b->graph);
}

/// de/dt along the solution, where its slopes are known.
static evn_status rate_of(build *b, evn_value t, evn_value e, evn_value *rate) {
    int states = b->s->system.state_count;
    evn_value *wrt = b->others, *dots = b->inputs;
    memcpy(wrt, b->states, sizeof(*wrt) * (size_t)states);
    memcpy(dots, b->slopes, sizeof(*dots) * (size_t)states);
    wrt[states] = t;
    dots[states] = evn_full(b->graph, evn_value_shape(b->graph, t), 1);
    return evn_pushforward(b->graph, wrt, dots, states + 1, &e, 1, rate);
}

// The start ---------------------------------------------------------------------------------------

/// Slopes, and behind them the first step.
static evn_status start_slopes(build *b, evn_value t, evn_value span) {
    const evn__event_system *s = b->s;
    if (!s->adaptive) {
        return inline_at(b, &s->system, s->system.graph, t, EVN_NONE, b->states, 0, NULL,
                         b->slopes);
    }
    const evn__system *steps = s->history.system;
    evn_graph *start = NULL;
    const evn_value rest[] = {b->rtol, b->atol};
    EVN_TRY(evn__start_graph(steps, s->stepper, &start));
    evn_status status = inline_at(b, steps, start, t, span, b->states, 2, rest, b->slopes);
    evn_graph_destroy(&start);
    return status;
}

static evn_status build_start(build *b) {
    EVN_TRY(begin(b));
    const evn__system *own = &b->s->system, *steps = b->s->history.system;
    evn_value t = time_input(b, "t"), span = time_input(b, "span"), e, rate;
    state_inputs(b, steps, "x", b->states);
    parameter_inputs(b);
    tolerance_inputs(b);
    EVN_TRY(start_slopes(b, t, span));
    EVN_TRY(event_at(b, t, b->states, &e));
    EVN_TRY(rate_of(b, t, e, &rate));
    evn_output(b->graph, "e", e);
    evn_output(b->graph, "rate", rate);
    if (b->s->adaptive) {
        state_outputs(b, own, "slope", b->slopes);
        evn_output(b->graph, "dt", b->slopes[steps->state_count]);
    }
    return evn_graph_status(b->graph);
}

evn_status evn__event_start_graph(const evn__event_system *system, evn_graph **graph) {
    build b = {.s = system};
    return finish(&b, build_start(&b), graph);
}

// A step ------------------------------------------------------------------------------------------

/// The states after it in `others`; adaptive, behind them slopes and error.
static evn_status take_step(build *b, evn_value t, evn_value dt) {
    const evn__event_system *s = b->s;
    const evn__system *steps = s->history.system;
    int states = steps->state_count;
    evn_graph *step = NULL;
    EVN_TRY(s->adaptive ? evn__adaptive_step_graph(steps, s->stepper, &step)
                        : evn__step_graph(steps, s->stepper, &step));
    for (int i = s->system.state_count; i < states; ++i) {
        b->slopes[i] = evn_constant(b->graph, 0); // of a history
    }
    b->slopes[states] = b->rtol;
    b->slopes[states + 1] = b->atol;
    evn_status status = inline_at(b, steps, step, t, dt, b->states, s->adaptive ? states + 2 : 0,
                                  b->slopes, b->others);
    evn_graph_destroy(&step);
    return status;
}

static evn_status build_step(build *b) {
    EVN_TRY(begin(b));
    const evn__system *own = &b->s->system, *steps = b->s->history.system;
    int states = steps->state_count;
    evn_value t = time_input(b, "t"), dt = time_input(b, "dt"), end = time_input(b, "end"), e;
    state_inputs(b, steps, "x", b->states);
    parameter_inputs(b);
    if (b->s->adaptive) {
        state_inputs(b, own, "slope", b->slopes);
        tolerance_inputs(b);
    }
    EVN_TRY(take_step(b, t, dt));
    EVN_TRY(event_at(b, end, b->others, &e));
    evn_output(b->graph, "e", e);
    state_outputs(b, steps, "x", b->others);
    if (b->s->adaptive) {
        state_outputs(b, own, "slope", b->others + states);
        evn_output(b->graph, "error", b->others[2 * (size_t)states]);
    }
    if (b->s->adaptive && evn__stepper_is_implicit(b->s->stepper)) {
        evn_output(b->graph, "doubt", b->others[2 * (size_t)states + 1]);
    }
    return evn_graph_status(b->graph);
}

evn_status evn__event_step_graph(const evn__event_system *system, evn_graph **graph) {
    build b = {.s = system};
    return finish(&b, build_step(&b), graph);
}

// Accepting ---------------------------------------------------------------------------------------

/// Tensors that are chosen among: states and, adaptive, slopes.
static int chosen_count(const evn__event_system *s) {
    return s->history.system->state_count + (s->adaptive ? s->system.state_count : 0);
}

/// The states, then the slopes of adaptive steps.
static void chosen_inputs(build *b, const char *states, const char *slopes, evn_value *values) {
    const evn__system *steps = b->s->history.system;
    state_inputs(b, steps, states, values);
    if (b->s->adaptive) {
        state_inputs(b, &b->s->system, slopes, values + steps->state_count);
    }
}

static evn_status build_choose(build *b) {
    EVN_TRY(begin(b));
    evn_graph *g = b->graph;
    evn_value accept = time_input(b, "accept");
    evn_value keep = evn_sub(g, evn_constant(g, 1), accept);
    chosen_inputs(b, "x", "slope", b->states);
    chosen_inputs(b, "tried", "tried_slope", b->others);
    for (int i = 0; i < chosen_count(b->s); ++i) {
        char text[64];
        snprintf(text, sizeof(text), "chosen.%d", i);
        evn_value tried = evn_mask(g, b->others[i], accept);
        evn_output(g, text, evn_add(g, tried, evn_mask(g, b->states[i], keep)));
    }
    return evn_graph_status(g);
}

evn_status evn__event_choose_graph(const evn__event_system *system, evn_graph **graph) {
    build b = {.s = system};
    return finish(&b, build_choose(&b), graph);
}

// The gradient ------------------------------------------------------------------------------------

/// Of each row the number for its event, [rows, 1].
static evn_value pick(build *b, evn_value table, evn_value which) {
    return evn_sum(b->graph, evn_mask(b->graph, table, which), 1U << 1);
}

/// Of each row the number for event i, in the shape of times.
static evn_value column(build *b, evn_value table, int event) {
    const int64_t start[] = {0, event};
    evn_value part = evn_slice(b->graph, table, start, EVN_SHAPE(b->s->rows, 1));
    return evn_reshape(b->graph, part, evn__system_time_shape(&b->s->system));
}

/// (t̄ + x̄·f) / (de/dt) of each row that ended with an event, [rows, 1].
static evn_value multiplier(build *b, evn_value x_bar, evn_value t_bar, evn_value which,
                            evn_value rate) {
    evn_graph *g = b->graph;
    evn_shape times = evn_value_shape(g, t_bar), rows = EVN_SHAPE(b->s->rows, 1);
    evn_value along = evn_sum_to(g, evn_mul(g, x_bar, b->slopes[0]), times);
    evn_value moved = evn_reshape(g, evn_add(g, t_bar, along), rows);
    evn_value ended = evn_sum(g, which, 1U << 1);
    return evn_mask(g, evn_div(g, moved, rate), ended);
}

/// Values of the rows that ended with the event. The others get that of the first one that did: an
/// event may have any derivative there, and 0 times infinity is no 0.
static evn_value stand_in(build *b, evn_value values, evn_value which, evn_value first) {
    evn_graph *g = b->graph;
    evn_value others = evn_sub(g, evn_constant(g, 1), which);
    evn_value one = evn_sum(g, evn_mask(g, values, first), 1U << 0);
    return evn_add(g, evn_mask(g, values, which), evn_mask(g, one, others));
}

/// Add −eᵀ multiplier of the rows that ended with the event to the bars of x and the parameters.
static evn_status pull(build *b, int event, evn_value t, evn_value tables[2],
                       evn_value multiplier) {
    evn_graph *g = b->graph;
    evn_value x = b->states[0], e;
    evn_value which = column(b, tables[0], event), first = column(b, tables[1], event);
    evn_value ended = evn_sum_all(g, first);
    if (is_lifted(b->s)) {
        b->states[0] = stand_in(b, x, which, first);
        t = stand_in(b, t, which, first);
    }
    evn_status status = one_at(b, event, t, b->states, &e);
    b->states[0] = x;
    EVN_TRY(status);
    evn_value keep = evn_reshape(g, which, EVN_SHAPE(b->s->rows, 1));
    evn_value e_bar = evn_neg(g, evn_mask(g, multiplier, keep));
    int count = 1 + b->s->system.parameter_count;
    b->inputs[0] = x;
    memcpy(b->inputs + 1, b->parameters, sizeof(evn_value) * (size_t)(count - 1));
    EVN_TRY(evn_pullback(g, &e, &e_bar, 1, b->inputs, count, b->others));
    for (int i = 0; i < count; ++i) {
        b->bars[i] = evn_add(g, b->bars[i], evn_mask(g, b->others[i], i == 0 ? which : ended));
    }
    return evn_graph_status(g);
}

static void gradient_outputs(build *b, evn_value rate, evn_value multiplier) {
    evn_output(b->graph, "x_bar", b->bars[0]);
    for (int i = 0; i < b->s->system.parameter_count; ++i) {
        char text[64];
        snprintf(text, sizeof(text), "p%d_bar", i);
        evn_output(b->graph, text, b->bars[1 + i]);
    }
    evn_output(b->graph, "rate", rate);
    evn_output(b->graph, "multiplier", multiplier);
}

static evn_status build_gradient(build *b) {
    EVN_TRY(begin(b));
    evn_graph *g = b->graph;
    evn_shape table = EVN_SHAPE(b->s->rows, b->s->count);
    evn_value t = time_input(b, "t"), e, rates;
    state_inputs(b, &b->s->system, "x", b->states);
    parameter_inputs(b);
    b->bars[0] = evn_input(g, "x_bar", evn_value_shape(g, b->states[0]));
    evn_value t_bar = time_input(b, "t_bar");
    evn_value tables[] = {evn_input(g, "which", table), evn_input(g, "first", table)};
    for (int i = 0; i < b->s->system.parameter_count; ++i) {
        b->bars[1 + i] = evn_full(g, evn_value_shape(g, b->parameters[i]), 0);
    }
    EVN_TRY(inline_at(b, &b->s->system, b->s->system.graph, t, EVN_NONE, b->states, 0, NULL,
                      b->slopes));
    EVN_TRY(event_at(b, t, b->states, &e));
    EVN_TRY(rate_of(b, t, e, &rates));
    evn_value rate = pick(b, rates, tables[0]);
    evn_value by = multiplier(b, b->bars[0], t_bar, tables[0], rate);
    for (int i = 0; i < b->s->count; ++i) {
        EVN_TRY(pull(b, i, t, tables, by));
    }
    gradient_outputs(b, rate, by);
    return evn_graph_status(g);
}

evn_status evn__event_gradient_graph(const evn__event_system *system, evn_graph **graph) {
    build b = {.s = system};
    return finish(&b, build_gradient(&b), graph);
}
