// SPDX-License-Identifier: Apache-2.0
// Ways across jumps of f and g with all that a way may have besides: observations, also at a jump,
// weights that evolve, every gradient, and how far what is solved backwards is from the truth.
#include "driven.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

// Ways --------------------------------------------------------------------------------------------

typedef struct way {
    const char *method;
    evn_gradient gradient;
    int steps, checkpoints;
    bool per_sample;
} way;

static const way ways[] = {{"dopri5", EVN_GRADIENT_NONE, 0, 0, false},
                           {"dopri5", EVN_GRADIENT_BACKPROP, 0, 0, false},
                           {"rk4", EVN_GRADIENT_BACKPROP, 5, 0, false},
                           {"dopri5", EVN_GRADIENT_CHECKPOINTED, 0, 2, false},
                           {"rk4", EVN_GRADIENT_CHECKPOINTED, 5, 0, false},
                           {"dopri5", EVN_GRADIENT_CHECKPOINTED, 5, 3, false},
                           {"tsit5", EVN_GRADIENT_ADJOINT, 0, 0, false},
                           {"rk4", EVN_GRADIENT_ADJOINT, 5, 0, false},
                           {"rk4", EVN_GRADIENT_REVERSIBLE, 5, 0, false},
                           {"dopri5", EVN_GRADIENT_ADJOINT_QUADRATURE, 0, 0, false},
                           {"dopri5", EVN_GRADIENT_BACKPROP, 0, 0, true}};

enum { WAYS = sizeof(ways) / sizeof(*ways), TIMES = 6 };

static evn_solver_options options_of(const way *w) {
    evn_solver_options options = driven_across(w->method, w->steps, w->gradient);
    options.checkpoints = w->checkpoints;
    options.per_sample = w->per_sample;
    return options;
}

/// Solve from t0 to t1, and go back twice; the same as the closed form. The solver is that of the
/// options.
static void check(problem *p, const evn_solver_options *o, double t0, double t1, double within) {
    double from[DRIVEN_ROWS] = {t0, t0, t0}, at[PROBLEM_OBSERVATIONS * DRIVEN_ROWS];
    int points = o->observations > 0 ? o->observations : 1;
    problem_solve(p, t0, t1);
    for (int i = 0; i < points * DRIVEN_ROWS; ++i) {
        double part = o->times ? o->times[i / DRIVEN_ROWS] : (i / DRIVEN_ROWS + 1.0) / points;
        at[i] = t0 + part * (t1 - t0);
    }
    driven_check_points(p, from, at, points, within);
    ck_assert(p->solution.t == t1);
    for (int again = 0; again < 2 && o->gradient != EVN_GRADIENT_NONE; ++again) {
        problem_gradient(p);
        driven_check_bars(p, from, at, points, within);
    }
}

static const double ends[][2] = {{0, 1},     {1, 0},     {-0.2, 0.3}, {0.3, 0.7},
                                 {0.7, 0.3}, {0.3, 0.2}, {0.4, 0.4},  {1.2, 0.7}};

enum { ENDS = sizeof(ends) / sizeof(*ends) };

static void check_way(int index, bool evolves, bool observed) {
    static const double times[TIMES] = {0, 0.15, 0.3, 0.5, 0.7, 1};
    problem p = driven_problem(evolves);
    evn_solver_options options = options_of(&ways[index]);
    options.observations = observed ? TIMES : 0;
    options.times = observed ? times : NULL;
    problem_prepare(&p, &options);
    for (int i = 0; i < ENDS; ++i) {
        check(&p, &options, ends[i][0], ends[i][1], 1e-12);
    }
    problem_free(&p);
}

START_TEST(constant_weights) {
    check_way(_i, false, false);
}
END_TEST

START_TEST(constant_weights_observed) {
    check_way(_i, false, true);
}
END_TEST

START_TEST(evolving_weights) {
    check_way(_i, true, false);
}
END_TEST

