// SPDX-License-Identifier: Apache-2.0
// Adaptive steps: attempts are enqueued, a few at a time, the device decides what becomes of them
// (control.h), and the host looks.
#include "base/clock.h"
#include "integrator/control.h"
#include "integrator/integrator_state.h"
#include "integrator/lookahead.h"
#include "integrator/stiffness.h"
#include "kernels/shared.h"
#include "methods/step.h"
#include "plan/real.h"
#include "plan/skip.h"
#include <math.h>
#include <stdlib.h>

struct evn__adaptive {
    evn_plan *start;
    evn_buffer *slopes[2]; ///< first and last stage, exchanged by each attempt and start
    int first;
    evn__control *control;
    evn__lookahead lookahead;
    bool skips;    ///< what is behind the end costs its launches alone
    bool restarts; ///< a start behind each attempt does nothing but where it is due
};

/// A solve under way.
typedef struct solve {
    evn__integrator *in;
    evn__adaptive *a;
    const evn__way *way;
    const evn_binding *parameters;
    evn__record now; ///< as last seen
    int enqueued;    ///< attempts since
    int starts;      ///< that have been enqueued, but for those that the device decides about
    int surplus, waits;
} solve;

_Static_assert((int)EVN__LOOKAHEAD_MAX <= (int)EVN__CONTROL_ATTEMPTS, "records of a look");

// Life --------------------------------------------------------------------------------------------

static evn_status compile(evn__integrator *in, const evn__system *system,
                          evn_status (*build)(const evn__system *system,
                                              const evn__stepper *stepper, evn_graph **graph),
                          evn_plan **plan) {
    evn_graph *graph = NULL;
    EVN_TRY(build(system, in->stepper, &graph));
    evn_status status = evn__integrator_compile(in, graph, plan);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status create_control(evn__integrator *in, evn__adaptive *a) {
    evn_buffer *steps = evn__plan_runs(in->step), *starts = evn__plan_runs(a->start);
    EVN_TRY(evn__control_create(in->device, &in->options, in->stepper, in->course, in->jumps,
                                &a->control));
    double launch;
    EVN_TRY(evn__control_measure(a->control, &a->lookahead.wait, &launch));
    evn__control_skip(a->control, steps, starts);
    a->restarts = in->jumps && steps && starts;
    a->skips = steps && (!in->jumps || starts);
    int launches = evn_plan_launch_count(in->step) + 1;
    launches += a->restarts ? evn_plan_launch_count(a->start) : 0;
    // What the clock cannot tell from nothing is known all the same.
    a->lookahead.surplus = a->skips ? fmax(launches * launch, 1e-9) : 0;
    return EVN_OK;
}

evn_status evn__adaptive_create(evn__integrator *in, const evn__system *system) {
    EVN_TRY(EVN_NEW(&in->adaptive, 1));
    evn__adaptive *a = in->adaptive;
    EVN_TRY(compile(in, system, evn__adaptive_step_graph, &in->step));
    EVN_TRY(compile(in, system, evn__start_graph, &a->start));
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn__real_create_for(in->device, EVN__USE_STATES, in->options.fp64,
                                     in->slope_layout.total, &a->slopes[i]));
    }
    return create_control(in, a);
}

void evn__adaptive_destroy(evn__adaptive **adaptive) {
    evn__adaptive *a = *adaptive;
    if (!a) {
        return;
    }
    evn_plan_destroy(&a->start);
    for (int i = 0; i < 2; ++i) {
        evn_buffer_destroy(&a->slopes[i]);
    }
    evn__control_destroy(&a->control);
    free(a);
    *adaptive = NULL;
}

// What is enqueued --------------------------------------------------------------------------------

static evn_binding *bind_slopes(const solve *s, int which, evn_binding *to) {
    return evn__layout_bind(&s->in->slope_layout, s->a->slopes[which], to);
}

/// States and parameters.
static evn_binding *bind_state(const solve *s, evn_binding *to) {
    to = evn__integrator_bind_states(s->in, s->in->now, to);
    return evn__integrator_bind_parameters(s->in, s->parameters, to);
}

static evn_binding *bind_tolerances(const solve *s, evn_binding *to) {
    *to++ = evn__control_limit(s->a->control, EVN_CONTROL_RTOL);
    *to++ = evn__control_limit(s->a->control, EVN_CONTROL_ATOL);
    return to;
}

