// SPDX-License-Identifier: Apache-2.0
// Adaptive steps: attempts are enqueued, a few at a time, the device decides what becomes of them
// (control.h), and the host looks.
#include "base/clock.h"
#include "kernels/shared.h"
#include "ode/control.h"
#include "ode/integrator_state.h"
#include "ode/lookahead.h"
#include "ode/step.h"
#include "plan/real.h"
#include "plan/skip.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct evn__adaptive {
    evn_plan *start;
    evn_buffer *slopes[2]; ///< first and last stage, exchanged by each attempt and start
    int first;
    evn__control *control;
    evn__lookahead lookahead;
    bool skips;    ///< what is behind the end costs its launches alone
    double launch; ///< seconds, as measured
    int *attempts; ///< [intervals] of this solve,
    int *last;     ///< and of the last one
    bool known;    ///< there was one,
    bool steady;   ///< and the one before it took as many
};

/// A solve under way.
typedef struct solve {
    evn__integrator *in;
    evn__adaptive *a;
    const evn__way *way;
    const evn_binding *parameters;
    evn__record now;                              ///< as last seen
    bool is_attempt[EVN__CONTROL_OPERATIONS + 1]; ///< what made the records since
    int operations, enqueued;                     ///< since; attempts among them
    int surplus, waits;
} solve;

// Life --------------------------------------------------------------------------------------------

