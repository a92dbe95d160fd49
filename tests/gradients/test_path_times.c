// SPDX-License-Identifier: Apache-2.0
// Gradients in times of ways along weights that are solved by themselves: closed forms, of the
// batch and of samples with times of their own. Differences of steps, and jumps: test_time_parts.c.
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

enum { ROWS = 3, POINTS = 2 };

/// x' = θ x, θ' = c θ.
static problem growth(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, 1), &t, &x), *g = NULL;
    evn_value theta = evn_input(f, "theta", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_matmul(f, x, theta, false, false));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    theta = evn_input(g, "theta", EVN_SHAPE(1, 1));
    evn_output(g, "dtheta", evn_mul(g, theta, evn_input(g, "c", EVN_SCALAR)));
    problem p = problem_of(f, g);
    for (int i = 0; i < ROWS; ++i) {
        p.x0[i] = 1 + i;
    }
    p.weight[0][0] = 0.8;
    p.weight[1][0] = -0.6;
    return p;
}

static evn_solver_options options_of(bool per_sample, evn_gradient gradient) {
    evn_solver_options o = evn_solver_options_default();
    o.rtol = o.atol = 1e-10;
    o.fp64 = true;
    o.per_sample = per_sample;
    o.weight_terms = 20;
    o.gradient = gradient;
    o.time_gradient = true;
    return o;
}

/// What a share x̄ of a row at time t, on the way from t0, whose weights begin at `start`, adds by
/// t0, by t, and by `start`, with which θ moves as a whole.
typedef struct bars {
    double t0, t, start;
} bars;

static bars exact(const problem *p, int row, double x_bar, double start, double t0, double t) {
    double theta = p->weight[0][0], c = p->weight[1][0];
    double a = theta * exp(c * (t0 - start)), b = theta * exp(c * (t - start));
    double x = p->x0[row] * exp((b - a) / c) * x_bar;
    return (bars){-x * a, x * b, -x * (b - a)};
}

/// All at one time, with the batch's steps or each sample's own; the start of all is that of θ.
START_TEST(of_the_batch) {
    static const double times[POINTS] = {0.4, 1};
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_ADJOINT,
                                             EVN_GRADIENT_ADJOINT_QUADRATURE,
                                             EVN_GRADIENT_CHECKPOINTED};
    bool observes = _i / 4;
    double ends[2] = {_i % 2 ? 1.3 : 0.2, _i % 2 ? 0.2 : 1.3}, got[2], of_times[POINTS];
    double expected[2] = {0}, expected_of[POINTS] = {0};
    problem p = growth();
    evn_solver_options o = options_of(_i % 4 == 3, gradients[_i % 4]);
    o.observations = observes ? POINTS : 0;
    o.times = observes ? times : NULL;
    problem_prepare(&p, &o);
    test_uniform(7, -1, 1, p.x1_bar, p.x1_count);
    problem_solve(&p, ends[0], ends[1]);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &got[0], &got[1], of_times));
    for (int i = 0; i < p.x1_count; ++i) {
        double part = observes ? times[i / ROWS] : 1, t = ends[0] + part * (ends[1] - ends[0]);
        bars b = exact(&p, i % ROWS, p.x1_bar[i], ends[0], ends[0], t);
        expected[0] += b.t0 + b.start + (1 - part) * b.t;
        expected[1] += part * b.t;
        expected_of[i / ROWS] += b.t;
    }
    double error = test_difference(got, expected, 2);
    printf("off by %.2g of %.2g\n", error, fabs(expected[0]));
    ck_assert_double_le(error, 1e-7);
    ck_assert(!observes || test_difference(of_times, expected_of, POINTS) < 1e-7);
    problem_free(&p);
}
END_TEST

/// Samples with times of their own: θ begins with the first; one has no way.
static void check_own(const double *t0, const double *t1, const double *times, int first,
                      int firsts) {
    double t0_bar[ROWS], t1_bar[ROWS], times_bar[ROWS * POINTS], expected[ROWS] = {0}, start = 0;
    int points = times ? POINTS : 1;
    evn_binding x1;
    problem p = growth();
    evn_solver_options o = options_of(true, EVN_GRADIENT_BACKPROP);
    o.observations = times ? POINTS : 0;
    problem_prepare(&p, &o);
    test_uniform(8, -1, 1, p.x1_bar, p.x1_count);
    problem_solve(&p, 0.5, 0.5); // writes
    problem_gradient(&p);
    const evn_sample_times own = {t0, t1, times};
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, t0_bar, t1_bar, times_bar));
    for (int i = 0; i < ROWS; ++i) {
        for (int k = 0; k < points; ++k) {
            double t = times ? times[i * POINTS + k] : t1[i];
            bars b = exact(&p, i, p.x1_bar[k * ROWS + i], t0[first], t0[i], t);
            double of_end = times ? times_bar[i * POINTS + k] : t1_bar[i];
            ck_assert_double_eq_tol(of_end, b.t, 1e-7);
            expected[i] += b.t0;
            start += b.start;
        }
        ck_assert(!times || fabs(t1_bar[i]) < 1e-7);
    }
    for (int i = 0; i < ROWS; ++i) {
        double share = t0[i] == t0[first] ? start / firsts : 0;
        ck_assert_double_eq_tol(t0_bar[i], expected[i] + share, 1e-7);
    }
    problem_free(&p);
}

START_TEST(of_each_sample) {
    static const double t0[] = {0.3, 0.1, 1}, t1[] = {0.9, 1.6, 1.4};
    static const double up[] = {0.4, 0.9, 0.1, 1.1, 1.2, 1.4};
    static const double down[] = {0.8, 0.4, 1.6, 0.5, 1.3, 1};
    check_own(t0, t1, _i == 0 ? NULL : up, 1, 1);
    check_own(t1, t0, _i == 0 ? NULL : down, 1, 1);
}
END_TEST

/// Two that begin first have equal shares.
START_TEST(of_several_that_begin_first) {
    static const double t0[] = {0.1, 0.4, 0.1}, t1[] = {0.9, 1.6, 1.4};
    check_own(t0, t1, NULL, 0, 2);
}
END_TEST

/// A way without length has the rates of its only place.
START_TEST(no_way) {
    double got[2], expected = 0;
    problem p = growth();
    evn_solver_options o =
        options_of(_i == 2, _i == 1 ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP);
    problem_prepare(&p, &o);
    problem_solve(&p, 0.5, 0.5);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &got[0], &got[1], NULL));
    for (int i = 0; i < ROWS; ++i) {
        expected += p.x1_bar[i] * p.x0[i] * p.weight[0][0];
    }
    ck_assert_double_eq_tol(got[0], -expected, 1e-12);
    ck_assert_double_eq_tol(got[1], expected, 1e-12);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/path_times");
    TCase *batch = tcase_create("batch");
    tcase_add_loop_test(batch, of_the_batch, 0, 8);
    suite_add_tcase(s, batch);
    TCase *samples = tcase_create("samples");
    tcase_add_loop_test(samples, of_each_sample, 0, 2);
    tcase_add_test(samples, of_several_that_begin_first);
    tcase_add_loop_test(samples, no_way, 0, 3);
    suite_add_tcase(s, samples);
    return s;
}

int main(void) {
    return test_run(suite());
}
