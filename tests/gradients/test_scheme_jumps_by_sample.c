// SPDX-License-Identifier: Apache-2.0
// Ways across jumps of f, where each sample has steps and times of its own.
#include "driven.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <string.h>

static void solve_samples(problem *p, const evn_sample_times *times, evn_status expected) {
    evn_binding x1;
    TRY(evn__real_write(p->x0_at, true, p->x0, (size_t)p->x_count));
    for (int i = 0; i < p->weight_count; ++i) {
        TRY(evn__real_write(p->weights[i], true, p->weight[i], (size_t)p->weight_size[i]));
    }
    ck_assert_int_eq(evn_solve_samples(p->solver, times, p->x0_at, p->weights, &x1, &p->solution),
                     expected);
    TRY(evn__real_read(x1, true, p->x1, (size_t)p->x1_count));
}

/// From t0 by way of its steps, and of the jumps that it crosses, to t1.
static void check_grid(problem *p, int sample, double t0, double t1) {
    enum { MOST = 64 };
    evn_solution one;
    double grid[MOST];
    TRY(evn_solver_sample_solution(p->solver, sample, &one));
    ck_assert_int_lt(one.accepted, MOST);
    TRY(evn_solver_sample_grid(p->solver, sample, grid, one.accepted + 1));
    ck_assert(grid[0] == t0 && grid[one.accepted] == t1);
    for (int i = 0; i < one.accepted; ++i) {
        ck_assert((grid[i + 1] - grid[i]) * (t1 - t0) > 0);
        for (int k = 0; k < 2; ++k) { // no step goes across
            bool below = grid[i] < driven_jumps[k] - 1e-9 && grid[i + 1] > driven_jumps[k] + 1e-9;
            bool above = grid[i] > driven_jumps[k] + 1e-9 && grid[i + 1] < driven_jumps[k] - 1e-9;
            ck_assert(!below && !above);
        }
    }
    ck_assert_int_eq(evn_solver_sample_grid(p->solver, sample, grid, one.accepted),
                     EVN_ERR_ARGUMENT);
}

/// They cross none, one, and both the other way; observed in any order, at driven_jumps, ends,
/// starts.
START_TEST(own_times) {
    enum { POINTS = 5 };
    const double t0[DRIVEN_ROWS] = {0.35, 0.1, 1}, t1[DRIVEN_ROWS] = {0.6, 0.5, 0};
    const double times[DRIVEN_ROWS * POINTS] = {0.4, 0.6, 0.35, 0.5, 0.4, //
                                                0.3, 0.1, 0.5,  0.2, 0.3, //
                                                0,   0.7, 0.3,  1,   0.5};
    const evn_sample_times own = {t0, t1, _i ? times : NULL};
    problem p = driven_problem(false);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_BACKPROP);
    double at[DRIVEN_ROWS * POINTS];
    options.per_sample = true;
    options.observations = _i ? POINTS : 0;
    problem_prepare(&p, &options);
    solve_samples(&p, &own, EVN_OK);
    for (int i = 0; i < DRIVEN_ROWS * POINTS; ++i) {
        at[i] = _i ? times[i % DRIVEN_ROWS * POINTS + i / DRIVEN_ROWS] : t1[i % DRIVEN_ROWS];
    }
    driven_check_points(&p, t0, at, _i ? POINTS : 1, 1e-12);
    for (int i = 0; i < DRIVEN_ROWS; ++i) {
        evn_solution one;
        TRY(evn_solver_sample_solution(p.solver, i, &one));
        ck_assert(one.outcome == EVN_OUTCOME_DONE && one.t == t1[i]);
        ck_assert_int_ge(one.accepted, i + 1);
        check_grid(&p, i, t0[i], t1[i]);
    }
    for (int again = 0; again < 2; ++again) {
        problem_gradient(&p);
        driven_check_bars(&p, t0, at, _i ? POINTS : 1, 1e-12);
    }
    problem_free(&p);
}
END_TEST

