// SPDX-License-Identifier: Apache-2.0
#include "events/event_search.h"

#include "base/memory.h"
#include "events/event_row.h"
#include "host/counting.h"
#include "integrator/integrator.h"
#include "integrator/outcome.h"
#include "integrator/stiffness.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Numbers of each row that the host writes before an attempt, and reads after it.
enum { T, DT, END, ACCEPT, WRITTEN };

struct evn__event_search {
    const evn__problem *problem;
    const evn__event_system *system;
    evn__event_rules rules;
    bool fp64;
    int rows, samples; ///< in memory, of which there are more where there is one sample; that count
    evn__layout layout; ///< of a state
    evn_plan *start, *step, *choose;
    evn_buffer *state[2], *slope[2];  ///< where all are, exchanged by each choice
    evn_buffer *tried, *tried_slope;  ///< where an attempt came to
    evn_buffer *times;                ///< [WRITTEN][rows]
    evn_buffer *result;               ///< [rows, events], [rows, events] or errors and first steps
    evn_buffer *tolerances;           ///< rtol, atol
    int now;                          ///< of the halves
    double *host_times, *host_result; ///< as on the device
    evn__event_row *row;              ///< [rows]
    double *decay;                    ///< [rows], as evn_solution has it
    evn_binding *inputs, *outputs;
    evn__event_list found;
    evn__event_observations observations;
};

// Life --------------------------------------------------------------------------------------------

static evn_status compile(evn__event_search *s,
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

/// Elements of component `index`, and of the state, that are of one row.
static size_t row_size(const evn__event_search *s, int index) {
    return s->layout.size[index] / (size_t)s->rows;
}

static size_t row_total(const evn__event_search *s) {
    size_t total = 0;
    for (int i = 0; i < s->layout.count; ++i) {
        total += row_size(s, i);
    }
    return total;
}

static evn_status make(const evn__event_search *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->problem->device, EVN__USE_STATES, s->fp64, count, buffer);
}

static evn_status make_memory(evn__event_search *s) {
    size_t rows = (size_t)s->rows, total = s->layout.total;
    const double tolerances[] = {s->problem->options->rtol, s->problem->options->atol};
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(make(s, total, &s->state[i]));
        EVN_TRY(make(s, total, &s->slope[i]));
    }
    EVN_TRY(make(s, total, &s->tried));
    EVN_TRY(make(s, total, &s->tried_slope));
    EVN_TRY(make(s, WRITTEN * rows, &s->times));
    EVN_TRY(make(s, (2 * (size_t)s->rules.count + 1) * rows, &s->result));
    EVN_TRY(make(s, 2, &s->tolerances));
    EVN_TRY(EVN_NEW(&s->host_times, WRITTEN * rows));
    EVN_TRY(EVN_NEW(&s->host_result, (2 * (size_t)s->rules.count + 1) * rows));
    EVN_TRY(EVN_NEW(&s->row, rows));
    EVN_TRY(EVN_NEW(&s->decay, rows));
    return evn__real_write((evn_binding){s->tolerances, 0}, s->fp64, tolerances, 2);
}

static evn_status create(evn__event_search *s, const evn_event *events) {
    const evn_solver_options *o = s->problem->options;
    const evn__system *system = &s->system->system;
    s->rules = (evn__event_rules){.steps = evn__step_rules_of(o, s->system->stepper),
                                  .events = events,
                                  .count = s->system->count};
    s->fp64 = o->fp64;
    s->rows = s->system->rows;
    s->samples = o->per_sample ? (int)evn__system_state_shape(s->problem->system, 0).dim[0] : 1;
    size_t ports = 4 * (size_t)evn_graph_input_count(system->graph) + 8;
    EVN_TRY(evn__layout_create(system, &s->layout));
    EVN_TRY(EVN_NEW(&s->inputs, ports));
    EVN_TRY(EVN_NEW(&s->outputs, ports));
    EVN_TRY(compile(s, evn__event_start_graph, &s->start));
    EVN_TRY(compile(s, evn__event_step_graph, &s->step));
    EVN_TRY(compile(s, evn__event_choose_graph, &s->choose));
    EVN_TRY(make_memory(s));
    return evn__event_observations_create(s->problem, s->samples, row_size(s, 0), row_total(s),
                                          &s->observations);
}

