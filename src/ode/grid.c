// SPDX-License-Identifier: Apache-2.0
#include "ode/grid.h"

#include "evonode/diff.h"
#include "ode/step.h"
#include "plan/real.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evn__grid {
    evn_device *device;
    const evn__tableau *tableau;
    int steps, observations;
    bool fp64, recompute;
    evn__layout layout; ///< of the state
    int parameter_count;
    size_t *bar_offset; ///< of the cotangents: states as in layout, then parameters
    size_t bar_total;
    evn_plan *plan;         ///< the step and its vjp, in two phases
    evn_buffer *trajectory; ///< [steps + 1][layout.total]
    evn_buffer *saved;      ///< [steps or 1][saved elements of the plan]
    evn_buffer *bar[2];     ///< cotangents now and next, exchanged by each step
    evn_buffer *zeros;      ///< with observations: what a step without one adds
    int now;
    evn__times times;
    evn_binding *inputs, *outputs;
};

// The step and its vjp as one graph ---------------------------------------------------------------
// Inputs: t, dt, states, parameters, then the late ones: cotangents of the states after the step,
// the parameters' cotangents so far, and, with observations, what one adds to the cotangent of the
// first state. Outputs: the states after the step, the cotangents of the
// states before it, the parameters' cotangents with this step's share.

typedef struct joint_build {
    const evn__system *system;
    evn_graph *graph;
    const char **late; ///< NULL-ended names of the late inputs, in the graph's memory
    int bars;          ///< states + parameters
    bool observes;
} joint_build;

static evn_status late_inputs(joint_build *b, evn_value *seeds) {
    for (int i = 0; i < b->bars; ++i) {
        char name[256];
        snprintf(name, sizeof(name), "%s_bar", evn_graph_input_name(b->system->graph, 1 + i));
        evn_shape shape =
            evn_value_shape(b->system->graph, evn_graph_input(b->system->graph, 1 + i));
        seeds[i] = evn_input(b->graph, name, shape);
        EVN_TRY(evn_graph_status(b->graph));
        b->late[i] = evn_graph_input_name(b->graph, evn_graph_inputs(b->graph) - 1);
    }
    if (b->observes) {
        evn_shape shape = evn__system_state_shape(b->system, 0);
        evn_value share = evn_input(b->graph, "observed", shape);
        seeds[0] = evn_add(b->graph, seeds[0], share);
        b->late[b->bars] = "observed";
    }
    return evn_graph_status(b->graph);
}

static evn_status build_joint(joint_build *b, const evn_graph *step, evn_value *values) {
    int states = b->system->state_count, inputs = evn_graph_inputs(step);
    evn_value *x = values, *next = x + inputs, *seeds = next + states, *bars = seeds + b->bars;
    for (int i = 0; i < inputs; ++i) {
        x[i] = evn_input(b->graph, evn_graph_input_name(step, i),
                         evn_value_shape(step, evn_graph_input(step, i)));
    }
    EVN_TRY(evn_graph_status(b->graph));
    EVN_TRY(evn_graph_inline(b->graph, step, x, next));
    EVN_TRY(late_inputs(b, seeds));
    EVN_TRY(evn_pullback(b->graph, next, seeds, states, x + 2, b->bars, bars));
    for (int i = 0; i < states; ++i) {
        evn_output(b->graph, evn_graph_output_name(step, i), next[i]);
    }
    for (int i = 0; i < b->bars; ++i) {
        char name[256];
        snprintf(name, sizeof(name), "%s_bar", evn_graph_input_name(step, 2 + i));
        bool parameter = i >= states;
        evn_output(b->graph, name, parameter ? evn_add(b->graph, seeds[i], bars[i]) : bars[i]);
    }
    return evn_graph_status(b->graph);
}

static evn_status compile_joint(evn__grid *grid, joint_build *b, const evn_graph *step) {
    evn_value *values = NULL;
    EVN_TRY(evn_graph_create(&b->graph));
    EVN_TRY(EVN_NEW(&b->late, b->bars + 2));
    EVN_TRY(EVN_NEW(&values, 4 * (b->bars + 2)));
    evn_status status = build_joint(b, step, values);
    free(values);
    EVN_TRY(status);
    evn_plan_options options = {.fp64 = grid->fp64, .late_inputs = b->late};
    return evn_plan_create(grid->device, b->graph, &options, &grid->plan);
}

