// SPDX-License-Identifier: Apache-2.0
// The way of one row, along solutions that are known: what is found, in how many attempts, and how
// it ends.
#include "events/event_row.h"

#include "test.h"
#include <math.h>
#include <string.h>

enum { MOST = 3, NOTES = 16 };

typedef double function(double t);

/// A row with its events as functions of time, and what it has noted.
typedef struct walk {
    evn_solver_options options;
    evn_event events[MOST];
    function *e[MOST];
    int count;
    evn__event_row row;
    int notes, noted[NOTES];
    double at[NOTES];
    double *times; ///< of observations, and when they were made
    int time_count, made;
    double made_at[NOTES];
} walk;

static walk walk_new(const char *method, int steps, bool fp64) {
    walk w = {.options = evn_solver_options_default()};
    w.options.method = method;
    w.options.steps = steps;
    w.options.fp64 = fp64;
    return w;
}

static void add(walk *w, function *e, evn_event_direction direction, bool terminal) {
    w->events[w->count] = (evn_event){NULL, direction, terminal};
    w->e[w->count++] = e;
}

static void note(walk *w, double t) {
    ck_assert_int_lt(w->notes, NOTES);
    w->noted[w->notes] = w->row.noted;
    w->at[w->notes++] = t;
}

static void evaluate(const walk *w, double t, double *e) {
    for (int i = 0; i < w->count; ++i) {
        e[i] = w->e[i](t);
    }
}

/// Every step is good enough; the first one is `dt`. Each attempt goes ahead, and is another one
/// than the one before.
static void go(walk *w, double t0, double t1, double dt) {
    const evn__stepper *stepper = evn__stepper_find(w->options.method);
    const evn__event_rules rules = {
        .steps = evn__step_rules_of(&w->options, stepper), .events = w->events, .count = w->count};
    double e[MOST], rate[MOST], h = 1e-6 * (t1 - t0), last[2] = {NAN, NAN};
    evaluate(w, t0, e);
    evaluate(w, t0 + h, rate);
    for (int i = 0; i < w->count; ++i) {
        rate[i] = (rate[i] - e[i]) / h;
    }
    w->notes = 0;
    w->made = 0;
    TRY(evn__event_row_create(&w->row, &w->options));
    evn__event_row_lay(&w->row, &rules, t0, t1);
    evn__event_row_begin(&w->row, &rules, e, rate, dt);
    evn__event_row_observe(&w->row, &rules, w->times, w->time_count);
    while (w->row.attempt) {
        double t = evn__event_row_end(&w->row);
        ck_assert_int_lt(w->row.attempts, 20000);
        ck_assert((t1 - t0) * w->row.dt > 0);
        ck_assert(w->row.control.t != last[0] || w->row.dt != last[1]);
        last[0] = w->row.control.t;
        last[1] = w->row.dt;
        evaluate(w, t, e);
        const evn__event_verdict verdict = evn__event_row_take(&w->row, &rules, 0.5, e);
        if (verdict.notes) {
            note(w, t);
        }
        for (int i = 0; i < verdict.observes; ++i) {
            ck_assert_int_lt(w->made, NOTES);
            w->made_at[w->made++] = t;
        }
    }
    evn__event_row_free(&w->row);
}

// A zero at the start -----------------------------------------------------------------------------

static double thrown_below(double t) {
    return -1e-17 + 5 * t - 4.905 * t * t;
}
static double thrown_above(double t) {
    return 1e-17 + 5 * t - 4.905 * t * t;
}
static double thrown(double t) {
    return 5 * t - 4.905 * t * t;
}
static double pressed_below(double t) { // the same with a ceiling
    return -thrown_above(t);
}
static double pressed_above(double t) {
    return -thrown_below(t);
}

