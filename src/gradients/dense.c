// SPDX-License-Identifier: Apache-2.0
#include "gradients/dense.h"

#include "base/number.h"
#include "host/kernel.h"
#include "integrator/options.h"
#include "kernels/shared.h"
#include "methods/history.h"
#include "methods/interpolant.h"
#include "methods/step.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

enum { SCALARS = 2 }; // t and dt

struct evn__dense {
    const evn__problem *problem;
    const char *instead; ///< of so much memory
    const evn__stepper *stepper;
    evn__history history;
    evn_plan *plan;     ///< from t, dt, states and parameters to the states after the step, and the
                        ///< terms of each but the first, which is the state
    evn_plan *first;    ///< of the first fixed steps of a multi-step method
    evn__layout layout; ///< of the states,
    evn__layout all;    ///< and behind them of a history
    int count;          ///< of the terms of a state
    int capacity;       ///< steps that there is memory for
    evn_buffer *terms;  ///< [capacity + 1][count][total]
    evn_buffer *times;  ///< [SCALARS][capacity]
    evn_buffer *past[2]; ///< the history before a step and after it; NULL: there is none
    int now;             ///< which of them is that before the next one
    evn__kernel *at;     ///< NULL: nobody has asked for what is between
    evn_buffer *places;  ///< [place_capacity, EVN_DENSE_PLACE]
    int place_capacity;
    evn_binding *inputs, *outputs;
};

// The step with its interpolants ------------------------------------------------------------------

/// Values of the graph under construction; arrays over the ports of the graph of dense steps.
typedef struct build {
    const evn__system *system;
    const evn__interpolant *interpolant;
    evn_graph *graph, *step;
    evn_value *in, *out;
    evn_value *own;         ///< inputs of the right-hand side
    const evn_value *terms; ///< those of each state but the first
} build;

/// A kind of step: its graph, and how it is gone.
typedef struct going {
    evn_status (*graph)(const evn__system *system, const evn__stepper *stepper, evn_graph **graph);
    evn_status (*go)(build *b);
} going;

static evn_value declare(const build *b, int input) {
    return evn_input(b->graph, evn_graph_input_name(b->step, input),
                     evn_value_shape(b->step, evn_graph_input(b->step, input)));
}

/// t, dt, states and parameters are the graph's, the slopes at t evaluated; tolerances matter for
/// an error that nobody reads.
static evn_status go_adaptive(build *b) {
    const evn__system *s = b->system;
    int ports = s->state_count + s->parameter_count;
    for (int i = 0; i < SCALARS + ports; ++i) {
        b->in[i] = declare(b, i);
    }
    EVN_TRY(evn_graph_status(b->graph));
    b->own[0] = b->in[0];
    memcpy(b->own + 1, b->in + SCALARS, sizeof(*b->own) * (size_t)ports);
    evn_value *slopes = b->in + SCALARS + ports;
    EVN_TRY(evn_graph_inline(b->graph, s->graph, b->own, slopes));
    slopes[s->state_count] = slopes[s->state_count + 1] = evn_constant(b->graph, 1);
    b->terms = b->out + 2 * s->state_count + 1; // behind the states, their slopes, the error
    return evn_graph_inline(b->graph, b->step, b->in, b->out);
}

static evn_status go_fixed(build *b) {
    for (int i = 0; i < evn_graph_input_count(b->step); ++i) {
        b->in[i] = declare(b, i);
    }
    b->terms = b->out + b->system->state_count;
    return evn_graph_inline(b->graph, b->step, b->in, b->out);
}

static const going adaptively = {evn__dense_step_graph, go_adaptive};
static const going in_fixed_steps = {evn__dense_fixed_graph, go_fixed};

static void output_terms(const build *b) {
    int count = evn__system_own_states(b->system) * (evn__interpolant_terms(b->interpolant) - 1);
    for (int i = 0; i < count; ++i) {
        char name[32];
        evn__print(name, sizeof(name), "term.%d", i);
        evn_output(b->graph, name, b->terms[i]);
    }
}