/// Without jumps, with a gradient, dense output, steps that are kept for it, and none of these.
START_TEST(grid_of_each_sample) {
    const double t0[DRIVEN_ROWS] = {0.35, 0.1, 1}, t1[DRIVEN_ROWS] = {0.6, 0.1, 0.8};
    const evn_sample_times own = {t0, t1, NULL};
    problem p = driven_problem(false);
    evn_solver_options options = evn_solver_options_default();
    double grid[2];
    options.fp64 = options.per_sample = true;
    options.gradient = _i == 0 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_NONE;
    options.dense = _i == 1;
    options.keep_steps = _i == 2;
    problem_prepare(&p, &options);
    ck_assert_int_eq(evn_solver_sample_grid(p.solver, 0, grid, 2), EVN_ERR_ARGUMENT);
    solve_samples(&p, &own, EVN_OK);
    if (_i == 3) {
        ck_assert_int_eq(evn_solver_sample_grid(p.solver, 0, grid, 2), EVN_ERR_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "set keep_steps"));
    }
    for (int i = 0; i < DRIVEN_ROWS && _i < 3; ++i) {
        evn_solution one;
        double times[64];
        TRY(evn_solver_sample_solution(p.solver, i, &one));
        ck_assert_int_lt(one.accepted, 64);
        TRY(evn_solver_sample_grid(p.solver, i, times, one.accepted + 1));
        ck_assert(times[0] == t0[i] && times[one.accepted] == t1[i]);
        for (int k = 0; k < one.accepted; ++k) {
            ck_assert((times[k + 1] - times[k]) * (t1[i] - t0[i]) > 0);
        }
    }
    problem_free(&p);
}
END_TEST

/// Weights that evolve go with all samples, which have to go in the same parts.
START_TEST(evolving_weights_go_alike) {
    const double t0[DRIVEN_ROWS] = {0, 0.1, 0.2}, t1[DRIVEN_ROWS] = {1, 0.8, 0.9},
                 less[DRIVEN_ROWS] = {1, 0.6, 0.9},
                 late[DRIVEN_ROWS] = {0, nextafter(driven_jumps[0], 0), 0.2};
    const evn_sample_times alike = {t0, t1, NULL}, other = {t0, less, NULL},
                           beside = {late, t1, NULL};
    problem p = driven_problem(true);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_BACKPROP);
    options.per_sample = true;
    problem_prepare(&p, &options);
    solve_samples(&p, &alike, EVN_OK);
    // The weights are those at the first of all t0.
    driven_shares whole = driven_shares_of(0, 0.8), before = driven_shares_of(0, 0.1);
    double x = p.x0[1] + (whole.w - before.w) * driven_weight(&p, "w") +
               (whole.b - before.b) * driven_weight(&p, "b") +
               (whole.c - before.c) * driven_weight(&p, "c");
    ck_assert_double_eq_tol(p.x1[1], x, 1e-12);
    check_grid(&p, 1, t0[1], t1[1]);
    solve_samples(&p, &other, EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "sample 1 goes in other parts"));
    solve_samples(&p, &beside, EVN_ERR_ARGUMENT); // it crosses the same jumps
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "the last time before a jump begins none"));
    problem_free(&p);
}
END_TEST

/// x' = x² grows beyond all bounds at 1/x0: before the jump, behind it, or never.
START_TEST(stops_harm_no_other) {
    enum { POINTS = 4 };
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(DRIVEN_ROWS, 1), &t, &x);
    evn_output(f, "dx", evn_mul(f, x, x));
    problem p = problem_of(f, NULL);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_NONE);
    evn_binding x1;
    evn_solution one;
    const double jump = 0.5, x0[DRIVEN_ROWS] = {0.5, 4, 1.5};
    options.jumps = &jump;
    options.jump_count = 1;
    options.per_sample = true;
    options.observations = POINTS;
    problem_prepare(&p, &options);
    memcpy(p.x0, x0, sizeof(x0));
    ck_assert_int_ne(problem_try(&p, 0, 1, &x1), EVN_OK);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "sample 1 (2 of 3 samples"));
    TRY(evn__real_read(x1, true, p.x1, POINTS * DRIVEN_ROWS));
    for (int i = 0; i < POINTS * DRIVEN_ROWS; ++i) {
        double at = (i / DRIVEN_ROWS + 1.0) / POINTS, value = 1 / (1 / x0[i % DRIVEN_ROWS] - at);
        bool gone = at >= 1 / x0[i % DRIVEN_ROWS];
        ck_assert_msg(gone ? isnan(p.x1[i]) : fabs(p.x1[i] - value) < 1e-6 * value, "%d: %g", i,
                      p.x1[i]);
    }
    TRY(evn_solver_sample_solution(p.solver, 0, &one));
    ck_assert(one.outcome == EVN_OUTCOME_DONE && one.t == 1);
    TRY(evn_solver_sample_solution(p.solver, 1, &one));
    ck_assert(one.outcome != EVN_OUTCOME_DONE);
    ck_assert_double_eq_tol(one.t, 0.25, 1e-3);
    TRY(evn_solver_sample_solution(p.solver, 2, &one));
    ck_assert(one.outcome != EVN_OUTCOME_DONE);
    ck_assert_double_eq_tol(one.t, 2.0 / 3, 1e-3);
    problem_free(&p);
}
END_TEST

