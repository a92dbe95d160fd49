// SPDX-License-Identifier: Apache-2.0
// Symplectic methods: order, reversal in time, energy that does not drift, gradients against
// differences, and what they cannot move.
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const methods[] = {"leapfrog", "yoshida4"};
enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

/// q' = v, v' = −w sin q + force cos t, x = [q, v], from q = 1 at rest.
static problem pendulum(double force) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1, 2));
    evn_value w = evn_input(f, "w", EVN_SCALAR);
    evn_value pull = evn_mul(f, w, evn_sin(f, rig_column(f, x, 0)));
    evn_value push = evn_scale(f, evn_cos(f, t), force);
    const evn_value slopes[] = {rig_column(f, x, 1), evn_sub(f, push, pull)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    problem p = problem_new(rig_dynamics(f, NULL));
    p.fp64 = true;
    p.x0[0] = p.weight[0][0] = 1;
    return p;
}

static evn_solver_options fixed(const char *method, int steps) {
    evn_solver_options options = rig_options(1e-13);
    options.method = method;
    options.steps = steps;
    return options;
}

static double error_with(const evn_solver_options *options, const double *truth) {
    problem p = pendulum(0.5);
    problem_prepare(&p, options);
    problem_solve(&p, 0.3, 4.3);
    double error = hypot(p.x1[0] - truth[0], p.x1[1] - truth[1]);
    problem_free(&p);
    return error;
}

START_TEST(orders) {
    static const int order[] = {2, 4};
    problem p = pendulum(0.5);
    evn_solver_options exact = rig_options(1e-13);
    exact.method = "dop853";
    problem_prepare(&p, &exact);
    problem_solve(&p, 0.3, 4.3);
    for (int i = 0; i < METHODS; ++i) {
        const evn_solver_options coarse = fixed(methods[i], 64), fine = fixed(methods[i], 128);
        double error = error_with(&coarse, p.x1);
        double slope = log2(error / error_with(&fine, p.x1));
        printf("%s: error %.2g, order %.3f\n", methods[i], error, slope);
        ck_assert_double_eq_tol(slope, order[i], 0.15);
    }
    problem_free(&p);
}
END_TEST

/// There and back again, to rounding.
START_TEST(reversal) {
    for (int i = 0; i < METHODS; ++i) {
        problem p = pendulum(0.5);
        const evn_solver_options options = fixed(methods[i], 30);
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 6);
        memcpy(p.x0, p.x1, sizeof(double) * 2);
        problem_solve(&p, 6, 0);
        ck_assert_double_eq_tol(p.x1[0], 1, 1e-13);
        ck_assert_double_eq_tol(p.x1[1], 0, 1e-13);
        problem_free(&p);
    }
}
END_TEST

static double energy(const double *x) {
    return 0.5 * x[1] * x[1] - cos(x[0]);
}

enum { PARTS = 10, STEPS_A_PERIOD = 40 };

/// The largest error of the energy in each tenth of so many periods, at times that meet all phases.
static void drift(const char *method, int periods, double worst[PARTS]) {
    static const double times[] = {0.1013, 0.2027, 0.3109, 0.4201, 0.5503, 0.6711, 0.8347, 1};
    const double period = 6.700;
    problem p = pendulum(0);
    evn_solver_options options = fixed(method, periods / PARTS * STEPS_A_PERIOD);
    options.observations = sizeof(times) / sizeof(*times);
    options.times = times;
    problem_prepare(&p, &options);
    double begin = energy(p.x0);
    for (int k = 0; k < PARTS; ++k) {
        problem_solve(&p, 0, period * periods / PARTS);
        worst[k] = 0;
        for (int i = 0; i < options.observations; ++i) {
            worst[k] = fmax(worst[k], fabs(energy(p.x1 + 2 * (size_t)i) - begin));
        }
        memcpy(p.x0, p.x1 + 2 * (size_t)(options.observations - 1), sizeof(double) * 2);
    }
    printf("%s, %d periods: %.3g to %.3g\n", method, periods, worst[0], worst[PARTS - 1]);
    problem_free(&p);
}

/// Bounded, where a method that is not symplectic drifts all along the way.
static void check_drift(int periods) {
    static const double bounds[] = {3e-3, 1e-5};
    double worst[PARTS];
    for (int i = 0; i < METHODS; ++i) {
        drift(methods[i], periods, worst);
        for (int k = 0; k < PARTS; ++k) {
            ck_assert_double_le(worst[k], bounds[i]);
        }
    }
    drift("rk4", periods, worst);
    ck_assert_double_gt(worst[PARTS - 1], 5 * worst[0]);
}

#ifndef PERIODS // methods/test_symplectic_long has more
#define PERIODS 500
#endif

START_TEST(energy_keeps_within_bounds) {
    check_drift(PERIODS);
}
END_TEST

START_TEST(gradients) {
    static const evn_gradient kinds[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED,
                                         EVN_GRADIENT_REVERSIBLE};
    for (int i = 0; i < METHODS; ++i) {
        problem p = pendulum(0.5);
        p.x0[0] = 0.9;
        p.x0[1] = -0.4;
        evn_solver_options options = fixed(methods[i], 12);
        options.gradient = kinds[_i];
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        problem_gradient(&p);
        double x = problem_against_differences(&p, p.x0, p.x0_bar, 2);
        double w = problem_against_differences(&p, p.weight[0], p.weight_bar_host[0], 1);
        printf("%s, %s: %.2g, %.2g\n", methods[i], evn_gradient_name((int)kinds[_i]), x, w);
        ck_assert_double_le(fmax(x, w), 1e-7);
        problem_free(&p);
    }
}
END_TEST

static void refuse(problem p, evn_solver_options options) {
    evn_solver *solver = NULL;
    options.fp64 = false;
    REFUSED(evn_solver_create(test_device(), p.dynamics, &options, &solver));
    ck_assert_ptr_null(solver);
    problem_free(&p);
}

/// A state without halves, weights that evolve, the adjoint, steps that nothing chooses.
START_TEST(what_has_no_halves) {
    for (int i = 0; i < METHODS; ++i) {
        evn_solver_options options = fixed(methods[i], 4);
        refuse(problem_growth(false), options);
        refuse(problem_node_ew(3), options);
        options.gradient = EVN_GRADIENT_ADJOINT;
        refuse(pendulum(0), options);
        refuse(pendulum(0), fixed(methods[i], 0));
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/symplectic");
    TCase *convergence = tcase_create("orders");
    tcase_add_test(convergence, orders);
    tcase_add_test(convergence, reversal);
    suite_add_tcase(s, convergence);
    TCase *energies = tcase_create("energy");
    tcase_add_test(energies, energy_keeps_within_bounds);
    suite_add_tcase(s, energies);
    TCase *derivatives = tcase_create("gradients");
    tcase_add_loop_test(derivatives, gradients, 0, 3);
    suite_add_tcase(s, derivatives);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test(mistakes, what_has_no_halves);
    suite_add_tcase(s, mistakes);
    return s;
}

int main(void) {
    return test_run(suite());
}