static evn_status fill(build *b, const going *way) {
    EVN_TRY(evn_graph_create(&b->graph));
    EVN_TRY(way->go(b));
    for (int i = 0; i < b->system->state_count; ++i) {
        evn_output(b->graph, evn_graph_output_name(b->step, i), b->out[i]);
    }
    output_terms(b);
    return evn_graph_status(b->graph);
}

static evn_status build_graph(build *b, const going *way, const evn__stepper *stepper) {
    EVN_TRY(way->graph(b->system, stepper, &b->step));
    int inputs = evn_graph_input_count(b->step);
    evn_value *memory = NULL;
    EVN_TRY(EVN_NEW(&memory, 2 * inputs + evn_graph_output_count(b->step)));
    b->in = memory;
    b->own = b->in + inputs;
    b->out = b->own + inputs;
    evn_status status = fill(b, way);
    free(memory);
    return status;
}

static evn_status compile_step(const evn__dense *d, const evn__stepper *stepper, evn_plan **plan) {
    const evn__problem *p = d->problem;
    const evn_plan_options options = {.fp64 = p->options->fp64,
                                      .sample_inputs = evn__sample_inputs};
    build b = {.system = d->history.system, .interpolant = stepper->interpolant};
    const going *way = p->options->steps > 0 ? &in_fixed_steps : &adaptively;
    evn_status status = build_graph(&b, way, stepper);
    if (status == EVN_OK) {
        status = evn_plan_create(p->device, b.graph, &options, plan);
    }
    evn_graph_destroy(&b.step);
    evn_graph_destroy(&b.graph);
    return status;
}

static evn_status compile(evn__dense *d) {
    bool fixed = d->problem->options->steps > 0;
    const evn__stepper *first = fixed ? evn__stepper_at_step(d->stepper, 0) : d->stepper;
    EVN_TRY(compile_step(d, d->stepper, &d->plan));
    return first == d->stepper ? EVN_OK : compile_step(d, first, &d->first);
}

// Life --------------------------------------------------------------------------------------------

static evn_status make(const evn__dense *d, int steps, size_t count, evn_buffer **buffer) {
    const evn__problem *p = d->problem;
    evn_buffer_destroy(buffer);
    evn_status status =
        evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64, count, buffer);
    return status == EVN_ERR_DEVICE_MEMORY
               ? evn__prepend(status,
                              "the interpolants of %d steps: take fewer (loosen rtol and atol), or "
                              "%s",
                              steps, d->instead)
               : status;
}

/// Memory for so many steps, and where these are more than before for some more, in place of what
/// there is.
static evn_status reserve(evn__dense *d, int steps) {
    if (steps <= d->capacity) {
        return EVN_OK;
    }
    size_t more = (size_t)(d->capacity > 0 ? evn__steps_room(steps) : steps);
    d->capacity = 0;
    EVN_TRY(
        make(d, steps, evn__size_product(more + 1, (size_t)d->count * d->layout.total), &d->terms));
    EVN_TRY(make(d, steps, SCALARS * more, &d->times));
    d->capacity = (int)more;
    return EVN_OK;
}

static evn_status create(evn__dense *d) {
    const evn__problem *p = d->problem;
    EVN_TRY(evn__check_options(p->options, &d->stepper));
    EVN_TRY(evn__history_create(p->device, p->system, d->stepper, p->options, &d->history));
    const evn__system *s = d->history.system;
    EVN_TRY(evn__layout_create(p->system, &d->layout));
    EVN_TRY(evn__layout_create(s, &d->all));
    d->count = evn__interpolant_terms(d->stepper->interpolant);
    EVN_TRY(EVN_NEW(&d->inputs, SCALARS + s->state_count + s->parameter_count));
    EVN_TRY(EVN_NEW(&d->outputs, s->past + p->system->state_count * d->count));
    EVN_TRY(compile(d));
    for (int i = 0; i < 2 && s->past > 0; ++i) {
        EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64,
                                     d->all.total - d->layout.total, &d->past[i]));
    }
    return reserve(d, evn__expected_steps(p->options));
}

