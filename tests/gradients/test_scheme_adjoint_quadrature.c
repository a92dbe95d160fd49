// SPDX-License-Identifier: Apache-2.0
// The adjoint along the interpolants of a solve, in fp64: within ten tolerances of backprop along
// many steps, also where dynamics cannot be solved backwards; what it refuses, and what it keeps.
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RESULTS = 2048 };

static const double times[] = {0, 0.3, 0.45, 1};

static evn_solver_options with(const char *method, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = options.atol = tolerance;
    options.gradient = EVN_GRADIENT_ADJOINT_QUADRATURE;
    options.fp64 = true;
    return options;
}

/// Of steps so many that they are the solution.
static evn_solver_options exact(const evn_solver_options *from) {
    evn_solver_options options = *from;
    options.method = "dopri5";
    options.steps = 500;
    options.gradient = EVN_GRADIENT_BACKPROP;
    return options;
}

/// Gradients in x, then in the weights.
static int gradient_of(problem *p, const evn_solver_options *options, double *all) {
    int count = p->x_count;
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    memcpy(all, p->x0_bar, sizeof(double) * (size_t)p->x_count);
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(all + count, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
        count += p->weight_size[i];
    }
    ck_assert_int_le(count, RESULTS);
    return count;
}

static void check(const char *what, const double *got, const double *expected, int count,
                  double tolerance) {
    double error = test_difference(got, expected, count);
    printf("%s, tolerance %g: %.2g\n", what, tolerance, error);
    ck_assert_msg(error <= 10 * tolerance, "%s at %g: %g", what, tolerance, error);
}

/// From a tolerance down to 1e-9.
static void check_problem(problem p, const char *method, double loosest, int observations,
                          bool given) {
    double expected[RESULTS], got[RESULTS];
    for (double tolerance = loosest; tolerance > 1e-10; tolerance /= 1000) {
        evn_solver_options options = with(method, tolerance), fine;
        options.observations = observations;
        options.times = given ? times : NULL;
        fine = exact(&options);
        int count = gradient_of(&p, &fine, expected);
        ck_assert_int_eq(gradient_of(&p, &options, got), count);
        ck_assert_int_gt(p.backward.nfe, 0);
        check(method, got, expected, count, tolerance);
    }
    problem_free(&p);
}

START_TEST(within_ten_tolerances) {
    static const char *const methods[] = {"dopri5", "tsit5", "bosh3"};
    check_problem(problem_node_ew(70), methods[_i % 3], 1e-3, _i / 3 == 0 ? 0 : 4, _i / 3 == 2);
}
END_TEST

/// Interpolants with more places, and with stages of their own.
START_TEST(of_every_order) {
    static const char *const methods[] = {"cashkarp", "kvaerno5", "kennedy_carpenter5",
                                          "verner65", "verner76", "dop853",
                                          "adams",    "abm5"};
    check_problem(problem_node_ew(70), methods[_i], 1e-9, 4, true);
}
END_TEST

/// Parameters whose cotangents are sums of products.
START_TEST(products) {
    check_problem(problem_wide(71), "dopri5", 1e-3, 0, false);
}
END_TEST

// What cannot be solved backwards -----------------------------------------------------------------

/// x' = −w x with w = 50.
static problem problem_decay(void) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(2, 2)), w = evn_input(f, "w", EVN_SHAPE(2));
    evn_output(f, "dx", evn_neg(f, evn_mul(f, w, x)));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    test_uniform(72, 1, 2, p.x0, p.x_count);
    p.weight[0][0] = p.weight[0][1] = 50;
    return p;
}

/// x(0.2) = x0 exp(−10): everything is known.
START_TEST(decay) {
    const double tolerance = 1e-6, end = 0.2;
    problem p = problem_decay();
    evn_solver_options options = with("dopri5", tolerance);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, end);
    problem_gradient(&p);
    double left = exp(-50 * end);
    for (int i = 0; i < p.x_count; ++i) {
        ck_assert_double_eq_tol(p.x0_bar[i], left, 10 * tolerance);
    }
    for (int i = 0; i < 2; ++i) {
        double sum = -end * left * (p.x0[i] + p.x0[2 + i]);
        printf("w: %g, which is %g\n", p.weight_bar_host[0][i], sum);
        ck_assert_double_eq_tol(p.weight_bar_host[0][i], sum, 10 * tolerance);
    }
    problem_free(&p);
}
END_TEST

