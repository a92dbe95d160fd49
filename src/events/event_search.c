// SPDX-License-Identifier: Apache-2.0
#include "events/event_search.h"

#include "base/memory.h"
#include "events/event_row.h"
#include "events/event_steps.h"
#include "host/counting.h"
#include "integrator/integrator.h"
#include "integrator/outcome.h"
#include "integrator/stiffness.h"
#include "integrator/trail.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct evn__event_search {
    const evn__problem *problem;
    evn__event_rules rules;
    int samples; ///< that count: where there is one, there are more rows
    evn__event_steps steps;
    evn__event_row *row; ///< [rows]
    evn__trail *trails;  ///< [rows], of accepted steps
    double *decay;       ///< [rows], as evn_solution has it
    int waits;
    evn__event_list found;
    evn__event_observations observations;
};

// Life --------------------------------------------------------------------------------------------

static evn_status create(evn__event_search *s, const evn__event_system *system,
                         const evn_event *events) {
    const evn_solver_options *o = s->problem->options;
    EVN_TRY(evn__event_steps_create(s->problem, system, &s->steps));
    size_t total = evn__event_steps_row_total(&s->steps);
    size_t size = s->steps.layout.size[0] / (size_t)s->steps.rows;
    s->rules = (evn__event_rules){
        .steps = evn__step_rules_of(o, system->stepper), .events = events, .count = system->count};
    s->samples = o->per_sample ? (int)evn__system_state_shape(s->problem->system, 0).dim[0] : 1;
    EVN_TRY(EVN_NEW(&s->row, s->steps.rows));
    EVN_TRY(EVN_NEW(&s->trails, s->steps.rows));
    EVN_TRY(EVN_NEW(&s->decay, s->steps.rows));
    for (int i = 0; i < s->steps.rows; ++i) {
        EVN_TRY(evn__event_row_create(&s->row[i], o));
    }
    return evn__event_observations_create(s->problem, s->samples, size, total, &s->observations);
}

evn_status evn__event_search_create(const evn__problem *problem, const evn__event_system *system,
                                    const evn_event *events, evn__event_search **search) {
    EVN_TRY(EVN_NEW(search, 1));
    (*search)->problem = problem;
    evn_status status = create(*search, system, events);
    if (status != EVN_OK) {
        evn__event_search_destroy(search);
    }
    return status;
}

void evn__event_search_destroy(evn__event_search **search) {
    evn__event_search *s = *search;
    if (!s) {
        return;
    }
    evn__event_list_free(&s->found);
    evn__event_observations_free(&s->observations);
    for (int i = 0; i < s->steps.rows; ++i) {
        if (s->row) {
            evn__event_row_free(&s->row[i]);
        }
        if (s->trails) {
            evn__trail_free(&s->trails[i]);
        }
    }
    evn__event_steps_free(&s->steps);
    free(s->row);
    free(s->trails);
    free(s->decay);
    free(s);
    *search = NULL;
}

evn_binding evn__event_search_state(const evn__event_search *s, int index) {
    return evn__event_steps_state(&s->steps, index);
}

// What was found ----------------------------------------------------------------------------------

/// The observations of a sample from `begin` up to `end`, on its way, are of these states.
static evn_status observe(evn__event_search *s, evn_buffer *states, int row, int begin, int end) {
    size_t total = evn__event_steps_row_total(&s->steps);
    bool finite = true;
    if (begin >= end) {
        return EVN_OK;
    }
    double *x = evn__event_observations_at(&s->observations, row, begin)->x;
    EVN_TRY(evn__event_steps_read_row(&s->steps, states, row, x));
    for (int i = begin + 1; i < end; ++i) {
        memcpy(evn__event_observations_at(&s->observations, row, i)->x, x, sizeof(*x) * total);
    }
    for (size_t i = 0; i < total; ++i) {
        finite = finite && isfinite(x[i]);
    }
    if (!finite) {
        evn__event_row_refuse(&s->row[row], begin);
    }
    return EVN_OK;
}

