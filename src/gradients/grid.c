// SPDX-License-Identifier: Apache-2.0
#include "gradients/grid.h"

#include "gradients/joint.h"
#include "integrator/jump.h"
#include "integrator/options.h"
#include "integrator/times.h"
#include "plan/build.h"
#include "plan/real.h"
#include "plan/repeat.h"
#include <stdlib.h>
#include <string.h>

struct evn__grid {
    evn_device *device;
    const evn__stepper *stepper;
    const evn__course *course; ///< borrowed
    size_t observed;           ///< elements of an observation
    int steps;
    bool fp64, recompute, observes, time_gradient;
    evn__layout layout; ///< of the state
    int parameter_count;
    size_t *bar_offset; ///< of the cotangents, states and then parameters, in their half of bar
    size_t *bar_size;   ///< elements of each parameter
    size_t carried;     ///< elements of the parameters' cotangents that are carried
    evn__weight_gradient
        *batched; ///< parameters whose cotangents are not carried from step to step
    evn__joint joint;
    evn_plan *observe;      ///< with observations, equally many steps apart: from the trajectory to
                            ///< their series
    evn_buffer *trajectory; ///< [steps + 1][layout.total]
    evn_buffer *saved;      ///< [steps or 1][saved elements of the plan]
    evn_buffer *bar;        ///< cotangents now and next, exchanged by each step: states [2][total],
                            ///< carried parameters [2][carried]
    evn__jump *jump;        ///< with observations, once no way was gone back
    evn_buffer *zeros;      ///< with observations: what a step without one adds
    evn__time_bars time_bars;
    int now;
    evn__times times;
    evn_binding *inputs, *outputs, *saved_at; ///< of each step
    evn__repeat *forward, *backward[2];       ///< all steps; backward from each half of bar
};

static evn_status compile(evn__grid *grid, const evn__system *system) {
    // Checkpointed mode saves memory: nothing is kept of a step.
    const evn__joint_options options = {.system = system,
                                        .stepper = grid->stepper,
                                        .fp64 = grid->fp64,
                                        .observes = grid->observes,
                                        .times = grid->time_gradient,
                                        .batched = grid->recompute ? NULL : grid->batched};
    size_t steps = (size_t)grid->steps;
    EVN_TRY(evn__joint_create(grid->device, &options, &grid->joint));
    EVN_TRY(EVN_NEW(&grid->inputs, steps * (size_t)grid->joint.input_count));
    EVN_TRY(EVN_NEW(&grid->outputs, steps * (size_t)grid->joint.output_count));
    return EVN_NEW(&grid->saved_at, steps);
}

// Life --------------------------------------------------------------------------------------------

static evn_status lay_out_bars(evn__grid *grid, const evn__system *system) {
    int states = system->state_count;
    EVN_TRY(EVN_NEW(&grid->bar_offset, states + system->parameter_count));
    EVN_TRY(EVN_NEW(&grid->bar_size, system->parameter_count));
    memcpy(grid->bar_offset, grid->layout.offset, sizeof(size_t) * (size_t)states);
    grid->carried = 0;
    for (int i = 0; i < system->parameter_count; ++i) {
        grid->bar_offset[states + i] = grid->carried;
        grid->bar_size[i] = (size_t)evn_shape_count(evn__system_parameter_shape(system, i));
        if (!evn__weight_gradient_has(grid->batched, i)) {
            grid->carried += evn__real_aligned(grid->bar_size[i]);
        }
    }
    return EVN_OK;
}

/// From the points after the first one to x at the last one of each observation's share.
static void build_observe(const void *self, evn_graph *graph) {
    const evn__grid *grid = self;
    const evn__layout *layout = &grid->layout;
    int64_t count = grid->course->intervals, each = grid->course->each;
    int64_t total = (int64_t)layout->total;
    const int64_t start[] = {0, (each - 1) * total + (int64_t)layout->offset[0]};
    evn_value points = evn_input(graph, "points", EVN_SHAPE(count, each * total));
    evn_shape shape = EVN_SHAPE(count, (int64_t)grid->observed);
    evn_output(graph, "series", evn_slice(graph, points, start, shape));
}

