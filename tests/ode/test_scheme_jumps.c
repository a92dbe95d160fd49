// SPDX-License-Identifier: Apache-2.0
// Ways across jumps of f and g with all that a way may have besides: observations, also at a jump,
// weights that evolve, steps and times of each sample's own, every gradient, and how far what is
// solved backwards is from the truth. A forcing that is constant between jumps makes x a polynomial
// of t there, which steps and gradients have to rounding, and nothing beyond a jump would.
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 3, JUMPS = 2 };
static const double jumps[JUMPS] = {0.3, 0.7}, levels[JUMPS + 1] = {1, -2, 0.5};

// The problem -------------------------------------------------------------------------------------

/// u(t): one level before the first jump, another one from it on, …
static evn_value forcing(evn_graph *g, evn_value t) {
    evn_value u = evn_constant(g, levels[JUMPS]);
    for (int i = 0; i < JUMPS; ++i) {
        evn_value before = evn_step(g, evn_sub(g, evn_constant(g, jumps[i]), t));
        u = evn_add(g, u, evn_scale(g, before, levels[i] - levels[i + 1]));
    }
    return u;
}

/// w' = c u.
static evn_graph *evolution(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value t = evn_input(g, "t", EVN_SCALAR);
    evn_input(g, "w", EVN_SHAPE(1));
    evn_output(g, "dw", evn_mul(g, evn_input(g, "c", EVN_SHAPE(1)), forcing(g, t)));
    return g;
}

/// x' = w + b u, x [ROWS, 1]; w evolves, or is constant.
static problem driven(bool evolves) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, 1), &t, &x);
    evn_value w = evn_input(f, "w", EVN_SHAPE(1)), b = evn_input(f, "b", EVN_SHAPE(1));
    evn_value ones = evn_full(f, EVN_SHAPE(ROWS, 1), 1);
    evn_value pushed = evn_mul(f, evn_mul(f, ones, b), forcing(f, t));
    evn_output(f, "dx", evn_add(f, evn_mul(f, ones, w), pushed));
    problem p = problem_of(f, evolves ? evolution() : NULL);
    test_uniform(3, -1, 1, p.x0, ROWS);
    test_uniform(4, -1, 1, p.x1_bar, ROWS * PROBLEM_OBSERVATIONS);
    for (int i = 0; i < p.weight_count; ++i) {
        p.weight[i][0] = 0.7 - 0.4 * i;
    }
    return p;
}

/// ∫u and ∫∫u from 0 on.
static void integrals(double t, double *once, double *twice) {
    const double starts[JUMPS + 2] = {0, jumps[0], jumps[1], INFINITY};
    *once = *twice = 0;
    for (int i = 0; i <= JUMPS; ++i) {
        double way = fmin(t, starts[i + 1]) - starts[i];
        if (i == 0 || way > 0) {
            *twice += *once * way + levels[i] * way * way / 2;
            *once += levels[i] * way;
        }
    }
}

/// How much of w, b and c is in x(t) − x(t0).
typedef struct shares {
    double w, b, c;
} shares;

static shares shares_of(double t0, double t) {
    double once0, twice0, once, twice;
    integrals(t0, &once0, &twice0);
    integrals(t, &once, &twice);
    return (shares){t - t0, once - once0, twice - twice0 - once0 * (t - t0)};
}

static int find(const problem *p, const char *name) {
    for (int i = 0; i < p->weight_count; ++i) {
        if (strcmp(evn_dynamics_weight_name(p->dynamics, i), name) == 0) {
            return i;
        }
    }
    return -1;
}

static double weight(const problem *p, const char *name) {
    int index = find(p, name);
    return index < 0 ? 0 : p->weight[index][0];
}

static double bar(const problem *p, const char *name) {
    int index = find(p, name);
    return index < 0 ? 0 : p->weight_bar_host[index][0];
}

