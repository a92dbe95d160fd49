// SPDX-License-Identifier: Apache-2.0
// Implicit methods on stiff problems: stability, published reference values, gradients, steps of
// each sample's own.
#include "evonode/solver.h"
#include "methods/stepper.h"
#include "methods/tableau.h"
#include "problem.h"
#include "stiff.h"
#include "test.h"
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const methods[] = {"implicit_euler", "implicit_midpoint",  "trapezoid",
                                      "trbdf2",         "kvaerno3",           "sdirk4",
                                      "kvaerno5",       "kennedy_carpenter5", "rosenbrock23"};

enum { METHODS = sizeof(methods) / sizeof(*methods) };

static evn_solver_options with(const char *method, double rtol, double atol) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = rtol;
    options.atol = atol;
    options.fp64 = true;
    options.max_steps = 100000;
    return options;
}

// x' = −λ (x − cos t) -----------------------------------------------------------------------------

static const double lambda = 1e6;

/// Of which all but one begin far away.
static problem prothero_robinson(void) {
    problem p = stiff_prothero_robinson(3, lambda);
    for (int i = 0; i < 3; ++i) {
        p.x0[i] = i;
    }
    return p;
}

static double prothero_robinson_error(const problem *p, double t) {
    double exact = (lambda * lambda * cos(t) + lambda * sin(t)) / (lambda * lambda + 1);
    return fmax(fabs(p->x1[0] - exact), fmax(fabs(p->x1[1] - exact), fabs(p->x1[2] - exact)));
}

START_TEST(fast_decay_bounds_no_steps) {
    if (!evn__stepper_find(methods[_i])->error_order) {
        return;
    }
    problem p = prothero_robinson();
    evn_solver_options options = with(methods[_i], 1e-5, 1e-5);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    double error = prothero_robinson_error(&p, 1);
    printf("%s: error %.2g, %d + %d steps\n", methods[_i], error, p.solution.accepted,
           p.solution.rejected);
    ck_assert_double_lt(error, 1e-4);
    ck_assert_int_lt(p.solution.accepted + p.solution.rejected, 1500);
    problem_free(&p);
}
END_TEST

/// Steps of 10⁴ times what decays: that of those that are not L-stable stays bounded.
START_TEST(long_steps_are_stable) {
    problem p = prothero_robinson();
    evn_solver_options options = with(methods[_i], 1e-3, 1e-3);
    options.steps = 100;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    double error = prothero_robinson_error(&p, 1);
    bool damps = strcmp(methods[_i], "implicit_midpoint") != 0 && strcmp(methods[_i], "trapezoid");
    printf("%s: error %.2g\n", methods[_i], error);
    ck_assert_double_lt(error, damps ? 1e-3 : 3);
    problem_free(&p);
}
END_TEST

// Reference problems ------------------------------------------------------------------------------

/// Mazzia, Magherini: Test Set for IVP Solvers, 2008, as the other two.
static const double van_der_pol_at_2[] = {0.1706167732170483e1, -0.8928097010247975};

static const double robertson_at_1e11[] = {0.2083340149701255e-7, 0.8333360770334713e-13,
                                           0.9999999791665050};

static const double hires_at_end[] = {
    0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
    0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2};

/// The largest error relative to each component.
static double relative_error(const double *got, const double *exact, int count) {
    double worst = 0;
    for (int i = 0; i < count; ++i) {
        worst = fmax(worst, fabs(got[i] / exact[i] - 1));
    }
    return worst;
}

static void check_reference(const char *method, problem *p, double end, const double *exact,
                            double rtol, double atol, double bound) {
    evn_solver_options options = with(method, rtol, atol);
    problem_prepare(p, &options);
    problem_solve(p, 0, end);
    double error = relative_error(p->x1, exact, p->x_count);
    printf("%s: relative error %.2g, %d + %d steps\n", method, error, p->solution.accepted,
           p->solution.rejected);
    ck_assert_double_lt(error, bound);
    problem_free(p);
}

static const struct {
    const char *method;
    double rtol;
} solved[] = {{"trbdf2", 1e-5},   {"kvaerno3", 1e-5},           {"sdirk4", 1e-7},
              {"kvaerno5", 1e-7}, {"kennedy_carpenter5", 1e-7}, {"rosenbrock23", 1e-5}};

enum { SOLVED = sizeof(solved) / sizeof(*solved) };