START_TEST(evolving_weights_observed) {
    check_way(_i, true, true);
}
END_TEST

/// Equal parts of the way, and single precision, whose jumps are elsewhere.
START_TEST(single_precision) {
    problem p = driven_problem(true);
    evn_solver_options options = options_of(&ways[_i]);
    options.fp64 = false;
    options.rtol = options.atol = 1e-5;
    options.observations = 5;
    problem_prepare(&p, &options);
    check(&p, &options, 0, 1, 3e-6);
    check(&p, &options, 1, 0, 3e-6);
    problem_free(&p);
}
END_TEST

/// Observations on both sides of a jump, and between these, as kernels see times.
START_TEST(observed_around_jumps) {
    const bool fp64 = _i >= WAYS;
    const double times[TIMES] = {0.1, nextafter(0.3, 0), 0.3, nextafter(0.3, 1), 0.7 - 1e-9, 1};
    problem p = driven_problem(true);
    evn_solver_options options = options_of(&ways[_i % WAYS]);
    options.fp64 = fp64;
    options.rtol = options.atol = 1e-5;
    options.observations = TIMES;
    options.times = times;
    problem_prepare(&p, &options);
    check(&p, &options, 0, 1, fp64 ? 1e-12 : 3e-6);
    problem_free(&p);
}
END_TEST

/// Weights at observations, too.
START_TEST(weights_are_observed) {
    static const double times[TIMES] = {0, 0.15, 0.3, 0.5, 0.7, 1};
    problem p = driven_problem(true);
    evn_solver_options options = driven_across("dopri5", _i * 4, EVN_GRADIENT_BACKPROP);
    options.observations = TIMES;
    options.times = times;
    options.observe_weights = true;
    problem_prepare(&p, &options);
    check(&p, &options, 0, 1, 1e-12);
    for (int i = 0; i < TIMES; ++i) {
        evn_binding at;
        double w, once = driven_shares_of(0, times[i]).b; // ∫u
        TRY(evn_solver_weight(p.solver, driven_find(&p, "w"), i, &at));
        TRY(evn__real_read(at, true, &w, 1));
        ck_assert_double_eq_tol(w, driven_weight(&p, "w") + once * driven_weight(&p, "c"), 1e-12);
    }
    problem_free(&p);
}
END_TEST

/// Weights that are solved by themselves, in each part anew: in terms or on steps of their own.
static void check_path(bool in_terms, bool observed) {
    static const double times[] = {0, 0.15, 0.3, 0.5, 0.7, 1};
    for (int i = 0; i < WAYS; ++i) {
        bool along = ways[i].gradient == EVN_GRADIENT_ADJOINT_QUADRATURE; // adaptive steps alone
        problem p = driven_problem(true);
        evn_solver_options options = options_of(&ways[i]);
        options.weight_terms = in_terms || along ? 6 : 0;
        options.weight_steps = in_terms || along ? 0 : 4;
        if (ways[i].gradient == EVN_GRADIENT_REVERSIBLE && in_terms) {
            options.weight_terms = 0; // fixed steps alone
            options.weight_steps = 1;
        }
        options.observations = observed ? TIMES : 0;
        options.times = observed ? times : NULL;
        problem_prepare(&p, &options);
        check(&p, &options, 0, 1, 1e-12);
        check(&p, &options, 0.7, 0.2, 1e-12);
        problem_free(&p);
    }
}

START_TEST(weights_by_themselves) {
    check_path(_i % 2, _i / 2);
}
END_TEST

/// x' = tanh(x W) with weights that evolve nonlinearly, jumps where nothing jumps: as differences
/// have it, of x and of what g reads.
START_TEST(weights_by_themselves_against_differences) {
    static const double at[] = {0.35, 0.8};
    static const way gone[] = {{"rk4", EVN_GRADIENT_BACKPROP, 4, 0, false},
                               {"rk4", EVN_GRADIENT_CHECKPOINTED, 4, 2, false},
                               {"rk4", EVN_GRADIENT_REVERSIBLE, 4, 0, false}};
    problem p = problem_node_ew(6);
    evn_solver_options options = options_of(&gone[_i % 3]);
    options.jumps = at;
    options.weight_steps = 3;
    options.observations = _i < 3 ? 0 : 4;
    problem_check_differences(&p, &options, 2, 3, 1e-7);
    problem_free(&p);
}
END_TEST