/// What observations need.
static evn_status create_observe(evn__grid *grid) {
    const evn_plan_options options = {.fp64 = grid->fp64};
    size_t size = grid->layout.size[0];
    if (grid->course->each > 0) {
        EVN_TRY(evn__plan_build(grid->device, build_observe, grid, &options, &grid->observe));
    }
    EVN_TRY(evn__real_create_for(grid->device, EVN__USE_STATES, grid->fp64, size, &grid->zeros));
    return evn__real_zero((evn_binding){grid->zeros, 0}, grid->fp64, size);
}

/// What grows with the steps, and what to do where that is too much.
static evn_status create_of_steps(const evn__grid *grid, size_t points, size_t elements,
                                  const char *what, evn_buffer **buffer) {
    evn_status status = evn__real_create_for(grid->device, EVN__USE_STATES, grid->fp64,
                                             evn__size_product(points, elements), buffer);
    return status == EVN_ERR_DEVICE_MEMORY
               ? evn__prepend(status, "the %s of %d steps: take fewer, or the adjoint", what,
                              grid->steps)
               : status;
}

/// The first buffer: if so many states do not fit, nothing has been compiled yet.
static evn_status create_trajectory(evn__grid *grid) {
    return create_of_steps(grid, (size_t)grid->steps + 1, grid->layout.total, "states",
                           &grid->trajectory);
}

static evn_status create_saved(evn__grid *grid) {
    return create_of_steps(grid, grid->recompute ? 1 : (size_t)grid->steps,
                           evn_plan_saved_element_count(grid->joint.plan), "intermediate values",
                           &grid->saved);
}

static evn_status create(evn__grid *grid, const evn__system *system,
                         const evn_solver_options *options) {
    EVN_TRY(evn__check_options(options, &grid->stepper));
    EVN_TRY(evn__layout_create(system, &grid->layout));
    EVN_TRY(create_trajectory(grid));
    EVN_TRY(evn__weight_gradient_create(system->parameter_count, grid->steps, &grid->layout,
                                        &grid->batched));
    EVN_TRY(compile(grid, system));
    EVN_TRY(lay_out_bars(grid, system));
    EVN_TRY(create_saved(grid));
    EVN_TRY(evn__real_create_for(grid->device, EVN__USE_STATES, grid->fp64,
                                 2 * (grid->layout.total + grid->carried), &grid->bar));
    EVN_TRY(grid->observes ? create_observe(grid) : EVN_OK);
    grid->time_bars.stride = (size_t)grid->steps;
    EVN_TRY(grid->time_gradient
                ? create_of_steps(grid, EVN__TIME_BARS, grid->time_bars.stride,
                                  "cotangents of the times", &grid->time_bars.buffer)
                : EVN_OK);
    return evn__times_create(grid->device, grid->course, grid->course->steps, grid->fp64,
                             &grid->times);
}

