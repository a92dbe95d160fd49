// SPDX-License-Identifier: Apache-2.0
// TEST: timeout=900
// Implicit methods with more unknowns than a matrix has room for: solutions against those of
// explicit methods and of matrices, gradients against differences.
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static evn_solver_options with(const char *method, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = options.atol = tolerance;
    options.fp64 = true;
    return options;
}

// The Brusselator with diffusion, α = 1/50
// ---------------------------------------------------------

/// Half of x: u or v.
static evn_value half(evn_graph *f, evn_value x, int64_t n, bool second) {
    const int64_t start[] = {0, second ? n : 0};
    return evn_slice(f, x, start, EVN_SHAPE(1, n));
}

/// Second differences, with `edge` on both sides.
static evn_value bend(evn_graph *f, evn_value u, int64_t n, double edge) {
    const int64_t first[] = {0, 0}, second[] = {0, 1}, both[] = {0, 2};
    evn_value inner = evn_pad(f, evn_sub(f, u, evn_constant(f, edge)), second, EVN_SHAPE(1, n + 2));
    evn_value left = evn_slice(f, inner, first, EVN_SHAPE(1, n));
    evn_value right = evn_slice(f, inner, both, EVN_SHAPE(1, n));
    evn_value here = evn_slice(f, inner, second, EVN_SHAPE(1, n));
    return evn_sub(f, evn_add(f, left, right), evn_scale(f, here, 2));
}

/// Hairer, Wanner: Solving ODEs II, IV.1; x [1, 2 n] = (u, v). Its rate of diffusion is a weight.
static problem brusselator(int64_t n) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 2 * n), &t, &x);
    evn_value rate = evn_scale(f, evn_input(f, "rate", EVN_SHAPE(1)), (double)((n + 1) * (n + 1)));
    evn_value u = half(f, x, n, false), v = half(f, x, n, true);
    evn_value cubic = evn_mul(f, evn_mul(f, u, u), v);
    evn_value du = evn_sub(f, evn_add(f, cubic, evn_constant(f, 1)), evn_scale(f, u, 4));
    evn_value dv = evn_sub(f, evn_scale(f, u, 3), cubic);
    const evn_value slopes[] = {evn_add(f, du, evn_mul(f, rate, bend(f, u, n, 1))),
                                evn_add(f, dv, evn_mul(f, rate, bend(f, v, n, 3)))};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    problem p = problem_of(f, NULL);
    p.weight[0][0] = 0.02;
    for (int64_t i = 0; i < n; ++i) {
        p.x0[i] = 1 + sin(2 * pi * (double)(i + 1) / (double)(n + 1));
        p.x0[n + i] = 3;
    }
    return p;
}

static double distance(const double *got, const double *exact, int count) {
    double most = 0;
    for (int i = 0; i < count; ++i) {
        most = fmax(most, fabs(got[i] - exact[i]));
    }
    return most;
}

enum { POINTS = 40, UNKNOWNS = 2 * POINTS };

static void solve_brusselator(const evn_solver_options *options, double *x1) {
    problem p = brusselator(POINTS);
    problem_prepare(&p, options);
    problem_solve(&p, 0, 1);
    memcpy(x1, p.x1, sizeof(double) * UNKNOWNS);
    printf("%s: %d + %d steps, %d evaluations\n", options->method, p.solution.accepted,
           p.solution.rejected, p.solution.nfe);
    problem_free(&p);
}

START_TEST(brusselators_are_those_of_explicit_methods) {
    static const char *const methods[] = {"kvaerno5", "trbdf2", "rosenbrock23"};
    double exact[UNKNOWNS], got[UNKNOWNS];
    evn_solver_options fine = with("dop853", 1e-10), options = with(methods[_i], _i ? 1e-6 : 1e-5);
    solve_brusselator(&fine, exact);
    solve_brusselator(&options, got);
    double error = distance(got, exact, UNKNOWNS);
    printf("%s: error %.2g\n", methods[_i], error);
    ck_assert_double_lt(error, 1e-4);
}
END_TEST