// Weights that evolve -----------------------------------------------------------------------------

/// In each part w is linear in t, and x a polynomial: so are few terms, and steps of any length.
START_TEST(weights_have_a_series_in_each_part) {
    const double t0[DRIVEN_ROWS] = {0}, t1[DRIVEN_ROWS] = {1, 1, 1};
    problem p = driven_problem(true);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_BACKPROP);
    options.per_sample = true;
    options.weight_terms = _i ? 0 : 5;
    options.weight_steps = _i ? 3 : 0;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    driven_check_points(&p, t0, t1, 1, 1e-12);
    problem_gradient(&p);
    ck_assert_int_ge(p.backward.waits, DRIVEN_JUMPS); // for what is solved again
    driven_check_bars(&p, t0, t1, 1, 1e-12);
    problem_free(&p);
}
END_TEST

/// x' = w, w' = c sin 60 t: no series of few terms.
static problem shaken(void) {
    evn_graph *g = NULL;
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(DRIVEN_ROWS, 1), &t, &x);
    evn_value ones = evn_full(f, EVN_SHAPE(DRIVEN_ROWS, 1), 1);
    evn_output(f, "dx", evn_mul(f, ones, evn_input(f, "w", EVN_SHAPE(1))));
    TRY(evn_graph_create(&g));
    evn_value wave = evn_sin(g, evn_scale(g, evn_input(g, "t", EVN_SCALAR), 60));
    evn_input(g, "w", EVN_SHAPE(1));
    evn_output(g, "dw", evn_mul(g, evn_input(g, "c", EVN_SHAPE(1)), wave));
    problem p = problem_of(f, g);
    p.weight[0][0] = p.weight[1][0] = 1;
    return p;
}

/// What all samples read came to a stop: none is solved, and it is said what helps.
START_TEST(weights_are_not_resolved) {
    problem p = shaken();
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_NONE);
    evn_binding x1;
    options.per_sample = true;
    options.weight_terms = 5;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_WEIGHTS_NOT_RESOLVED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "a series of 5 Chebyshev polynomials"));
    ck_assert_ptr_null(strstr(evn_error_message(), "the others are solved"));
    for (int i = 0; i < DRIVEN_ROWS; ++i) {
        evn_solution one;
        TRY(evn_solver_sample_solution(p.solver, i, &one));
        ck_assert_int_eq(one.outcome, EVN_OUTCOME_WEIGHTS_NOT_RESOLVED);
    }
    problem_free(&p);
}
END_TEST

// Steps -------------------------------------------------------------------------------------------

/// Of the whole way of a sample, not of each part.
START_TEST(steps_are_counted_over_all_parts) {
    problem p = problem_network(DRIVEN_ROWS);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_NONE);
    evn_binding x1;
    options.per_sample = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    int made = p.solution.accepted + p.solution.rejected;
    options.max_steps = made;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(p.solution.accepted + p.solution.rejected, made);
    options.max_steps = made - 1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/scheme_jumps_by_sample");
    TCase *samples = tcase_create("samples");
    tcase_add_loop_test(samples, own_times, 0, 2);
    tcase_add_loop_test(samples, grid_of_each_sample, 0, 4);
    tcase_add_test(samples, evolving_weights_go_alike);
    tcase_add_test(samples, stops_harm_no_other);
    tcase_add_test(samples, steps_are_counted_over_all_parts);
    suite_add_tcase(s, samples);
    TCase *weights = tcase_create("weights");
    tcase_add_loop_test(weights, weights_have_a_series_in_each_part, 0, 2);
    tcase_add_test(weights, weights_are_not_resolved);
    suite_add_tcase(s, weights);
    return s;
}

int main(void) {
    return test_run(suite());
}