static double exact(const problem *p, int row, double t0, double t) {
    shares s = shares_of(t0, t);
    return p->x0[row] + s.w * weight(p, "w") + s.b * weight(p, "b") + s.c * weight(p, "c");
}

/// What is observed, at `at` [points, ROWS], and the gradient, from t0 [ROWS] on.
static void check_points(const problem *p, const double *t0, const double *at, int points,
                         double within) {
    for (int i = 0; i < points * ROWS; ++i) {
        double x = exact(p, i % ROWS, t0[i % ROWS], at[i]);
        ck_assert_msg(fabs(p->x1[i] - x) <= within, "x%d(%.17g) = %.17g, not %.17g", i % ROWS,
                      at[i], p->x1[i], x);
    }
}

static void check_bars(const problem *p, const double *t0, const double *at, int points,
                       double within) {
    double x0_bar[ROWS] = {0};
    shares all = {0};
    for (int i = 0; i < points * ROWS; ++i) {
        shares s = shares_of(t0[i % ROWS], at[i]);
        x0_bar[i % ROWS] += p->x1_bar[i];
        all.w += p->x1_bar[i] * s.w;
        all.b += p->x1_bar[i] * s.b;
        all.c += p->x1_bar[i] * s.c;
    }
    for (int i = 0; i < ROWS; ++i) {
        ck_assert_double_eq_tol(p->x0_bar[i], x0_bar[i], within);
    }
    ck_assert_double_eq_tol(bar(p, "w"), all.w, within);
    ck_assert_double_eq_tol(bar(p, "b"), all.b, within);
    ck_assert_double_eq_tol(bar(p, "c"), find(p, "c") < 0 ? 0 : all.c, within);
}

// Ways --------------------------------------------------------------------------------------------

static evn_solver_options across(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = rig_options(1e-9);
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    options.jumps = jumps;
    options.jump_count = JUMPS;
    return options;
}

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
    evn_solver_options options = across(w->method, w->steps, w->gradient);
    options.checkpoints = w->checkpoints;
    options.per_sample = w->per_sample;
    return options;
}

/// Solve from t0 to t1, and go back twice; the same as the closed form. The solver is that of the
/// options.
static void check(problem *p, const evn_solver_options *o, double t0, double t1, double within) {
    double from[ROWS] = {t0, t0, t0}, at[PROBLEM_OBSERVATIONS * ROWS];
    int points = o->observations > 0 ? o->observations : 1;
    problem_solve(p, t0, t1);
    for (int i = 0; i < points * ROWS; ++i) {
        double part = o->times ? o->times[i / ROWS] : (i / ROWS + 1.0) / points;
        at[i] = t0 + part * (t1 - t0);
    }
    check_points(p, from, at, points, within);
    ck_assert(p->solution.t == t1);
    for (int again = 0; again < 2 && o->gradient != EVN_GRADIENT_NONE; ++again) {
        problem_gradient(p);
        check_bars(p, from, at, points, within);
    }
}

static const double ends[][2] = {{0, 1},     {1, 0},     {-0.2, 0.3}, {0.3, 0.7},
                                 {0.7, 0.3}, {0.3, 0.2}, {0.4, 0.4},  {1.2, 0.7}};

enum { ENDS = sizeof(ends) / sizeof(*ends) };