START_TEST(van_der_pol_is_solved) {
    problem p = stiff_van_der_pol(1);
    check_reference(solved[_i].method, &p, 2, van_der_pol_at_2, solved[_i].rtol, solved[_i].rtol,
                    3000 * solved[_i].rtol);
}
END_TEST

START_TEST(robertson_is_solved) {
    problem p = stiff_robertson(1);
    check_reference(solved[_i].method, &p, 1e11, robertson_at_1e11, solved[_i].rtol,
                    1e-9 * solved[_i].rtol, 3000 * solved[_i].rtol);
}
END_TEST

START_TEST(hires_is_solved) {
    problem p = stiff_hires();
    check_reference(solved[_i].method, &p, 321.8122, hires_at_end, solved[_i].rtol,
                    1e-4 * solved[_i].rtol, 3000 * solved[_i].rtol);
}
END_TEST

// Orders ------------------------------------------------------------------------------------------

/// x' = x² − x t, of which Newton's method has to do more than one iteration.
static double bent_error(const char *method, int steps) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 1), &t, &x);
    evn_value square = evn_mul(f, x, x), slope = evn_sub(f, square, evn_mul(f, x, t));
    evn_output(f, "dx", slope);
    problem p = problem_of(f, NULL);
    p.x0[0] = 0.5;
    p.x0[1] = 0.25;
    evn_solver_options options = with(method, 1e-3, 1e-3), exact = with("dop853", 1e-13, 1e-13);
    options.steps = steps;
    problem_prepare(&p, &exact);
    problem_solve(&p, 0, 1);
    double truth[] = {p.x1[0], p.x1[1]};
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    double error = fmax(fabs(p.x1[0] - truth[0]), fabs(p.x1[1] - truth[1]));
    problem_free(&p);
    return error;
}

START_TEST(orders_hold_where_f_is_bent) {
    int order = evn__stepper_find(methods[_i])->order, steps = order < 4 ? 64 : 16;
    double coarse = bent_error(methods[_i], steps), fine = bent_error(methods[_i], 2 * steps);
    printf("%s: errors %.3g and %.3g, order %.3f\n", methods[_i], coarse, fine,
           log2(coarse / fine));
    ck_assert_double_eq_tol(log2(coarse / fine), order, 0.15);
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

/// What a step makes of x' = z x, dt = 1.
static _Complex double growth(const char *method, _Complex double z) {
    const evn__tableau *t = evn__stepper_find(method)->coefficients;
    _Complex double k[EVN__MAX_STAGES], sum = 1;
    const double gamma = 1 - sqrt(0.5);
    if (!t) { // Rosenbrock's
        return (1 + (1 - 2 * gamma) * z) / ((1 - gamma * z) * (1 - gamma * z));
    }
    for (int i = 0; i < t->stages; ++i) {
        _Complex double x = 1;
        for (int j = 0; j < i; ++j) {
            x += evn__tableau_a(t, i, j) * k[j];
        }
        k[i] = z * x / (1 - z * evn__tableau_a(t, i, i));
        sum += t->b[i] * k[i];
    }
    return sum;
}

/// x' = w x: n steps make R(w dt)ⁿ x, whose derivative by w is a complex step's.
START_TEST(gradients_of_decay_are_known) {
    enum { STEPS = 4 };
    const double w = -7.5, x0 = 1.25, tiny = 1e-30;
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 1), &t, &x);
    evn_output(f, "dx", evn_mul(f, x, evn_input(f, "w", EVN_SHAPE(1))));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(methods[_i], 1e-3, 1e-3);
    options.steps = STEPS;
    options.gradient = EVN_GRADIENT_BACKPROP;
    p.x0[0] = x0;
    p.weight[0][0] = w;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    _Complex double power = cpow(growth(methods[_i], (w + tiny * I) / STEPS), STEPS);
    ck_assert_double_eq_tol(p.x1[0], creal(power) * x0, 1e-13);
    ck_assert_double_eq_tol(p.x0_bar[0], creal(power), 1e-13);
    ck_assert_double_eq_tol(p.weight_bar_host[0][0], cimag(power) / tiny * x0, 1e-12);
    problem_free(&p);
}
END_TEST

