// SPDX-License-Identifier: Apache-2.0
// What a solver advises where its options, or its dynamics, are in the way: what is named is what
// is in the way, and what is advised helps.
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <limits.h>
#include <math.h>
#include <string.h>

/// x' = −rate x, x [1, 1], x0 = 1.
static problem decaying(double rate) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 1), &t, &x);
    evn_output(f, "dx", evn_scale(f, x, -rate));
    problem p = problem_of(f, NULL);
    p.x0[0] = 1;
    return p;
}

static void says(const char *text) {
    ck_assert_msg(strstr(evn_error_message(), text), "'%s' is not in: %s", text,
                  evn_error_message());
}

static void does_not_say(const char *text) {
    ck_assert_msg(!strstr(evn_error_message(), text), "'%s' is in: %s", text, evn_error_message());
}

// Options -----------------------------------------------------------------------------------------

/// What cannot be held in the solve's precision is refused when the solver is made.
START_TEST(what_is_as_good_as_0_is_refused) {
    static const struct {
        const char *name;
        evn_solver_options with;
    } rows[] = {
        {"atol 1e-300", {.atol = 1e-300}},
        {"atol 1e-25", {.atol = 1e-25}},
        {"atol 1e-200", {.atol = 1e-200, .fp64 = true}},
        {"dt_first 1e-300", {.dt_first = 1e-300}},
        {"dt_max 1e-300", {.dt_max = 1e-300}},
    };
    evn_solver_options o = evn_solver_options_default();
    o.atol = rows[_i].with.atol > 0 ? rows[_i].with.atol : o.atol;
    o.dt_first = rows[_i].with.dt_first;
    o.dt_max = rows[_i].with.dt_max;
    o.fp64 = rows[_i].with.fp64;
    ck_assert_int_eq(evn_solver_options_check(&o), EVN_ERR_ARGUMENT);
    says(rows[_i].name);
    o.atol = o.atol < 1e-3 ? 1e-12 : o.atol; // small, and kept to
    o.dt_first = o.dt_max = 0;
    ck_assert_int_eq(evn_solver_options_check(&o), EVN_OK);
}
END_TEST

/// The check says what evn_solver_create would.
START_TEST(times_are_checked) {
    static const double wrong[][2] = {
        {0.5, 0.25}, {NAN, 1}, {0.5, INFINITY}, {0.5, 0.5}, {-0.1, 1}};
    evn_solver_options o = evn_solver_options_default();
    evn_solver *solver = NULL;
    problem p = decaying(1);
    o.observations = 2;
    o.times = wrong[_i];
    ck_assert_int_eq(evn_solver_options_check(&o), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &o, &solver), EVN_ERR_ARGUMENT);
    problem_free(&p);
}
END_TEST

START_TEST(more_steps_than_there_may_be_are_found_by_the_check) {
    evn_solver_options o = evn_solver_options_default();
    o.steps = INT_MAX / 64 - 2;
    ck_assert_int_eq(evn_solver_options_check(&o), EVN_OK);
    o.observations = 7;
    o.times_vary = true;
    ck_assert_int_eq(evn_solver_options_check(&o), EVN_ERR_ARGUMENT);
    says("observations");
}
END_TEST

// Bounds of steps ---------------------------------------------------------------------------------

/// Neither tolerances nor the dynamics keep these steps short.
START_TEST(what_bounds_steps_is_named) {
    static const struct {
        double dt_first, dt_max, t0;
        const char *name;
    } rows[] = {{1e-30, 0, 1, "dt_first = 1e-30"},
                {0, 1e-9, 1, "dt_max = 1e-09"},
                {0, 1e-6, 0, "dt_max = 1e-06"}};
    evn_binding x1;
    problem p = decaying(1);
    evn_solver_options o = evn_solver_options_default();
    o.dt_first = rows[_i].dt_first;
    o.dt_max = rows[_i].dt_max;
    o.max_steps = 20;
    problem_prepare(&p, &o);
    ck_assert_int_eq(problem_try(&p, rows[_i].t0, rows[_i].t0 + 1, &x1), EVN_ERR_SOLVER);
    says(rows[_i].name);
    does_not_say("loosen");
    o.dt_first = o.dt_max = 0; // which helps
    problem_prepare(&p, &o);
    problem_solve(&p, rows[_i].t0, rows[_i].t0 + 1);
    problem_free(&p);
}
END_TEST

/// More steps do not help where rounding is refused as an error.
START_TEST(rounding_is_told) {
    evn_binding x1;
    problem p = decaying(1);
    evn_solver_options o = evn_solver_options_default();
    o.rtol = 0;
    o.atol = 1e-12;
    o.max_steps = 100;
    problem_prepare(&p, &o);
    ck_assert_int_eq(problem_try(&p, 0, 10, &x1), EVN_ERR_SOLVER);
    says("give an rtol");
    o.rtol = 1e-6; // which helps
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 10);
    problem_free(&p);
}
END_TEST

