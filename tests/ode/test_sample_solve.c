// SPDX-License-Identifier: Apache-2.0
// Steps of each sample's own: as alone, bit for bit, whoever its mates are and however many; as the
// solver for one; own ends and observations; stops that harm no other.
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_solver_options own_steps(double tolerance, bool fp64) {
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = tolerance;
    options.fp64 = fp64;
    options.per_sample = true;
    return options;
}

static problem finish(evn_graph *f) {
    evn_dynamics *dynamics = NULL;
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return problem_new(dynamics);
}

static evn_graph *begin(int batch, int size, evn_value *t, evn_value *x) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    *t = evn_input(f, "t", EVN_SCALAR);
    *x = evn_input(f, "x", EVN_SHAPE(batch, size));
    return f;
}

static evn_value column(evn_graph *f, evn_value x, int64_t index) {
    const int64_t start[] = {0, index};
    return evn_slice(f, x, start, EVN_SHAPE(evn_value_shape(f, x).dim[0], 1));
}

// Lotka–Volterra: 999 samples rest at the equilibrium (1, 1), one does not ------------------------

static problem lotka_volterra(int batch) {
    evn_value t, x;
    evn_graph *f = begin(batch, 2, &t, &x);
    evn_value prey = column(f, x, 0), hunter = column(f, x, 1), met = evn_mul(f, prey, hunter);
    const evn_value slopes[] = {evn_sub(f, prey, met), evn_sub(f, met, hunter)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    problem p = finish(f);
    for (int i = 0; i < 2 * batch; ++i) {
        p.x0[i] = 1;
    }
    return p;
}

enum { BUSY = 123 };

static void solve_busy(int batch, int sample, const evn_solver_options *options, double x1[2],
                       evn_solution *solution) {
    problem p = lotka_volterra(batch);
    p.x0[2 * sample] = 4;
    p.x0[2 * sample + 1] = 2;
    problem_prepare(&p, options);
    problem_solve(&p, 0, 10);
    memcpy(x1, p.x1 + 2 * (size_t)sample, sizeof(double) * 2);
    *solution = p.solution;
    if (options->per_sample) {
        TRY(evn_solver_sample_solution(p.solver, sample, solution));
    }
    problem_free(&p);
}

/// The error that it has alone, to the bit; with the steps of the whole batch it is far larger.
START_TEST(idle_mates_change_nothing) {
    evn_solver_options options = own_steps(1e-6, true), one = options;
    double exact[2], alone[2], among[2], together[2], single[2];
    evn_solution solution, few;
    one.per_sample = false;
    one.rtol = one.atol = 1e-13;
    solve_busy(1, 0, &one, exact, &solution);
    solve_busy(1, 0, &options, alone, &few);
    solve_busy(1000, BUSY, &options, among, &solution);
    one.rtol = one.atol = 1e-6;
    solve_busy(1, 0, &one, single, &solution);
    solve_busy(1000, BUSY, &one, together, &solution);
    for (int i = 0; i < 2; ++i) {
        printf("error alone %.3g, among idle mates %.3g, with their steps %.3g\n",
               fabs(alone[i] - exact[i]), fabs(among[i] - exact[i]), fabs(together[i] - exact[i]));
        ck_assert(alone[i] == among[i]);
        ck_assert_double_eq_tol(alone[i], single[i], 1e-11);
        ck_assert_double_le(30 * fabs(among[i] - exact[i]), fabs(together[i] - exact[i]));
    }
}
END_TEST

// A network with time and constant weights, small and large ---------------------------------------

enum { INPUTS = 3, MOST = 70 };

/// dx = tanh([x, t] U + t s) V − x.
static problem network(int batch, int units) {
    evn_value t, x;
    evn_graph *f = begin(batch, INPUTS, &t, &x);
    evn_value u = evn_input(f, "u", EVN_SHAPE(INPUTS + 1, units));
    evn_value v = evn_input(f, "v", EVN_SHAPE(units, INPUTS));
    evn_value s = evn_input(f, "s", EVN_SHAPE(units));
    const evn_value parts[] = {x, evn_broadcast(f, t, EVN_SHAPE(batch, 1))};
    evn_value h = evn_matmul(f, evn_concat(f, parts, 2, 1), u, false, false);
    h = evn_tanh(f, evn_add(f, h, evn_mul(f, evn_sin(f, evn_scale(f, t, 7)), s)));
    evn_output(f, "dx", evn_sub(f, evn_matmul(f, h, v, false, false), x));
    problem p = finish(f);
    test_uniform(1, -2, 2, p.x0, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(2 + (uint64_t)i, -1, 1, p.weight[i], p.weight_size[i]);
    }
    return p;
}

typedef struct answer {
    double x1[PROBLEM_OBSERVATIONS * INPUTS];
    evn_solution solution;
} answer;

/// Sample `from` of MOST, in place `at` of a batch whose others follow it.
static answer solve_one(int batch, int at, int from, const evn_solver_options *options, int units) {
    problem p = network(MOST, units), q = network(batch, units);
    answer result;
    for (int i = 0; i < batch; ++i) {
        int source = (from + i - at + MOST) % MOST;
        memcpy(q.x0 + i * INPUTS, p.x0 + source * INPUTS, sizeof(double) * INPUTS);
    }
    problem_prepare(&q, options);
    problem_solve(&q, 0, 3);
    int points = options->observations > 0 ? options->observations : 1;
    for (int j = 0; j < points; ++j) {
        memcpy(result.x1 + j * INPUTS, q.x1 + (j * batch + at) * INPUTS, sizeof(double) * INPUTS);
    }
    TRY(evn_solver_sample_solution(q.solver, at, &result.solution));
    problem_free(&p);
    problem_free(&q);
    return result;
}

static void check_same(const answer *a, const answer *b, int points) {
    for (int i = 0; i < points * INPUTS; ++i) {
        ck_assert_msg(a->x1[i] == b->x1[i], "element %d: %.17g and %.17g", i, a->x1[i], b->x1[i]);
    }
    ck_assert_int_eq(a->solution.accepted, b->solution.accepted);
    ck_assert_int_eq(a->solution.rejected, b->solution.rejected);
    ck_assert_int_eq(a->solution.nfe, b->solution.nfe);
    ck_assert(a->solution.dt == b->solution.dt);
}

static void check_bits(evn_device_type type, int observations) {
    static const int batches[] = {1, 2, 15, 16, 33, MOST};
    evn_device_type own = test_act_as(type);
    evn_solver_options options = own_steps(1e-4, false);
    options.observations = observations;
    int points = observations > 0 ? observations : 1;
    answer first = solve_one(MOST, 5, 40, &options, 16);
    for (size_t i = 0; i < sizeof(batches) / sizeof(*batches); ++i) {
        for (int at = 0; at<batches[i]; at += batches[i]> 20 ? 23 : 7) {
            answer other = solve_one(batches[i], at, 40, &options, 16);
            check_same(&first, &other, points);
        }
    }
    test_act_as(own);
}

START_TEST(bits_do_not_depend_on_the_batch) {
    check_bits(EVN_DEVICE_CPU, 0);
    check_bits(EVN_DEVICE_CPU, PROBLEM_OBSERVATIONS);
}
END_TEST

START_TEST(bits_do_not_depend_on_the_batch_on_gpus) {
    check_bits(EVN_DEVICE_GPU, PROBLEM_OBSERVATIONS);
}
END_TEST

/// Against the solver for a whole batch, of one: the same steps.
START_TEST(as_the_solver_for_one) {
    evn_solver_options options = own_steps(1e-7, true), one = options;
    options.observations = one.observations = _i * PROBLEM_OBSERVATIONS;
    one.per_sample = false;
    answer mine = solve_one(MOST, 9, 31, &options, 16);
    problem p = network(MOST, 16), q = network(1, 16);
    memcpy(q.x0, p.x0 + 31 * INPUTS, sizeof(double) * INPUTS);
    one.rtol = one.atol = _i > 0 ? 1e-12 : 1e-7;
    problem_prepare(&q, &one);
    problem_solve(&q, 0, 3);
    for (int i = 0; i < q.x1_count; ++i) {
        ck_assert_double_eq_tol(mine.x1[i], q.x1[i], (_i > 0 ? 2e-6 : 1e-12));
    }
    if (_i == 0) {
        ck_assert_int_eq(mine.solution.accepted, q.solution.accepted);
        ck_assert_int_eq(mine.solution.rejected, q.solution.rejected);
        ck_assert_int_eq(mine.solution.nfe, q.solution.nfe);
    }
    problem_free(&p);
    problem_free(&q);
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

/// Largest difference of two arrays, relative to the largest number of the second.
static double difference(const double *a, const double *b, int count) {
    double worst = 0, size = 0;
    for (int i = 0; i < count; ++i) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return worst / size;
}

/// Backprop along each sample's steps, at a tolerance at which they hardly matter, against the
/// adjoint along those of the batch.
START_TEST(gradient_is_the_adjoints) {
    enum { BATCH = 5 };
    problem p = network(BATCH, 16), q = network(BATCH, 16);
    evn_solver_options options = own_steps(1e-11, true);
    options.observations = _i * PROBLEM_OBSERVATIONS;
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_prepare(&p, &options);
    options.per_sample = false;
    options.gradient = EVN_GRADIENT_ADJOINT;
    problem_prepare(&q, &options);
    test_uniform(9, -1, 1, p.x1_bar, p.x1_count);
    memcpy(q.x1_bar, p.x1_bar, sizeof(double) * (size_t)p.x1_count);
    problem_solve(&p, 0, 3);
    problem_gradient(&p);
    problem_solve(&q, 0, 3);
    problem_gradient(&q);
    double x0_bar = difference(p.x0_bar, q.x0_bar, p.x_count);
    printf("x0_bar differs by %.2g\n", x0_bar);
    ck_assert_double_le(x0_bar, 1e-8);
    for (int i = 0; i < p.weight_count; ++i) {
        double w_bar = difference(p.weight_bar_host[i], q.weight_bar_host[i], p.weight_size[i]);
        printf("%s_bar differs by %.2g\n", evn_dynamics_weight_name(p.dynamics, i), w_bar);
        ck_assert_double_le(w_bar, 1e-8);
    }
    problem_free(&p);
    problem_free(&q);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("ode/sample_solve");
    TCase *bits = tcase_create("bits");
    tcase_add_test(bits, idle_mates_change_nothing);
    tcase_add_test(bits, bits_do_not_depend_on_the_batch);
    tcase_add_test(bits, bits_do_not_depend_on_the_batch_on_gpus);
    suite_add_tcase(s, bits);
    TCase *alone = tcase_create("alone");
    tcase_add_loop_test(alone, as_the_solver_for_one, 0, 2);
    suite_add_tcase(s, alone);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradient_is_the_adjoints, 0, 2);
    suite_add_tcase(s, gradients);
    return s;
}

int main(void) {
    return test_run(suite());
}