evn_status evn__dense_create(const evn__problem *problem, const char *instead, evn__dense **dense) {
    EVN_TRY(EVN_NEW(dense, 1));
    (*dense)->problem = problem;
    (*dense)->instead = instead;
    evn_status status = create(*dense);
    if (status != EVN_OK) {
        evn__dense_destroy(dense);
    }
    return status;
}

void evn__dense_destroy(evn__dense **dense) {
    evn__dense *d = *dense;
    if (!d) {
        return;
    }
    evn_plan_destroy(&d->plan);
    evn_plan_destroy(&d->first);
    evn__history_free(&d->history);
    evn_buffer_destroy(&d->past[0]);
    evn_buffer_destroy(&d->past[1]);
    evn_buffer_destroy(&d->terms);
    evn_buffer_destroy(&d->times);
    evn_buffer_destroy(&d->places);
    evn__layout_free(&d->layout);
    evn__layout_free(&d->all);
    free(d->inputs);
    free(d->outputs);
    free(d);
    *dense = NULL;
}

// Running -----------------------------------------------------------------------------------------

static evn_binding term_at(const evn__dense *d, int step, int term, int state) {
    size_t place = (size_t)step * (size_t)d->count + (size_t)term;
    return (evn_binding){d->terms, place * d->layout.total + d->layout.offset[state]};
}

static evn_binding time_at(const evn__dense *d, int which, int step) {
    return (evn_binding){d->times, (size_t)which * (size_t)d->capacity + (size_t)step};
}

static evn_status write_times(const evn__dense *d, const evn__trail *trail) {
    size_t capacity = (size_t)d->capacity;
    double *values = NULL;
    EVN_TRY(EVN_NEW(&values, SCALARS * capacity));
    for (int i = 0; i < trail->count; ++i) {
        values[i] = trail->steps[i].t;
        values[capacity + (size_t)i] = trail->steps[i].dt;
    }
    evn_status status =
        evn__real_write(time_at(d, 0, 0), d->problem->options->fp64, values, SCALARS * capacity);
    free(values);
    return status;
}

/// Component `index` of what there is behind the states.
static evn_binding past_at(const evn__dense *d, int which, int index) {
    return (evn_binding){d->past[which], d->all.offset[index] - d->layout.total};
}

/// @param[in] taken  how many there are before it of which it may know
static evn_status run(evn__dense *d, int step, int taken, const evn_binding *parameters) {
    const evn__system *s = d->problem->system;
    bool early = d->first && taken < evn__stepper_first_steps(d->stepper);
    evn_binding *in = d->inputs, *out = d->outputs;
    *in++ = time_at(d, 0, step);
    *in++ = time_at(d, 1, step);
    for (int i = 0; i < s->state_count; ++i) {
        *in++ = term_at(d, step, 0, i);
        *out++ = term_at(d, step + 1, 0, i);
    }
    for (int i = s->state_count; i < d->all.count; ++i) {
        *in++ = past_at(d, d->now, i);
        *out++ = past_at(d, !d->now, i);
    }
    d->now = !d->now;
    memcpy(in, parameters, sizeof(*in) * (size_t)s->parameter_count);
    for (int i = 0; i < s->state_count; ++i) {
        for (int p = 1; p < d->count; ++p) {
            *out++ = term_at(d, step, p, i);
        }
    }
    return evn_plan_run(early ? d->first : d->plan, d->inputs, d->outputs);
}

/// Steps before are forgotten.
static evn_status begin_history(const evn__dense *d) {
    return d->past[0] ? evn__history_begin(&d->history, past_at(d, d->now, d->all.count - 1))
                      : EVN_OK;
}