static evn_status add_found(evn__event_search *s, int row, double t) {
    double *x = NULL;
    if (row >= s->samples) {
        return EVN_OK;
    }
    size_t total = evn__event_steps_row_total(&s->steps);
    EVN_TRY(evn__event_list_add(&s->found, row, s->row[row].noted, t, total, &x));
    return evn__event_steps_read_row(&s->steps, s->steps.tried, row, x);
}

/// One that has ended.
static void close_row(evn__event_search *s, int row) {
    const evn__event_row *r = &s->row[row];
    if (!r->attempt && !evn__event_row_crosses(r)) {
        evn__event_list_close(&s->found, row, r->t0, evn__event_row_time(r),
                              evn__event_search_terminal(s, row), r->step.width);
    }
}

// A search ----------------------------------------------------------------------------------------

/// The sample that a row is of: a second one is there only to be many.
static int sample_of(const evn__event_search *s, int row) {
    return row < s->samples ? row : 0;
}

static double *number(const evn__event_search *s, int which, int row) {
    return evn__event_steps_time(&s->steps, which, row);
}

/// As the rows are laid.
static void set_start(const evn__event_search *s, int row) {
    const evn__event_row *r = &s->row[row];
    *number(s, EVN__EVENT_T, row) = *number(s, EVN__EVENT_END, row) = r->control.t;
    *number(s, EVN__EVENT_DT, row) = evn__event_row_span(r, &s->rules);
}

static evn_status begin(evn__event_search *s, const evn__passage *passage) {
    double t0, t1;
    for (int row = 0; row < s->steps.rows; ++row) {
        evn__passage_ends(passage, sample_of(s, row), &t0, &t1);
        evn__event_row_lay(&s->row[row], &s->rules, t0, t1);
        set_start(s, row);
        s->trails[row].count = 0;
    }
    EVN_TRY(evn__event_steps_start(&s->steps, passage));
    for (int row = 0; row < s->steps.rows; ++row) {
        evn__event_row_begin(&s->row[row], &s->rules, evn__event_steps_values(&s->steps, row),
                             evn__event_steps_rates(&s->steps, row),
                             evn__event_steps_first(&s->steps, row));
    }
    return EVN_OK;
}

/// What is observed at t0; the rows know of the rest.
static evn_status observe_start(evn__event_search *s, const evn__passage *passage) {
    evn__event_observations *o = &s->observations;
    evn__event_observations_begin(o, passage);
    for (int i = 0; i < s->samples && o->count > 0; ++i) {
        double *times = o->times + (size_t)i * (size_t)o->count;
        EVN_TRY(observe(s, s->steps.state[s->steps.now], i, 0, o->starts[i]));
        evn__event_row_observe(&s->row[i], &s->rules, times + o->starts[i],
                               o->count - o->starts[i]);
    }
    return EVN_OK;
}

/// What is left is where each sample has ended.
static evn_status observe_end(evn__event_search *s) {
    const evn__event_observations *o = &s->observations;
    for (int i = 0; i < s->samples; ++i) {
        int begin = o->starts[i] + s->row[i].observed;
        EVN_TRY(observe(s, s->steps.state[s->steps.now], i, begin, o->count));
        bool failed = s->row[i].odd >= 0;
        for (int k = o->starts[i]; k < o->count && !failed; ++k) {
            double t0 = s->row[i].t0, t = evn__event_row_time(&s->row[i]);
            evn__event_observation *one = evn__event_observations_at(o, i, k);
            one->t = fabs(one->t - t0) < fabs(t - t0) ? one->t : t;
        }
    }
    return evn__event_observations_write(o);
}

/// The next attempt of each row; false: none needs any.
static bool set_times(evn__event_search *s) {
    bool goes = false;
    for (int i = 0; i < s->steps.rows; ++i) {
        const evn__event_row *row = &s->row[i];
        bool ended = !row->attempt;
        *number(s, EVN__EVENT_T, i) = ended ? row->control.t : row->control.seen;
        *number(s, EVN__EVENT_DT, i) = ended ? 0 : row->dt;
        *number(s, EVN__EVENT_END, i) = ended ? row->control.t : evn__event_row_end(row);
        goes = goes || !ended;
    }
    return goes;
}

