// SPDX-License-Identifier: Apache-2.0
#include "ode/event_row.h"

#include "ode/rounding.h"
#include <string.h>

static evn__event_attempt march, narrow, note, settle;

static bool is_adaptive(const evn__event_rules *rules) {
    return rules->options->steps == 0;
}

/// As the kernels see it.
static double seen(const evn__event_rules *rules, double x) {
    return rules->options->fp64 ? x : (double)(float)x;
}

// The end -----------------------------------------------------------------------------------------

static void end(evn__event_row *row, evn_outcome outcome, int event) {
    row->outcome = outcome;
    row->event = event;
    row->dt = 0;
}

static bool all_finite(evn__event_row *row, const evn__event_rules *rules, const double *e) {
    for (int i = 0; i < rules->count; ++i) {
        if (!isfinite(e[i])) {
            end(row, EVN_OUTCOME_NOT_FINITE, i);
            return false;
        }
    }
    return true;
}

// Sides -------------------------------------------------------------------------------------------

static int sign_of(double x) {
    return (x > 0) - (x < 0);
}

/// Whether event i has come to the other side, or to 0.
static bool changes(const evn__event_row *row, int i, double e) {
    return row->side[i] != 0 && sign_of(e) != row->side[i];
}

/// Whether that counts.
static bool crosses(const evn__event_row *row, const evn__event_rules *rules, int i) {
    evn_event_direction direction = rules->events[i].direction;
    bool rises = row->side[i] < 0;
    return changes(row, i, row->step.e[i]) &&
           (direction == EVN_EVENT_EITHER || rises == (direction == EVN_EVENT_RISING));
}

/// The values at the new t; 0 stands for the side that they go to.
static void take_values(evn__event_row *row, const evn__event_rules *rules, const double *e) {
    for (int i = 0; i < rules->count; ++i) {
        row->side[i] = e[i] != 0 ? sign_of(e[i]) : -row->side[i];
        row->e[i] = e[i];
    }
}

// Marching ----------------------------------------------------------------------------------------

/// A step that is seen to end no later than t1.
static double seen_step(const evn__event_row *row, const evn__event_rules *rules, double dt) {
    bool fp64 = rules->options->fp64;
    return seen(rules, evn__rounded_length(fp64, row->t, seen(rules, dt), row->t1));
}

/// The next attempt is a step of `wanted`, or what is left, or there is none.
static void prepare(evn__event_row *row, const evn__event_rules *rules, double wanted) {
    const evn_solver_options *o = rules->options;
    double left = row->t1 - row->t, next = row->t + wanted;
    row->attempt = march;
    row->wanted = wanted;
    row->lands = fabs(wanted) >= fabs(left);
    row->dt = seen_step(row, rules, row->lands ? left : wanted);
    if (!isfinite(wanted)) {
        end(row, EVN_OUTCOME_NOT_FINITE, -1);
    } else if (!row->lands &&
               (fabs(wanted) < o->dt_min || seen(rules, next) == seen(rules, row->t))) {
        end(row, EVN_OUTCOME_STEP_TOO_SMALL, -1);
    } else if (row->accepted + row->rejected >= o->max_steps) {
        end(row, EVN_OUTCOME_TOO_MANY_STEPS, -1);
    }
}

/// The same of fixed steps, which count from t0.
static void prepare_fixed(evn__event_row *row, const evn__event_rules *rules) {
    int steps = rules->options->steps;
    row->attempt = march;
    row->lands = row->accepted + 1 == steps;
    row->dt = row->wanted = seen_step(row, rules, (row->t1 - row->t0) / steps);
}

static double limited(const evn__event_rules *rules, double dt) {
    double longest = rules->options->dt_max;
    return longest > 0 && fabs(dt) > longest ? copysign(longest, dt) : dt;
}

static double factor(const evn__event_row *row, const evn__event_rules *rules, double error) {
    return evn__controller_factor(&rules->controller, rules->stepper, error, row->errors);
}

/// A whole step was accepted.
static void advance(evn__event_row *row, const evn__event_rules *rules, bool lands, double dt,
                    double error) {
    ++row->accepted;
    if (lands) {
        row->t = row->t1;
        end(row, EVN_OUTCOME_DONE, -1);
    } else if (!is_adaptive(rules)) {
        row->t = row->t0 + row->accepted * ((row->t1 - row->t0) / rules->options->steps);
        prepare_fixed(row, rules);
    } else {
        double most = row->refused ? 1 : INFINITY;
        double next = limited(rules, dt * fmin(most, factor(row, rules, error)));
        row->refused = false;
        row->t += dt;
        row->errors[1] = row->errors[0];
        row->errors[0] = fmax(error, rules->controller.remembered);
        prepare(row, rules, next);
    }
}

static void reject(evn__event_row *row, const evn__event_rules *rules, double error) {
    ++row->rejected;
    row->refused = true;
    prepare(row, rules, row->dt * fmin(1, factor(row, rules, error)));
}

// Events within a step ----------------------------------------------------------------------------