/// In each part the fewest steps to each observation that are no longer than it by `steps`.
START_TEST(fixed_steps_land) {
    static const double times[] = {0.15, 0.3, 0.5, 0.7, 1},
                        grid[] = {0,   0.075, 0.15,  0.225, 0.3,   0.4, 0.5,
                                  0.6, 0.7,   0.775, 0.85,  0.925, 1};
    enum { STEPS = 12 };
    double taken[STEPS + 1];
    problem p = driven_problem(false);
    evn_solver_options options = driven_across("rk4", 4, EVN_GRADIENT_NONE);
    options.observations = 5;
    options.times = times;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(p.solution.accepted, STEPS);
    ck_assert_int_eq(p.solution.nfe, 4 * STEPS);
    TRY(evn_solver_grid(p.solver, taken, STEPS + 1));
    for (int i = 0; i <= STEPS; ++i) {
        ck_assert_double_eq_tol(taken[i], grid[i], 1e-15);
    }
    problem_free(&p);
}
END_TEST

/// Adaptive steps end at each observation and before each jump, and cost what the parts cost that
/// are solved one by one.
START_TEST(adaptive_steps_land) {
    enum { POINTS = 5, PARTS = DRIVEN_JUMPS + 1, MOST = 200 };
    static const double times[POINTS] = {0.15, 0.3, 0.5, 0.85, 1};
    static const double within[PARTS] = {0.15, 0.5, 0.85};
    const double begins[PARTS] = {0, driven_jumps[0], driven_jumps[1]};
    double grid[MOST], before[DRIVEN_JUMPS];
    problem p = problem_node_ew(8), q = problem_node_ew(8);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_NONE), plain = options;
    options.observations = POINTS;
    options.times = times;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    int points = p.solution.accepted + 1, nfe = 0, accepted = 0;
    ck_assert_int_le(points, MOST);
    TRY(evn_solver_grid(p.solver, grid, points));
    for (int i = 0; i < DRIVEN_JUMPS; ++i) {
        before[i] = nextafter(driven_jumps[i], 0);
    }
    for (int i = 0; i < POINTS + DRIVEN_JUMPS; ++i) {
        double nearest = 1, at = i < POINTS ? times[i] : before[i - POINTS];
        for (int k = 0; k < points; ++k) {
            nearest = fmin(nearest, fabs(grid[k] - at));
        }
        ck_assert_msg(nearest <= 1e-15, "%g is %g away", at, nearest);
    }
    for (int i = 0; i < PARTS; ++i) {
        double end = i < DRIVEN_JUMPS ? before[i] : 1;
        const double part[] = {(within[i] - begins[i]) / (end - begins[i]), 1};
        plain.jump_count = 0;
        plain.jumps = NULL;
        plain.observations = 2;
        plain.times = part;
        problem_prepare(&q, &plain);
        problem_solve(&q, begins[i], end);
        nfe += q.solution.nfe;
        accepted += q.solution.accepted;
        memcpy(q.x0, q.x1 + q.x_count, sizeof(double) * (size_t)q.x_count);
        for (int k = 0; k < q.weight_count; ++k) {
            evn_binding at;
            TRY(evn_solver_weight(q.solver, k, -1, &at));
            TRY(evn__real_read(at, true, q.weight[k], (size_t)q.weight_size[k]));
        }
    }
    ck_assert_int_eq(p.solution.nfe, nfe);
    ck_assert_int_eq(p.solution.accepted, accepted);
    ck_assert_mem_eq(p.x1 + (size_t)(POINTS - 1) * (size_t)p.x_count, q.x0,
                     sizeof(double) * (size_t)q.x_count);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