/// Vectors that are too few for a long step make it shorter, and fixed ones end with a word.
START_TEST(what_is_not_solved_is_told) {
    double exact[UNKNOWNS], got[UNKNOWNS];
    evn_solver_options fine = with("dop853", 1e-10),
                       options = with(_i ? "rosenbrock23" : "trbdf2", 1e-5);
    options.krylov = 2;
    solve_brusselator(&fine, exact);
    solve_brusselator(&options, got);
    ck_assert_double_lt(distance(got, exact, UNKNOWNS), 2e-3);
    options.steps = 1;
    problem p = brusselator(POINTS);
    evn_binding x1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "krylov"));
    problem_free(&p);
}
END_TEST

/// x' = x, dt = 1: the implicit Euler method has 0 x1 = x0 to solve.
START_TEST(singular_systems_are_not_solved) {
    problem p = problem_growth(true);
    evn_solver_options options = with("implicit_euler", 1e-3);
    evn_binding x1;
    options.steps = options.krylov = 1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    problem_free(&p);
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

static const char *const methods[] = {"implicit_euler", "trapezoid", "sdirk4", "kvaerno5",
                                      "rosenbrock23"};

enum { METHODS = sizeof(methods) / sizeof(*methods) };

/// Weights that evolve and x are one system, of 16 unknowns, by fewer vectors than that.
START_TEST(gradients_are_those_of_the_steps) {
    problem p = problem_node_ew(5);
    evn_solver_options options = with(methods[_i], 1e-3);
    options.steps = 3;
    options.krylov = 10;
    options.gradient = _i % 2 ? EVN_GRADIENT_CHECKPOINTED : EVN_GRADIENT_BACKPROP;
    problem_check_differences(&p, &options, 6, 6, 1e-7);
    problem_free(&p);
}
END_TEST

START_TEST(gradients_of_brusselators) {
    problem p = brusselator(POINTS);
    evn_solver_options options = with("trbdf2", 1e-3);
    options.steps = 8;
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_check_differences(&p, &options, 6, 6, 1e-7);
    problem_free(&p);
}
END_TEST

// Heat, by implicit Euler steps
// ------------------------------------------------------------------

/// x' = rate bend(x)
static problem heat(int64_t n, double rate) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, n), &t, &x);
    evn_output(f, "dx", evn_scale(f, bend(f, x, n, 0), rate));
    problem p = problem_of(f, NULL);
    for (int64_t i = 0; i < n; ++i) {
        p.x0[i] = sin(pi * (double)(i + 1) / (double)(n + 1)); // which one vector solves
        p.x1_bar[i] = i == n / 3;                              // all are needed
    }
    return p;
}

/// One step back from x, in its place: (1 + 2 a) xᵢ − a (xᵢ₋₁ + xᵢ₊₁), the inverse of which is its
/// own transpose.
static void spread(double a, double *x, int n) {
    enum { MOST = 200 };
    double upper[MOST], pivot = 1 + 2 * a;
    for (int i = 0; i < n; ++i) {
        x[i] = (x[i] + (i > 0 ? a * x[i - 1] : 0)) / pivot;
        upper[i] = a / pivot;
        pivot = 1 + 2 * a - a * upper[i];
    }
    for (int i = n - 2; i >= 0; --i) {
        x[i] += upper[i] * x[i + 1];
    }
}

static void check_refused(problem *p) {
    evn_binding x0_bar;
    TRY(evn__real_write(p->x1_bar_at, true, p->x1_bar, (size_t)p->x1_count));
    ck_assert_int_eq(
        evn_solve_gradient(p->solver, p->x1_bar_at, &x0_bar, p->weights_bar, &p->backward),
        EVN_ERR_SOLVER);
    ck_assert_int_eq(p->backward.outcome, EVN_OUTCOME_NEWTON_FAILED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "give krylov more vectors"));
    problem_free(p);
}