/// The next attempt narrows the event down, or is at its place.
static void go_on(evn__event_row *row, const evn__event_rules *rules) {
    double at = 0;
    row->attempt = evn__root_next(&row->step.root, &at) ? narrow : note;
    at = row->attempt == narrow ? at : evn__root_end(&row->step.root);
    row->dt = at == 1 ? row->step.dt : seen(rules, at * row->step.dt);
}

/// Two times of the precision, as a part of the step.
static double narrowest(const evn__event_row *row, const evn__event_rules *rules) {
    double digit = rules->options->fp64 ? DBL_EPSILON : (double)FLT_EPSILON;
    double t = fmax(fabs(row->t), fabs(row->t + row->step.dt));
    return 2 * digit * fmax(1, t / fabs(row->step.dt));
}

/// Turn to the first event from `first` on that counts; without one, settle.
static void look_from(evn__event_row *row, const evn__event_rules *rules, int first) {
    int i = first;
    while (i < rules->count && !crosses(row, rules, i)) {
        ++i;
    }
    row->step.event = i;
    if (i < rules->count) {
        row->step.root =
            evn__root_begin(row->e[i], row->step.e[i], row->side[i] < 0, narrowest(row, rules));
        go_on(row, rules);
    } else {
        row->dt = row->step.end;
        row->attempt = settle;
    }
}

static evn__event_row_verdict march(evn__event_row *row, const evn__event_rules *rules,
                                    double error, const double *e) {
    if (is_adaptive(rules) && !(error <= 1)) {
        reject(row, rules, error);
        return EVN__EVENT_DROP;
    }
    if (!all_finite(row, rules, e)) {
        return EVN__EVENT_DROP;
    }
    row->step.dt = row->step.end = row->dt;
    row->step.error = error;
    row->step.lands = row->lands;
    row->step.ends = -1;
    memcpy(row->step.e, e, sizeof(*e) * (size_t)rules->count);
    look_from(row, rules, 0);
    return row->attempt == settle ? settle(row, rules, error, e) : EVN__EVENT_DROP;
}

static evn__event_row_verdict narrow(evn__event_row *row, const evn__event_rules *rules,
                                     double error, const double *e) {
    (void)error; // less than that of the whole step
    if (all_finite(row, rules, e)) {
        evn__root_add(&row->step.root, row->dt / row->step.dt, e[row->step.event]);
        go_on(row, rules);
    }
    return EVN__EVENT_DROP;
}

static evn__event_row_verdict note(evn__event_row *row, const evn__event_rules *rules, double error,
                                   const double *e) {
    (void)error, (void)e; // known
    row->noted = row->step.event;
    if (rules->events[row->noted].terminal &&
        (row->step.ends < 0 || fabs(row->dt) < fabs(row->step.end))) {
        row->step.end = row->dt;
        row->step.ends = row->noted;
    }
    look_from(row, rules, row->noted + 1);
    return EVN__EVENT_NOTE;
}

static evn__event_row_verdict settle(evn__event_row *row, const evn__event_rules *rules,
                                     double error, const double *e) {
    (void)error; // that of the whole step counts
    take_values(row, rules, e);
    if (row->step.ends >= 0) {
        ++row->accepted;
        row->t += row->step.end;
        end(row, EVN_OUTCOME_EVENT, row->step.ends);
    } else {
        advance(row, rules, row->step.lands, row->step.dt, row->step.error);
    }
    return EVN__EVENT_ACCEPT;
}

// A row -------------------------------------------------------------------------------------------

/// What is so near to a zero in time is at it: the state that a solve ended with at an event is
/// such a one.
static double shortest(const evn__event_row *row, const evn__event_rules *rules) {
    const double digits = 16;
    double digit = rules->options->fp64 ? DBL_EPSILON : (double)FLT_EPSILON;
    return digits * digit * fmax(fabs(row->t0), fabs(row->t1 - row->t0));
}

void evn__event_row_begin(evn__event_row *row, const evn__event_rules *rules, double t0, double t1,
                          const double *e, const double *rate, double dt) {
    *row = (evn__event_row){.t0 = t0, .t1 = t1, .t = t0, .errors = {1, 1}, .event = -1};
    for (int i = 0; i < rules->count; ++i) {
        bool at_zero = fabs(e[i]) <= fabs(rate[i]) * shortest(row, rules);
        row->e[i] = at_zero ? 0 : e[i];
        row->side[i] = at_zero ? sign_of(rate[i] * (t1 - t0)) : sign_of(e[i]);
    }
    if (!all_finite(row, rules, e)) {
        return;
    }
    if (t0 == t1) {
        end(row, EVN_OUTCOME_DONE, -1);
    } else if (is_adaptive(rules)) {
        double given = rules->options->dt_first;
        prepare(row, rules, limited(rules, given > 0 ? copysign(given, t1 - t0) : dt));
    } else {
        prepare_fixed(row, rules);
    }
}

evn__event_row_verdict evn__event_row_take(evn__event_row *row, const evn__event_rules *rules,
                                           double error, const double *e) {
    ++row->attempts;
    return row->attempt(row, rules, error, e);
}
