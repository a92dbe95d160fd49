// SPDX-License-Identifier: Apache-2.0
// An algebraically reversible method along fixed steps: nothing is kept but the state at t1, and
// the gradient finds the states before it by undoing the steps.
#include "gradients/cotangents.h"
#include "gradients/scheme.h"
#include "integrator/integrator.h"
#include "integrator/jump.h"
#include "integrator/options.h"
#include "integrator/times.h"
#include "methods/reversible.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>

/// Places of a state: a solve goes to and fro between the first two; a gradient between the last
/// one and that of the first two in which x(t1) is not.
enum { PLACES = 3, SPARE = 2, PARTS = EVN__REVERSIBLE_PARTS };

typedef struct reversible {
    evn__scheme base;
    const evn__stepper *stepper;
    evn_plan *forward, *backward;
    evn__layout layout; ///< of one part of the state
    evn__times times;
    evn_buffer *states;   ///< [PLACES][PARTS][total]
    evn__cotangents bars; ///< of y, and of z
    evn__jump **joins;    ///< [layout.count]: sums of cotangents of y and z
    evn__time_bars time_bars;
    int end, first; ///< places of x(t1) and, after a gradient, of x(t0)
    evn_binding *inputs, *outputs;
} reversible;

// Life --------------------------------------------------------------------------------------------

/// λⁿ has to stay away from 0, as undoing n steps divides by it. Of a course that varies n is what
/// was asked for: that there is room for more changes no result.
static double choose_coupling(const evn__problem *p) {
    const double usual = 0.99;
    double given = p->options->coupling;
    int steps = p->course->varies ? p->options->steps : p->course->steps;
    return given > 0 ? given : fmax(usual, 1 - 1.0 / steps);
}

static evn_status compile(reversible *r, evn_status (*build)(const evn__reversible *, evn_graph **),
                          evn_plan **plan) {
    static const char *const samples[] = {"x",     "x_low",      "x_pair",   "x_pair_low",
                                          "x_bar", "x_pair_bar", "observed", NULL};
    const evn__problem *p = r->base.problem;
    const evn__reversible method = {p->system, r->stepper, choose_coupling(p),
                                    p->options->observations > 0, p->options->time_gradient};
    const evn_plan_options options = {.fp64 = p->options->fp64, .sample_inputs = samples};
    evn_graph *graph = NULL;
    EVN_TRY(build(&method, &graph));
    evn_status status = evn_plan_create(p->device, graph, &options, plan);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status allocate(reversible *r) {
    const evn__problem *p = r->base.problem;
    int ports = 5 + (PARTS + 2) * p->system->state_count + 2 * p->system->parameter_count;
    EVN_TRY(EVN_NEW(&r->inputs, ports));
    EVN_TRY(EVN_NEW(&r->outputs, ports));
    r->time_bars.stride = (size_t)p->course->steps;
    EVN_TRY(p->options->time_gradient
                ? evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64,
                                       EVN__TIME_BARS * r->time_bars.stride, &r->time_bars.buffer)
                : EVN_OK);
    return evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64,
                                (size_t)PLACES * PARTS * r->layout.total, &r->states);
}

static evn_status create_joins(reversible *r) {
    const evn__problem *p = r->base.problem;
    EVN_TRY(EVN_NEW(&r->joins, r->layout.count));
    for (int i = 0; i < r->layout.count; ++i) {
        EVN_TRY(evn__jump_create(p->device, evn__system_state_shape(p->system, i), p->options->fp64,
                                 &r->joins[i]));
    }
    return EVN_OK;
}

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    reversible *r = NULL;
    EVN_TRY(EVN_NEW(&r, 1));
    *scheme = &r->base;
    r->base.problem = p;
    EVN_TRY(evn__check_options(p->options, &r->stepper));
    EVN_TRY(evn__layout_create(p->system, &r->layout));
    EVN_TRY(evn__cotangents_create(p, 2, &r->bars));
    EVN_TRY(allocate(r));
    EVN_TRY(create_joins(r));
    EVN_TRY(evn__times_create(p->device, p->course, EVN__TIMES_NEAR, p->options->fp64, &r->times));
    EVN_TRY(compile(r, evn__reversible_forward, &r->forward));
    return compile(r, evn__reversible_backward, &r->backward);
}

