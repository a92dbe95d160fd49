// SPDX-License-Identifier: Apache-2.0
// Observations of solves to events, on the way and behind its end, and the gradient through them:
// against closed forms, of the batch and of each sample, by fixed and adaptive steps.
#include "evonode/event.h"
#include "plan/real.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void read_series(const rig *r, int count, double *series) {
    evn_binding at;
    TRY(evn_event_solver_observed(r->solver, &at));
    TRY(evn__real_read(at, r->fp64, series, (size_t)(count * r->size)));
}

// Where they are made -----------------------------------------------------------------------------

static const double fractions[] = {0, 0.03, 0.031, 0.2, 0.55, 0.7, 1};
enum { COUNT = 7 };

static const struct {
    double t0, t1, tolerance;
    int steps;
    bool fp64, ends;
} walks[] = {{0, 9, 1e-9, 0, true, false},   {0, -9, 1e-9, 0, true, false},
             {0, 9, 1e-9, 400, true, false}, {0, 9, 1e-9, 0, true, true},
             {0, -9, 1e-9, 400, true, true}, {0, 9, 2e-4, 0, false, true},
             {2, 2, 1e-9, 0, true, true}};

/// q = cos(t − t0) is 0 at π/2, which ends the solve or does not. The steps are those without
/// observations.
START_TEST(on_the_way) {
    static const double x0[] = {1, 0};
    evn_graph *q = rig_component(1, 2, 0);
    const evn_event event = {q, EVN_EVENT_EITHER, walks[_i].ends};
    evn_solver_options options = rig_options(walks[_i].fp64 ? 1e-11 : 1e-5);
    options.fp64 = walks[_i].fp64;
    options.steps = walks[_i].steps;
    rig without = rig_new(rig_oscillator(1), &options, &event, 1);
    options.observations = COUNT;
    options.times = fractions;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    double t0 = walks[_i].t0, t1 = walks[_i].t1, x1[2], plain[2], series[2 * COUNT];
    rig_solve(&r, t0, t1, x0, x1);
    rig_solve(&without, t0, t1, x0, plain);
    ck_assert_int_eq(r.solution.accepted, without.solution.accepted);
    ck_assert_int_eq(r.solution.rejected, without.solution.rejected);
    ck_assert(x1[0] == plain[0] && x1[1] == plain[1]);
    read_series(&r, COUNT, series);
    for (int i = 0; i < COUNT; ++i) {
        double t = fractions[i] * (t1 - t0), end = r.solution.t - t0;
        t = fabs(t) < fabs(end) ? t : end;
        ck_assert_double_eq_tol(series[2 * i], cos(t), walks[_i].tolerance);
        ck_assert_double_eq_tol(series[2 * i + 1], -sin(t), walks[_i].tolerance);
    }
    ck_assert(series[2 * COUNT - 2] == x1[0] && series[2 * COUNT - 1] == x1[1]);
    ck_assert(series[0] == 1 && series[1] == 0);
    rig_free(&without);
    rig_free(&r);
    evn_graph_destroy(&q);
}
END_TEST

/// A list that stops before t1 does not end the solve, which may find something behind it: of the
/// batch, of a sample, and by fixed steps, which are over the whole way.
START_TEST(behind_the_last_one) {
    static const double x0[] = {1, 0}, half[] = {0.25, 0.5};
    evn_graph *q = rig_component(1, 2, 0);
    const evn_event event = {q, EVN_EVENT_EITHER, false};
    evn_solver_options options = rig_options(1e-11);
    options.per_sample = _i % 2;
    options.steps = _i / 2 ? 400 : 0;
    options.observations = 2;
    options.times = half;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    double x1[2], series[4];
    if (_i % 2) {
        static const double t0 = 1, t1 = 7;
        const evn_sample_times own = {&t0, &t1, NULL};
        TRY(evn__real_write(r.x0, true, x0, 2));
        TRY(evn_solve_samples_to_event(r.solver, &own, r.x0, NULL, &r.x1, &r.solution));
        TRY(evn__real_read(r.x1, true, x1, 2));
    } else {
        rig_solve(&r, 1, 7, x0, x1);
    }
    read_series(&r, 2, series);
    ck_assert(r.solution.t == 7);
    ck_assert(_i / 2 == 0 || r.solution.accepted == 400);
    ck_assert_double_eq_tol(x1[0], cos(6), 1e-9);
    ck_assert_double_eq_tol(series[0], cos(1.5), 1e-9);
    ck_assert_double_eq_tol(series[2], cos(3), 1e-9);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 2);
    ck_assert_double_eq_tol(rig_occurrence(&r, 1).t, 1 + 1.5 * acos(-1), 1e-9);
    rig_free(&r);
    evn_graph_destroy(&q);
}
END_TEST