// Stops -------------------------------------------------------------------------------------------

/// x' = x² grows beyond all bounds at 1/x0: x is that of the stop, not of the solve before.
START_TEST(stops_where_it_is) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_output(f, "dx", evn_mul(f, x, x));
    problem p = problem_of(f, NULL);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_NONE);
    evn_binding x1;
    problem_prepare(&p, &options);
    p.x0[0] = 0.1;
    problem_solve(&p, 0, 1);
    ck_assert_double_eq_tol(p.x1[0], 1 / 9.0, 1e-8);
    p.x0[0] = _i ? 2.5 : 5; // in the second part, or the first
    ck_assert_int_ne(problem_try(&p, 0, 1, &x1), EVN_OK);
    TRY(evn__real_read(x1, true, p.x1, 1));
    ck_assert_msg(!(p.x1[0] < 1e3), "x = %g", p.x1[0]);
    ck_assert_double_eq_tol(p.solution.t, 1 / p.x0[0], 1e-3);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), _i ? "part 2 of 3" : "part 1 of 3"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "of the way from 0 to 1: "));
    problem_free(&p);
}
END_TEST

// Where nothing jumps -----------------------------------------------------------------------------

/// As many steps as without a jump: the same gradient, of a network with weights that evolve.
START_TEST(same_as_without_jumps) {
    static const double half = 0.5, times[] = {0.2, 0.5, 1};
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED};
    problem p = problem_node_ew(5), q = problem_node_ew(5);
    evn_solver_options options = driven_across("rk4", 10, gradients[_i % 2]), plain = options;
    options.observations = plain.observations = _i < 2 ? 0 : 3;
    options.times = plain.times = _i < 2 ? NULL : times;
    options.jumps = &half;
    options.jump_count = 1;
    options.steps = 5;
    plain.jump_count = 0;
    plain.jumps = NULL;
    problem_prepare(&p, &options);
    problem_prepare(&q, &plain);
    problem_solve(&p, 0, 1);
    problem_solve(&q, 0, 1);
    ck_assert_int_eq(p.solution.accepted, q.solution.accepted);
    problem_gradient(&p);
    problem_gradient(&q);
    problem_check_same_gradients(&p, &q, 1e-11);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

/// A jump that is not on the way, and observations where steps end anyway, change nothing: the
/// coupling that is chosen is of the steps that there are.
START_TEST(coupling_is_of_the_steps) {
    enum { POINTS = 4 };
    const double far = 50, times[POINTS] = {0.25, 0.5, 0.75, 1};
    problem p = problem_square();
    evn_solver_options options = driven_across("euler", 200, EVN_GRADIENT_REVERSIBLE);
    options.jumps = NULL;
    options.jump_count = 0;
    problem_prepare(&p, &options);
    p.x0[0] = 0.5;
    problem_solve(&p, 0, 1);
    double x1 = p.x1[0];
    options.jumps = &far;
    options.jump_count = 1;
    options.observations = POINTS;
    options.times = times;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(p.solution.accepted, options.steps);
    ck_assert_double_eq_tol(p.x1[POINTS - 1], x1, 1e-13);
    problem_free(&p);
}
END_TEST

/// Parts that are solved again are waited for again, each but the last.
START_TEST(waits_are_counted) {
    problem p = problem_network(DRIVEN_ROWS);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_BACKPROP);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    ck_assert_int_ge(p.backward.waits, DRIVEN_JUMPS);
    problem_free(&p);
}
END_TEST