/// Bits of _i: fixed or adaptive steps; either direction, or that of the bounce.
START_TEST(zeros_at_the_start) {
    static function *const balls[] = {thrown, thrown_below, thrown_above, pressed_below,
                                      pressed_above};
    for (int i = 0; i < 5; ++i) {
        evn_event_direction direction = i < 3 ? EVN_EVENT_FALLING : EVN_EVENT_RISING;
        walk w = walk_new(_i % 2 ? "dopri5" : "rk4", _i % 2 ? 0 : 2, true);
        add(&w, balls[i], _i / 2 ? EVN_EVENT_EITHER : direction, true);
        go(&w, 0, 3, 0.1);
        ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_EVENT);
        ck_assert_double_eq_tol(w.row.control.t, 5 / 4.905, 1e-14);
        ck_assert_int_eq(w.notes, 1);
    }
}
END_TEST

static double soon(double t) {
    return 1e-12 - 5 * t;
}

/// One that is ahead by more than rounding is met.
START_TEST(zeros_soon_after_the_start) {
    walk w = walk_new("rk4", 4, true);
    add(&w, soon, EVN_EVENT_EITHER, true);
    go(&w, 0, 3, 0);
    ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(w.row.control.t, 2e-13, 1e-15);
}
END_TEST

// Zeros that last, and that are touched -----------------------------------------------------------

static double stays(double t) {
    return fmax(cos(t), 0);
}
static double touches(double t) {
    return fabs(t - 1);
}
static double passes(double t) {
    return 1 - t;
}
static double rests(double t) { // between 1 and 2, where it goes on
    return t < 1 ? 1 - t : fmin(0, 2 - t);
}

/// Each once, where it begins; also where steps end there.
START_TEST(zeros_that_last) {
    static const struct {
        function *e;
        double t1, zero;
        int steps;
    } cases[] = {{stays, 4, 1.5707963267948966, 0},
                 {stays, 4, 1.5707963267948966, 8},
                 {touches, 4, 1, 4},
                 {passes, 4, 1, 4},
                 {rests, 4, 1, 4},
                 {rests, 4, 1, 0}};
    walk w = walk_new(cases[_i].steps > 0 ? "rk4" : "dopri5", cases[_i].steps, true);
    add(&w, cases[_i].e, EVN_EVENT_EITHER, false);
    go(&w, 0, cases[_i].t1, 0.3);
    ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_DONE);
    ck_assert_int_eq(w.notes, 1);
    ck_assert_double_eq_tol(w.at[0], cases[_i].zero, 1e-14);
}
END_TEST

// Which one comes first ---------------------------------------------------------------------------

static double falls(double t) {
    return cos(t) + 0.1;
}
static double twice(double t) {
    return (t - 0.5) * (t - 2.9);
}
static double early(double t) {
    return (t - 0.2) * (t - 0.4);
}

/// Of one step: a pair of zeros, of which the terminal event parts one from the other.
START_TEST(pairs_of_zeros) {
    walk w = walk_new("rk4", 1, true);
    add(&w, falls, EVN_EVENT_FALLING, true);
    add(&w, twice, EVN_EVENT_EITHER, true);
    add(&w, early, EVN_EVENT_EITHER, false); // is passed over
    go(&w, 0, 3, 0);
    ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_EVENT);
    ck_assert_int_eq(w.row.event, 1);
    ck_assert_double_eq_tol(w.row.control.t, 0.5, 1e-14);
    ck_assert_int_eq(w.notes, 2);
}
END_TEST

/// The last attempt of those that narrow a terminal event down is the step.
START_TEST(attempts) {
    walk w = walk_new("rk4", 1, true);
    add(&w, falls, EVN_EVENT_FALLING, true);
    go(&w, 0, 3, 0);
    ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_EVENT);
    ck_assert_int_le(w.row.attempts, 10);
    ck_assert_int_eq(w.row.control.accepted, 1);
}
END_TEST

// Events that are not finite ----------------------------------------------------------------------

static double level(double t) {
    return cos(t) - 0.1;
}
static double logarithm(double t) {
    return log(cos(t)) + 1e4;
}
static double own(double t) {
    return log(cos(t)) - log(0.1);
}