evn_status evn__event_search_create(const evn__problem *problem, const evn__event_system *system,
                                    const evn_event *events, evn__event_search **search) {
    EVN_TRY(EVN_NEW(search, 1));
    (*search)->problem = problem;
    (*search)->system = system;
    evn_status status = create(*search, events);
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
    evn__event_list_free(&s->found);
    evn__event_observations_free(&s->observations);
    evn__layout_free(&s->layout);
    free(s->host_times);
    free(s->host_result);
    free(s->row);
    free(s->decay);
    free(s->inputs);
    free(s->outputs);
    free(s);
    *search = NULL;
}

evn_binding evn__event_search_state(const evn__event_search *s, int index) {
    return (evn_binding){s->state[s->now], s->layout.offset[index]};
}

// Running plans -----------------------------------------------------------------------------------

static evn_binding time_at(const evn__event_search *s, int which) {
    return (evn_binding){s->times, (size_t)which * (size_t)s->rows};
}

static evn_binding *bind_parameters(const evn__event_search *s, const evn__passage *passage,
                                    evn_binding *to) {
    for (int i = 0; i < s->system->system.parameter_count; ++i) {
        *to++ = passage->parameters[i];
    }
    return to;
}

static evn_binding *bind_tolerances(const evn__event_search *s, evn_binding *to) {
    *to++ = (evn_binding){s->tolerances, 0};
    *to++ = (evn_binding){s->tolerances, 1};
    return to;
}

/// Part of what plans say of the rows: values of the events, and behind them rates or errors.
static evn_binding result_at(const evn__event_search *s, int column) {
    return (evn_binding){s->result, (size_t)column * (size_t)s->rows};
}

static evn_status write_times(const evn__event_search *s) {
    return evn__real_write((evn_binding){s->times, 0}, s->fp64, s->host_times,
                           WRITTEN * (size_t)s->rows);
}

static evn_status read_result(const evn__event_search *s, int columns) {
    return evn__real_read((evn_binding){s->result, 0}, s->fp64, s->host_result,
                          (size_t)columns * (size_t)s->rows);
}

static evn_status run_start(const evn__event_search *s, const evn__passage *passage) {
    evn_binding *in = s->inputs, *out = s->outputs;
    *in++ = time_at(s, T);
    *in++ = time_at(s, DT);
    in = evn__layout_bind(&s->layout, s->state[s->now], in);
    in = bind_parameters(s, passage, in);
    bind_tolerances(s, in);
    *out++ = result_at(s, 0);
    *out++ = result_at(s, s->rules.count);
    if (s->system->adaptive) {
        out = evn__layout_bind(&s->layout, s->slope[s->now], out);
        *out++ = result_at(s, 2 * s->rules.count);
    }
    return evn_plan_run(s->start, s->inputs, s->outputs);
}

static evn_status run_step(const evn__event_search *s, const evn__passage *passage) {
    evn_binding *in = s->inputs, *out = s->outputs;
    *in++ = time_at(s, T);
    *in++ = time_at(s, DT);
    *in++ = time_at(s, END);
    in = evn__layout_bind(&s->layout, s->state[s->now], in);
    in = bind_parameters(s, passage, in);
    *out++ = result_at(s, 0);
    out = evn__layout_bind(&s->layout, s->tried, out);
    if (s->system->adaptive) {
        in = evn__layout_bind(&s->layout, s->slope[s->now], in);
        bind_tolerances(s, in);
        out = evn__layout_bind(&s->layout, s->tried_slope, out);
        *out++ = result_at(s, s->rules.count);
        *out++ = result_at(s, s->rules.count + 1); // of an implicit method
    }
    return evn_plan_run(s->step, s->inputs, s->outputs);
}