/// Each sample has times of its own, in any order, and an end of its own; one has no way.
START_TEST(of_each_sample) {
    static const double x0[] = {1, 0, 0, -1, 1, 0}, t0[] = {0, 1, 4}, t1[] = {6, -3, 4};
    static const double times[] = {0.5, 6, 0, 0.25, -3, 0.1, 1, 0.1, 4, 4, 4, 4};
    evn_graph *q = rig_component(3, 2, 0);
    const evn_event event = {q, EVN_EVENT_FALLING, true};
    const evn_sample_times own = {t0, t1, times};
    evn_solver_options options = rig_options(1e-11);
    options.per_sample = true;
    options.observations = 4;
    rig r = rig_new(rig_oscillator(3), &options, &event, 1);
    evn_solution one;
    double series[24];
    TRY(evn__real_write(r.x0, true, x0, 6));
    TRY(evn_solve_samples_to_event(r.solver, &own, r.x0, NULL, &r.x1, &r.solution));
    read_series(&r, 4, series);
    for (int sample = 0; sample < 3; ++sample) {
        TRY(evn_event_solver_sample_solution(r.solver, sample, &one));
        ck_assert_int_eq(one.outcome, sample == 2 ? EVN_OUTCOME_DONE : EVN_OUTCOME_EVENT);
        for (int i = 0; i < 4; ++i) {
            const double *x = series + 6 * i + 2 * sample;
            double t = fabs(times[4 * sample + i] - t0[sample]) < fabs(one.t - t0[sample])
                           ? times[4 * sample + i]
                           : one.t;
            t -= t0[sample];
            double a = x0[2 * sample], b = x0[2 * sample + 1];
            ck_assert_double_eq_tol(x[0], a * cos(t) + b * sin(t), 1e-9);
            ck_assert_double_eq_tol(x[1], b * cos(t) - a * sin(t), 1e-9);
        }
    }
    rig_free(&r);
    evn_graph_destroy(&q);
}
END_TEST

// Bad steps ---------------------------------------------------------------------------------------

/// x' = e^(−((t − 1/2) / w)²) / (w √π).
static evn_dynamics *bump(double width) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1, 1));
    evn_value from = evn_scale(f, evn_sub(f, t, evn_constant(f, 0.5)), 1 / width);
    evn_value high = evn_exp(f, evn_neg(f, evn_mul(f, from, from)));
    high = evn_scale(f, high, 1 / (width * sqrt(acos(-1))));
    evn_output(f, "dx", evn_add(f, high, evn_scale(f, x, 0)));
    return rig_dynamics(f, NULL);
}

/// x' = sqrt((t − 0.3)² − 1e-4), which is none near 0.3.
static evn_dynamics *gap(void) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1, 1));
    evn_value from = evn_sub(f, t, evn_constant(f, 0.3));
    evn_value root = evn_sqrt(f, evn_sub(f, evn_mul(f, from, from), evn_constant(f, 1e-4)));
    evn_output(f, "dx", evn_add(f, root, evn_scale(f, x, 0)));
    return rig_dynamics(f, NULL);
}

/// t − at.
static evn_graph *clock_at(double at) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value t = evn_input(e, "t", EVN_SCALAR);
    evn_input(e, "x", EVN_SHAPE(1, 1));
    evn_output(e, "e", evn_sub(e, t, evn_constant(e, at)));
    return e;
}

/// A step over all sees no bump, an observation within it does: the step is rejected, and what was
/// found in it is found once more, not twice.
START_TEST(a_step_with_a_bad_way_is_rejected) {
    static const double half[] = {0.1, 0.5, 1};
    const double x0 = 0;
    evn_graph *early = clock_at(0.2);
    const evn_event event = {early, EVN_EVENT_EITHER, false};
    evn_solver_options options = rig_options(1e-6);
    options.dt_first = 1;
    options.observations = 3;
    options.times = half;
    rig r = rig_new(bump(0.01), &options, &event, 1);
    double x1, series[3];
    rig_solve(&r, 0, 1, &x0, &x1);
    read_series(&r, 3, series);
    ck_assert_int_gt(r.solution.rejected, 0);
    ck_assert_double_eq_tol(series[0], 0, 1e-12);
    ck_assert_double_eq_tol(series[1], 0.5, 1e-4);
    ck_assert_double_eq_tol(series[2], 1, 1e-4);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 1);
    ck_assert_double_eq_tol(rig_occurrence(&r, 0).t, 0.2, 1e-12);
    rig_free(&r);
    evn_graph_destroy(&early);
}
END_TEST