/// As many vectors as there are unknowns solve each system. Where more are needed than there are, a
/// gradient is not a number, not a wrong one, and says so.
START_TEST(gradients_of_heat) {
    enum { STEPS = 2, MOST = 200 };
    int n = _i ? MOST : 60;
    double rate = 0.1 * (n + 1) * (n + 1), exact[MOST];
    problem p = heat(n, rate);
    evn_solver_options options = with("implicit_euler", 1e-3);
    options.steps = STEPS;
    options.gradient = EVN_GRADIENT_BACKPROP;
    memcpy(exact, p.x1_bar, sizeof(double) * (size_t)n);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    if (_i) {
        check_refused(&p);
        return;
    }
    problem_gradient(&p);
    for (int i = 0; i < STEPS; ++i) {
        spread(rate / STEPS, exact, n);
    }
    printf("%d unknowns: off by %.2g\n", n, test_difference(p.x0_bar, exact, n));
    ck_assert_double_lt(test_difference(p.x0_bar, exact, n), 1e-10);
    problem_free(&p);
}
END_TEST

// Evolving weights
// -------------------------------------------------------------------------------

/// W' = 30 (tanh(A W) − W): of a state and weights that make 624 unknowns together, which meet in
/// f.
static problem stiff_weights(void) {
    enum { ROWS = 2, UNITS = 24 };
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, UNITS), &t, &x), *g = NULL;
    evn_value w = evn_input(f, "w", EVN_SHAPE(UNITS, UNITS));
    evn_output(f, "dx", evn_tanh(f, evn_matmul(f, x, w, false, false)));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    w = evn_input(g, "w", EVN_SHAPE(UNITS, UNITS));
    evn_value a = evn_input(g, "a", EVN_SHAPE(UNITS, UNITS));
    evn_value there = evn_tanh(g, evn_matmul(g, a, w, false, false));
    evn_output(g, "dw", evn_scale(g, evn_sub(g, there, w), 30));
    problem p = problem_of(f, g);
    test_uniform(1, -1, 1, p.x0, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform((uint64_t)i + 2, -0.2, 0.2, p.weight[i], p.weight_size[i]);
    }
    return p;
}

START_TEST(gradients_of_many_weights_that_evolve) {
    problem p = stiff_weights();
    evn_solver_options options = with(_i ? "kvaerno5" : "trbdf2", 1e-3);
    options.steps = 4;
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_check_differences(&p, &options, 6, 6, 1e-7);
    problem_free(&p);
}
END_TEST

/// What gradient_of gives: x1, x0_bar and the weights' cotangents.
static int numbers_of(const problem *p) {
    int count = 2 * p->x_count;
    for (int i = 0; i < p->weight_count; ++i) {
        count += p->weight_size[i];
    }
    return count;
}

static void gradient_of(problem *p, const evn_solver_options *options, double t1, double *all) {
    problem_prepare(p, options);
    problem_solve(p, 0, t1);
    problem_gradient(p);
    memcpy(all, p->x1, sizeof(double) * (size_t)p->x_count);
    all += p->x_count;
    memcpy(all, p->x0_bar, sizeof(double) * (size_t)p->x_count);
    all += p->x_count;
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(all, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
        all += p->weight_size[i];
    }
}

/// A system of x and its cotangent: of 160 unknowns along the solve, whose diffusion nobody can
/// solve backwards, of 32 where x and weights that evolve are.
START_TEST(adjoints) {
    enum { MOST = 400 };
    double exact[MOST], got[MOST];
    problem p = _i ? problem_node_ew(5) : brusselator(POINTS);
    evn_solver_options fine = with("dopri5", 1e-9), options = with("kvaerno3", 1e-6);
    fine.gradient = EVN_GRADIENT_BACKPROP;
    options.gradient = _i ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_ADJOINT_QUADRATURE;
    options.krylov = 12;
    gradient_of(&p, &fine, 0.2, exact);
    gradient_of(&p, &options, 0.2, got);
    double error = test_difference(got, exact, numbers_of(&p));
    printf("%s: off by %.2g\n", evn_gradient_name((int)options.gradient), error);
    ck_assert_double_lt(error, 1e-4);
    problem_free(&p);
}
END_TEST