/// Rows that accept are where they came to.
static evn_status run_choose(evn__event_search *s) {
    evn_binding *in = s->inputs, *out = s->outputs;
    bool adaptive = s->system->adaptive;
    *in++ = time_at(s, ACCEPT);
    in = evn__layout_bind(&s->layout, s->state[s->now], in);
    in = adaptive ? evn__layout_bind(&s->layout, s->slope[s->now], in) : in;
    in = evn__layout_bind(&s->layout, s->tried, in);
    in = adaptive ? evn__layout_bind(&s->layout, s->tried_slope, in) : in;
    out = evn__layout_bind(&s->layout, s->state[!s->now], out);
    out = adaptive ? evn__layout_bind(&s->layout, s->slope[!s->now], out) : out;
    s->now = !s->now;
    return evn_plan_run(s->choose, s->inputs, s->outputs);
}

// What was found ----------------------------------------------------------------------------------

/// The state of a row, [row_total].
static evn_status read_row(const evn__event_search *s, evn_buffer *states, int row, double *x) {
    for (int i = 0; i < s->layout.count; ++i) {
        size_t size = row_size(s, i);
        const evn_binding at = {states, s->layout.offset[i] + (size_t)row * size};
        EVN_TRY(evn__real_read(at, s->fp64, x, size));
        x += size;
    }
    return EVN_OK;
}

/// The observations of a sample from `begin` up to `end`, on its way, are of these states.
static evn_status observe(evn__event_search *s, evn_buffer *states, int row, int begin, int end) {
    size_t total = row_total(s);
    bool finite = true;
    if (begin >= end) {
        return EVN_OK;
    }
    double *x = evn__event_observations_at(&s->observations, row, begin)->x;
    EVN_TRY(read_row(s, states, row, x));
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
    EVN_TRY(evn__event_list_add(&s->found, row, s->row[row].noted, t, row_total(s), &x));
    return read_row(s, s->tried, row, x);
}

static void close_row(evn__event_search *s, int row) {
    const evn__event_row *r = &s->row[row];
    evn__event_list_close(&s->found, row, r->control.t0, r->control.t,
                          evn__event_search_terminal(s, row), r->step.width);
}

// A search ----------------------------------------------------------------------------------------

/// The sample that a row is of: a second one is there only to be many.
static int sample_of(const evn__event_search *s, int row) {
    return row < s->samples ? row : 0;
}

static double *host_time(const evn__event_search *s, int which, int row) {
    return s->host_times + (size_t)which * (size_t)s->rows + (size_t)row;
}

static evn_status begin(evn__event_search *s, const evn__passage *passage) {
    const double *e = s->host_result, *rate = e + (size_t)s->rules.count * (size_t)s->rows;
    const double *dt = rate + (size_t)s->rules.count * (size_t)s->rows;
    double t0, t1;
    for (int row = 0; row < s->rows; ++row) {
        evn__passage_ends(passage, sample_of(s, row), &t0, &t1);
        *host_time(s, T, row) = *host_time(s, END, row) = t0;
        *host_time(s, DT, row) = evn__event_row_span(&s->rules, t0, t1);
    }
    EVN_TRY(write_times(s));
    EVN_TRY(run_start(s, passage));
    EVN_TRY(read_result(s, 2 * s->rules.count + s->system->adaptive));
    for (int row = 0; row < s->rows; ++row) {
        size_t first = (size_t)row * (size_t)s->rules.count;
        evn__passage_ends(passage, sample_of(s, row), &t0, &t1);
        evn__event_row_begin(&s->row[row], &s->rules, t0, t1, e + first, rate + first, dt[row]);
    }
    return EVN_OK;
}

/// What is observed at t0; the rows know of the rest.
static evn_status observe_start(evn__event_search *s, const evn__passage *passage) {
    evn__event_observations *o = &s->observations;
    evn__event_observations_begin(o, passage);
    for (int i = 0; i < s->samples && o->count > 0; ++i) {
        const double *times = o->times + (size_t)i * (size_t)o->count;
        EVN_TRY(observe(s, s->state[s->now], i, 0, o->starts[i]));
        evn__event_row_observe(&s->row[i], times + o->starts[i], o->count - o->starts[i]);
    }
    return EVN_OK;
}

/// What is left is where each sample has ended.
static evn_status observe_end(evn__event_search *s) {
    const evn__event_observations *o = &s->observations;
    for (int i = 0; i < s->samples; ++i) {
        int begin = o->starts[i] + s->row[i].observed;
        EVN_TRY(observe(s, s->state[s->now], i, begin, o->count));
        bool failed = s->row[i].odd >= 0;
        for (int k = o->starts[i]; k < o->count && !failed; ++k) {
            const evn__step_control *c = &s->row[i].control;
            evn__event_observation *one = evn__event_observations_at(o, i, k);
            one->t = fabs(one->t - c->t0) < fabs(c->t - c->t0) ? one->t : c->t;
        }
    }
    return evn__event_observations_write(o);
}

