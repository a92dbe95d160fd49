// SPDX-License-Identifier: Apache-2.0
#include "events/event_row.h"

#include "integrator/rounding.h"
#include <string.h>

static evn__event_attempt march, narrow, note, observe, settle;

static bool is_adaptive(const evn__event_rules *rules) {
    return rules->steps.options->steps == 0;
}

// The end -----------------------------------------------------------------------------------------

static void end(evn__event_row *row, evn_outcome outcome, int event) {
    row->outcome = outcome;
    row->event = event;
    row->attempt = NULL;
}

/// The first event that is not finite; −1: none.
static int find_odd(const evn__event_rules *rules, const double *e) {
    int i = 0;
    while (i < rules->count && isfinite(e[i])) {
        ++i;
    }
    return i < rules->count ? i : -1;
}

// Sides -------------------------------------------------------------------------------------------

static int sign_of(double x) {
    return (x > 0) - (x < 0);
}

/// Whether event i has come to the other side, or to 0, over the step.
static bool changes(const evn__event_row *row, int i) {
    double e = row->step.e[i];
    return row->side[i] != 0 && isfinite(e) && sign_of(e) != row->side[i];
}

/// Whether that counts.
static bool crosses(const evn__event_row *row, const evn__event_rules *rules, int i) {
    evn_event_direction direction = rules->events[i].direction;
    bool rises = row->side[i] < 0;
    return changes(row, i) &&
           (direction == EVN_EVENT_EITHER || rises == (direction == EVN_EVENT_RISING));
}

/// The values at the new t. What is 0 has been found, and has no side until it leaves 0.
static void take_values(evn__event_row *row, const evn__event_rules *rules, const double *e) {
    for (int i = 0; i < rules->count; ++i) {
        row->side[i] = sign_of(e[i]);
        row->e[i] = e[i];
    }
}

// Marching ----------------------------------------------------------------------------------------

/// Whether attempts in the parts before and in this one are as many as there may be.
static bool is_spent(const evn__event_row *row, const evn__event_rules *rules) {
    const evn__step_control *c = &row->control;
    int attempts = row->accepted + row->rejected + c->accepted + c->rejected;
    return is_adaptive(rules) && attempts >= rules->steps.options->max_steps;
}

/// The next attempt is a whole step, as the step control has it, or there is none.
static void follow(evn__event_row *row, const evn__event_rules *rules) {
    row->attempt = march;
    row->dt = row->control.dt;
    if (!row->control.goes) {
        end(row, row->control.outcome, -1);
    } else if (is_spent(row, rules)) {
        end(row, EVN_OUTCOME_TOO_MANY_STEPS, -1);
    }
}

static void accept(evn__event_row *row, const evn__event_rules *rules, double error) {
    evn__step_control_accept(&row->control, &rules->steps, error);
    follow(row, rules);
}

static void reject(evn__event_row *row, const evn__event_rules *rules, double error) {
    evn__step_control_reject(&row->control, &rules->steps, error);
    follow(row, rules);
}

/// An event is not finite behind a step, which is made shorter, as one whose error is not.
static void refuse(evn__event_row *row, const evn__event_rules *rules, int event) {
    if (is_adaptive(rules)) {
        reject(row, rules, NAN);
    }
    if (!is_adaptive(rules) || (!row->attempt && row->outcome == EVN_OUTCOME_STEP_TOO_SMALL)) {
        end(row, EVN_OUTCOME_NOT_FINITE, event);
    }
}

// Events within a step ----------------------------------------------------------------------------

static const evn__event_verdict dropped = {false, false, 0, 0};

/// The next attempt narrows the event down, or is at its place.
static void go_on(evn__event_row *row, const evn__event_rules *rules) {
    double at = 0;
    row->attempt = evn__root_next(&row->step.root, &at) ? narrow : note;
    row->dt = row->attempt == narrow ? evn__rounded(rules->steps.options->fp64, at)
                                     : evn__root_end(&row->step.root);
}

static bool is_found(const evn__event_row *row, int i) {
    return row->step.found[i] != 0 && fabs(row->step.found[i]) <= fabs(row->step.end);
}

/// Turn to the first event that counts and is not found yet; false: there is none.
static bool look(evn__event_row *row, const evn__event_rules *rules) {
    int i = 0;
    while (i < rules->count && (is_found(row, i) || !crosses(row, rules, i))) {
        ++i;
    }
    if (i == rules->count) {
        return false;
    }
    row->step.event = i;
    row->step.root = evn__root_begin(row->step.end, row->e[i], row->step.e[i], row->side[i] < 0,
                                     row->step.width);
    go_on(row, rules);
    return true;
}

