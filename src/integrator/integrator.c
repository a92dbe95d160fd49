// SPDX-License-Identifier: Apache-2.0
#include "integrator/integrator_state.h"

#include "integrator/options.h"
#include "methods/step.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Steps whose pairs are stacked: as many as take the memory of the cotangents, within these
/// (docs/performance/notes.md, Curve, adjoint).
enum { MIN_STACKED = 8, MAX_STACKED = 256 };

evn_status evn__integrator_compile(evn__integrator *in, const evn_graph *graph, evn_plan **plan) {
    evn_plan_options options = {.fp64 = in->options.fp64, .sample_inputs = evn__sample_inputs};
    return evn_plan_create(in->device, graph, &options, plan);
}

static evn_status compile_step(evn__integrator *in, const evn__system *system,
                               const evn__stepper *stepper, evn_plan **plan) {
    evn_graph *graph = NULL;
    EVN_TRY(evn__step_graph(system, stepper, &graph));
    evn_status status = evn__integrator_compile(in, graph, plan);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status compile_fixed(evn__integrator *in, const evn__system *system) {
    const evn__stepper *first = evn__stepper_at_step(in->stepper, 0);
    EVN_TRY(compile_step(in, system, in->stepper, &in->step));
    EVN_TRY(first == in->stepper ? EVN_OK : compile_step(in, system, first, &in->first));
    return evn__times_create(in->device, in->course, EVN__TIMES_NEAR, in->options.fp64, &in->times);
}

// Pairs -------------------------------------------------------------------------------------------

static int choose_stacked(const evn__system *system, int stages) {
    int64_t cotangents = 0, step = 0;
    for (int i = 0; i < system->pair_count; i += evn__system_pairs_of_one(system, i)) {
        const evn__pair *p = &system->pairs[i];
        cotangents += p->columns[0] * p->columns[1];
        step += stages * evn__system_pairs_of_one(system, i) * p->rows *
                (p->columns[0] + p->columns[1]);
    }
    int64_t steps = cotangents / step;
    return (int)(steps < MIN_STACKED ? MIN_STACKED : steps > MAX_STACKED ? MAX_STACKED : steps);
}

static evn_status create_pairs(evn__integrator *in, const evn__system *system) {
    if (!system->quadrature) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&in->quadrature, system->parameter_count));
    memcpy(in->quadrature, system->quadrature, sizeof(int) * (size_t)system->parameter_count);
    if (system->pair_count == 0) {
        return EVN_OK;
    }
    int stages = evn__stepper_operands(in->stepper);
    in->max_stacked = choose_stacked(system, stages);
    EVN_TRY(
        evn__weight_gradient_create(system->parameter_count, in->max_stacked, NULL, &in->batched));
    for (int i = 0; i < system->pair_count; i += evn__system_pairs_of_one(system, i)) {
        const evn__pair *p = &system->pairs[i];
        evn__product shape = {.rows = p->rows, .columns = {p->columns[0], p->columns[1]}};
        evn__weight_gradient_add(in->batched, p->parameter,
                                 stages * evn__system_pairs_of_one(system, i), &shape);
    }
    return evn__weight_gradient_compile(in->batched, in->device, in->options.fp64);
}

evn_binding *evn__integrator_bind_pairs(const evn__integrator *in, int slot, evn_binding *to) {
    for (int i = 0; in->batched && i < in->parameter_count; ++i) {
        if (in->quadrature[i] < 0) {
            to = evn__weight_gradient_bind(in->batched, i, slot, to);
        }
    }
    return to;
}

evn_status evn__integrator_flush(evn__integrator *integrator) {
    int steps = integrator->stacked;
    integrator->stacked = 0;
    return integrator->batched ? evn__weight_gradient_flush(integrator->batched, steps) : EVN_OK;
}

evn_status evn__integrator_clear(evn__integrator *integrator) {
    integrator->stacked = 0;
    return integrator->batched ? evn__weight_gradient_clear(integrator->batched) : EVN_OK;
}

evn_status evn__integrator_keep_pairs(evn__integrator *in) {
    return in->batched && ++in->stacked == in->max_stacked ? evn__integrator_flush(in) : EVN_OK;
}

evn_binding evn__integrator_parameter_bar(const evn__integrator *integrator, int parameter) {
    int state = integrator->quadrature[parameter];
    return state < 0 ? evn__weight_gradient_sum(integrator->batched, parameter)
                     : evn__integrator_state(integrator, state);
}