START_TEST(gradients_are_those_of_the_steps) {
    problem p = problem_network(2);
    evn_solver_options options = with(methods[_i], 1e-3, 1e-3);
    options.steps = 5;
    options.gradient = _i % 2 ? EVN_GRADIENT_CHECKPOINTED : EVN_GRADIENT_BACKPROP;
    problem_check_differences(&p, &options, 64, 8, 1e-8);
    problem_free(&p);
}
END_TEST

/// States that are coupled with evolving weights: all are one system.
START_TEST(gradients_of_moving_weights) {
    problem p = problem_node_ew_of(1, 5);
    evn_solver_options options = with(_i ? "trbdf2" : "rosenbrock23", 1e-3, 1e-3);
    options.steps = 5;
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_check_differences(&p, &options, 64, 8, 1e-8);
    problem_free(&p);
}
END_TEST

/// x(1), then the gradient.
static void adaptive_gradient(const evn_solver_options *options, double *x1, double *all) {
    problem p = problem_network(2);
    problem_prepare(&p, options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    memcpy(x1, p.x1, sizeof(double) * 4);
    memcpy(all, p.x0_bar, sizeof(double) * 4);
    memcpy(all + 4, p.weight_bar_host[0], sizeof(double) * 6);
    memcpy(all + 10, p.weight_bar_host[1], sizeof(double) * 6);
    problem_free(&p);
}

/// Of two rows, which are systems of their own, in the adjoint too: within ten times the tolerance,
/// or what errors of steps add up to in the solution itself, by a method of low order.
START_TEST(gradients_of_adaptive_solves) {
    enum { NUMBERS = 16, ELEMENTS = 4 };
    double exact[NUMBERS], got[NUMBERS], truth[ELEMENTS], x1[ELEMENTS];
    evn_solver_options fine = with("dopri5", 1e-11, 1e-11);
    evn_solver_options options = with(_i < 2 ? "kvaerno5" : "rosenbrock23", 1e-6, 1e-6);
    fine.gradient = EVN_GRADIENT_BACKPROP;
    options.gradient = _i % 2 ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    adaptive_gradient(&fine, truth, exact);
    adaptive_gradient(&options, x1, got);
    double error = test_difference(got, exact, NUMBERS);
    double solution = test_difference(x1, truth, ELEMENTS);
    printf("%s, %s: off by %.2g, the solution by %.2g\n", options.method,
           evn_gradient_name((int)options.gradient), error, solution);
    ck_assert_double_lt(solution, _i < 2 ? 1e-5 : 1e-4);
    ck_assert_double_lt(error, fmax(10 * options.rtol, 10 * solution));
}
END_TEST

// Steps of each sample's own ----------------------------------------------------------------------

enum { SAMPLES = 5 };

static void start_samples(problem *p) {
    for (int i = 0; i < SAMPLES; ++i) {
        p->x0[3 * i] = 1 - 0.1 * i;
        p->x0[3 * i + 2] = 0.1 * i;
    }
}

START_TEST(samples_have_steps_of_their_own) {
    const char *method = _i ? "kvaerno5" : "rosenbrock23";
    evn_solver_options options = with(method, 1e-6, 1e-11);
    options.per_sample = true;
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem p = stiff_robertson(SAMPLES), alone = stiff_robertson(1);
    start_samples(&p);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1000);
    problem_gradient(&p);
    for (int i = 0; i < SAMPLES; ++i) {
        evn_solution own;
        TRY(evn_solver_sample_solution(p.solver, i, &own));
        evn_solver_options one = with(method, 1e-6, 1e-11);
        one.gradient = EVN_GRADIENT_BACKPROP;
        memcpy(alone.x0, p.x0 + 3 * i, sizeof(double) * 3);
        problem_prepare(&alone, &one);
        problem_solve(&alone, 0, 1000);
        problem_gradient(&alone);
        printf("%s, sample %d: %d + %d steps, alone %d + %d\n", method, i, own.accepted,
               own.rejected, alone.solution.accepted, alone.solution.rejected);
        for (int j = 0; j < 3; ++j) {
            ck_assert_double_eq_tol(p.x1[3 * i + j], alone.x1[j], 1e-5);
            ck_assert_double_eq_tol(p.x0_bar[3 * i + j], alone.x0_bar[j], 1e-4);
        }
    }
    problem_free(&p);
    problem_free(&alone);
}
END_TEST

// Single precision, and what goes wrong -----------------------------------------------------------