/// Whether a terminal event may end the solve before the end of the step.
static bool may_end(const evn__event_row *row, const evn__event_rules *rules) {
    bool may = false;
    for (int i = 0; i < rules->count; ++i) {
        may = may || (rules->events[i].terminal && crosses(row, rules, i));
    }
    return may;
}

/// What was tried is a step, in which nothing has been found yet.
static void begin_step(evn__event_row *row, const evn__event_rules *rules, double error,
                       const double *e) {
    double digit = rules->steps.options->fp64 ? DBL_EPSILON : (double)FLT_EPSILON;
    double now = row->control.t, t = fmax(fabs(now), fabs(now + row->dt));
    row->step.end = row->dt;
    row->step.error = error;
    row->step.ends = -1;
    row->step.notes = 0;
    row->step.width = 2 * digit * fmax(fabs(row->dt), t);
    memset(row->step.found, 0, sizeof(row->step.found));
    memcpy(row->step.e, e, sizeof(*e) * (size_t)rules->count);
}

static evn__event_verdict march(evn__event_row *row, const evn__event_rules *rules, double error,
                                const double *e) {
    int odd = find_odd(rules, e);
    if (is_adaptive(rules) && !(error <= 1)) {
        reject(row, rules, error);
        return dropped;
    }
    begin_step(row, rules, error, e);
    if (odd >= 0 && !may_end(row, rules)) {
        refuse(row, rules, odd);
        return dropped;
    }
    return settle(row, rules, error, e);
}

static evn__event_verdict narrow(evn__event_row *row, const evn__event_rules *rules, double error,
                                 const double *e) {
    int event = row->step.event;
    double tried = row->dt;
    if (!isfinite(e[event])) {
        end(row, EVN_OUTCOME_NOT_FINITE, event);
        return dropped;
    }
    evn__root_add(&row->step.root, tried, e[event]);
    go_on(row, rules);
    return row->attempt == note && row->dt == tried ? note(row, rules, error, e) : dropped;
}

static evn__event_verdict note(evn__event_row *row, const evn__event_rules *rules, double error,
                               const double *e) {
    evn__event_verdict verdict = {.notes = true};
    int event = row->noted = row->step.event;
    row->step.found[event] = row->dt;
    ++row->step.notes;
    if (rules->events[event].terminal &&
        (row->step.ends < 0 || fabs(row->dt) < fabs(row->step.end))) {
        row->step.end = row->dt;
        row->step.ends = event;
    }
    if (row->dt == row->step.end) {
        const evn__event_verdict settled = settle(row, rules, error, e);
        verdict.accepts = settled.accepts;
        verdict.observes = settled.observes;
    } else if (!look(row, rules)) {
        row->attempt = settle;
        row->dt = row->step.end;
    }
    return verdict;
}

static bool is_last_part(const evn__event_row *row) {
    return row->part + 1 == row->parts.count;
}

/// Whether the next observation is before the end of a part, or there.
static bool is_within(const evn__event_row *row, const evn__part *part) {
    double t = row->observed < row->time_count ? row->times[row->observed] : NAN;
    return row->parts.rises ? t <= part->t1 : t >= part->t1;
}

/// Where in the step the next observation is, as attempts have it; beyond any: there is none.
static double next_observation(const evn__event_row *row, const evn__event_rules *rules) {
    bool any = row->observed < row->time_count &&
               (is_last_part(row) || is_within(row, &row->parts.all[row->part]));
    return any ? evn__rounded(rules->steps.options->fp64,
                              row->times[row->observed] - row->control.t)
               : (double)INFINITY;
}

/// Those that are at what was tried have been made.
static int take_observations(evn__event_row *row, const evn__event_rules *rules, double at) {
    int before = row->observed;
    while (next_observation(row, rules) == at) {
        ++row->observed;
    }
    return row->observed - before;
}

/// Turn to the next observation before the end of what is to be settled for; false: there is none.
static bool watch(evn__event_row *row, const evn__event_rules *rules) {
    double at = next_observation(row, rules);
    if (!(fabs(at) < fabs(row->step.end))) {
        return false;
    }
    row->attempt = observe;
    row->dt = at;
    return true;
}