// Life --------------------------------------------------------------------------------------------

static evn_status create(evn__integrator *in, const evn__system *own) {
    EVN_TRY(evn__check_options(&in->options, &in->stepper));
    EVN_TRY(evn__history_create(in->device, own, in->stepper, &in->options, &in->history));
    const evn__system *system = in->history.system;
    in->states = own->state_count;
    EVN_TRY(evn__layout_create(system, &in->layout));
    EVN_TRY(evn__layout_create_outputs(system, &in->slope_layout));
    EVN_TRY(create_pairs(in, system));
    in->parameter_count = system->parameter_count;
    int ports = system->state_count + system->parameter_count + evn__system_outputs(system) +
                2 * system->pair_count * evn__stepper_operands(in->stepper) +
                EVN__INTEGRATOR_SCALARS;
    EVN_TRY(EVN_NEW(&in->inputs, ports));
    EVN_TRY(EVN_NEW(&in->outputs, ports));
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn__real_create_for(in->device, EVN__USE_STATES, in->options.fp64,
                                     in->layout.total, &in->state[i]));
    }
    EVN_TRY(in->jumps ? evn__jump_create(in->device, evn__system_state_shape(system, 0),
                                         in->options.fp64, &in->jump)
                      : EVN_OK);
    return in->options.steps > 0 ? compile_fixed(in, system) : evn__adaptive_create(in, system);
}

evn_status evn__integrator_create(evn_device *device, const evn__system *system,
                                  const evn_solver_options *options, const evn__course *course,
                                  bool jumps, evn__integrator **integrator) {
    EVN_TRY(EVN_NEW(integrator, 1));
    (*integrator)->device = device;
    (*integrator)->course = course;
    (*integrator)->jumps = jumps;
    (*integrator)->options = *options;
    evn_status status = create(*integrator, system);
    if (status != EVN_OK) {
        evn__integrator_destroy(integrator);
    }
    return status;
}

void evn__integrator_destroy(evn__integrator **integrator) {
    evn__integrator *in = *integrator;
    if (!in) {
        return;
    }
    evn_plan_destroy(&in->step);
    evn_plan_destroy(&in->first);
    evn__history_free(&in->history);
    evn__adaptive_destroy(&in->adaptive);
    evn__jump_destroy(&in->jump);
    for (int i = 0; i < 2; ++i) {
        evn_buffer_destroy(&in->state[i]);
    }
    evn__times_free(&in->times);
    evn__trail_free(&in->trail);
    evn__layout_free(&in->layout);
    evn__layout_free(&in->slope_layout);
    evn__weight_gradient_destroy(&in->batched);
    free(in->quadrature);
    free(in->inputs);
    free(in->outputs);
    free(in);
    *integrator = NULL;
}

evn_binding evn__integrator_state(const evn__integrator *integrator, int index) {
    return (evn_binding){integrator->state[integrator->now], integrator->layout.offset[index]};
}

const evn__layout *evn__integrator_layout(const evn__integrator *integrator) {
    return &integrator->layout;
}

const evn__trail *evn__integrator_trail(const evn__integrator *integrator) {
    return &integrator->trail;
}

// Bindings ----------------------------------------------------------------------------------------

evn_binding *evn__integrator_bind_states(const evn__integrator *in, int which, evn_binding *to) {
    return evn__layout_bind(&in->layout, in->state[which], to);
}

evn_binding *evn__integrator_bind_parameters(const evn__integrator *in,
                                             const evn_binding *parameters, evn_binding *to) {
    memcpy(to, parameters, sizeof(*to) * (size_t)in->parameter_count);
    return to + in->parameter_count;
}

size_t evn__integrator_observed(const evn__integrator *in, const evn__way *way) {
    return way->observed > 0 ? way->observed : in->layout.size[0];
}

// Fixed steps -------------------------------------------------------------------------------------

/// Time of the end of an interval, in the direction of the way.
static double end_of(const evn__integrator *in, const evn__way *way, int interval) {
    return way->backward ? evn__course_begin(in->course, interval, way->t0, way->t1)
                         : evn__course_end(in->course, interval, way->t0, way->t1);
}