/// Of the steps that are taken, whatever they are.
START_TEST(against_differences) {
    static const double at[] = {0.35, 0.8};
    static const way gone[] = {{"rk4", EVN_GRADIENT_BACKPROP, 4, 0, false},
                               {"bosh3", EVN_GRADIENT_CHECKPOINTED, 4, 2, false},
                               {"abm4", EVN_GRADIENT_BACKPROP, 6, 0, false},
                               {"sdirk4", EVN_GRADIENT_BACKPROP, 3, 0, false},
                               {"rk4", EVN_GRADIENT_REVERSIBLE, 4, 0, false}};
    problem p = problem_node_ew(6);
    evn_solver_options options = options_of(&gone[_i]);
    options.jumps = at;
    options.observations = 4;
    problem_check_differences(&p, &options, 2, 3, 1e-7);
    problem_free(&p);
}
END_TEST

// Solving backwards -------------------------------------------------------------------------------

/// x' = −k x, k large between the jumps alone: only that part cannot be solved backwards.
static problem decaying(double k) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_value a = evn_input(f, "a", EVN_SCALAR);
    evn_value inner = evn_sub(f, evn_step(f, evn_sub(f, evn_constant(f, driven_jumps[1]), t)),
                              evn_step(f, evn_sub(f, evn_constant(f, driven_jumps[0]), t)));
    evn_value rate = evn_add(f, a, evn_scale(f, inner, k));
    evn_output(f, "dx", evn_neg(f, evn_mul(f, rate, x)));
    problem p = problem_of(f, NULL);
    p.x0[0] = 1;
    p.weight[0][0] = 0.5;
    return p;
}

static evn_status try_gradient(problem *p) {
    evn_binding x0_bar;
    TRY(evn__real_write(p->x1_bar_at, p->fp64, p->x1_bar, (size_t)p->x1_count));
    return evn_solve_gradient(p->solver, p->x1_bar_at, &x0_bar, p->weights_bar, &p->backward);
}

/// The error of a part within names its beginning; the start alone would not show it.
START_TEST(parts_are_looked_at) {
    problem p = decaying(100);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_ADJOINT);
    double x_error, theta_error, worst;
    options.rtol = options.atol = 1e-6;
    options.watch = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(try_gradient(&p), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_NOT_RECONSTRUCTED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "at t = 0.3,"));
    TRY(evn_solver_reconstruction(p.solver, &x_error, &theta_error));
    TRY(evn_solver_watched(p.solver, &worst));
    ck_assert_double_gt(x_error, 1);
    ck_assert(worst == x_error && theta_error == 0);
    options.reconstruction = 0;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(try_gradient(&p));
    TRY(evn_solver_reconstruction(p.solver, &x_error, &theta_error));
    ck_assert_double_gt(x_error, 1);
    problem_free(&p);
}
END_TEST

/// Of the whole way back, not of each part.
START_TEST(steps_back_are_counted_over_all_parts) {
    problem p = problem_network(DRIVEN_ROWS);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_ADJOINT);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    int made = p.backward.accepted + p.backward.rejected;
    ck_assert_int_gt(made, p.solution.accepted + p.solution.rejected);
    for (options.max_steps = made; options.max_steps >= made - 1; --options.max_steps) {
        bool enough = options.max_steps == made;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        ck_assert_int_eq(try_gradient(&p), enough ? EVN_OK : EVN_ERR_SOLVER);
        ck_assert_int_eq(p.backward.outcome,
                         enough ? EVN_OUTCOME_DONE : EVN_OUTCOME_TOO_MANY_STEPS);
    }
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "on the way back to 0,"));
    problem_free(&p);
}
END_TEST

START_TEST(falls_back) {
    problem p = decaying(100);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_ADJOINT);
    options.fall_back = true;
    options.observations = 2 * _i;
    options.rtol = options.atol = 1e-8;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    ck_assert(p.backward.fell_back);
    double x = exp(-0.5 - 40), early = _i ? exp(-0.25 - 20) : 0;
    ck_assert_double_eq_tol(p.x0_bar[0], x + early, 1e-8);
    ck_assert_double_eq_tol(p.weight_bar_host[0][0], -x - 0.5 * early, 1e-7);
    problem_free(&p);
}
END_TEST