/// By a matrix, and by as many vectors as there are unknowns.
START_TEST(matrices_and_vectors_agree) {
    enum { MOST = 200 };
    double dense[MOST], krylov[MOST];
    problem p = problem_node_ew(7);
    evn_solver_options options = with(_i ? "kvaerno5" : "rosenbrock23", 1e-3);
    options.steps = 3;
    options.gradient = EVN_GRADIENT_BACKPROP;
    ck_assert_int_le(numbers_of(&p), MOST);
    gradient_of(&p, &options, 0.5, dense);
    options.krylov = 16;
    gradient_of(&p, &options, 0.5, krylov);
    double error = test_difference(krylov, dense, numbers_of(&p));
    printf("%s: differ by %.2g\n", options.method, error);
    ck_assert_double_lt(error, 1e-9);
    problem_free(&p);
}
END_TEST

// Rows --------------------------------------------------------------------------------------------

/// x' = 20 (tanh(x A) − x), A [40, 40] fixed; each row by itself.
static problem rows_apart(int rows) {
    enum { WIDTH = 40 };
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(rows, WIDTH), &t, &x);
    double a[WIDTH * WIDTH];
    test_uniform(3, -0.3, 0.3, a, WIDTH * WIDTH);
    evn_value turned = evn_matmul(f, x, evn_table(f, EVN_SHAPE(WIDTH, WIDTH), a), false, false);
    evn_output(f, "dx", evn_scale(f, evn_sub(f, evn_tanh(f, turned), x), 20));
    problem p = problem_of(f, NULL);
    test_uniform(9, -1, 1, p.x0, p.x_count);
    return p;
}

/// Each has vectors of its own, whatever the others are: of 8 none is exact for all. Steps of each
/// one's own, too.
START_TEST(rows_are_systems_of_their_own) {
    enum { ROWS = 3, WIDTH = 40 };
    double together[2 * ROWS * WIDTH], alone[2 * WIDTH];
    problem p = rows_apart(ROWS), one = rows_apart(1);
    evn_solver_options options = with("trbdf2", 1e-6);
    options.krylov = 8;
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.steps = _i ? 0 : 10;
    options.per_sample = _i;
    gradient_of(&p, &options, 0.2, together);
    for (int i = 0; i < ROWS; ++i) {
        memcpy(one.x0, p.x0 + (ptrdiff_t)i * WIDTH, sizeof(double) * WIDTH);
        gradient_of(&one, &options, 0.2, alone);
        const double *x1 = together + (ptrdiff_t)i * WIDTH, *x0_bar = x1 + ROWS * WIDTH;
        ck_assert_double_lt(test_difference(x1, alone, WIDTH), 1e-12);
        ck_assert_double_lt(test_difference(x0_bar, alone + WIDTH, WIDTH), 1e-10);
    }
    problem_free(&p);
    problem_free(&one);
}
END_TEST

START_TEST(numbers_of_vectors_are_checked) {
    const int wrong[] = {-1, 65, 5};
    evn_solver_options options = with(_i == 2 ? "dopri5" : "kvaerno5", 1e-3);
    options.krylov = wrong[_i];
    REFUSED(evn_solver_options_check(&options));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "krylov"));
    options.krylov = 0;
    TRY(evn_solver_options_check(&options));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/linear_krylov");
    TCase *values = tcase_create("values"); // whole: long
    test_add_share(values, brusselators_are_those_of_explicit_methods, 0, 3, 3);
    tcase_add_loop_test(values, what_is_not_solved_is_told, 0, 2);
    tcase_add_test(values, singular_systems_are_not_solved);
    tcase_add_loop_test(values, matrices_and_vectors_agree, 0, 2);
    test_add_share(values, numbers_of_vectors_are_checked, 0, 3, 3);
    suite_add_tcase(s, values);
    TCase *gradients = tcase_create("gradients"); // whole: long
    test_add_share(gradients, gradients_are_those_of_the_steps, 0, METHODS, 3);
    tcase_add_test(gradients, gradients_of_brusselators);
    tcase_add_loop_test(gradients, gradients_of_heat, 0, 2);
    tcase_add_loop_test(gradients, gradients_of_many_weights_that_evolve, 0, 2);
    tcase_add_loop_test(gradients, adjoints, 0, 2);
    suite_add_tcase(s, gradients);
    TCase *rows = tcase_create("rows");
    tcase_add_loop_test(rows, rows_are_systems_of_their_own, 0, 2);
    suite_add_tcase(s, rows);
    return s;
}

int main(void) {
    return test_run(suite());
}