/// Behind a terminal event they do not matter, and an adaptive step comes to one before them.
START_TEST(not_finite_behind) {
    walk w = walk_new(_i == 0 ? "dop853" : "rk4", _i == 0 ? 0 : 1, true);
    add(&w, level, EVN_EVENT_EITHER, true);
    add(&w, logarithm, EVN_EVENT_EITHER, false);
    go(&w, 0, 2, 2);
    ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(w.row.control.t, acos(0.1), 1e-14);
    walk v = walk_new("dop853", 0, true);
    add(&v, own, EVN_EVENT_FALLING, true);
    go(&v, 0, 2, 2);
    ck_assert_int_eq(v.row.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(v.row.control.t, acos(0.1), 1e-14);
}
END_TEST

/// Without one they end it, at the last place where they are.
START_TEST(not_finite) {
    walk w = walk_new(_i == 0 ? "dop853" : "rk4", _i == 0 ? 0 : 4, true);
    add(&w, falls, EVN_EVENT_RISING, true);
    add(&w, logarithm, EVN_EVENT_EITHER, false);
    go(&w, 0, 2, 2);
    ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert_int_eq(w.row.event, 1);
    ck_assert_double_eq_tol(w.row.control.t, 1.5707963267948966, _i == 0 ? 1e-14 : 0.1);
    ck_assert_int_le(w.row.attempts, 500);
}
END_TEST

// Times that are few ------------------------------------------------------------------------------

static double never(double t) {
    return 2 + 0 * t;
}

/// All of the way is done, by steps that go ahead.
START_TEST(short_ways) {
    static const double ways[][2] = {{1 - 2.9e-8, 1 + 5.9e-8}, {0, 1e-50},     {100, 100 + 3e-5},
                                     {1 + 5.9e-8, 1 - 2.9e-8}, {1e6, 1e6 + 1}, {5, 5 - 1e-12}};
    for (int i = 0; i < 6; ++i) {
        walk w = walk_new(_i == 0 ? "dopri5" : "rk4", _i == 0 ? 0 : 3, false);
        add(&w, never, EVN_EVENT_EITHER, true);
        go(&w, ways[i][0], ways[i][1], (float)(ways[i][1] - ways[i][0]));
        ck_assert_int_eq(w.row.outcome, EVN_OUTCOME_DONE);
        ck_assert(w.row.control.t == ways[i][1]);
    }
}
END_TEST

// Observations ------------------------------------------------------------------------------------

static double comes_down(double t) {
    return 0.6 - t;
}

/// Within a step, two at one time, at its end, and behind the event that ends the way.
START_TEST(observations) {
    double times[] = {0.125, 0.3, 0.3, 0.5, 0.7, 1};
    for (int ends = 0; ends < 2; ++ends) {
        walk w = walk_new("rk4", 2, true), plain = walk_new("rk4", 2, true);
        add(&w, comes_down, EVN_EVENT_EITHER, ends == 1);
        add(&plain, comes_down, EVN_EVENT_EITHER, ends == 1);
        w.times = times;
        w.time_count = 6;
        go(&w, 0, 1, 0);
        go(&plain, 0, 1, 0);
        ck_assert_int_eq(w.made, ends ? 4 : 6);
        for (int i = 0; i < w.made; ++i) {
            ck_assert_double_eq_tol(w.made_at[i], times[i], 1e-15);
        }
        // Two within the first step, and its end once more; so for the one within the second.
        ck_assert_int_eq(w.row.attempts, plain.row.attempts + 3 + (ends ? 0 : 2));
        ck_assert(w.row.control.t == plain.row.control.t);
        ck_assert_int_eq(w.notes, 1);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/event_row");
    TCase *found = tcase_create("found");
    tcase_add_loop_test(found, zeros_at_the_start, 0, 4);
    tcase_add_test(found, zeros_soon_after_the_start);
    tcase_add_loop_test(found, zeros_that_last, 0, 6);
    tcase_add_test(found, pairs_of_zeros);
    tcase_add_test(found, attempts);
    suite_add_tcase(s, found);
    TCase *ends = tcase_create("ends");
    tcase_add_loop_test(ends, not_finite_behind, 0, 2);
    tcase_add_loop_test(ends, not_finite, 0, 2);
    tcase_add_loop_test(ends, short_ways, 0, 2);
    suite_add_tcase(s, ends);
    TCase *watched = tcase_create("observations");
    tcase_add_test(watched, observations);
    suite_add_tcase(s, watched);
    return s;
}

int main(void) {
    return test_run(suite());
}