/// As many attempts as the solve made: those of the adjoint, which used them up, do not count.
START_TEST(falls_back_with_steps_of_its_own) {
    problem p = decaying(100);
    evn_solver_options options = driven_across("dopri5", 0, EVN_GRADIENT_CHECKPOINTED);
    options.rtol = options.atol = 1e-8;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    const evn_solution ahead = p.solution, back = p.backward;
    double x_bar = p.x0_bar[0];
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.fall_back = true;
    options.max_steps = ahead.accepted + ahead.rejected;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    ck_assert(p.backward.fell_back && p.x0_bar[0] == x_bar);
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_DONE);
    ck_assert_int_eq(p.backward.accepted, back.accepted);
    ck_assert_int_eq(p.backward.rejected, back.rejected);
    problem_free(&p);
}
END_TEST

/// What can be solved backwards is, and the error is that of the solve.
START_TEST(reconstructs) {
    problem p = decaying(3);
    bool reverses = _i == 1;
    evn_solver_options options =
        driven_across(reverses ? "rk4" : "dopri5", reverses ? 40 : 0,
                      reverses ? EVN_GRADIENT_REVERSIBLE : EVN_GRADIENT_ADJOINT);
    double x_error, theta_error;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    int forward = p.solution.nfe;
    problem_gradient(&p);
    TRY(evn_solver_reconstruction(p.solver, &x_error, &theta_error));
    double x = exp(-0.5 - 1.2);
    printf("reconstructed to %.2g; %d and %d evaluations\n", x_error, forward, p.backward.nfe);
    ck_assert_double_le(x_error, reverses ? 1e-13 : 1e-7);
    ck_assert_double_eq_tol(p.x0_bar[0], x, 1e-7);
    ck_assert_double_eq_tol(p.weight_bar_host[0][0], -x, 1e-7);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/scheme_jumps");
    TCase *closed = tcase_create("closed_form"); // whole: long
    test_add_share(closed, constant_weights, 0, WAYS, 3);
    test_add_share(closed, constant_weights_observed, 0, WAYS, 3);
    test_add_share(closed, evolving_weights, 0, WAYS, 3);
    test_add_share(closed, evolving_weights_observed, 0, WAYS, 3);
    test_add_share(closed, single_precision, 0, WAYS, 3);
    suite_add_tcase(s, closed);
    TCase *observed = tcase_create("observations"); // whole: long
    test_add_share(observed, observed_around_jumps, 0, 2 * WAYS, 3);
    tcase_add_loop_test(observed, weights_are_observed, 0, 2);
    tcase_add_test(observed, fixed_steps_land);
    tcase_add_test(observed, adaptive_steps_land);
    suite_add_tcase(s, observed);
    TCase *weights = tcase_create("weights"); // whole: long
    test_add_share(weights, weights_by_themselves, 0, 4, 3);
    test_add_share(weights, weights_by_themselves_against_differences, 0, 6, 3);
    suite_add_tcase(s, weights);
    TCase *stops = tcase_create("stops");
    tcase_add_loop_test(stops, stops_where_it_is, 0, 2);
    suite_add_tcase(s, stops);
    TCase *gradients = tcase_create("gradients"); // whole: long
    test_add_share(gradients, same_as_without_jumps, 0, 4, 3);
    tcase_add_test(gradients, coupling_is_of_the_steps);
    tcase_add_test(gradients, waits_are_counted);
    test_add_share(gradients, against_differences, 0, 5, 3);
    suite_add_tcase(s, gradients);
    TCase *backwards = tcase_create("backwards");
    tcase_add_test(backwards, parts_are_looked_at);
    tcase_add_test(backwards, steps_back_are_counted_over_all_parts);
    tcase_add_loop_test(backwards, falls_back, 0, 2);
    tcase_add_test(backwards, falls_back_with_steps_of_its_own);
    tcase_add_loop_test(backwards, reconstructs, 0, 2);
    suite_add_tcase(s, backwards);
    return s;
}

int main(void) {
    return test_run(suite());
}
