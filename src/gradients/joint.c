// SPDX-License-Identifier: Apache-2.0
#include "gradients/joint.h"

#include "evonode/diff.h"
#include "methods/history.h"
#include "methods/step.h"
#include <stdio.h>
#include <stdlib.h>

enum { SCALARS = 2 }; // t and dt, the first inputs of a step

typedef struct build {
    const evn__system *system;
    evn_graph *graph;
    const char **late; ///< NULL-ended names of the late inputs, in the graph's memory
    int late_count;
    bool observes, times;
    evn__weight_gradient *batched; ///< NULL: all parameters are carried
} build;

static evn_value late_input(build *b, const char *name, evn_shape shape) {
    evn_value value = evn_input(b->graph, name, shape);
    if (value != EVN_NONE) {
        b->late[b->late_count++] =
            evn_graph_input_name(b->graph, evn_graph_input_count(b->graph) - 1);
    }
    return value;
}

/// NAME_bar for input `index` of the step.
static void bar_name(const evn_graph *step, int index, char name[256]) {
    snprintf(name, 256, "%s_bar", evn_graph_input_name(step, index));
}

static void seed_states(build *b, const evn_graph *step, evn_value *seeds) {
    for (int i = 0; i < b->system->state_count; ++i) {
        char name[256];
        bar_name(step, SCALARS + i, name);
        seeds[i] = late_input(b, name, evn__system_state_shape(b->system, i));
    }
    if (b->observes) {
        evn_value share = late_input(b, "observed", evn__system_state_shape(b->system, 0));
        seeds[0] = evn_add(b->graph, seeds[0], share);
    }
}

/// @param states  before the step
static evn_status output_parameter(build *b, const evn_graph *step, int index,
                                   const evn_value *states, evn_value share) {
    char name[256];
    bool taken = false;
    if (b->batched) {
        EVN_TRY(evn__weight_gradient_take(b->batched, b->graph, index, share, states, &taken));
    }
    if (!taken) {
        bar_name(step, SCALARS + b->system->state_count + index, name);
        evn_value sum = late_input(b, name, evn__system_parameter_shape(b->system, index));
        evn_output(b->graph, name, evn_add(b->graph, sum, share));
    }
    return evn_graph_status(b->graph);
}

static evn_status build_graph(build *b, const evn_graph *step, evn_value *values) {
    int states = b->system->state_count, inputs = evn_graph_input_count(step);
    int parameters = b->system->parameter_count;
    evn_value *x = values, *next = x + inputs, *seeds = next + states, *bars = seeds + states;
    int first = b->times ? 0 : SCALARS; // among the inputs, of those whose cotangents are wanted
    for (int i = 0; i < inputs; ++i) {
        x[i] = evn_input(b->graph, evn_graph_input_name(step, i),
                         evn_value_shape(step, evn_graph_input(step, i)));
    }
    EVN_TRY(evn_graph_status(b->graph));
    EVN_TRY(evn_graph_inline(b->graph, step, x, next));
    seed_states(b, step, seeds);
    EVN_TRY(evn_graph_status(b->graph));
    EVN_TRY(evn_pullback(b->graph, next, seeds, states, x + first,
                         SCALARS + states + parameters - first, bars + first));
    for (int i = 0; i < states; ++i) {
        evn_output(b->graph, evn_graph_output_name(step, i), next[i]);
    }
    for (int i = 0; i < states; ++i) {
        char name[256];
        bar_name(step, SCALARS + i, name);
        evn_output(b->graph, name, bars[SCALARS + i]);
    }
    for (int i = 0; i < parameters; ++i) {
        EVN_TRY(output_parameter(b, step, i, x + SCALARS, bars[SCALARS + states + i]));
    }
    for (int i = first; i < SCALARS; ++i) {
        char name[256];
        bar_name(step, i, name);
        evn_output(b->graph, name, bars[i]);
    }
    return evn_graph_status(b->graph);
}

/// From the graph, complete, to the plan.
static evn_status compile(evn_device *device, bool fp64, const build *b, evn__joint *joint) {
    const evn_plan_options options = {
        .fp64 = fp64, .late_inputs = b->late, .sample_inputs = evn__sample_inputs};
    joint->input_count = evn_graph_input_count(b->graph);
    joint->output_count = evn_graph_output_count(b->graph);
    return evn_plan_create(device, b->graph, &options, &joint->plan);
}

static evn_status fill(build *b, const evn_graph *step) {
    evn_value *values = NULL;
    int ports = b->system->state_count + b->system->parameter_count + SCALARS;
    EVN_TRY(evn_graph_create(&b->graph));
    EVN_TRY(EVN_NEW(&b->late, ports));
    EVN_TRY(EVN_NEW(&values, 4 * ports));
    evn_status status = build_graph(b, step, values);
    free(values);
    return status;
}

static evn_status make(evn_device *device, const evn__joint_options *o, build *b,
                       const evn_graph *step, evn__joint *joint) {
    EVN_TRY(fill(b, step));
    if (o->batched) {
        EVN_TRY(evn__weight_gradient_compile(o->batched, device, o->fp64));
    }
    return compile(device, o->fp64, b, joint);
}

evn_status evn__joint_create(evn_device *device, const evn__joint_options *options,
                             evn__joint *joint) {
    build b = {.system = options->system,
               .observes = options->observes,
               .times = options->times,
               .batched = options->batched};
    evn_graph *step = NULL;
    *joint = (evn__joint){0};
    EVN_TRY(evn__step_graph(options->system, options->stepper, &step));
    evn_status status = make(device, options, &b, step, joint);
    evn_graph_destroy(&step);
    evn_graph_destroy(&b.graph);
    free(b.late);
    return status;
}

void evn__joint_free(evn__joint *joint) {
    evn_plan_destroy(&joint->plan);
}