static void destroy(evn__scheme *scheme) {
    reversible *r = (reversible *)scheme;
    evn_plan_destroy(&r->forward);
    evn_plan_destroy(&r->backward);
    for (int i = 0; r->joins && i < r->layout.count; ++i) {
        evn__jump_destroy(&r->joins[i]);
    }
    evn__layout_free(&r->layout);
    evn__times_free(&r->times);
    evn_buffer_destroy(&r->states);
    evn_buffer_destroy(&r->time_bars.buffer);
    evn__cotangents_free(&r->bars);
    free(r->joins);
    free(r->inputs);
    free(r->outputs);
    free(r);
}

// Where things are --------------------------------------------------------------------------------

static evn_binding part_at(const reversible *r, int place, int part) {
    return (evn_binding){r->states, ((size_t)place * PARTS + (size_t)part) * r->layout.total};
}

static evn_binding state_at(const reversible *r, int place, int index) {
    evn_binding at = part_at(r, place, EVN__REVERSIBLE_Y);
    at.offset += r->layout.offset[index];
    return at;
}

static evn_binding begin(const evn__scheme *scheme, int index) {
    return state_at((const reversible *)scheme, 0, index);
}

static evn_binding end(const evn__scheme *scheme, int index) {
    const reversible *r = (const reversible *)scheme;
    return state_at(r, r->end, index);
}

static evn_binding reconstructed(const evn__scheme *scheme, int index) {
    const reversible *r = (const reversible *)scheme;
    return state_at(r, r->first, index);
}

static void pair(const evn__scheme *scheme, int index, evn_binding both[2]) {
    const reversible *r = (const reversible *)scheme;
    both[0] = state_at(r, r->end, index);
    both[1] = part_at(r, r->end, EVN__REVERSIBLE_Z);
    both[1].offset += r->layout.offset[index];
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    return evn__cotangents_state(&((const reversible *)scheme)->bars, 0, index);
}

// Bindings; each returns the place after ----------------------------------------------------------

static evn_binding *bind_states(const reversible *r, int place, evn_binding *to) {
    for (int part = 0; part < PARTS; ++part) {
        for (int i = 0; i < r->layout.count; ++i) {
            *to = part_at(r, place, part);
            to++->offset += r->layout.offset[i];
        }
    }
    return to;
}

static evn_binding *bind_step(const reversible *r, const evn__passage *passage, int step,
                              int place) {
    evn_binding *to = r->inputs;
    *to++ = evn__times_at(&r->times, step);
    *to++ = evn__times_dt(&r->times, step);
    to = bind_states(r, place, to);
    for (int i = 0; i < r->base.problem->system->parameter_count; ++i) {
        *to++ = passage->parameters[i];
    }
    return to;
}

// Forward -----------------------------------------------------------------------------------------

/// z = y, and nothing beyond their last digits.
static evn_status set_parts(const reversible *r) {
    bool fp64 = r->base.problem->options->fp64;
    size_t total = r->layout.total;
    EVN_TRY(evn__real_copy(part_at(r, 0, EVN__REVERSIBLE_Z), part_at(r, 0, EVN__REVERSIBLE_Y), fp64,
                           total));
    EVN_TRY(evn__real_zero(part_at(r, 0, EVN__REVERSIBLE_Y_LOW), fp64, total));
    return evn__real_zero(part_at(r, 0, EVN__REVERSIBLE_Z_LOW), fp64, total);
}

/// x after `step`, where it is an observation.
static evn_status observe(const reversible *r, const evn__passage *passage, int step) {
    const evn__problem *p = r->base.problem;
    int interval = evn__course_interval(p->course, step);
    if (!passage->series.buffer || step + 1 != evn__course_first(p->course, interval + 1)) {
        return EVN_OK;
    }
    evn_binding at =
        evn__scheme_place(p, passage->series, evn__course_observation(p->course, interval));
    return evn__real_copy(at, state_at(r, r->end, 0), p->options->fp64, p->observed);
}

static void report(const reversible *r, const evn__passage *passage, bool backward,
                   evn_solution *solution) {
    const evn__course *course = r->base.problem->course;
    double dt = evn__times_length(&r->times, backward ? 0 : course->intervals - 1);
    *solution = (evn_solution){.t = backward ? passage->t0 : passage->t1,
                               .dt = backward ? -dt : dt,
                               .accepted = course->steps,
                               .nfe = evn__passage_moves(passage)
                                          ? 2 * course->steps * evn__stepper_evaluations(r->stepper)
                                          : 0};
}