/// Single precision has a time every 8 there, which adaptive steps are refused for, too.
START_TEST(fixed_steps_come_to_other_times) {
    static const double t0[] = {1e8, -1e8};
    evn_binding x1;
    problem p = decaying(1);
    evn_solver_options o = evn_solver_options_default();
    double t = t0[_i];
    o.method = "rk4";
    o.steps = 10;
    problem_prepare(&p, &o);
    ck_assert_int_eq(problem_try(&p, t, t + 1, &x1), EVN_ERR_ARGUMENT);
    says("one every 8");
    ck_assert_int_eq(problem_try(&p, t + 1, t, &x1), EVN_ERR_ARGUMENT);
    problem_solve(&p, t, t); // no way, and no steps on it
    problem_solve(&p, 0, 1); // which helps
    ck_assert_double_eq_tol(p.x1[0], exp(-1), 1e-5);
    o.fp64 = p.fp64 = true; // and so does this
    problem_prepare(&p, &o);
    problem_solve(&p, t, t + 1);
    ck_assert_double_eq_tol(p.x1[0], exp(-1), 1e-5);
    problem_free(&p);
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

/// No other gradient mends what was not finite before it: a cotangent, or the state of fixed steps,
/// which nothing waited for.
START_TEST(what_was_not_finite_before_is_told) {
    evn_binding x1, x0_bar;
    problem p = decaying(1);
    evn_solver_options o = evn_solver_options_default();
    o.gradient = EVN_GRADIENT_ADJOINT;
    o.steps = _i == 0 ? 0 : 4;
    p.x0[0] = _i == 0 ? 1 : NAN;
    problem_prepare(&p, &o);
    TRY(problem_try(&p, 0, 1, &x1));
    p.x1_bar[0] = _i == 0 ? NAN : 1;
    TRY(evn__real_write(p.x1_bar_at, false, p.x1_bar, 1));
    evn_status status =
        evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward);
    ck_assert_int_eq(status, EVN_ERR_NOT_FINITE);
    says(_i == 0 ? "cotangents that it was given" : "look whether the solve");
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_NOT_FINITE);
    problem_free(&p);
}
END_TEST

// Stiffness ---------------------------------------------------------------------------------------

/// A step that became too small may be that of an explicit method that is wrong.
START_TEST(small_steps_are_told_as_stiff) {
    evn_binding x1;
    problem p = decaying(1e4);
    evn_solver_options o = evn_solver_options_default();
    o.dt_min = 2e-3;
    o.fp64 = p.fp64 = true;
    o.dt_first = 4e-3;
    o.per_sample = _i == 1;
    problem_prepare(&p, &o);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_STEP_TOO_SMALL);
    ck_assert_double_eq_tol(p.solution.decay, _i == 1 ? p.solution.decay : 1e4, 1);
    says("stiff");
    says("dt_min = 0.002");
    does_not_say("loosen");
    o.method = "kennedy_carpenter5"; // which helps
    o.dt_min = o.dt_first = 0;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    problem_free(&p);
}
END_TEST

/// A solve may come to its end by many steps that stability alone keeps short. Where it stands, and
/// all that is asked of it, stays as it is.
START_TEST(ends_that_stability_made_far_are_told) {
    static const double rate[] = {1e4, 1e4, 1};
    problem p = decaying(rate[_i]);
    evn_solver_options o = evn_solver_options_default();
    o.fp64 = p.fp64 = true;
    o.method = _i == 1 ? "kennedy_carpenter5" : "dopri5";
    o.dense = true;
    o.gradient = EVN_GRADIENT_CHECKPOINTED;
    o.dt_max = _i == 2 ? 3.5e-4 : 0; // many steps, which nothing but this bounds
    problem_prepare(&p, &o);
    const double t1 = 0.4;
    problem_solve(&p, 0, t1);
    ck_assert_double_eq_tol(p.solution.decay, _i == 0 ? 1e4 : 0, 1);
    ck_assert(p.solution.accepted > (_i == 1 ? 5 : 1000));
    double end = p.x1[0];
    problem_gradient(&p);
    TRY(evn_solver_at(p.solver, &t1, 1, p.x0_at, NULL));
    TRY(evn__real_read(p.x0_at, true, p.x1, 1));
    ck_assert_double_eq_tol(p.x1[0], end, 1e-12);
    ck_assert_double_eq_tol(p.x0_bar[0], end, 1e-12); // of a linear problem from 1
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("advice");
    TCase *options = tcase_create("options");
    tcase_add_loop_test(options, what_is_as_good_as_0_is_refused, 0, 5);
    tcase_add_loop_test(options, times_are_checked, 0, 5);
    tcase_add_test(options, more_steps_than_there_may_be_are_found_by_the_check);
    suite_add_tcase(s, options);
    TCase *bounds = tcase_create("bounds");
    tcase_add_loop_test(bounds, what_bounds_steps_is_named, 0, 3);
    suite_add_tcase(s, bounds);
    tcase_add_test(bounds, rounding_is_told);
    tcase_add_loop_test(bounds, fixed_steps_come_to_other_times, 0, 2);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, what_was_not_finite_before_is_told, 0, 2);
    suite_add_tcase(s, gradients);
    TCase *stiff = tcase_create("stiff");
    tcase_add_loop_test(stiff, small_steps_are_told_as_stiff, 0, 2);
    suite_add_tcase(s, stiff);
    TCase *ends = tcase_create("ends");
    tcase_add_loop_test(ends, ends_that_stability_made_far_are_told, 0, 3);
    suite_add_tcase(s, ends);
    return s;
}

int main(void) {
    return test_run(suite());
}