/// A row that is about to end for too small a step ends because its equations were not solved.
static void doubt(const evn__event_search *s, int row) {
    evn__event_row *r = &s->row[row];
    bool doubts = evn__event_steps_doubts(&s->steps);
    bool small = !r->attempt && r->outcome == EVN_OUTCOME_STEP_TOO_SMALL;
    if (small && doubts && !(evn__event_steps_doubt(&s->steps, row) <= 1)) {
        r->outcome = EVN_OUTCOME_NEWTON_FAILED;
    }
}

/// The last ones that its row has taken, so many, are of what was tried.
static evn_status observe_tried(evn__event_search *s, int row, int count) {
    int end = s->observations.starts[row] + s->row[row].observed;
    return observe(s, s->steps.tried, row, end - count, end);
}

static evn_status judge(evn__event_search *s, int row) {
    evn__event_row *r = &s->row[row];
    const double *e = evn__event_steps_values(&s->steps, row);
    double error = evn__event_steps_error(&s->steps, row);
    double t = evn__event_row_end(r);
    *number(s, EVN__EVENT_ACCEPT, row) = 0;
    if (!r->attempt) {
        return EVN_OK;
    }
    double from = r->control.t, dt = r->dt;
    const evn__event_verdict verdict = evn__event_row_take(r, &s->rules, error, e);
    EVN_TRY(verdict.accepts ? evn__trail_add(&s->trails[row], from, dt, -1) : EVN_OK);
    doubt(s, row);
    *number(s, EVN__EVENT_ACCEPT, row) = verdict.accepts;
    evn__event_list_drop(&s->found, row, verdict.drops);
    EVN_TRY(verdict.notes ? add_found(s, row, t) : EVN_OK);
    EVN_TRY(row < s->samples ? observe_tried(s, row, verdict.observes) : EVN_OK);
    close_row(s, row);
    return EVN_OK;
}

static evn_status judge_all(evn__event_search *s) {
    bool accepts = false;
    for (int row = 0; row < s->steps.rows; ++row) {
        EVN_TRY(judge(s, row));
        accepts = accepts || *number(s, EVN__EVENT_ACCEPT, row) > 0;
    }
    return accepts ? evn__event_steps_choose(&s->steps) : EVN_OK;
}

// Jumps of f --------------------------------------------------------------------------------------

/// Rows that have come to a jump are where the next part begins; false: none has.
static evn_status step_over(evn__event_search *s, bool *any) {
    *any = false;
    for (int row = 0; row < s->steps.rows; ++row) {
        evn__event_row *r = &s->row[row];
        bool crosses = evn__event_row_crosses(r);
        int count = crosses ? evn__event_row_cross(r) : 0;
        int end = row < s->samples ? s->observations.starts[row] + r->observed : 0;
        EVN_TRY(row < s->samples ? observe(s, s->steps.state[s->steps.now], row, end - count, end)
                                 : EVN_OK);
        crosses = crosses && r->odd < 0; // what was observed may have ended it
        set_start(s, row);
        *number(s, EVN__EVENT_DT, row) *= crosses;
        *number(s, EVN__EVENT_ACCEPT, row) = crosses;
        *any = *any || crosses;
    }
    return EVN_OK;
}

/// Until none stands before one: a part may be too short for a step.
static evn_status cross(evn__event_search *s, const evn__passage *passage) {
    bool any = false;
    EVN_TRY(step_over(s, &any));
    while (any && !evn__device_is_counting(s->problem->device)) {
        EVN_TRY(evn__event_steps_start_again(&s->steps, passage));
        for (int row = 0; row < s->steps.rows; ++row) {
            if (*number(s, EVN__EVENT_ACCEPT, row) > 0) {
                evn__event_row_begin_again(
                    &s->row[row], &s->rules, evn__event_steps_values(&s->steps, row),
                    evn__event_steps_rates(&s->steps, row), evn__event_steps_first(&s->steps, row));
                close_row(s, row);
            }
        }
        ++s->waits;
        EVN_TRY(step_over(s, &any));
    }
    return EVN_OK;
}