START_TEST(single_precision_does) {
    problem p = stiff_hires();
    evn_solver_options options = with(_i ? "kvaerno5" : "rosenbrock23", 1e-4, 1e-8);
    options.fp64 = false;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 321.8122);
    double error = relative_error(p.x1, hires_at_end, 8);
    printf("%s: relative error %.2g, %d + %d steps\n", options.method, error, p.solution.accepted,
           p.solution.rejected);
    ck_assert_double_lt(error, 0.05);
    problem_free(&p);
}
END_TEST

/// From 0 to what is large: rounding there is no fault of Newton's method.
START_TEST(far_states_are_reached_from_zero) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 1), &t, &x);
    evn_output(f, "dx", evn_scale(f, evn_sub(f, evn_constant(f, 100), x), 1000));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(methods[_i], 1e-3, 1e-3);
    options.fp64 = false;
    options.steps = 10;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_DONE);
    double rest = creal(cpow(growth(methods[_i], -100), 10));
    ck_assert_double_eq_tol(p.x1[0], 100 * (1 - rest), 1e-2);
    problem_free(&p);
}
END_TEST

/// Without a state in f there is nothing to solve for: x' = t².
START_TEST(slopes_of_time_alone) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 2), &t, &x);
    evn_output(f, "dx", evn_broadcast(f, evn_mul(f, t, t), EVN_SHAPE(2, 2)));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(_i ? "kvaerno5" : "rosenbrock23", 1e-8, 1e-8);
    options.norm = EVN_NORM_RMS;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 3);
    ck_assert_double_eq_tol(p.x1[3], p.x0[3] + 9, 1e-4);
    problem_free(&p);
}
END_TEST

/// An explicit method that has used up its steps names these.
START_TEST(stiff_problems_are_sent_here) {
    problem p = stiff_van_der_pol(1);
    evn_binding x1;
    evn_solver_options options = with("dopri5", 1e-4, 1e-4);
    options.max_steps = 300;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 2, &x1), EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "kennedy_carpenter5"));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/implicit");
    TCase *stiff = tcase_create("stiff"); // whole: long
    test_add_share(stiff, fast_decay_bounds_no_steps, 0, METHODS, 3);
    test_add_share(stiff, long_steps_are_stable, 0, METHODS, 3);
    suite_add_tcase(s, stiff);
    TCase *orders = tcase_create("orders"); // whole: long
    test_add_share(orders, orders_hold_where_f_is_bent, 0, METHODS, 3);
    suite_add_tcase(s, orders);
    TCase *gradients = tcase_create("gradients"); // whole: long
    test_add_share(gradients, gradients_of_decay_are_known, 0, METHODS, 3);
    test_add_share(gradients, gradients_are_those_of_the_steps, 0, METHODS, 3);
    tcase_add_loop_test(gradients, gradients_of_moving_weights, 0, 2);
    suite_add_tcase(s, gradients);
    TCase *adaptive = tcase_create("adaptive"); // whole: long
    test_add_share(adaptive, gradients_of_adaptive_solves, 0, 4, 3);
    suite_add_tcase(s, adaptive);
    TCase *samples = tcase_create("samples");
    tcase_add_loop_test(samples, samples_have_steps_of_their_own, 0, 2);
    suite_add_tcase(s, samples);
    TCase *limits = tcase_create("limits"); // whole: long
    tcase_add_loop_test(limits, single_precision_does, 0, 2);
    test_add_share(limits, far_states_are_reached_from_zero, 0, METHODS, 3);
    tcase_add_loop_test(limits, slopes_of_time_alone, 0, 2);
    tcase_add_test(limits, stiff_problems_are_sent_here);
    suite_add_tcase(s, limits);
    TCase *oscillator = tcase_create("van_der_pol"); // whole: long
    test_add_share(oscillator, van_der_pol_is_solved, 0, SOLVED, 3);
    suite_add_tcase(s, oscillator);
    TCase *kinetics = tcase_create("robertson"); // whole: long
    test_add_share(kinetics, robertson_is_solved, 0, SOLVED, 3);
    suite_add_tcase(s, kinetics);
    TCase *light = tcase_create("hires"); // whole: long
    test_add_share(light, hires_is_solved, 0, SOLVED, 3);
    suite_add_tcase(s, light);
    return s;
}

int main(void) {
    return test_run(suite());
}