/// A whole step would do, the part of it up to an observation is none: by one fixed step, and by
/// adaptive ones, which become too small.
START_TEST(not_finite) {
    static const double times[] = {0.3, 1};
    const double x0 = 0;
    evn_graph *never = clock_at(2);
    const evn_event event = {never, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-1);
    options.method = _i ? "dopri5" : "rk4";
    options.steps = !_i;
    options.dt_first = _i;
    rig without = rig_new(gap(), &options, &event, 1);
    options.observations = 2;
    options.times = times;
    rig r = rig_new(gap(), &options, &event, 1);
    evn_binding at;
    double x1;
    if (!_i) {
        rig_solve(&without, 0, 1, &x0, &x1);
    }
    ck_assert_int_eq(rig_try(&r, 0, 1, &x0), _i ? EVN_ERR_SOLVER : EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(r.solution.outcome, _i ? EVN_OUTCOME_STEP_TOO_SMALL : EVN_OUTCOME_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), _i ? "step" : "observation 1, of t = 0.3,"));
    REFUSED(evn_event_solver_observed(r.solver, &at));
    rig_free(&without);
    rig_free(&r);
    evn_graph_destroy(&never);
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

/// x [balls, 2], height and velocity: h' = v, v' = −gravity.
static evn_dynamics *ball(int balls) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(balls, 2));
    evn_value gravity = evn_input(f, "gravity", EVN_SCALAR);
    const evn_value slopes[] = {rig_column(f, x, 1),
                                evn_broadcast(f, evn_neg(f, gravity), EVN_SHAPE(balls, 1))};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return rig_dynamics(f, NULL);
}

static const struct {
    const char *name, *method;
    evn_gradient gradient;
    int steps;
    bool per_sample;
} ways[] = {{"backprop, fixed", "rk4", EVN_GRADIENT_BACKPROP, 7, false},
            {"reversible, fixed", "rk4", EVN_GRADIENT_REVERSIBLE, 7, false},
            {"backprop, adaptive", "dopri5", EVN_GRADIENT_BACKPROP, 0, false},
            {"adjoint, adaptive", "dopri5", EVN_GRADIENT_ADJOINT, 0, false},
            {"adjoint-quadrature", "dopri5", EVN_GRADIENT_ADJOINT_QUADRATURE, 0, false},
            {"backprop, own steps", "dopri5", EVN_GRADIENT_BACKPROP, 0, true}};
enum { WAYS = sizeof(ways) / sizeof(ways[0]), BALLS = 3 };

/// What a ball that falls on the floor at `floor` is at t, and with it its derivatives by height,
/// velocity and gravity; behind that it stays.
static void observe_ball(double t, double h, double v, double gravity, double by[3][2]) {
    double root = sqrt(v * v + 2 * gravity * h), floor = (v + root) / gravity;
    bool flies = t < floor;
    by[0][0] = flies;
    by[0][1] = flies ? 0 : -gravity / root;
    by[1][0] = flies ? t : 0;
    by[1][1] = flies ? 1 : -v / root;
    by[2][0] = flies ? -t * t / 2 : 0;
    by[2][1] = flies ? -t : -h / root;
}

static void near(const char *what, double x, double exact, double *worst) {
    double error = fabs(x - exact) / fmax(1, fabs(exact));
    *worst = fmax(*worst, error);
    ck_assert_msg(error <= 1e-8, "%s: %.12g, should be %.12g", what, x, exact);
}

