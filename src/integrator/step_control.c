// SPDX-License-Identifier: Apache-2.0
#include "integrator/step_control.h"

#include "integrator/rounding.h"

evn__step_rules evn__step_rules_of(const evn_solver_options *options, const evn__stepper *stepper) {
    return (evn__step_rules){.options = options,
                             .stepper = stepper,
                             .controller = evn__controller_create(options),
                             .longest = options->dt_max,
                             .rounds = true};
}

/// As the stages see it.
static double seen(const evn__step_rules *rules, double x) {
    return evn__rounded(rules->options->fp64, x);
}

static double length(const evn__step_rules *rules, double x) {
    return rules->rounds ? seen(rules, x) : x;
}

static void stop(evn__step_control *c, evn_outcome outcome) {
    c->goes = false;
    c->outcome = outcome;
}

static void land(evn__step_control *c) {
    c->t = c->landing;
    stop(c, EVN_OUTCOME_DONE);
}

/// The next attempt; a way that is too short to be seen is gone already.
static void set_step(evn__step_control *c, const evn__step_rules *rules, double t, double dt) {
    c->goes = true;
    c->seen = t;
    c->dt = dt;
    if (rules->rounds && !(c->t1 > c->t0 ? dt > 0 : dt < 0)) {
        land(c);
    }
}

/// The next attempt is a step of `wanted`, or what is left, or there is none.
static void prepare(evn__step_control *c, const evn__step_rules *rules, double wanted) {
    const evn_solver_options *o = rules->options;
    double left = c->landing - c->t, now = seen(rules, c->t);
    bool there = rules->rounds && now == seen(rules, c->landing);
    c->wanted = wanted;
    c->lands = fabs(wanted) >= fabs(left) || there;
    bool small = fabs(wanted) < o->dt_min || seen(rules, c->t + wanted) == now;
    if (!isfinite(wanted)) {
        stop(c, EVN_OUTCOME_NOT_FINITE);
    } else if (!c->lands && small) {
        stop(c, EVN_OUTCOME_STEP_TOO_SMALL);
    } else if (c->accepted + c->rejected >= o->max_steps) {
        stop(c, EVN_OUTCOME_TOO_MANY_STEPS);
    } else {
        double way = length(rules, c->lands ? left : wanted);
        const evn__seen_step step = evn__rounded_step(o->fp64, c->t, way, c->t0, c->t1);
        c->lands = c->lands && !step.halved;
        set_step(c, rules, step.t, length(rules, step.dt));
    }
}

/// The same of equal steps, which are counted from t0.
static void prepare_equal(evn__step_control *c, const evn__step_rules *rules) {
    const evn_solver_options *o = rules->options;
    double dt = seen(rules, (c->t1 - c->t0) / o->steps);
    c->wanted = dt;
    c->lands = c->accepted + 1 == o->steps;
    set_step(c, rules, evn__rounded_begin(o->fp64, c->t, dt, c->t1), dt);
}

void evn__step_control_begin(evn__step_control *c, const evn__step_rules *rules, double t0,
                             double t1, double landing, double dt) {
    *c = (evn__step_control){.t0 = t0, .t1 = t1, .landing = landing, .t = t0, .errors = {1, 1}};
    if (rules->options->steps > 0) {
        prepare_equal(c, rules);
    } else {
        prepare(c, rules, dt);
    }
}

static double factor(const evn__step_control *c, const evn__step_rules *rules, double error) {
    return evn__controller_factor(&rules->controller, rules->stepper, error, c->errors);
}

double evn__step_rules_limit(const evn__step_rules *rules, double way) {
    double longest = rules->longest;
    return longest > 0 && fabs(way) > longest ? copysign(longest, way) : way;
}

static void accept_equal(evn__step_control *c, const evn__step_rules *rules) {
    if (c->lands) {
        land(c);
    } else {
        c->t = c->t0 + c->accepted * ((c->t1 - c->t0) / rules->options->steps);
        prepare_equal(c, rules);
    }
}

/// Behind a step that was rejected the one that is accepted in its place is followed by none that
/// is longer (Hairer, Nørsett, Wanner: Solving ODEs I, II.4). A step that was cut short to land
/// says little of those after it.
static void accept_adaptive(evn__step_control *c, const evn__step_rules *rules, double error) {
    double most = c->refused ? 1 : INFINITY;
    c->next = evn__step_rules_limit(rules, c->dt * fmin(most, factor(c, rules, error)));
    c->refused = false;
    if (c->lands) {
        land(c);
    } else {
        c->t += c->dt;
        c->errors[1] = c->errors[0];
        c->errors[0] = fmax(error, rules->controller.remembered);
        prepare(c, rules, c->next);
    }
}

void evn__step_control_accept(evn__step_control *c, const evn__step_rules *rules, double error) {
    ++c->accepted;
    if (rules->options->steps > 0) {
        accept_equal(c, rules);
    } else {
        accept_adaptive(c, rules, error);
    }
}

void evn__step_control_reject(evn__step_control *c, const evn__step_rules *rules, double error) {
    ++c->rejected;
    c->refused = true;
    prepare(c, rules, c->dt * fmin(1, factor(c, rules, error)));
}

void evn__step_control_go_on(evn__step_control *c, const evn__step_rules *rules, double landing) {
    c->landing = landing;
    prepare(c, rules, fabs(c->next) > fabs(c->wanted) ? c->next : c->wanted);
}