static evn_status compile(evn__grid *grid, const evn__system *system) {
    joint_build b = {.system = system,
                     .bars = system->state_count + system->parameter_count,
                     .observes = grid->observations > 0};
    evn_graph *step = NULL;
    EVN_TRY(evn__step_graph(system, grid->tableau, &step));
    evn_status status = compile_joint(grid, &b, step);
    evn_graph_destroy(&step);
    evn_graph_destroy(&b.graph);
    free(b.late);
    return status;
}

// Life --------------------------------------------------------------------------------------------

static evn_status lay_out_bars(evn__grid *grid, const evn__system *system) {
    int states = system->state_count;
    EVN_TRY(EVN_NEW(&grid->bar_offset, states + system->parameter_count));
    memcpy(grid->bar_offset, grid->layout.offset, sizeof(size_t) * (size_t)states);
    grid->bar_total = grid->layout.total;
    for (int i = 0; i < system->parameter_count; ++i) {
        grid->bar_offset[states + i] = grid->bar_total;
        size_t count = (size_t)evn_shape_count(evn__system_parameter_shape(system, i));
        grid->bar_total += (count + 15) / 16 * 16;
    }
    return EVN_OK;
}

static evn_status create(evn__grid *grid, const evn__system *system,
                         const evn_solver_options *options) {
    EVN_TRY(evn__check_options(options, &grid->tableau));
    EVN_TRY(evn__layout_create(system, &grid->layout));
    EVN_TRY(lay_out_bars(grid, system));
    int ports = 2 * (system->state_count + system->parameter_count) + 3;
    EVN_TRY(EVN_NEW(&grid->inputs, ports));
    EVN_TRY(EVN_NEW(&grid->outputs, ports));
    EVN_TRY(compile(grid, system));
    size_t points = (size_t)grid->steps + 1, saved = evn_plan_saved_elements(grid->plan);
    EVN_TRY(
        evn__real_create(grid->device, grid->fp64, points * grid->layout.total, &grid->trajectory));
    EVN_TRY(evn__real_create(grid->device, grid->fp64,
                             saved * (grid->recompute ? 1 : (size_t)grid->steps), &grid->saved));
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn__real_create(grid->device, grid->fp64, grid->bar_total, &grid->bar[i]));
    }
    if (grid->observations > 0) {
        EVN_TRY(evn__real_create(grid->device, grid->fp64, grid->layout.size[0], &grid->zeros));
        EVN_TRY(evn__real_zero((evn_binding){grid->zeros, 0}, grid->fp64, grid->layout.size[0]));
    }
    return evn__times_create(grid->device, grid->steps, grid->fp64, &grid->times);
}

evn_status evn__grid_create(evn_device *device, const evn__system *system,
                            const evn_solver_options *options, evn__grid **grid) {
    EVN_TRY(EVN_NEW(grid, 1));
    (*grid)->device = device;
    (*grid)->steps = options->steps;
    (*grid)->observations = options->observations;
    (*grid)->fp64 = options->fp64;
    (*grid)->recompute = options->gradient == EVN_GRADIENT_CHECKPOINTED;
    (*grid)->parameter_count = system->parameter_count;
    evn_status status = create(*grid, system, options);
    if (status != EVN_OK) {
        evn__grid_destroy(grid);
    }
    return status;
}

void evn__grid_destroy(evn__grid **grid) {
    evn__grid *g = *grid;
    if (!g) {
        return;
    }
    evn_plan_destroy(&g->plan);
    evn_buffer_destroy(&g->trajectory);
    evn_buffer_destroy(&g->saved);
    evn_buffer_destroy(&g->bar[0]);
    evn_buffer_destroy(&g->bar[1]);
    evn_buffer_destroy(&g->zeros);
    evn__times_free(&g->times);
    evn__layout_free(&g->layout);
    free(g->bar_offset);
    free(g->inputs);
    free(g->outputs);
    free(g);
    *grid = NULL;
}

const evn__layout *evn__grid_layout(const evn__grid *grid) {
    return &grid->layout;
}