/// The next attempt of each row; false: none needs any.
static bool set_times(evn__event_search *s) {
    bool goes = false;
    for (int i = 0; i < s->rows; ++i) {
        const evn__event_row *row = &s->row[i];
        bool ended = !row->attempt;
        *host_time(s, T, i) = ended ? row->control.t : row->control.seen;
        *host_time(s, DT, i) = ended ? 0 : row->dt;
        *host_time(s, END, i) = ended ? row->control.t : evn__event_row_end(row);
        goes = goes || !ended;
    }
    return goes;
}

/// What a step says besides values of the events: its error, and its doubt.
static int numbers_of_step(const evn__event_search *s) {
    bool adaptive = s->system->adaptive;
    return adaptive + (adaptive && evn__stepper_is_implicit(s->system->stepper));
}

/// A row that is about to end for too small a step ends because its equations were not solved.
static void doubt(const evn__event_search *s, int row) {
    evn__event_row *r = &s->row[row];
    bool solves = numbers_of_step(s) > 1;
    bool small = !r->attempt && r->outcome == EVN_OUTCOME_STEP_TOO_SMALL;
    size_t at = (size_t)(s->rules.count + 1) * (size_t)s->rows + (size_t)row;
    if (small && solves && !(s->host_result[at] <= 1)) {
        r->outcome = EVN_OUTCOME_NEWTON_FAILED;
    }
}

/// The last ones that its row has taken, so many, are of what was tried.
static evn_status observe_tried(evn__event_search *s, int row, int count) {
    int end = s->observations.starts[row] + s->row[row].observed;
    return observe(s, s->tried, row, end - count, end);
}

static evn_status judge(evn__event_search *s, int row) {
    evn__event_row *r = &s->row[row];
    const double *e = s->host_result + (size_t)row * (size_t)s->rules.count;
    double error = s->host_result[(size_t)s->rules.count * (size_t)s->rows + (size_t)row];
    double t = evn__event_row_end(r);
    *host_time(s, ACCEPT, row) = 0;
    if (!r->attempt) {
        return EVN_OK;
    }
    const evn__event_verdict verdict = evn__event_row_take(r, &s->rules, error, e);
    doubt(s, row);
    *host_time(s, ACCEPT, row) = verdict.accepts;
    evn__event_list_drop(&s->found, row, verdict.drops);
    EVN_TRY(verdict.notes ? add_found(s, row, t) : EVN_OK);
    EVN_TRY(row < s->samples ? observe_tried(s, row, verdict.observes) : EVN_OK);
    if (!r->attempt) {
        close_row(s, row);
    }
    return EVN_OK;
}

static evn_status judge_all(evn__event_search *s) {
    bool accepts = false;
    for (int row = 0; row < s->rows; ++row) {
        EVN_TRY(judge(s, row));
        accepts = accepts || *host_time(s, ACCEPT, row) > 0;
    }
    EVN_TRY(accepts ? write_times(s) : EVN_OK);
    return accepts ? run_choose(s) : EVN_OK;
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
    for (int i = 0; i < s->layout.count; ++i) {
        EVN_TRY(evn__real_read((evn_binding){from, s->layout.offset[i]}, s->fp64, x,
                               s->layout.size[i]));
        x += s->layout.size[i];
    }
    return EVN_OK;
}

static evn_status write_states(const evn__event_search *s, const double *x) {
    for (int i = 0; i < s->layout.count; ++i) {
        EVN_TRY(evn__real_write(evn__event_search_state(s, i), s->fp64, x, s->layout.size[i]));
        x += s->layout.size[i];
    }
    return EVN_OK;
}

static evn_status slope_at(void *self, const double *x, double *slope) {
    const standing *at = self;
    EVN_TRY(write_states(at->search, x));
    EVN_TRY(run_start(at->search, at->passage));
    return read_states(at->search, at->search->slope[at->search->now], slope);
}