/// A multi-step method's history begins with a start, whatever was in its place.
static void bind_history(const solve *s, evn_binding *states, evn_binding *to) {
    int schedule = s->in->layout.count - 1;
    if (evn__stepper_past(s->in->stepper) > 0) {
        states[schedule] = (evn_binding){s->in->history.begin, 0}; // which nobody reads
        *to = evn__integrator_state(s->in, schedule);
    }
}

/// Slopes at a time, and a first step.
static evn_status start(solve *s, evn_binding t) {
    evn_binding *inputs = s->in->inputs, *outputs = s->in->outputs;
    inputs[0] = t;
    inputs[1] = evn__control_limit(s->a->control, EVN_CONTROL_SPAN);
    bind_tolerances(s, bind_state(s, inputs + 2));
    outputs = bind_slopes(s, s->a->first, outputs);
    *outputs++ = evn__control_result(s->a->control);
    bind_history(s, inputs + 2, outputs);
    return evn_plan_run(s->a->start, inputs, s->in->outputs);
}

static evn__decided decided(const solve *s) {
    const evn__integrator *in = s->in;
    const evn__adaptive *a = s->a;
    evn__decided d = {.x = {in->state[in->now], 0},
                      .x_next = {in->state[!in->now], 0},
                      .x_count = in->layout.total,
                      .slopes = {a->slopes[a->first], 0},
                      .slopes_next = {a->slopes[!a->first], 0},
                      .slopes_count = in->slope_layout.total,
                      .series = s->way->series,
                      .observed = s->way->series.buffer ? evn__integrator_observed(in, s->way) : 0,
                      .jump = in->layout.offset[s->way->jumps]};
    d.series.offset += (size_t)evn__course_observation(in->course, 0) * d.observed;
    return d;
}

/// Try one step, whose operands go to a slot of the stack.
static evn_status attempt(solve *s, int slot) {
    evn__integrator *in = s->in;
    evn__adaptive *a = s->a;
    in->inputs[0] = evn__control_now(a->control, EVN_CONTROL_SEEN);
    in->inputs[1] = evn__control_now(a->control, EVN_CONTROL_DT);
    bind_tolerances(s, bind_slopes(s, a->first, bind_state(s, in->inputs + 2)));
    evn_binding *rest = evn__integrator_bind_states(in, !in->now, in->outputs);
    rest = bind_slopes(s, !a->first, rest);
    *rest++ = evn__control_result(a->control);
    rest = evn__integrator_bind_pairs(in, slot, rest);
    *rest = evn__control_doubt(a->control); // of a method that has equations to solve
    EVN_TRY(evn_plan_run(in->step, in->inputs, in->outputs));
    const evn__decided d = decided(s);
    EVN_TRY(evn__control_settle(a->control, &d));
    in->now = !in->now;
    a->first = !a->first;
    s->enqueued++;
    return a->restarts ? start(s, evn__control_now(a->control, EVN_CONTROL_T)) : EVN_OK;
}

// How much is enqueued ----------------------------------------------------------------------------

/// The rest of the way over the next step; an interval takes one at least.
static double fits(const solve *s) {
    int last = s->in->course->intervals - 1;
    double steps = fabs((evn__control_end(s->a->control, last) - s->now.t) / s->now.wanted);
    return fmax(steps, last - s->now.interval + 1);
}

static int choose_attempts(const solve *s) {
    const evn__integrator *in = s->in;
    int room = in->batched ? in->max_stacked - in->stacked : EVN__LOOKAHEAD_MAX;
    int made = s->now.accepted + s->now.rejected;
    if (in->jumps && !s->a->restarts) {
        return 1; // the host has to see where a new start is due
    }
    int count = evn__lookahead_choose(&s->a->lookahead, made, s->waits > 0 ? fits(s) : 0);
    return count < room ? count : room;
}

static evn_status enqueue(solve *s) {
    int count = choose_attempts(s), slot = s->in->stacked;
    if (s->now.starts > s->starts && !s->a->restarts) {
        s->starts = s->now.starts;
        EVN_TRY(start(s, evn__control_now(s->a->control, EVN_CONTROL_T)));
    }
    for (s->enqueued = 0; s->enqueued < count;) {
        EVN_TRY(attempt(s, slot++));
    }
    return EVN_OK;
}