static evn_status go_step(reversible *r, const evn__passage *passage, int step) {
    EVN_TRY(evn__times_reach(&r->times, step));
    bind_step(r, passage, step, r->end);
    bind_states(r, !r->end, r->outputs);
    EVN_TRY(evn_plan_run(r->forward, r->inputs, r->outputs));
    r->end = !r->end;
    return EVN_OK;
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    reversible *r = (reversible *)scheme;
    r->end = 0;
    EVN_TRY(set_parts(r));
    EVN_TRY(evn__times_set(&r->times, passage->t0, passage->t1, false));
    for (int step = 0; step < scheme->problem->course->steps; ++step) {
        EVN_TRY(evn__passage_moves(passage) ? go_step(r, passage, step) : EVN_OK);
        EVN_TRY(observe(r, passage, step));
    }
    report(r, passage, false, solution);
    return EVN_OK;
}

// Backward ----------------------------------------------------------------------------------------

static evn_status undo_step(reversible *r, const evn__passage *passage, int step, int to) {
    const evn__course *course = r->base.problem->course;
    EVN_TRY(evn__times_reach(&r->times, step));
    evn_binding *in = bind_step(r, passage, step, r->first);
    in = evn__cotangents_bind_states(&r->bars, false, in);
    if (r->base.problem->options->observations > 0) {
        int interval = evn__course_interval(course, step);
        bool lands = step + 1 == evn__course_first(course, interval + 1);
        *in++ = evn__cotangents_share(&r->bars, passage->x1_bar,
                                      lands ? evn__course_observation(course, interval) : -1);
    }
    evn__cotangents_bind_parameters(&r->bars, false, in);
    evn_binding *out = bind_states(r, to, r->outputs);
    out = evn__cotangents_bind_states(&r->bars, true, out);
    out = evn__cotangents_bind_parameters(&r->bars, true, out);
    evn__time_bars_bind(r->time_bars, step, out);
    EVN_TRY(evn_plan_run(r->backward, r->inputs, r->outputs));
    r->first = to;
    r->bars.now = !r->bars.now;
    return EVN_OK;
}

/// All shares of observations, where no step takes them.
static evn_status add_shares(const reversible *r, evn_binding x1_bar) {
    const evn__problem *p = r->base.problem;
    for (int i = p->course->starts; i < evn__scheme_observations(p); ++i) {
        EVN_TRY(evn__jump_add(r->joins[0], state_bar(&r->base, 0),
                              evn__scheme_observation(p, x1_bar, i)));
    }
    return EVN_OK;
}

static evn_status undo_steps(reversible *r, const evn__passage *passage) {
    int spare = !r->end;
    for (int step = r->base.problem->course->steps - 1; step >= 0; --step) {
        EVN_TRY(undo_step(r, passage, step, spare));
        spare = SPARE + !r->end - spare;
    }
    return EVN_OK;
}

/// y and z begin as the same state: the cotangents of both are its own. That of an observed start
/// is added, too.
static evn_status join_bars(const reversible *r, const evn__passage *passage) {
    const evn__problem *p = r->base.problem;
    for (int i = 0; i < r->layout.count; ++i) {
        EVN_TRY(evn__jump_add(r->joins[i], state_bar(&r->base, i),
                              evn__cotangents_state(&r->bars, 1, i)));
    }
    return p->course->starts ? evn__jump_add(r->joins[0], state_bar(&r->base, 0), passage->x1_bar)
                             : EVN_OK;
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    reversible *r = (reversible *)scheme;
    EVN_TRY(evn__cotangents_load(&r->bars, passage));
    r->first = r->end;
    EVN_TRY(evn__passage_moves(passage) ? undo_steps(r, passage) : add_shares(r, passage->x1_bar));
    EVN_TRY(join_bars(r, passage));
    report(r, passage, true, solution);
    return evn__cotangents_deliver(&r->bars, passage->parameters_bar);
}

static evn__time_bars time_bars(const evn__scheme *scheme) {
    return ((const reversible *)scheme)->time_bars;
}

const evn__scheme_methods evn__scheme_reversible = {.create = create,
                                                    .destroy = destroy,
                                                    .begin = begin,
                                                    .end = end,
                                                    .solve = solve,
                                                    .gradient = gradient,
                                                    .state_bar = state_bar,
                                                    .time_bars = time_bars,
                                                    .reconstructed = reconstructed,
                                                    .pair = pair};