evn_status evn__dense_go(evn__dense *d, const evn__trail *trail, evn_binding start,
                         const evn_binding *parameters) {
    EVN_TRY(reserve(d, trail->count));
    EVN_TRY(trail->count > 0 ? write_times(d, trail) : EVN_OK);
    EVN_TRY(trail->count > 0 ? evn__real_copy(term_at(d, 0, 0, 0), start, d->problem->options->fp64,
                                              d->layout.total)
                             : EVN_OK);
    for (int step = 0, taken = 0; step < trail->count; ++step, ++taken) {
        taken = trail->steps[step].anew ? 0 : taken;
        EVN_TRY(taken == 0 ? begin_history(d) : EVN_OK);
        EVN_TRY(run(d, step, taken, parameters));
    }
    return EVN_OK;
}

evn_binding evn__dense_state(const evn__dense *d, int step, int index) {
    return term_at(d, step, 0, index);
}

// Between the steps -------------------------------------------------------------------------------

/// A gradient alone needs it not.
static evn_status get_kernel(evn__dense *d) {
    const evn__problem *p = d->problem;
    const evn__source source = {.family = "interpolate", .options = "", .fp64 = p->options->fp64};
    return d->at ? EVN_OK : evn__kernel_get(p->device, &source, "interpolate_batch", &d->at);
}

static evn_status make_places(evn__dense *d, int count) {
    if (count <= d->place_capacity) {
        return EVN_OK;
    }
    const evn__problem *p = d->problem;
    evn_buffer_destroy(&d->places);
    d->place_capacity = 0;
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64,
                                 EVN_DENSE_PLACE * (size_t)count, &d->places));
    d->place_capacity = count;
    return EVN_OK;
}

/// Numbers of steps in two, as a float has digits for neither more than 2²⁴.
static evn_status write_places(const evn__dense *d, const evn__dense_place *places, int count) {
    double *values = NULL;
    EVN_TRY(EVN_NEW(&values, EVN_DENSE_PLACE * (size_t)count));
    for (int i = 0; i < count; ++i) {
        double *to = values + (size_t)i * EVN_DENSE_PLACE;
        to[0] = places[i].step / EVN_DENSE_RADIX;
        to[1] = places[i].step % EVN_DENSE_RADIX;
        to[2] = places[i].theta;
    }
    evn_status status = evn__real_write((evn_binding){d->places, 0}, d->problem->options->fp64,
                                        values, EVN_DENSE_PLACE * (size_t)count);
    free(values);
    return status;
}

evn_status evn__dense_at(evn__dense *d, const evn__dense_place *places, int count, int index,
                         evn_binding to) {
    size_t size = d->layout.size[index];
    EVN_TRY(get_kernel(d));
    EVN_TRY(make_places(d, count));
    EVN_TRY(write_places(d, places, count));
    const evn__argument arguments[] = {
        {.kind = EVN__ARGUMENT_BUFFER, .buffer = d->terms, .offset = d->layout.offset[index]},
        {.kind = EVN__ARGUMENT_BUFFER, .buffer = d->places},
        {.kind = EVN__ARGUMENT_BUFFER, .buffer = to.buffer, .offset = to.offset},
        {.kind = EVN__ARGUMENT_INT, .integer = (int64_t)size},
        {.kind = EVN__ARGUMENT_INT, .integer = count},
        {.kind = EVN__ARGUMENT_INT, .integer = d->count},
        {.kind = EVN__ARGUMENT_UINT64, .integer = (int64_t)d->layout.total}};
    return evn__kernel_launch(d->at, arguments, sizeof(arguments) / sizeof(*arguments),
                              (evn__range){2, {size, (size_t)count}, {0}});
}

// What a step has ---------------------------------------------------------------------------------

int evn__dense_evaluations(const evn__dense *d) {
    return 1 + evn__stepper_dense_evaluations(d->stepper);
}

int evn__dense_count(const evn__dense *d) {
    return d->layout.count * d->count + SCALARS;
}

void evn__dense_bind(const evn__dense *d, int step, evn_binding *to) {
    for (int i = 0; i < d->layout.count; ++i) {
        for (int p = 0; p < d->count; ++p) {
            *to++ = term_at(d, step, p, i);
        }
    }
    *to++ = time_at(d, 0, step);
    *to++ = time_at(d, 1, step);
}