/// At one of them: no event is between what was settled for and here that has not been found. Where
/// the way there is no good one the whole step is none, whatever its own error is.
static evn__event_verdict observe(evn__event_row *row, const evn__event_rules *rules, double error,
                                  const double *e) {
    (void)e;
    if (is_adaptive(rules) && !(error <= 1)) {
        const evn__event_verdict verdict = {.drops = row->step.notes};
        reject(row, rules, error);
        return verdict;
    }
    const evn__event_verdict verdict = {.observes = take_observations(row, rules, row->dt)};
    if (!watch(row, rules)) {
        row->attempt = settle;
        row->dt = row->step.end;
    }
    return verdict;
}

/// At the end of the step, or of its part up to a terminal event, which others may have come before
/// that had changed twice over the whole step.
static evn__event_verdict settle(evn__event_row *row, const evn__event_rules *rules, double error,
                                 const double *e) {
    (void)error; // that of the whole step counts
    int odd = find_odd(rules, e);
    memcpy(row->step.e, e, sizeof(*e) * (size_t)rules->count);
    if (look(row, rules)) {
        return dropped;
    }
    if (odd >= 0) {
        end(row, EVN_OUTCOME_NOT_FINITE, odd);
        return dropped;
    }
    if (watch(row, rules)) {
        return dropped;
    }
    int observes = take_observations(row, rules, row->step.end);
    take_values(row, rules, e);
    if (row->step.ends >= 0) {
        ++row->control.accepted;
        row->control.t = evn__event_row_end(row);
        end(row, EVN_OUTCOME_EVENT, row->step.ends);
    } else {
        accept(row, rules, row->step.error);
    }
    return (evn__event_verdict){.accepts = true, .observes = observes};
}

// A row -------------------------------------------------------------------------------------------

evn_status evn__event_row_create(evn__event_row *row, const evn_solver_options *options) {
    return evn__parts_create(options, &row->parts);
}

void evn__event_row_free(evn__event_row *row) {
    evn__parts_free(&row->parts);
}

/// Without jumps one part, and with them the ends of the way, as they were given where kernels see
/// them so.
static void lay_parts(evn__parts *parts, const evn_solver_options *o, double t0, double t1) {
    if (o->jump_count == 0) {
        parts->rises = t1 >= t0;
        parts->count = 1;
        parts->all[0] = (evn__part){.t0 = t0, .t1 = t1, .jump = -1};
        return;
    }
    evn__parts_cut(o, t0, t1, parts);
    evn__part *first = &parts->all[0], *last = &parts->all[parts->count - 1];
    first->t0 = evn__rounded(o->fp64, t0) == first->t0 ? t0 : first->t0;
    last->t1 = evn__rounded(o->fp64, t1) == last->t1 ? t1 : last->t1;
}

/// The row is at the beginning of its part.
static void enter(evn__event_row *row) {
    const evn__part *part = &row->parts.all[row->part];
    row->control = (evn__step_control){.t0 = part->t0, .t1 = part->t1, .t = part->t0};
}

void evn__event_row_lay(evn__event_row *row, const evn__event_rules *rules, double t0, double t1) {
    *row = (evn__event_row){.t0 = t0, .t1 = t1, .parts = row->parts, .event = -1, .odd = -1};
    lay_parts(&row->parts, rules->steps.options, t0, t1);
    enter(row);
}

/// Whether an event is 0 there but for rounding: the solution leads to 0, which is nearer than
/// times are to each other, as where a solve goes on behind an event, from the other side of it.
static bool starts_at_zero(const evn__event_rules *rules, double e, double rate, double t0,
                           double t1) {
    const double digits = 16 * (rules->steps.options->fp64 ? DBL_EPSILON : (double)FLT_EPSILON);
    double longest = is_adaptive(rules) ? fabs(evn__step_rules_limit(&rules->steps, t1 - t0))
                                        : fabs(t1 - t0) / rules->steps.options->steps;
    bool leads = sign_of(e) * sign_of(rate) * sign_of(t1 - t0) < 0;
    return e == 0 || (leads && fabs(e) <= digits * fabs(rate) * fmax(fabs(t0), longest));
}

/// The values at t0; 0 stands for the side that it goes to.
static void start_values(evn__event_row *row, const evn__event_rules *rules, const double *e,
                         const double *rate) {
    double t0 = row->control.t0, t1 = row->control.t1;
    for (int i = 0; i < rules->count; ++i) {
        bool at_zero = starts_at_zero(rules, e[i], rate[i], t0, t1);
        row->e[i] = at_zero ? 0 : e[i];
        row->side[i] = at_zero ? sign_of(rate[i]) * sign_of(t1 - t0) : sign_of(e[i]);
    }
}