// Looking -----------------------------------------------------------------------------------------

/// The operands of attempts that count move together, as if the others had not been made.
static evn_status keep_pairs(solve *s, int slot) {
    evn__integrator *in = s->in;
    if (in->batched && slot != in->stacked) {
        EVN_TRY(evn__weight_gradient_move(in->batched, slot, in->stacked));
    }
    return evn__integrator_keep_pairs(in);
}

/// The attempt after a record was accepted.
static evn_status keep_step(const solve *s, const evn__record *before, const evn__record *after) {
    bool lands = after->interval != before->interval || after->status == EVN_CONTROL_DONE;
    int last = s->in->course->intervals - 1;
    int interval = s->way->backward ? last - before->interval : before->interval;
    return evn__trail_add(&s->in->trail, before->seen, before->dt,
                          lands ? evn__course_observation(s->in->course, interval) : -1);
}

static evn_status take_records(solve *s, const evn__record *records) {
    int first = s->in->stacked;
    for (int i = 1; i <= s->enqueued; ++i) {
        s->surplus += records[i].took == EVN_CONTROL_NOTHING;
        if (records[i].took == EVN_CONTROL_ACCEPT) {
            EVN_TRY(keep_pairs(s, first + i - 1));
            EVN_TRY(keep_step(s, &records[i - 1], &records[i]));
        }
    }
    s->now = records[s->enqueued];
    return EVN_OK;
}

/// What an attempt costs is known from those that a look has waited for. The first look of a solve
/// waits for what was enqueued before it, too.
static void note_time(solve *s, double seconds) {
    evn__lookahead *l = &s->a->lookahead;
    double one = (seconds - l->wait) / s->enqueued;
    if (!s->a->skips && s->waits > 1 && one > 0) {
        l->surplus = l->surplus > 0 ? fmin(l->surplus, one) : one;
    }
}

static evn_status look(solve *s, double begun) {
    evn__record records[EVN__CONTROL_ATTEMPTS + 1];
    int count;
    EVN_TRY(evn__control_look(s->a->control, records, &count));
    ++s->waits;
    note_time(s, evn__now() - begun);
    return take_records(s, records);
}

// Stiffness ---------------------------------------------------------------------------------------

/// Components of a state, or of slopes, one after the other; a history is none of these.
static evn_status read_vector(const solve *s, evn_buffer *from, const evn__layout *layout,
                              double *x) {
    for (int i = 0; i < s->in->states; ++i) {
        evn_binding at = {from, layout->offset[i]};
        EVN_TRY(evn__real_read(at, s->in->options.fp64, x, layout->size[i]));
        x += layout->size[i];
    }
    return EVN_OK;
}

/// f by the plan of starts, at the time of the last look but one, which is near enough. The memory
/// of the state is free: after a solve that failed, or that of the state before the last.
static evn_status slope_at(void *self, const double *x, double *slope) {
    solve *s = self;
    const evn__layout *layout = &s->in->layout;
    for (int i = 0; i < s->in->states; ++i) {
        EVN_TRY(evn__real_write(evn__integrator_state(s->in, i), s->in->options.fp64, x,
                                layout->size[i]));
        x += layout->size[i];
    }
    EVN_TRY(start(s, evn__control_now(s->a->control, EVN_CONTROL_T)));
    return read_vector(s, s->a->slopes[s->a->first], &s->in->slope_layout, slope);
}

/// Whether something decays so fast that steps are about as long as stability allows, at the state
/// in a buffer.
static evn_status find_decay(solve *s, evn_buffer *from, double dt, double *decay) {
    evn__integrator *in = s->in;
    evn__slope f = {.self = s, .at = slope_at, .rows = 1, .fp64 = in->options.fp64};
    double *x = NULL;
    for (int i = 0; i < in->states; ++i) {
        f.count += in->layout.size[i];
    }
    EVN_TRY(evn__control_let_start(s->a->control));
    EVN_TRY(EVN_NEW(&x, f.count));
    evn_status status = read_vector(s, from, &in->layout, x);
    if (status == EVN_OK) {
        status = evn__stiffness_find(&f, in->stepper, x, &dt, decay);
    }
    free(x);
    return status;
}