evn_binding evn__grid_state(const evn__grid *grid, int point, int index) {
    return (evn_binding){grid->trajectory,
                         (size_t)point * grid->layout.total + grid->layout.offset[index]};
}

static evn_binding bar_at(const evn__grid *grid, int which, int index) {
    return (evn_binding){grid->bar[which], grid->bar_offset[index]};
}

evn_binding evn__grid_state_bar(const evn__grid *grid, int index) {
    return bar_at(grid, grid->now, index);
}

evn_binding evn__grid_parameter_bar(const evn__grid *grid, int index) {
    return bar_at(grid, grid->now, grid->layout.count + index);
}

// Running -----------------------------------------------------------------------------------------

/// What the observation after `step`, if there is one, adds to the cotangent.
static evn_binding observation(const evn__grid *grid, int step, const evn_binding *observed) {
    int each = grid->observations > 0 ? grid->steps / grid->observations : 0;
    if (!observed || (step + 1) % each != 0) {
        return (evn_binding){grid->zeros, 0};
    }
    size_t number = (size_t)((step + 1) / each - 1);
    return (evn_binding){observed->buffer, observed->offset + number * grid->layout.size[0]};
}

static void bind_step(evn__grid *grid, int step, const evn_binding *parameters,
                      const evn_binding *observed) {
    int states = grid->layout.count, bars = states + grid->parameter_count;
    evn_binding *in = grid->inputs, *out = grid->outputs;
    *in++ = evn__times_at(&grid->times, step);
    *in++ = evn__times_dt(&grid->times);
    for (int i = 0; i < states; ++i) {
        *in++ = evn__grid_state(grid, step, i);
        *out++ = evn__grid_state(grid, step + 1, i);
    }
    memcpy(in, parameters, sizeof(*in) * (size_t)grid->parameter_count);
    in += grid->parameter_count;
    for (int i = 0; i < bars; ++i) {
        *in++ = bar_at(grid, grid->now, i);
        *out++ = bar_at(grid, !grid->now, i);
    }
    *in = observation(grid, step, observed); // not read by a plan without observations
}

static evn_binding saved_at(const evn__grid *grid, int step) {
    size_t size = evn_plan_saved_elements(grid->plan);
    return (evn_binding){grid->saved, grid->recompute ? 0 : (size_t)step * size};
}

static evn_status run(evn__grid *grid, int step, int phase, const evn_binding *parameters,
                      const evn_binding *observed) {
    evn_binding saved = saved_at(grid, step);
    bind_step(grid, step, parameters, observed);
    return evn_plan_run_phase(grid->plan, phase, grid->inputs, grid->outputs, &saved);
}

static void report(const evn__grid *grid, evn_solution *solution) {
    int stages = grid->tableau->stages - (grid->tableau->fsal ? 1 : 0);
    *solution = (evn_solution){.t = grid->times.t1,
                               .dt = (grid->times.t1 - grid->times.t0) / grid->steps,
                               .accepted = grid->steps,
                               .nfe = grid->steps * stages};
}

evn_status evn__grid_forward(evn__grid *grid, double t0, double t1, const evn_binding *parameters,
                             evn_solution *solution) {
    EVN_TRY(evn__times_set(&grid->times, t0, t1));
    for (int step = 0; step < grid->steps; ++step) {
        EVN_TRY(run(grid, step, 0, parameters, NULL));
    }
    report(grid, solution);
    return EVN_OK;
}

evn_status evn__grid_backward(evn__grid *grid, const evn_binding *parameters,
                              const evn_binding *observed, evn_solution *solution) {
    for (int i = 0; i < grid->parameter_count; ++i) {
        size_t begin = grid->bar_offset[grid->layout.count + i];
        size_t end = i + 1 < grid->parameter_count ? grid->bar_offset[grid->layout.count + i + 1]
                                                   : grid->bar_total;
        EVN_TRY(
            evn__real_zero((evn_binding){grid->bar[grid->now], begin}, grid->fp64, end - begin));
    }
    for (int step = grid->steps - 1; step >= 0; --step) {
        if (grid->recompute) {
            EVN_TRY(run(grid, step, 0, parameters, observed));
        }
        EVN_TRY(run(grid, step, 1, parameters, observed));
        grid->now = !grid->now;
    }
    report(grid, solution);
    return EVN_OK;
}