/// Observations at the start, on the way, behind the floor, which ends each ball at a time of its
/// own; another event on the way, the apex, has cotangents as well.
START_TEST(gradients) {
    static const double x0[] = {1.5, 2, 0.1, 1, 3, 5};
    const double gravity = 9.81;
    int balls = ways[_i].per_sample ? BALLS : 1;
    evn_graph *floor = rig_component(balls, 2, 0), *apex = rig_component(balls, 2, 1);
    const evn_event events[] = {{floor, EVN_EVENT_FALLING, true}, {apex, EVN_EVENT_EITHER, false}};
    evn_solver_options options = rig_options(1e-12);
    options.method = ways[_i].method;
    options.gradient = ways[_i].gradient;
    options.steps = ways[_i].steps;
    options.per_sample = ways[_i].per_sample;
    options.observations = COUNT;
    options.times = fractions;
    rig r = rig_new(ball(balls), &options, events, 2);
    evn_buffer *observed = NULL;
    evn_occurrence_bar bars[2 * BALLS] = {{0, NULL}};
    double x1[6], x1_bar[6] = {0.3, -0.2, 0.5, 0.7, -1, 0.4}, got[6], series_bar[6 * COUNT];
    double by_gravity, of_gravity = 0, worst = 0, t1 = 2;
    evn_binding x0_bar;
    TRY(evn__real_create(test_device(), true, (size_t)(r.size * COUNT), &observed));
    TRY(evn__real_write(r.weights[0], true, &gravity, 1));
    for (int i = 0; i < COUNT * r.size; ++i) {
        series_bar[i] = sin(1.0 + i);
    }
    rig_solve(&r, 0, t1, x0, x1);
    for (int i = 0; i < evn_event_solver_occurrence_count(r.solver); ++i) {
        bars[i].t_bar = 0.5 * (rig_occurrence(&r, i).event == 1);
    }
    TRY(evn__real_write(r.x1_bar, true, x1_bar, (size_t)r.size));
    TRY(evn__real_write((evn_binding){observed, 0}, true, series_bar, (size_t)(r.size * COUNT)));
    const evn_event_bars all = {
        .x1_bar = r.x1_bar, .occurrences = bars, .observations = {observed, 0}};
    TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, r.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, got, (size_t)r.size));
    TRY(evn__real_read(r.weights_bar[0], true, &by_gravity, 1));
    for (int i = 0; i < balls; ++i) {
        double h = x0[2 * i], v = x0[2 * i + 1];
        double sums[] = {0, 0.5 / gravity, -0.5 * v / (gravity * gravity)}, by[3][2];
        for (int k = 0; k <= COUNT; ++k) { // the last one is x1
            const double *bar = k < COUNT ? series_bar + k * r.size + 2 * i : x1_bar + 2 * i;
            observe_ball(k < COUNT ? fractions[k] * t1 : 9, h, v, gravity, by);
            for (int j = 0; j < 3; ++j) {
                sums[j] += bar[0] * by[j][0] + bar[1] * by[j][1];
            }
        }
        near("by height", got[2 * i], sums[0], &worst);
        near("by velocity", got[2 * i + 1], sums[1], &worst);
        of_gravity += sums[2];
    }
    near("by gravity", by_gravity, of_gravity, &worst);
    printf("%s: %.2g\n", ways[_i].name, worst);
    evn_buffer_destroy(&observed);
    rig_free(&r);
    evn_graph_destroy(&floor);
    evn_graph_destroy(&apex);
}
END_TEST

/// x' = w x, w' = a w: x = x₀ exp(w₀ (exp(a t) − 1) / a).
START_TEST(with_weights_that_evolve) {
    evn_graph *f = NULL, *g = NULL, *e = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_mul(f, evn_input(f, "w", EVN_SCALAR), x));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_value w = evn_input(g, "w", EVN_SCALAR);
    evn_output(g, "dw", evn_mul(g, evn_input(g, "a", EVN_SCALAR), w));
    TRY(evn_graph_create(&e));
    evn_output(e, "e", evn_input(e, "x", EVN_SHAPE(1, 1)));
    const evn_event never = {e, EVN_EVENT_EITHER, true};
    const double x0 = 1.2, w0 = -0.7, a = 0.4, bars[] = {0.5, -1, 2}, nothing = 0, t1 = 3;
    evn_solver_options options = rig_options(1e-11);
    options.gradient = _i ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    options.observations = 3;
    rig r = rig_new(rig_dynamics(f, g), &options, &never, 1);
    double x1, by[3] = {0}, got[3];
    evn_binding x0_bar;
    TRY(evn__real_write(r.weights[0], true, &w0, 1));
    TRY(evn__real_write(r.weights[1], true, &a, 1));
    rig_solve(&r, 0, t1, &x0, &x1);
    evn_buffer *observed = NULL;
    TRY(evn__real_create(test_device(), true, 3, &observed));
    TRY(evn__real_write((evn_binding){observed, 0}, true, bars, 3));
    TRY(evn__real_write(r.x1_bar, true, &nothing, 1));
    const evn_event_bars all = {.x1_bar = r.x1_bar, .observations = {observed, 0}};
    TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, r.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, got, 1));
    TRY(evn__real_read(r.weights_bar[0], true, got + 1, 1));
    TRY(evn__real_read(r.weights_bar[1], true, got + 2, 1));
    for (int i = 0; i < 3; ++i) {
        double t = (i + 1) * t1 / 3, grown = exp(a * t), y = x0 * exp(w0 * (grown - 1) / a);
        by[0] += bars[i] * y / x0;
        by[1] += bars[i] * y * (grown - 1) / a;
        by[2] += bars[i] * y * w0 * (t * grown * a - (grown - 1)) / (a * a);
    }
    for (int i = 0; i < 3; ++i) {
        ck_assert_double_eq_tol(got[i], by[i], 1e-8);
    }
    evn_buffer_destroy(&observed);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