static evn_status measure_decay(standing *at, size_t count) {
    evn__event_search *s = at->search;
    const evn__slope f = {at, slope_at, (size_t)s->rows, count, s->fp64};
    for (int i = 0; i < s->rows; ++i) {
        at->dt[i] = s->row[i].control.dt;
        *host_time(s, T, i) = s->row[i].control.t;
    }
    EVN_TRY(write_times(s));
    EVN_TRY(read_states(s, s->state[s->now], at->x));
    EVN_TRY(evn__stiffness_find(&f, s->system->stepper, at->x, at->dt, s->decay));
    for (int i = 0; i < s->rows; ++i) {
        s->decay[i] = s->row[i].outcome == EVN_OUTCOME_TOO_MANY_STEPS ? s->decay[i] : 0;
    }
    return write_states(s, at->x);
}

/// Of rows that used up their steps. The states stay as they are.
static evn_status find_decay(evn__event_search *s, const evn__passage *passage) {
    standing at = {.search = s, .passage = passage};
    size_t elements = 0;
    bool any = false;
    for (int i = 0; i < s->rows; ++i) {
        s->decay[i] = 0;
        any = any || s->row[i].outcome == EVN_OUTCOME_TOO_MANY_STEPS;
    }
    for (int i = 0; i < s->layout.count; ++i) {
        elements += s->layout.size[i];
    }
    if (!any || evn__device_is_counting(s->problem->device)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&at.x, elements + (size_t)s->rows));
    at.dt = at.x + elements;
    evn_status status = measure_decay(&at, elements / (size_t)s->rows);
    free(at.x);
    return status;
}

// What it says ------------------------------------------------------------------------------------

int evn__event_search_terminal(const evn__event_search *s, int row) {
    return s->row[row].outcome == EVN_OUTCOME_EVENT ? s->row[row].event : -1;
}

evn_solution evn__event_search_solution(const evn__event_search *s, int row) {
    const evn__event_row *r = &s->row[row];
    bool adaptive = s->system->adaptive;
    int each = adaptive ? evn__stepper_adaptive_evaluations(s->system->stepper)
                        : evn__stepper_evaluations(s->system->stepper);
    return (evn_solution){.outcome = r->outcome,
                          .t = r->control.t,
                          .dt = r->control.wanted,
                          .accepted = r->control.accepted,
                          .rejected = r->control.rejected,
                          .nfe = 1 + adaptive + each * r->attempts,
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
    return evn__outcome_fail(s->problem->options, &solution, c->t0, c->t1, c->t1, c->wanted, false);
}

/// Say of all rows what there is to say: counts of the one that needed the most attempts.
static evn_status finish(const evn__event_search *s, int waits, evn_solution *solution) {
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
    solution->waits = waits;
    if (failed < 0) {
        solution->outcome = event ? EVN_OUTCOME_EVENT : EVN_OUTCOME_DONE;
        return EVN_OK;
    }
    return s->samples > 1 ? evn__prepend(fail(s, failed), "sample %d", failed) : fail(s, failed);
}

evn_status evn__event_search_run(evn__event_search *s, const evn__passage *passage,
                                 evn_solution *solution) {
    size_t size = s->layout.size[0] / (size_t)s->rows;
    int waits = 1;
    evn__event_list_clear(&s->found);
    for (int row = s->samples; row < s->rows; ++row) { // what is there only to be many
        const evn_binding x = evn__event_search_state(s, 0);
        const evn_binding copy = {x.buffer, x.offset + (size_t)row * size};
        EVN_TRY(evn__real_copy(copy, x, s->fp64, size));
    }
    EVN_TRY(begin(s, passage));
    EVN_TRY(observe_start(s, passage));
    while (set_times(s) && !evn__device_is_counting(s->problem->device)) {
        EVN_TRY(write_times(s));
        EVN_TRY(run_step(s, passage));
        EVN_TRY(read_result(s, s->rules.count + numbers_of_step(s)));
        EVN_TRY(judge_all(s));
        ++waits;
    }
    evn__event_list_sort(&s->found);
    EVN_TRY(observe_end(s));
    EVN_TRY(find_decay(s, passage));
    return finish(s, waits, solution);
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