// Stiffness ---------------------------------------------------------------------------------------

/// f of all rows where they stand, for evn__stiffness_find. States are one after the other, where
/// there are several in one row.
typedef struct standing {
    evn__event_search *search;
    const evn__passage *passage;
    double *x, *dt;
} standing;

static evn_status read_states(const evn__event_search *s, evn_buffer *from, double *x) {
    for (int i = 0; i < s->steps.layout.count; ++i) {
        EVN_TRY(evn__real_read((evn_binding){from, s->steps.layout.offset[i]}, s->steps.fp64, x,
                               s->steps.layout.size[i]));
        x += s->steps.layout.size[i];
    }
    return EVN_OK;
}

static evn_status write_states(const evn__event_search *s, const double *x) {
    for (int i = 0; i < s->steps.layout.count; ++i) {
        EVN_TRY(evn__real_write(evn__event_search_state(s, i), s->steps.fp64, x,
                                s->steps.layout.size[i]));
        x += s->steps.layout.size[i];
    }
    return EVN_OK;
}

static evn_status slope_at(void *self, const double *x, double *slope) {
    const standing *at = self;
    EVN_TRY(write_states(at->search, x));
    EVN_TRY(evn__event_steps_start(&at->search->steps, at->passage));
    return read_states(at->search, at->search->steps.slope[at->search->steps.now], slope);
}

static evn_status measure_decay(standing *at, size_t count) {
    evn__event_search *s = at->search;
    const evn__slope f = {at, slope_at, (size_t)s->steps.rows, count, s->steps.fp64};
    for (int i = 0; i < s->steps.rows; ++i) {
        at->dt[i] = s->row[i].control.dt;
        *number(s, EVN__EVENT_T, i) = s->row[i].control.t;
    }
    EVN_TRY(read_states(s, s->steps.state[s->steps.now], at->x));
    EVN_TRY(evn__stiffness_find(&f, s->steps.system->stepper, at->x, at->dt, s->decay));
    for (int i = 0; i < s->steps.rows; ++i) {
        s->decay[i] = evn__outcome_may_be_stiff(s->row[i].outcome) ? s->decay[i] : 0;
    }
    return write_states(s, at->x);
}

/// Of rows that came to a stop. The states stay as they are.
static evn_status find_decay(evn__event_search *s, const evn__passage *passage) {
    standing at = {.search = s, .passage = passage};
    size_t elements = 0;
    bool any = false;
    for (int i = 0; i < s->steps.rows; ++i) {
        s->decay[i] = 0;
        any = any || evn__outcome_may_be_stiff(s->row[i].outcome);
    }
    for (int i = 0; i < s->steps.layout.count; ++i) {
        elements += s->steps.layout.size[i];
    }
    if (!any || evn__device_is_counting(s->problem->device)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&at.x, elements + (size_t)s->steps.rows));
    at.dt = at.x + elements;
    evn_status status = measure_decay(&at, elements / (size_t)s->steps.rows);
    free(at.x);
    return status;
}

// What it says ------------------------------------------------------------------------------------

int evn__event_search_terminal(const evn__event_search *s, int row) {
    return s->row[row].outcome == EVN_OUTCOME_EVENT ? s->row[row].event : -1;
}

evn_solution evn__event_search_solution(const evn__event_search *s, int row) {
    const evn__event_row *r = &s->row[row];
    bool adaptive = s->steps.system->adaptive;
    int each = adaptive ? evn__stepper_adaptive_evaluations(s->steps.system->stepper)
                        : evn__stepper_evaluations(s->steps.system->stepper);
    return (evn_solution){.outcome = r->outcome,
                          .t = evn__event_row_time(r),
                          .dt = r->control.wanted,
                          .accepted = r->accepted + r->control.accepted,
                          .rejected = r->rejected + r->control.rejected,
                          .nfe = (1 + adaptive) * (r->part + 1) + each * r->attempts,
                          .decay = s->decay[row]};
}