/// Of adaptive steps the first, where the start proposes dt.
static double first_step(const evn__event_rules *rules, double t0, double t1, double dt) {
    double given = rules->steps.options->dt_first;
    return evn__step_rules_limit(&rules->steps, given > 0 ? copysign(given, t1 - t0) : dt);
}

/// Whole steps from the beginning of a part to its end.
static void set_out(evn__event_row *row, const evn__event_rules *rules, double dt) {
    double t0 = row->control.t0, t1 = row->control.t1;
    if (t0 == t1) {
        end(row, EVN_OUTCOME_DONE, -1);
    } else {
        double first = is_adaptive(rules) ? first_step(rules, t0, t1, dt) : 0;
        evn__step_control_begin(&row->control, &rules->steps, t0, t1, t1, first);
        follow(row, rules);
    }
}

void evn__event_row_begin(evn__event_row *row, const evn__event_rules *rules, const double *e,
                          const double *rate, double dt) {
    int odd = find_odd(rules, e);
    start_values(row, rules, e, rate);
    if (odd >= 0) {
        end(row, EVN_OUTCOME_NOT_FINITE, odd);
    } else {
        set_out(row, rules, dt);
    }
}

void evn__event_row_observe(evn__event_row *row, const evn__event_rules *rules, double *times,
                            int count) {
    const evn_solver_options *o = rules->steps.options;
    for (int i = 0; i < count && o->jump_count > 0; ++i) {
        evn__parts_find(o, &row->parts, &times[i]);
    }
    row->times = times;
    row->time_count = count;
}

// Across a jump -----------------------------------------------------------------------------------

bool evn__event_row_crosses(const evn__event_row *row) {
    return !row->attempt && row->outcome == EVN_OUTCOME_DONE && !is_last_part(row);
}

int evn__event_row_cross(evn__event_row *row) {
    int before = row->observed;
    while (is_within(row, &row->parts.all[row->part])) {
        ++row->observed;
    }
    row->accepted += row->control.accepted;
    row->rejected += row->control.rejected;
    ++row->part;
    enter(row);
    return row->observed - before;
}

/// Whether an event was found where the last step came to, or nearer to it than times are to each
/// other.
static bool is_at_end(const evn__event_row *row, int i) {
    double found = row->step.found[i];
    return found != 0 && fabs(row->step.end) - fabs(found) <= row->step.width;
}

void evn__event_row_begin_again(evn__event_row *row, const evn__event_rules *rules, const double *e,
                                const double *rate, double dt) {
    double t0 = row->control.t0, t1 = row->control.t1;
    for (int i = 0; i < rules->count; ++i) {
        if (is_at_end(row, i) && starts_at_zero(rules, e[i], rate[i], t0, t1)) {
            row->e[i] = 0;
            row->side[i] = sign_of(rate[i]) * sign_of(t1 - t0);
        }
    }
    set_out(row, rules, dt);
}

// Attempts ----------------------------------------------------------------------------------------

evn__event_verdict evn__event_row_take(evn__event_row *row, const evn__event_rules *rules,
                                       double error, const double *e) {
    ++row->attempts;
    return row->attempt(row, rules, error, e);
}

void evn__event_row_refuse(evn__event_row *row, int index) {
    bool failed =
        !row->attempt && row->outcome != EVN_OUTCOME_DONE && row->outcome != EVN_OUTCOME_EVENT;
    if (!failed) {
        row->odd = index;
        end(row, EVN_OUTCOME_NOT_FINITE, -1);
    }
}

double evn__event_row_end(const evn__event_row *row) {
    const evn__step_control *c = &row->control;
    double t = c->t + row->dt;
    return c->t1 > c->t0 ? fmin(t, c->t1) : fmax(t, c->t1);
}

double evn__event_row_time(const evn__event_row *row) {
    bool done = !row->attempt && row->outcome == EVN_OUTCOME_DONE && is_last_part(row);
    return done ? row->t1 : row->control.t;
}

double evn__event_row_span(const evn__event_row *row, const evn__event_rules *rules) {
    const evn__step_control *c = &row->control;
    return evn__rounded_span(rules->steps.options->fp64, c->t0, c->t1 - c->t0,
                             rules->steps.options->dt_max, c->t1);
}
