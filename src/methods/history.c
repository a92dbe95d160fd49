// SPDX-License-Identifier: Apache-2.0
#include "methods/history.h"

#include "base/memory.h"
#include "base/number.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

#define PAST(before, after)                                                                        \
    before "0" after, before "1" after, before "2" after, before "3" after, before "4" after,      \
        before "5" after, before "6" after, before "7" after, before "8" after, before "9" after,  \
        before "10" after, before "11" after

const char *const evn__sample_inputs[] = {"x",
                                          "x_bar",
                                          "observed",
                                          "dx_first",
                                          "dx_bar_first",
                                          PAST("x_past.", ""),
                                          PAST("x_bar_past.", ""),
                                          PAST("x_past.", "_bar"),
                                          NULL};

/// A system under construction.
typedef struct build {
    const evn__system *from;
    evn__system *to;
    int orders;
    evn_value *inputs, *outputs; ///< of `from`
} build;

static evn_value declare(const build *b, int input) {
    const evn_graph *from = b->from->graph;
    return evn_input(b->to->graph, evn_graph_input_name(from, input),
                     evn_value_shape(from, evn_graph_input(from, input)));
}

static void declare_history(const build *b) {
    for (int i = 0; i < b->from->state_count; ++i) {
        for (int k = 0; k < b->orders; ++k) {
            char name[256];
            int input = evn__system_state(i);
            evn__print(name, sizeof(name), "%s_past.%d",
                       evn_graph_input_name(b->from->graph, input), k);
            evn_input(b->to->graph, name, evn__system_state_shape(b->from, i));
        }
    }
    evn_input(b->to->graph, "schedule", EVN_SHAPE(EVN__SCHEDULE_LENGTHS + b->orders));
}

/// The history has no slopes: its steps say what becomes of it.
static void output_slopes(const build *b) {
    evn_graph *g = b->to->graph;
    for (int i = 0; i < b->from->state_count; ++i) {
        evn_output(g, evn_graph_output_name(b->from->graph, i), b->outputs[i]);
    }
    for (int i = 0; i < b->to->past; ++i) {
        char name[32];
        evn__print(name, sizeof(name), "dpast.%d", i);
        evn_output(g, name, evn_constant(g, 0));
    }
}

static evn_status fill_graph(build *b) {
    int states = b->from->state_count, inputs = evn_graph_input_count(b->from->graph);
    EVN_TRY(evn_graph_create(&b->to->graph));
    for (int i = 0; i < inputs; ++i) {
        b->inputs[i] = declare(b, i);
        if (i == states) {
            declare_history(b);
        }
    }
    EVN_TRY(evn_graph_status(b->to->graph));
    EVN_TRY(evn_graph_inline(b->to->graph, b->from->graph, b->inputs, b->outputs));
    output_slopes(b);
    return evn_graph_status(b->to->graph);
}

static evn_status copy_lists(const build *b) {
    const evn__system *from = b->from;
    EVN_TRY(EVN_NEW(&b->to->controlled, b->to->state_count));
    memcpy(b->to->controlled, from->controlled, sizeof(bool) * (size_t)from->state_count);
    if (from->quadrature) {
        size_t parameters = (size_t)from->parameter_count;
        EVN_TRY(EVN_NEW(&b->to->quadrature, parameters));
        memcpy(b->to->quadrature, from->quadrature, sizeof(int) * parameters);
    }
    return EVN_OK;
}

static evn_status make(const evn__system *from, int orders, evn__system *to) {
    int inputs = evn_graph_input_count(from->graph);
    build b = {.from = from, .to = to, .orders = orders};
    int past = orders * from->state_count + 1;
    *to = (evn__system){.state_count = from->state_count + past,
                        .past = past,
                        .parameter_count = from->parameter_count,
                        .options = from->options};
    EVN_TRY(copy_lists(&b));
    EVN_TRY(EVN_NEW(&b.inputs, inputs + evn__system_outputs(from)));
    b.outputs = b.inputs + inputs;
    evn_status status = fill_graph(&b);
    free(b.inputs);
    return status;
}

static evn_status make_begin(evn_device *device, const evn_solver_options *options, int orders,
                             evn__history *history) {
    double *schedule = NULL;
    size_t count = EVN__SCHEDULE_LENGTHS + (size_t)orders;
    EVN_TRY(evn__real_create_for(device, EVN__USE_STATES, options->fp64, count, &history->begin));
    EVN_TRY(EVN_NEW(&schedule, count));
    schedule[EVN__SCHEDULE_RTOL] = options->rtol;
    schedule[EVN__SCHEDULE_ATOL] = options->atol;
    evn_status status =
        evn__real_write((evn_binding){history->begin, 0}, options->fp64, schedule, count);
    free(schedule);
    return status;
}

evn_status evn__history_create(evn_device *device, const evn__system *system,
                               const evn__stepper *stepper, const evn_solver_options *options,
                               evn__history *history) {
    int orders = evn__stepper_past(stepper);
    *history = (evn__history){.system = system, .fp64 = options->fp64};
    if (orders == 0) {
        return EVN_OK;
    }
    history->system = &history->own;
    evn_status status = make(system, orders, &history->own);
    status = status == EVN_OK ? make_begin(device, options, orders, history) : status;
    if (status != EVN_OK) {
        evn__history_free(history);
    }
    return status;
}

void evn__history_free(evn__history *history) {
    evn__system_free(&history->own);
    evn_buffer_destroy(&history->begin);
    *history = (evn__history){0};
}

evn_status evn__history_begin(const evn__history *history, evn_binding schedule) {
    const evn__system *s = &history->own;
    size_t count = (size_t)evn_shape_count(evn__system_state_shape(s, evn__history_schedule(s)));
    return evn__real_copy(schedule, (evn_binding){history->begin, 0}, history->fp64, count);
}

evn_value evn__history_build(const evn__step_build *step) {
    enum { TOLERANCES = 2, AFTER = EVN__SCHEDULE_RTOL + TOLERANCES };
    evn_graph *g = step->graph;
    int place = evn__history_schedule(step->system);
    int64_t count = evn_shape_count(evn__system_state_shape(step->system, place));
    const evn_value parts[] = {
        evn_full(g, EVN_SHAPE(EVN__SCHEDULE_RTOL), 0), evn_reshape(g, step->rtol, EVN_SHAPE(1)),
        evn_reshape(g, step->atol, EVN_SHAPE(1)), evn_full(g, EVN_SHAPE(count - AFTER), 0)};
    return evn_concat(g, parts, (int)(sizeof(parts) / sizeof(*parts)), 0);
}

int evn__history_differences(const evn__system *system, int state) {
    int states = system->state_count - system->past, orders = (system->past - 1) / states;
    return states + state * orders;
}

int evn__history_schedule(const evn__system *system) {
    return system->state_count - 1;
}