evn_status evn__grid_create(const evn__problem *problem, evn__grid **grid) {
    const evn_solver_options *options = problem->options;
    EVN_TRY(EVN_NEW(grid, 1));
    (*grid)->device = problem->device;
    (*grid)->course = problem->course;
    (*grid)->observed = problem->observed;
    (*grid)->steps = problem->course->steps;
    (*grid)->observes = options->observations > 0;
    (*grid)->time_gradient = options->time_gradient;
    (*grid)->fp64 = options->fp64;
    (*grid)->recompute = !evn__scheme_keeps(options->gradient);
    (*grid)->parameter_count = problem->system->parameter_count;
    evn_status status = create(*grid, problem->system, options);
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
    evn__weight_gradient_destroy(&g->batched);
    evn__repeat_destroy(&g->forward);
    evn__repeat_destroy(&g->backward[0]);
    evn__repeat_destroy(&g->backward[1]);
    evn__joint_free(&g->joint);
    evn_plan_destroy(&g->observe);
    evn__jump_destroy(&g->jump);
    evn_buffer_destroy(&g->trajectory);
    evn_buffer_destroy(&g->saved);
    evn_buffer_destroy(&g->bar);
    evn_buffer_destroy(&g->time_bars.buffer);
    evn_buffer_destroy(&g->zeros);
    evn__times_free(&g->times);
    evn__layout_free(&g->layout);
    free(g->bar_offset);
    free(g->bar_size);
    free(g->inputs);
    free(g->outputs);
    free(g->saved_at);
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

evn_status evn__grid_observe(const evn__grid *grid, evn_binding series) {
    const evn_binding points = {grid->trajectory, grid->layout.total}; // all but the first
    if (grid->observe) {
        return evn_plan_run(grid->observe, &points, &series);
    }
    for (int i = 0; i < grid->course->intervals; ++i) {
        evn_binding x = evn__grid_state(grid, evn__course_first(grid->course, i + 1), 0);
        EVN_TRY(evn__real_copy(series, x, grid->fp64, grid->observed));
        series.offset += grid->observed;
    }
    return EVN_OK;
}

/// Where the parameters' cotangents of half `which` begin.
static size_t carried_at(const evn__grid *grid, int which) {
    return 2 * grid->layout.total + (size_t)which * grid->carried;
}

static evn_binding bar_at(const evn__grid *grid, int which, int index) {
    size_t half =
        index < grid->layout.count ? (size_t)which * grid->layout.total : carried_at(grid, which);
    return (evn_binding){grid->bar, half + grid->bar_offset[index]};
}

evn_binding evn__grid_state_bar(const evn__grid *grid, int index) {
    return bar_at(grid, grid->now, index);
}

evn__time_bars evn__grid_time_bars(const evn__grid *grid) {
    return grid->time_bars;
}

// Running -----------------------------------------------------------------------------------------

/// What the observation after `step`, if there is one, adds to the cotangent.
static evn_binding observation(const evn__grid *grid, int step, const evn_binding *observed) {
    int interval = evn__course_interval(grid->course, step);
    if (!observed || step + 1 != evn__course_first(grid->course, interval + 1)) {
        return (evn_binding){grid->zeros, 0};
    }
    return (evn_binding){observed->buffer,
                         observed->offset + (size_t)interval * grid->layout.size[0]};
}

static evn_binding saved_at(const evn__grid *grid, int step) {
    size_t size = evn_plan_saved_element_count(grid->joint.plan);
    return (evn_binding){grid->saved, grid->recompute ? 0 : (size_t)step * size};
}

/// Bind run `run`, which is of step `step` and begins with half `now` of the cotangents.
static void bind_step(evn__grid *grid, int run, int step, int now, const evn_binding *parameters,
                      const evn_binding *observed) {
    int states = grid->layout.count;
    evn_binding *in = grid->inputs + (size_t)run * (size_t)grid->joint.input_count;
    evn_binding *out = grid->outputs + (size_t)run * (size_t)grid->joint.output_count;
    grid->saved_at[run] = saved_at(grid, step);
    *in++ = evn__times_at(&grid->times, step);
    *in++ = evn__times_dt(&grid->times, step);
    for (int i = 0; i < states; ++i) {
        *in++ = evn__grid_state(grid, step, i);
        *out++ = evn__grid_state(grid, step + 1, i);
    }
    memcpy(in, parameters, sizeof(*in) * (size_t)grid->parameter_count);
    in += grid->parameter_count;
    for (int i = 0; i < states; ++i) {
        *in++ = bar_at(grid, now, i);
        *out++ = bar_at(grid, !now, i);
    }
    if (grid->observes) {
        *in++ = observation(grid, step, observed);
    }
    for (int i = 0; i < grid->parameter_count; ++i) {
        if (evn__weight_gradient_has(grid->batched, i)) {
            out = evn__weight_gradient_bind(grid->batched, i, step, out);
        } else {
            *in++ = bar_at(grid, now, states + i);
            *out++ = bar_at(grid, !now, states + i);
        }
    }
    evn__time_bars_bind(grid->time_bars, step, out);
}

/// Runs as they are bound, prepared before if they were the same.
static evn_status run_all(evn__grid *grid, int phase, evn__repeat **repeat) {
    const evn__runs runs = {phase, grid->steps, grid->inputs, grid->outputs, grid->saved_at};
    if (*repeat && !evn__repeat_is(*repeat, &runs)) {
        evn__repeat_destroy(repeat);
    }
    if (!*repeat) {
        EVN_TRY(evn__repeat_create(grid->joint.plan, &runs, repeat));
    }
    return evn__repeat_run(*repeat);
}

/// Whether there is a way.
static bool moves(const evn__grid *grid) {
    return grid->times.t0 != grid->times.t1;
}

static void report(const evn__grid *grid, evn_solution *solution) {
    *solution = (evn_solution){
        .t = grid->times.t1,
        .dt = evn__times_length(&grid->times, grid->course->intervals - 1),
        .accepted = grid->steps,
        .nfe = moves(grid) ? grid->steps * evn__stepper_evaluations(grid->stepper) : 0};
}

// From t0 to t0: all points are the first one, whatever f is there.

static evn_status repeat_start(const evn__grid *grid) {
    size_t total = grid->layout.total;
    for (int point = 1; point <= grid->steps; ++point) {
        EVN_TRY(evn__real_copy((evn_binding){grid->trajectory, (size_t)point * total},
                               (evn_binding){grid->trajectory, 0}, grid->fp64, total));
    }
    return EVN_OK;
}

/// The cotangent of state 0 gets all shares.
static evn_status add_shares(evn__grid *grid, const evn_binding *observed) {
    size_t size = grid->layout.size[0];
    if (!grid->jump) {
        EVN_TRY(evn__jump_create(grid->device, EVN_SHAPE((int64_t)size), grid->fp64, &grid->jump));
    }
    for (int i = 0; i < grid->course->intervals; ++i) {
        const evn_binding share = {observed->buffer, observed->offset + (size_t)i * size};
        EVN_TRY(evn__jump_add(grid->jump, evn__grid_state_bar(grid, 0), share));
    }
    return EVN_OK;
}

static evn_status stay_backward(evn__grid *grid, const evn_binding *parameters_bar,
                                const evn_binding *observed) {
    EVN_TRY(observed ? add_shares(grid, observed) : EVN_OK);
    for (int i = 0; i < grid->parameter_count; ++i) {
        EVN_TRY(evn__real_zero(parameters_bar[i], grid->fp64, grid->bar_size[i]));
    }
    return EVN_OK;
}

evn_status evn__grid_forward(evn__grid *grid, double t0, double t1, const evn_binding *parameters,
                             evn_solution *solution) {
    EVN_TRY(evn__times_set(&grid->times, t0, t1, false));
    for (int step = 0; step < grid->steps; ++step) {
        bind_step(grid, step, step, 0, parameters, NULL); // no cotangents yet
    }
    EVN_TRY(moves(grid) ? run_all(grid, 0, &grid->forward) : repeat_start(grid));
    report(grid, solution);
    return EVN_OK;
}

/// Each step's forward run again before its cotangents.
static evn_status recompute_backward(evn__grid *grid) {
    for (int run = 0; run < grid->steps; ++run) {
        const evn_binding *in = grid->inputs + (size_t)run * (size_t)grid->joint.input_count;
        const evn_binding *out = grid->outputs + (size_t)run * (size_t)grid->joint.output_count;
        for (int phase = 0; phase < 2; ++phase) {
            EVN_TRY(evn_plan_run_phase(grid->joint.plan, phase, in, out, &grid->saved_at[run]));
        }
    }
    return EVN_OK;
}

/// The parameters' cotangents that were carried, to where they are wanted.
static evn_status deliver(const evn__grid *grid, const evn_binding *parameters_bar) {
    for (int i = 0; i < grid->parameter_count; ++i) {
        if (!evn__weight_gradient_has(grid->batched, i)) {
            EVN_TRY(evn__real_copy(parameters_bar[i],
                                   bar_at(grid, grid->now, grid->layout.count + i), grid->fp64,
                                   grid->bar_size[i]));
        }
    }
    return EVN_OK;
}

static evn_status go_backward(evn__grid *grid, const evn_binding *parameters,
                              const evn_binding *parameters_bar, const evn_binding *observed) {
    int start = grid->now;
    EVN_TRY(evn__real_zero((evn_binding){grid->bar, carried_at(grid, start)}, grid->fp64,
                           grid->carried));
    for (int run = 0; run < grid->steps; ++run) {
        bind_step(grid, run, grid->steps - 1 - run, grid->now, parameters, observed);
        grid->now = !grid->now;
    }
    EVN_TRY(grid->recompute ? recompute_backward(grid) : run_all(grid, 1, &grid->backward[start]));
    EVN_TRY(evn__weight_gradient_multiply(grid->batched, (evn_binding){grid->trajectory, 0},
                                          parameters_bar));
    return deliver(grid, parameters_bar);
}

evn_status evn__grid_backward(evn__grid *grid, const evn_binding *parameters,
                              const evn_binding *parameters_bar, const evn_binding *observed,
                              evn_solution *solution) {
    EVN_TRY(moves(grid) ? go_backward(grid, parameters, parameters_bar, observed)
                        : stay_backward(grid, parameters_bar, observed));
    report(grid, solution);
    return EVN_OK;
}
