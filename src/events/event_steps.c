// SPDX-License-Identifier: Apache-2.0
#include "events/event_steps.h"

#include "base/memory.h"
#include <stdlib.h>

// Life --------------------------------------------------------------------------------------------

static evn_status compile(evn__event_steps *s,
                          evn_status (*build)(const evn__event_system *, evn_graph **),
                          evn_plan **plan) {
    static const char *const batch[] = {"x.0", "slope.0", "tried.0", "tried_slope.0", NULL};
    static const char *const own[] = {"t",   "dt",      "end",     "span",          "accept",
                                      "x.0", "slope.0", "tried.0", "tried_slope.0", NULL};
    bool lifted = s->problem->options->per_sample;
    const evn_plan_options options = {
        .fp64 = s->fp64, .sample_inputs = lifted ? own : batch, .few_samples = lifted};
    evn_graph *graph = NULL;
    EVN_TRY(build(s->system, &graph));
    evn_status status = evn_plan_create(s->problem->device, graph, &options, plan);
    evn_graph_destroy(&graph);
    return status;
}

/// Elements of component `index` that are of one row.
static size_t row_size(const evn__event_steps *s, int index) {
    return s->own.size[index] / (size_t)s->rows;
}

size_t evn__event_steps_row_total(const evn__event_steps *s) {
    size_t total = 0;
    for (int i = 0; i < s->own.count; ++i) {
        total += row_size(s, i);
    }
    return total;
}

static evn_status make(const evn__event_steps *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->problem->device, EVN__USE_STATES, s->fp64, count, buffer);
}

static evn_status make_memory(evn__event_steps *s) {
    size_t rows = (size_t)s->rows, total = s->layout.total;
    size_t results = (2 * (size_t)s->system->count + 1) * rows;
    const double tolerances[] = {s->problem->options->rtol, s->problem->options->atol};
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(make(s, total, &s->state[i]));
        EVN_TRY(make(s, s->own.total, &s->slope[i]));
    }
    EVN_TRY(make(s, total, &s->tried));
    EVN_TRY(make(s, s->own.total, &s->tried_slope));
    EVN_TRY(make(s, EVN__EVENT_WRITTEN * rows, &s->times));
    EVN_TRY(make(s, results, &s->result));
    EVN_TRY(make(s, 2, &s->tolerances));
    EVN_TRY(EVN_NEW(&s->host_times, EVN__EVENT_WRITTEN * rows));
    EVN_TRY(EVN_NEW(&s->host_result, results));
    return evn__real_write((evn_binding){s->tolerances, 0}, s->fp64, tolerances, 2);
}

evn_status evn__event_steps_create(const evn__problem *problem, const evn__event_system *system,
                                   evn__event_steps *s) {
    const evn__system *steps = system->history.system;
    size_t ports = 4 * (size_t)evn_graph_input_count(steps->graph) + 8;
    *s = (evn__event_steps){
        .problem = problem, .system = system, .fp64 = problem->options->fp64, .rows = system->rows};
    EVN_TRY(evn__layout_create(steps, &s->layout));
    EVN_TRY(evn__layout_create(&system->system, &s->own));
    EVN_TRY(EVN_NEW(&s->inputs, ports));
    EVN_TRY(EVN_NEW(&s->outputs, ports));
    EVN_TRY(compile(s, evn__event_start_graph, &s->start));
    EVN_TRY(compile(s, evn__event_step_graph, &s->step));
    EVN_TRY(compile(s, evn__event_choose_graph, &s->choose));
    return make_memory(s);
}

void evn__event_steps_free(evn__event_steps *s) {
    evn_plan **const plans[] = {&s->start, &s->step, &s->choose};
    evn_buffer **const buffers[] = {&s->state[0], &s->state[1],   &s->slope[0],
                                    &s->slope[1], &s->tried,      &s->tried_slope,
                                    &s->times,    &s->tolerances, &s->result};
    for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); ++i) {
        evn_plan_destroy(plans[i]);
    }
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); ++i) {
        evn_buffer_destroy(buffers[i]);
    }
    evn__layout_free(&s->layout);
    evn__layout_free(&s->own);
    free(s->host_times);
    free(s->host_result);
    free(s->inputs);
    free(s->outputs);
    *s = (evn__event_steps){0};
}

// What the host says, and is told -----------------------------------------------------------------

evn_binding evn__event_steps_state(const evn__event_steps *s, int index) {
    return (evn_binding){s->state[s->now], s->layout.offset[index]};
}

evn_status evn__event_steps_read_row(const evn__event_steps *s, evn_buffer *states, int row,
                                     double *x) {
    for (int i = 0; i < s->own.count; ++i) {
        size_t size = row_size(s, i);
        const evn_binding at = {states, s->own.offset[i] + (size_t)row * size};
        EVN_TRY(evn__real_read(at, s->fp64, x, size));
        x += size;
    }
    return EVN_OK;
}

double *evn__event_steps_time(const evn__event_steps *s, int which, int row) {
    return s->host_times + (size_t)which * (size_t)s->rows + (size_t)row;
}

/// From a column of what plans say on; those of events are as many, in the rows of a table.
static const double *said(const evn__event_steps *s, int column) {
    return s->host_result + (size_t)column * (size_t)s->rows;
}

const double *evn__event_steps_values(const evn__event_steps *s, int row) {
    return said(s, 0) + (size_t)row * (size_t)s->system->count;
}

const double *evn__event_steps_rates(const evn__event_steps *s, int row) {
    return said(s, s->system->count) + (size_t)row * (size_t)s->system->count;
}

double evn__event_steps_first(const evn__event_steps *s, int row) {
    return said(s, 2 * s->system->count)[row];
}