static evn_status compile(evn__integrator *in, const evn__system *system,
                          evn_status (*build)(const evn__system *system,
                                              const evn__tableau *tableau, evn_graph **graph),
                          evn_plan **plan) {
    evn_graph *graph = NULL;
    EVN_TRY(build(system, in->tableau, &graph));
    evn_status status = evn__integrator_compile(in, graph, plan);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status create_control(evn__integrator *in, evn__adaptive *a) {
    evn_buffer *steps = evn__plan_runs(in->step), *starts = evn__plan_runs(a->start);
    EVN_TRY(evn__control_create(in->device, &in->options, in->tableau, in->course, in->jumps,
                                &a->control));
    EVN_TRY(evn__control_measure(a->control, &a->lookahead.wait, &a->launch));
    evn__control_skip(a->control, steps, starts);
    a->skips = steps != NULL;
    a->lookahead.surplus = a->skips ? (evn_plan_launch_count(in->step) + 1) * a->launch : 0;
    return EVN_OK;
}

evn_status evn__adaptive_create(evn__integrator *in, const evn__system *system) {
    EVN_TRY(EVN_NEW(&in->adaptive, 1));
    evn__adaptive *a = in->adaptive;
    EVN_TRY(compile(in, system, evn__adaptive_step_graph, &in->step));
    EVN_TRY(compile(in, system, evn__start_graph, &a->start));
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(
            evn__real_create(in->device, in->options.fp64, in->slope_layout.total, &a->slopes[i]));
    }
    EVN_TRY(EVN_NEW(&a->attempts, in->course->intervals));
    EVN_TRY(EVN_NEW(&a->last, in->course->intervals));
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
    free(a->attempts);
    free(a->last);
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

/// Slopes at a time, to slopes[which], and a first step.
static evn_status start(solve *s, evn_binding t, int which) {
    evn_binding *inputs = s->in->inputs, *outputs = s->in->outputs;
    inputs[0] = t;
    inputs[1] = evn__control_limit(s->a->control, EVN_CONTROL_SPAN);
    bind_tolerances(s, bind_state(s, inputs + 2));
    *bind_slopes(s, which, outputs) = evn__control_result(s->a->control);
    return evn_plan_run(s->a->start, inputs, outputs);
}

static evn__decided decided(const solve *s) {
    const evn__integrator *in = s->in;
    const evn__adaptive *a = s->a;
    bool observes = s->way->series.buffer && !s->way->backward;
    evn__decided d = {.x = {in->state[in->now], 0},
                      .x_next = {in->state[!in->now], 0},
                      .x_count = in->layout.total,
                      .slopes = {a->slopes[a->first], 0},
                      .slopes_next = {a->slopes[!a->first], 0},
                      .slopes_count = in->slope_layout.total,
                      .series = s->way->series,
                      .observed = observes ? in->layout.size[0] : 0};
    d.series.offset += (size_t)evn__course_observation(in->course, 0) * d.observed;
    return d;
}

/// Try one step, whose operands go to a slot of the stack.
static evn_status attempt(solve *s, int slot) {
    evn__integrator *in = s->in;
    evn__adaptive *a = s->a;
    in->inputs[0] = evn__control_now(a->control, EVN_CONTROL_T);
    in->inputs[1] = evn__control_now(a->control, EVN_CONTROL_DT);
    bind_tolerances(s, bind_slopes(s, a->first, bind_state(s, in->inputs + 2)));
    evn_binding *rest = evn__integrator_bind_states(in, !in->now, in->outputs);
    rest = bind_slopes(s, !a->first, rest);
    *rest++ = evn__control_result(a->control);
    evn__integrator_bind_pairs(in, slot, rest);
    EVN_TRY(evn_plan_run(in->step, in->inputs, in->outputs));
    const evn__decided d = decided(s);
    EVN_TRY(evn__control_settle(a->control, &d));
    in->now = !in->now;
    a->first = !a->first;
    s->is_attempt[++s->operations] = true;
    s->enqueued++;
    return EVN_OK;
}

/// From the end of an interval on: add what belongs there, and start again.
static evn_status go_on(solve *s, int interval) {
    evn__integrator *in = s->in;
    evn__adaptive *a = s->a;
    int own = in->course->intervals - 1 - interval; // in the order of the course
    size_t count = in->layout.size[0];
    evn_binding share = s->way->series;
    share.offset += (size_t)evn__course_observation(in->course, own - 1) * count;
    EVN_TRY(evn__control_jump(a->control, interval, evn__integrator_state(in, s->way->jumps), share,
                              count));
    EVN_TRY(start(s, evn__control_now(a->control, EVN_CONTROL_T), !a->first));
    const evn__decided d = decided(s);
    EVN_TRY(evn__control_restart(a->control, interval, &d));
    a->first = !a->first;
    s->is_attempt[++s->operations] = false;
    return EVN_OK;
}

// How much is enqueued ----------------------------------------------------------------------------

/// Whether it is known what each interval will take.
static bool foresees(const evn__adaptive *a) {
    return a->known && (a->steady || evn__lookahead_is_cheap(&a->lookahead));
}

/// The rest of the way, or with jumps of the interval, over the next step.
static double fits(const solve *s) {
    const evn__course *course = s->in->course;
    int last = s->in->jumps ? s->now.interval : course->intervals - 1;
    double steps = fabs((evn__control_end(s->a->control, last) - s->now.t) / s->now.wanted);
    return fmax(steps, last - s->now.interval + 1);
}

static int choose_attempts(const solve *s, bool first) {
    const evn__integrator *in = s->in;
    int room = in->batched ? in->max_stacked - in->stacked : EVN__LOOKAHEAD_MAX;
    int count = EVN__LOOKAHEAD_MAX;
    double known = first ? 0 : fits(s);
    if (!in->jumps) {
        int made = s->now.accepted + s->now.rejected;
        count = evn__lookahead_choose(&s->a->lookahead, made, known);
    } else if (!foresees(s->a)) {
        count = evn__lookahead_guess(&s->a->lookahead, known);
    }
    return count < room ? count : room;
}

static evn_status enqueue(solve *s, bool first) {
    int count = choose_attempts(s, first), slot = s->in->stacked;
    int interval = s->now.interval, made = s->now.attempts, last = s->in->course->intervals - 1;
    bool landed = s->now.status == EVN_CONTROL_LANDED, knows = s->in->jumps && foresees(s->a);
    s->operations = s->enqueued = 0;
    while (s->enqueued < count && !(knows && landed && interval == last)) {
        if (landed) {
            EVN_TRY(go_on(s, interval++));
            made = 0;
        }
        EVN_TRY(attempt(s, slot++));
        landed = knows && ++made >= s->a->last[interval];
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

static evn_status take_records(solve *s, const evn__record *records) {
    int slot = s->in->stacked;
    for (int i = 1; i <= s->operations; ++i) {
        if (!s->is_attempt[i]) {
            continue;
        }
        s->surplus += records[i].took == EVN_CONTROL_NOTHING;
        s->a->attempts[records[i - 1].interval] += records[i].took != EVN_CONTROL_NOTHING;
        if (records[i].took == EVN_CONTROL_ACCEPT) {
            EVN_TRY(keep_pairs(s, slot));
        }
        ++slot;
    }
    s->now = records[s->operations];
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
    evn__record records[EVN__CONTROL_OPERATIONS + 1];
    int count;
    EVN_TRY(evn__control_look(s->a->control, records, &count));
    ++s->waits;
    note_time(s, evn__now() - begun);
    return take_records(s, records);
}

// A solve -----------------------------------------------------------------------------------------

static evn_outcome outcome_of(int status) {
    switch (status) {
    case EVN_CONTROL_TOO_SMALL:
        return EVN_OUTCOME_STEP_TOO_SMALL;
    case EVN_CONTROL_TOO_MANY:
        return EVN_OUTCOME_TOO_MANY_STEPS;
    case EVN_CONTROL_NOT_FINITE:
        return EVN_OUTCOME_NOT_FINITE;
    default:
        return EVN_OUTCOME_DONE;
    }
}

/// What this solve took is what the next one will be expected to take.
static void remember(solve *s) {
    evn__adaptive *a = s->a;
    size_t bytes = sizeof(int) * (size_t)s->in->course->intervals;
    a->steady = a->known && memcmp(a->attempts, a->last, bytes) == 0;
    memcpy(a->last, a->attempts, bytes);
    a->known = true;
    evn__lookahead_add(&a->lookahead, s->now.accepted + s->now.rejected);
}

static evn_status finish(solve *s, evn_solution *solution) {
    const evn__record *now = &s->now;
    const evn__control *control = s->a->control;
    int interval = now->interval, attempts = now->accepted + now->rejected;
    bool done = now->status == EVN_CONTROL_DONE;
    double end = evn__control_end(control, interval);
    *solution = (evn_solution){.outcome = outcome_of(now->status),
                               .t = done ? end : now->t,
                               .dt = now->dt,
                               .accepted = now->accepted,
                               .rejected = now->rejected,
                               .nfe = 2 * now->starts + (s->in->tableau->stages - 1) * attempts,
                               .surplus = s->surplus,
                               .waits = s->waits};
    if (done) {
        remember(s);
        return EVN_OK;
    }
    double begin = interval > 0       ? evn__control_end(control, interval - 1)
                   : s->way->backward ? s->way->t1
                                      : s->way->t0;
    return evn__outcome_fail(&s->in->options, solution, begin, end, now->wanted);
}

static evn_status begin(solve *s) {
    evn__adaptive *a = s->a;
    memset(a->attempts, 0, sizeof(int) * (size_t)s->in->course->intervals);
    EVN_TRY(evn__control_set(a->control, s->way->t0, s->way->t1, s->way->backward));
    EVN_TRY(start(s, evn__control_limit(a->control, EVN_CONTROL_T0), a->first));
    return evn__control_begin(a->control);
}

evn_status evn__integrate_adaptively(evn__integrator *in, const evn__way *way,
                                     const evn_binding *parameters, evn_solution *solution) {
    solve s = {.in = in, .a = in->adaptive, .way = way, .parameters = parameters};
    EVN_TRY(begin(&s));
    do {
        double begun = evn__now();
        EVN_TRY(enqueue(&s, s.waits == 0));
        EVN_TRY(look(&s, begun));
    } while (s.now.status == EVN_CONTROL_RUNNING || s.now.status == EVN_CONTROL_LANDED);
    return finish(&s, solution);
}