/// After so many attempts the evaluations of a search are a few thousandths of all, and the solve
/// is worth one; its end stays where it is. Backwards the dynamics are the adjoint's, all weights
/// among them.
static evn_status find_decay_at_end(solve *s, double *decay) {
    enum { ENOUGH = 1000 };
    evn__integrator *in = s->in;
    if (s->now.accepted + s->now.rejected < ENOUGH || s->way->backward ||
        evn__stepper_is_implicit(in->stepper)) {
        return EVN_OK;
    }
    evn_buffer *end = in->state[in->now];
    in->now = !in->now;
    evn_status status = find_decay(s, end, s->now.dt, decay);
    in->now = !in->now;
    return status;
}

// Equations ---------------------------------------------------------------------------------------

/// A step that is too small says so where it was shortened because its equations were not solved.
/// Attempts behind the end, where they are not left out, make the last one again.
static evn_status find_unsolved(const solve *s, evn_outcome *outcome) {
    const evn__integrator *in = s->in;
    double doubt = 0;
    if (*outcome != EVN_OUTCOME_STEP_TOO_SMALL || !evn__stepper_is_implicit(in->stepper) ||
        s->now.rejected == 0) {
        return EVN_OK;
    }
    EVN_TRY(evn__real_read(evn__control_doubt(s->a->control), in->options.fp64, &doubt, 1));
    *outcome = doubt <= 1 ? *outcome : EVN_OUTCOME_NEWTON_FAILED;
    return EVN_OK;
}

// A solve -----------------------------------------------------------------------------------------

/// Why there is no next step, with what is known of the whole way.
static evn_status fail(const solve *s, const evn_solution *solution) {
    const evn__control *control = s->a->control;
    const evn__rest *rest = s->way->rest;
    evn_solution all = *solution;
    int interval = s->now.interval;
    double begin = interval > 0       ? evn__control_end(control, interval - 1)
                   : s->way->backward ? s->way->t1
                                      : s->way->t0;
    double last = evn__control_end(control, s->in->course->intervals - 1);
    all.accepted += rest ? rest->accepted : 0;
    all.rejected += rest ? rest->rejected : 0;
    return evn__outcome_fail(&s->in->options, &all, begin, evn__control_end(control, interval),
                             rest ? rest->end : last, s->now.wanted, s->way->backward);
}

static evn_status finish(solve *s, evn_solution *solution) {
    const evn__record *now = &s->now;
    int attempts = now->accepted + now->rejected;
    int each = evn__stepper_adaptive_evaluations(s->in->stepper);
    bool done = now->status == EVN_CONTROL_DONE;
    *solution = (evn_solution){.outcome = evn__outcome_of(now->status),
                               .t = done ? evn__control_end(s->a->control, now->interval) : now->t,
                               .dt = now->dt,
                               .accepted = now->accepted,
                               .rejected = now->rejected,
                               .nfe = 2 * now->starts + each * attempts,
                               .surplus = s->surplus,
                               .waits = s->waits};
    if (done) {
        evn__lookahead_add(&s->a->lookahead, attempts);
        return find_decay_at_end(s, &solution->decay);
    }
    EVN_TRY(find_unsolved(s, &solution->outcome));
    EVN_TRY(evn__outcome_may_be_stiff(solution->outcome)
                ? find_decay(s, s->in->state[s->in->now], now->dt, &solution->decay)
                : EVN_OK);
    return fail(s, solution);
}

static evn_status begin(solve *s) {
    evn__adaptive *a = s->a;
    s->starts = 1;
    const evn__rest *rest = s->way->rest;
    EVN_TRY(evn__control_set(a->control, s->way->t0, s->way->t1, s->way->backward,
                             rest ? rest->accepted + rest->rejected : 0));
    EVN_TRY(start(s, evn__control_limit(a->control, EVN_CONTROL_T0)));
    return evn__control_begin(a->control);
}

evn_status evn__integrate_adaptively(evn__integrator *in, const evn__way *way,
                                     const evn_binding *parameters, evn_solution *solution) {
    solve s = {.in = in, .a = in->adaptive, .way = way, .parameters = parameters};
    *solution = (evn_solution){0};
    EVN_TRY(begin(&s));
    do {
        double begun = evn__now();
        EVN_TRY(enqueue(&s));
        EVN_TRY(look(&s, begun));
    } while (s.now.status == EVN_CONTROL_RUNNING);
    return finish(&s, solution);
}