/// The heat equation for θ, x' = θ x: diffusion forgets what it began with. Backwards it is none.
START_TEST(weights_that_diffuse) {
    enum { POINTS = 8 };
    const double tolerance = 1e-7;
    double matrix[POINTS * POINTS] = {0}, expected[RESULTS], got[RESULTS];
    evn_graph *f = NULL, *g = NULL;
    evn_dynamics *dynamics = NULL;
    for (int i = 0; i < POINTS; ++i) {
        matrix[i * POINTS + i] = -2 * 20;
        matrix[i * POINTS + (i + 1) % POINTS] = matrix[((i + 1) % POINTS) * POINTS + i] = 20;
    }
    TRY(evn_graph_create(&f));
    TRY(evn_graph_create(&g));
    evn_input(f, "t", EVN_SCALAR);
    evn_input(g, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(2, POINTS));
    evn_output(f, "dx", evn_mul(f, x, evn_input(f, "w", EVN_SHAPE(1, POINTS))));
    evn_value w = evn_input(g, "w", EVN_SHAPE(1, POINTS));
    evn_value heat = evn_table(g, EVN_SHAPE(POINTS, POINTS), matrix);
    evn_output(g, "dw", evn_matmul(g, w, heat, false, false));
    TRY(evn_dynamics_create(f, g, &dynamics));
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    problem p = problem_new(dynamics);
    test_uniform(73, -1, 1, p.x0, p.x_count);
    test_uniform(74, -1, 1, p.weight[0], POINTS);
    evn_solver_options options = with("tsit5", tolerance), fine = exact(&options);
    int count = gradient_of(&p, &fine, expected);
    gradient_of(&p, &options, got);
    check("diffusion", got, expected, count, tolerance);
    problem_free(&p);
}
END_TEST

// Calls -------------------------------------------------------------------------------------------

START_TEST(no_way) {
    problem p = problem_node_ew(75);
    evn_solver_options options = with("dopri5", 1e-6);
    options.observations = _i * 4;
    options.times = _i ? times : NULL;
    problem_prepare(&p, &options);
    problem_solve(&p, 2, 2);
    problem_gradient(&p);
    ck_assert_int_eq(p.backward.nfe, 0);
    for (int i = 0; i < p.x_count; ++i) {
        double sum = 0;
        for (int k = i; k < p.x1_count; k += p.x_count) {
            sum += p.x1_bar[k];
        }
        ck_assert_double_eq_tol(p.x0_bar[i], sum, 1e-12);
    }
    problem_free(&p);
}
END_TEST

/// Again with other cotangents, and after a longer solve: the steps are gone once more, or not.
START_TEST(again) {
    double first[6];
    problem p = problem_node_ew(76);
    evn_solver_options options = with("dopri5", 1e-6);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    int nfe = p.backward.nfe;
    memcpy(first, p.x0_bar, sizeof(first));
    problem_gradient(&p);
    ck_assert_mem_eq(first, p.x0_bar, sizeof(first));
    ck_assert_int_lt(p.backward.nfe, nfe);
    problem_solve(&p, 0, 9);
    problem_gradient(&p);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    ck_assert_mem_eq(first, p.x0_bar, sizeof(first));
    ck_assert_int_eq(p.backward.nfe, nfe);
    problem_free(&p);
}
END_TEST

/// As many attempts as the solve made are too few for the way back.
START_TEST(too_many_steps) {
    evn_binding x0_bar;
    evn_solution back;
    problem p = problem_node_ew(77);
    evn_solver_options options = with("dopri5", 1e-6);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    options.max_steps = p.solution.accepted + p.solution.rejected;
    ck_assert_int_gt(p.backward.accepted + p.backward.rejected, options.max_steps);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, (size_t)p.x1_count));
    evn_status status = evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &back);
    ck_assert_int_eq(status, EVN_ERR_SOLVER);
    ck_assert_int_eq(back.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "max_steps"));
    problem_free(&p);
}
END_TEST

START_TEST(refusals) {
    double error;
    problem p = problem_linear();
    evn_solver_options options = with("dopri5", 1e-6);
    options.steps = 10;
    REFUSED(evn_solver_options_check(&options));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "adaptive"));
    options = with("dopri5", 1e-6);
    options.fall_back = true;
    REFUSED(evn_solver_options_check(&options));
    options = with("dopri5", 1e-6);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    REFUSED(evn_solver_reconstruction(p.solver, &error, &error)); // nothing is rebuilt
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/scheme_adjoint_quadrature");
    TCase *error = tcase_create("error"); // whole: long
    test_add_share(error, within_ten_tolerances, 0, 9, 3);
    test_add_share(error, of_every_order, 0, 8, 3);
    tcase_add_test(error, products);
    suite_add_tcase(s, error);
    TCase *ill = tcase_create("ill_posed");
    tcase_add_test(ill, decay);
    tcase_add_test(ill, weights_that_diffuse);
    suite_add_tcase(s, ill);
    TCase *calls = tcase_create("calls");
    tcase_add_loop_test(calls, no_way, 0, 2);
    tcase_add_test(calls, again);
    tcase_add_test(calls, too_many_steps);
    tcase_add_test(calls, refusals);
    suite_add_tcase(s, calls);
    return s;
}

int main(void) {
    return test_run(suite());
}