static evn_status fail(const evn__event_search *s, int row) {
    const evn__event_row *r = &s->row[row];
    const evn__step_control *c = &r->control;
    const evn_solution solution = evn__event_search_solution(s, row);
    const evn__event_observation *odd =
        r->odd >= 0 ? evn__event_observations_at(&s->observations, row, r->odd) : NULL;
    EVN_CHECK(!odd, EVN_ERR_NOT_FINITE,
              "observation %d, of t = %.9g, is not finite; look at x0 and at f there, or take "
              "shorter steps",
              odd->index + 1, odd->t);
    EVN_CHECK(r->event < 0 || r->attempts > 0, EVN_ERR_NOT_FINITE,
              "event %d is not finite at the start, t = %.9g; look at its function and at x0",
              r->event, c->t);
    EVN_CHECK(
        r->event < 0, EVN_ERR_NOT_FINITE,
        "event %d is not finite within a step of %.3g from t = %.9g; look at its function, or "
        "let a terminal event end the solve before",
        r->event, r->dt, c->t);
    return evn__outcome_fail(s->problem->options, &solution, r->t0, r->t1, r->t1, c->wanted, false);
}

/// Say of all rows what there is to say: counts of the one that needed the most attempts.
static evn_status finish(const evn__event_search *s, evn_solution *solution) {
    int failed = -1, most = 0;
    bool event = false;
    for (int i = 0; i < s->samples; ++i) {
        evn_outcome outcome = s->row[i].outcome;
        bool fails = outcome != EVN_OUTCOME_DONE && outcome != EVN_OUTCOME_EVENT;
        failed = fails && failed < 0 ? i : failed;
        event = event || outcome == EVN_OUTCOME_EVENT;
        most = s->row[i].attempts > s->row[most].attempts ? i : most;
    }
    *solution = evn__event_search_solution(s, failed < 0 ? most : failed);
    solution->waits = s->waits;
    if (failed < 0) {
        solution->outcome = event ? EVN_OUTCOME_EVENT : EVN_OUTCOME_DONE;
        return EVN_OK;
    }
    return s->samples > 1 ? evn__prepend(fail(s, failed), "sample %d", failed) : fail(s, failed);
}

evn_status evn__event_search_run(evn__event_search *s, const evn__passage *passage,
                                 evn_solution *solution) {
    size_t size = s->steps.layout.size[0] / (size_t)s->steps.rows;
    s->waits = 1;
    evn__event_list_clear(&s->found);
    for (int row = s->samples; row < s->steps.rows; ++row) { // what is there only to be many
        const evn_binding x = evn__event_search_state(s, 0);
        const evn_binding copy = {x.buffer, x.offset + (size_t)row * size};
        EVN_TRY(evn__real_copy(copy, x, s->steps.fp64, size));
    }
    EVN_TRY(begin(s, passage));
    EVN_TRY(observe_start(s, passage));
    EVN_TRY(cross(s, passage));
    while (set_times(s) && !evn__device_is_counting(s->problem->device)) {
        EVN_TRY(evn__event_steps_try(&s->steps, passage));
        EVN_TRY(judge_all(s));
        ++s->waits;
        EVN_TRY(cross(s, passage));
    }
    evn__event_list_sort(&s->found);
    EVN_TRY(observe_end(s));
    EVN_TRY(find_decay(s, passage));
    return finish(s, solution);
}

evn_status evn__event_search_grid(const evn__event_search *s, int row, double *times, int count) {
    EVN_TRY(evn__trail_grid(&s->trails[row], s->row[row].t0, times, count));
    times[count - 1] = evn__event_row_time(&s->row[row]);
    return EVN_OK;
}

const evn__event_observations *evn__event_search_observations(const evn__event_search *s) {
    return &s->observations;
}

int evn__event_search_count(const evn__event_search *s) {
    return s->found.count;
}

const evn__event_found *evn__event_search_found(const evn__event_search *s, int index) {
    return &s->found.all[index];
}