// Bad input ---------------------------------------------------------------------------------------

static void refuse_options(const evn_solver_options *options, int rows, const char *words) {
    evn_dynamics *dynamics = rig_oscillator(rows);
    evn_graph *q = rig_component(rows, 2, 0);
    const evn_event event = {q, EVN_EVENT_EITHER, true};
    evn_event_solver *solver = NULL;
    REFUSED(evn_event_solver_create(test_device(), dynamics, options, &event, 1, &solver));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), words));
    evn_graph_destroy(&q);
    evn_dynamics_destroy(&dynamics);
}

START_TEST(refused) {
    static const double x0[] = {1, 0}, t0 = 0, t1 = 1, outside[] = {0.5, 1.5};
    const evn_sample_times wrong = {&t0, &t1, outside};
    evn_solver_options options = evn_solver_options_default();
    evn_graph *q = rig_component(1, 2, 0);
    const evn_event event = {q, EVN_EVENT_EITHER, true};
    evn_binding at;
    rig none = rig_new(rig_oscillator(1), &options, &event, 1);
    TRY(rig_try(&none, 0, 1, x0));
    REFUSED(evn_event_solver_observed(none.solver, &at));
    rig_free(&none);
    options.gradient = EVN_GRADIENT_BACKPROP;
    none = rig_new(rig_oscillator(1), &options, &event, 1);
    TRY(rig_try(&none, 0, 1, x0));
    const evn_event_bars odd = {.x1_bar = none.x1_bar, .observations = none.x0};
    REFUSED(evn_solve_to_event_gradient(none.solver, &odd, &at, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "observations"));
    options.observations = 2;
    options.per_sample = true;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    REFUSED(evn_event_solver_observed(r.solver, &at)); // no solve
    REFUSED(evn_event_solver_observed(NULL, &at));
    REFUSED(evn_solve_samples_to_event(r.solver, &wrong, r.x0, NULL, &r.x1, NULL));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "observation 2"));
    TRY(rig_try(&r, 0, 1, x0));
    REFUSED(evn_event_solver_observed(r.solver, NULL));
    TRY(evn_event_solver_observed(r.solver, &at));
    const evn_event_bars few = {.x1_bar = r.x1_bar,
                                .observations = {r.memory, RIG_SLOTS * (2 + 2 * RIG_WEIGHTS) - 3}};
    REFUSED(evn_solve_to_event_gradient(r.solver, &few, &at, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "observations"));
    options.time_gradient = true;
    refuse_options(&options, 1, "time_gradient");
    options.time_gradient = false;
    options.observe_weights = true;
    refuse_options(&options, 1, "observe_weights");
    rig_free(&none);
    rig_free(&r);
    evn_graph_destroy(&q);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/event_observations");
    TCase *made = tcase_create("made");
    tcase_add_loop_test(made, on_the_way, 0, sizeof(walks) / sizeof(walks[0]));
    tcase_add_loop_test(made, behind_the_last_one, 0, 3);
    tcase_add_test(made, of_each_sample);
    tcase_add_test(made, a_step_with_a_bad_way_is_rejected);
    tcase_add_loop_test(made, not_finite, 0, 2);
    suite_add_tcase(s, made);
    TCase *back = tcase_create("gradients");
    tcase_add_loop_test(back, gradients, 0, WAYS);
    tcase_add_loop_test(back, with_weights_that_evolve, 0, 2);
    suite_add_tcase(s, back);
    TCase *bad = tcase_create("refused");
    tcase_add_test(bad, refused);
    suite_add_tcase(s, bad);
    return s;
}

int main(void) {
    return test_run(suite());
}