static void check_way(int index, bool evolves, bool observed) {
    static const double times[TIMES] = {0, 0.15, 0.3, 0.5, 0.7, 1};
    problem p = driven(evolves);
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
    problem p = driven(true);
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
    problem p = driven(true);
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
    problem p = driven(true);
    evn_solver_options options = across("dopri5", _i * 4, EVN_GRADIENT_BACKPROP);
    options.observations = TIMES;
    options.times = times;
    options.observe_weights = true;
    problem_prepare(&p, &options);
    check(&p, &options, 0, 1, 1e-12);
    for (int i = 0; i < TIMES; ++i) {
        evn_binding at;
        double w, once, twice;
        TRY(evn_solver_weight(p.solver, find(&p, "w"), i, &at));
        TRY(evn__real_read(at, true, &w, 1));
        integrals(times[i], &once, &twice);
        ck_assert_double_eq_tol(w, weight(&p, "w") + once * weight(&p, "c"), 1e-12);
    }
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
    problem p = driven(false);
    evn_solver_options options = across("rk4", 4, EVN_GRADIENT_NONE);
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

// Where nothing jumps -----------------------------------------------------------------------------

/// As many steps as without a jump: the same gradient, of a network with weights that evolve.
START_TEST(same_as_without_jumps) {
    static const double half = 0.5, times[] = {0.2, 0.5, 1};
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED};
    problem p = problem_node_ew(5), q = problem_node_ew(5);
    evn_solver_options options = across("rk4", 10, gradients[_i % 2]), plain = options;
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
    evn_value inner = evn_sub(f, evn_step(f, evn_sub(f, evn_constant(f, jumps[1]), t)),
                              evn_step(f, evn_sub(f, evn_constant(f, jumps[0]), t)));
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
    evn_solver_options options = across("dopri5", 0, EVN_GRADIENT_ADJOINT);
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

START_TEST(falls_back) {
    problem p = decaying(100);
    evn_solver_options options = across("dopri5", 0, EVN_GRADIENT_ADJOINT);
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

/// What can be solved backwards is, and the error is that of the solve.
START_TEST(reconstructs) {
    problem p = decaying(3);
    bool reverses = _i == 1;
    evn_solver_options options = across(reverses ? "rk4" : "dopri5", reverses ? 40 : 0,
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

// Times of each sample's own ----------------------------------------------------------------------

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

/// They cross none, one, and both the other way; observed in any order, at jumps, ends, starts.
START_TEST(own_times) {
    enum { POINTS = 5 };
    const double t0[ROWS] = {0.35, 0.1, 1}, t1[ROWS] = {0.6, 0.5, 0};
    const double times[ROWS * POINTS] = {0.4, 0.6, 0.35, 0.5, 0.4, //
                                         0.3, 0.1, 0.5,  0.2, 0.3, //
                                         0,   0.7, 0.3,  1,   0.5};
    const evn_sample_times own = {t0, t1, _i ? times : NULL};
    problem p = driven(false);
    evn_solver_options options = across("dopri5", 0, EVN_GRADIENT_BACKPROP);
    double at[ROWS * POINTS];
    options.per_sample = true;
    options.observations = _i ? POINTS : 0;
    problem_prepare(&p, &options);
    solve_samples(&p, &own, EVN_OK);
    for (int i = 0; i < ROWS * POINTS; ++i) {
        at[i] = _i ? times[i % ROWS * POINTS + i / ROWS] : t1[i % ROWS];
    }
    check_points(&p, t0, at, _i ? POINTS : 1, 1e-12);
    for (int i = 0; i < ROWS; ++i) {
        evn_solution one;
        TRY(evn_solver_sample_solution(p.solver, i, &one));
        ck_assert(one.outcome == EVN_OUTCOME_DONE && one.t == t1[i]);
        ck_assert_int_ge(one.accepted, i + 1);
    }
    for (int again = 0; again < 2; ++again) {
        problem_gradient(&p);
        check_bars(&p, t0, at, _i ? POINTS : 1, 1e-12);
    }
    problem_free(&p);
}
END_TEST

/// Weights that evolve go with all samples, which have to cross the same jumps.
START_TEST(evolving_weights_cross_alike) {
    const double t0[ROWS] = {0, 0.1, 0.2}, t1[ROWS] = {1, 0.8, 0.9}, less[ROWS] = {1, 0.6, 0.9};
    const evn_sample_times alike = {t0, t1, NULL}, other = {t0, less, NULL};
    problem p = driven(true);
    evn_solver_options options = across("dopri5", 0, EVN_GRADIENT_BACKPROP);
    options.per_sample = true;
    problem_prepare(&p, &options);
    solve_samples(&p, &alike, EVN_OK);
    // The weights are those at the first of all t0.
    shares whole = shares_of(0, 0.8), before = shares_of(0, 0.1);
    double x = p.x0[1] + (whole.w - before.w) * weight(&p, "w") +
               (whole.b - before.b) * weight(&p, "b") + (whole.c - before.c) * weight(&p, "c");
    ck_assert_double_eq_tol(p.x1[1], x, 1e-12);
    solve_samples(&p, &other, EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "sample 1 crosses other jumps"));
    problem_free(&p);
}
END_TEST

/// x' = x² grows beyond all bounds at 1/x0: before the jump, behind it, or never.
START_TEST(stops_harm_no_other) {
    enum { POINTS = 4 };
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, 1), &t, &x);
    evn_output(f, "dx", evn_mul(f, x, x));
    problem p = problem_of(f, NULL);
    evn_solver_options options = across("dopri5", 0, EVN_GRADIENT_NONE);
    evn_binding x1;
    evn_solution one;
    const double jump = 0.5, x0[ROWS] = {0.5, 4, 1.5};
    options.jumps = &jump;
    options.jump_count = 1;
    options.per_sample = true;
    options.observations = POINTS;
    problem_prepare(&p, &options);
    memcpy(p.x0, x0, sizeof(x0));
    ck_assert_int_ne(problem_try(&p, 0, 1, &x1), EVN_OK);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "sample 1 (2 of 3 samples"));
    TRY(evn__real_read(x1, true, p.x1, POINTS * ROWS));
    for (int i = 0; i < POINTS * ROWS; ++i) {
        double at = (i / ROWS + 1.0) / POINTS, value = 1 / (1 / x0[i % ROWS] - at);
        bool gone = at >= 1 / x0[i % ROWS];
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

/// Of the whole way of a sample, not of each part.
START_TEST(steps_are_counted_over_all_parts) {
    problem p = problem_network(ROWS);
    evn_solver_options options = across("dopri5", 0, EVN_GRADIENT_NONE);
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
    Suite *s = suite_create("ode/scheme_jumps");
    TCase *closed = tcase_create("closed_form");
    tcase_add_loop_test(closed, constant_weights, 0, WAYS);
    tcase_add_loop_test(closed, constant_weights_observed, 0, WAYS);
    tcase_add_loop_test(closed, evolving_weights, 0, WAYS);
    tcase_add_loop_test(closed, evolving_weights_observed, 0, WAYS);
    tcase_add_loop_test(closed, single_precision, 0, WAYS);
    suite_add_tcase(s, closed);
    TCase *observed = tcase_create("observations");
    tcase_add_loop_test(observed, observed_around_jumps, 0, 2 * WAYS);
    tcase_add_loop_test(observed, weights_are_observed, 0, 2);
    tcase_add_test(observed, fixed_steps_land);
    suite_add_tcase(s, observed);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, same_as_without_jumps, 0, 4);
    tcase_add_loop_test(gradients, against_differences, 0, 5);
    suite_add_tcase(s, gradients);
    TCase *backwards = tcase_create("backwards");
    tcase_add_test(backwards, parts_are_looked_at);
    tcase_add_loop_test(backwards, falls_back, 0, 2);
    tcase_add_loop_test(backwards, reconstructs, 0, 2);
    suite_add_tcase(s, backwards);
    TCase *samples = tcase_create("samples");
    tcase_add_loop_test(samples, own_times, 0, 2);
    tcase_add_test(samples, evolving_weights_cross_alike);
    tcase_add_test(samples, stops_harm_no_other);
    tcase_add_test(samples, steps_are_counted_over_all_parts);
    suite_add_tcase(s, samples);
    return s;
}

int main(void) {
    return test_run(suite());
}