/// What a multi-step method knows is of no use any more: its way begins, or its state has changed.
static evn_status begin_history(evn__integrator *in) {
    in->taken = 0;
    return evn__stepper_past(in->stepper) > 0
               ? evn__history_begin(&in->history, evn__integrator_state(in, in->layout.count - 1))
               : EVN_OK;
}

/// Move the current state over steps, as their times are set.
static evn_status go_steps(evn__integrator *in, const evn_binding *parameters, int first,
                           int steps) {
    for (int step = first; step < first + steps; ++step) {
        EVN_TRY(evn__times_reach(&in->times, step));
        in->inputs[0] = evn__times_at(&in->times, step);
        in->inputs[1] = evn__times_dt(&in->times, step);
        evn_binding *rest = evn__integrator_bind_states(in, in->now, in->inputs + 2);
        evn__integrator_bind_parameters(in, parameters, rest);
        rest = evn__integrator_bind_states(in, !in->now, in->outputs);
        evn__integrator_bind_pairs(in, in->stacked, rest);
        bool early = in->taken++ < evn__stepper_first_steps(in->stepper);
        EVN_TRY(evn_plan_run(early ? in->first : in->step, in->inputs, in->outputs));
        EVN_TRY(evn__integrator_keep_pairs(in));
        in->now = !in->now;
    }
    return EVN_OK;
}

static int evaluations(const evn__integrator *in, int first, int steps) {
    int count = 0;
    for (int step = first; step < first + steps; ++step) {
        count += evn__stepper_evaluations(evn__stepper_at_step(in->stepper, step));
    }
    return count;
}

/// The same over an interval; no way is none, whatever f is there.
static evn_status take_steps(evn__integrator *in, const evn__way *way, int interval,
                             const evn_binding *parameters, evn_solution *solution) {
    int first = evn__course_first(in->course, interval);
    int steps = evn__course_first(in->course, interval + 1) - first;
    int taken = in->taken;
    bool moves = way->t0 != way->t1;
    EVN_TRY(evn__times_set(&in->times, way->t0, way->t1, way->backward));
    EVN_TRY(moves ? go_steps(in, parameters, first, steps) : EVN_OK);
    solution->t = end_of(in, way, interval);
    solution->dt = evn__times_length(&in->times, interval);
    solution->accepted += steps;
    solution->nfe += moves ? evaluations(in, taken, steps) : 0;
    return EVN_OK;
}

/// The component `jumps` gets the share of an observation.
static evn_status jump(evn__integrator *in, const evn__way *way, int observation) {
    evn_binding share = way->series;
    share.offset += (size_t)observation * in->layout.size[0];
    EVN_TRY(begin_history(in));
    return evn__jump_add(in->jump, evn__integrator_state(in, way->jumps), share);
}

/// What happens at the end of an interval, in the direction of the way.
static evn_status pass_observation(evn__integrator *in, const evn__way *way, int interval) {
    evn_binding at = way->series;
    if (!at.buffer) {
        return EVN_OK;
    }
    if (way->backward) {
        return interval > 0 ? jump(in, way, evn__course_observation(in->course, interval - 1))
                            : EVN_OK;
    }
    size_t count = evn__integrator_observed(in, way);
    at.offset += (size_t)evn__course_observation(in->course, interval) * count;
    return evn__real_copy(at, evn__integrator_state(in, 0), in->options.fp64, count);
}

/// Fixed steps; of adaptive ones, no way is none.
static evn_status by_intervals(evn__integrator *in, const evn__way *way,
                               const evn_binding *parameters, evn_solution *solution) {
    *solution = (evn_solution){.t = way->t0};
    for (int i = 0; i < in->course->intervals; ++i) {
        int interval = way->backward ? in->course->intervals - 1 - i : i;
        EVN_TRY(in->adaptive ? EVN_OK : take_steps(in, way, interval, parameters, solution));
        EVN_TRY(pass_observation(in, way, interval));
    }
    return EVN_OK;
}

evn_status evn__integrate(evn__integrator *in, const evn__way *way, const evn_binding *parameters,
                          evn_solution *solution) {
    in->trail.count = 0;
    EVN_TRY(begin_history(in));
    bool adapts = in->adaptive && way->t0 != way->t1;
    EVN_TRY(adapts ? evn__integrate_adaptively(in, way, parameters, solution)
                   : by_intervals(in, way, parameters, solution));
    bool starts = way->backward && way->series.buffer && in->course->starts;
    return starts ? jump(in, way, 0) : EVN_OK;
}