double evn__event_steps_error(const evn__event_steps *s, int row) {
    return said(s, s->system->count)[row];
}

double evn__event_steps_doubt(const evn__event_steps *s, int row) {
    return said(s, s->system->count + 1)[row];
}

bool evn__event_steps_doubts(const evn__event_steps *s) {
    return s->system->adaptive && evn__stepper_is_implicit(s->system->stepper);
}

// Running plans -----------------------------------------------------------------------------------

static evn_binding time_at(const evn__event_steps *s, int which) {
    return (evn_binding){s->times, (size_t)which * (size_t)s->rows};
}

static evn_binding *bind_parameters(const evn__event_steps *s, const evn__passage *passage,
                                    evn_binding *to) {
    for (int i = 0; i < s->system->system.parameter_count; ++i) {
        *to++ = passage->parameters[i];
    }
    return to;
}

static evn_binding *bind_tolerances(const evn__event_steps *s, evn_binding *to) {
    *to++ = (evn_binding){s->tolerances, 0};
    *to++ = (evn_binding){s->tolerances, 1};
    return to;
}

/// As `said`.
static evn_binding result_at(const evn__event_steps *s, int column) {
    return (evn_binding){s->result, (size_t)column * (size_t)s->rows};
}

static evn_status write_times(const evn__event_steps *s) {
    return evn__real_write((evn_binding){s->times, 0}, s->fp64, s->host_times,
                           EVN__EVENT_WRITTEN * (size_t)s->rows);
}

static evn_status read_result(const evn__event_steps *s, int columns) {
    return evn__real_read((evn_binding){s->result, 0}, s->fp64, s->host_result,
                          (size_t)columns * (size_t)s->rows);
}

/// The slopes, of adaptive steps, go to `slopes`.
static evn_status run_start(evn__event_steps *s, const evn__passage *passage, evn_buffer *slopes) {
    evn_binding *in = s->inputs, *out = s->outputs;
    EVN_TRY(write_times(s));
    *in++ = time_at(s, EVN__EVENT_T);
    *in++ = time_at(s, EVN__EVENT_DT);
    in = evn__layout_bind(&s->layout, s->state[s->now], in);
    in = bind_parameters(s, passage, in);
    bind_tolerances(s, in);
    *out++ = result_at(s, 0);
    *out++ = result_at(s, s->system->count);
    if (s->system->adaptive) {
        out = evn__layout_bind(&s->own, slopes, out);
        *out++ = result_at(s, 2 * s->system->count);
    }
    EVN_TRY(evn_plan_run(s->start, s->inputs, s->outputs));
    return read_result(s, 2 * s->system->count + s->system->adaptive);
}

/// Steps before are forgotten. A method that knows of any has one row.
static evn_status begin_history(const evn__event_steps *s) {
    return evn__stepper_past(s->system->stepper) > 0
               ? evn__history_begin(&s->system->history,
                                    evn__event_steps_state(s, s->layout.count - 1))
               : EVN_OK;
}

evn_status evn__event_steps_start(evn__event_steps *s, const evn__passage *passage) {
    EVN_TRY(begin_history(s));
    return run_start(s, passage, s->slope[s->now]);
}

evn_status evn__event_steps_start_again(evn__event_steps *s, const evn__passage *passage) {
    EVN_TRY(begin_history(s));
    EVN_TRY(run_start(s, passage, s->tried_slope));
    for (int i = 0; i < s->layout.count && s->system->adaptive; ++i) {
        const evn_binding tried = {s->tried, s->layout.offset[i]};
        EVN_TRY(evn__real_copy(tried, evn__event_steps_state(s, i), s->fp64, s->layout.size[i]));
    }
    return s->system->adaptive ? evn__event_steps_choose(s) : EVN_OK;
}

evn_status evn__event_steps_try(evn__event_steps *s, const evn__passage *passage) {
    evn_binding *in = s->inputs, *out = s->outputs;
    EVN_TRY(write_times(s));
    *in++ = time_at(s, EVN__EVENT_T);
    *in++ = time_at(s, EVN__EVENT_DT);
    *in++ = time_at(s, EVN__EVENT_END);
    in = evn__layout_bind(&s->layout, s->state[s->now], in);
    in = bind_parameters(s, passage, in);
    *out++ = result_at(s, 0);
    out = evn__layout_bind(&s->layout, s->tried, out);
    if (s->system->adaptive) {
        in = evn__layout_bind(&s->own, s->slope[s->now], in);
        bind_tolerances(s, in);
        out = evn__layout_bind(&s->own, s->tried_slope, out);
        *out++ = result_at(s, s->system->count);
        *out++ = result_at(s, s->system->count + 1); // of an implicit method
    }
    EVN_TRY(evn_plan_run(s->step, s->inputs, s->outputs));
    return read_result(s, s->system->count + s->system->adaptive + evn__event_steps_doubts(s));
}

evn_status evn__event_steps_choose(evn__event_steps *s) {
    evn_binding *in = s->inputs, *out = s->outputs;
    bool adaptive = s->system->adaptive;
    EVN_TRY(write_times(s));
    *in++ = time_at(s, EVN__EVENT_ACCEPT);
    in = evn__layout_bind(&s->layout, s->state[s->now], in);
    in = adaptive ? evn__layout_bind(&s->own, s->slope[s->now], in) : in;
    in = evn__layout_bind(&s->layout, s->tried, in);
    in = adaptive ? evn__layout_bind(&s->own, s->tried_slope, in) : in;
    out = evn__layout_bind(&s->layout, s->state[!s->now], out);
    out = adaptive ? evn__layout_bind(&s->own, s->slope[!s->now], out) : out;
    s->now = !s->now;
    return evn_plan_run(s->choose, s->inputs, s->outputs);
}
