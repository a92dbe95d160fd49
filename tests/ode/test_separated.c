// SPDX-License-Identifier: Apache-2.0
// Steps of each sample's own with weights that f makes of t: as each sample alone, to the bit, and
// gradients that are the sum of those of samples alone.
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INNER = 3, FUNCTIONS = 5, MOST = 40 };

static evn_solver_options own_steps(double tolerance, bool fp64) {
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = tolerance;
    options.fp64 = fp64;
    options.per_sample = true;
    return options;
}

/// Weights of the shape, from cosines of t.
static evn_value weight(evn_graph *f, evn_value t, const char *name, evn_shape shape) {
    static const double rates[FUNCTIONS] = {0, 1, 2, 3, 4};
    evn_value at = evn_mul(f, evn_table(f, EVN_SHAPE(1, FUNCTIONS), rates), t);
    evn_value c = evn_input(f, name, EVN_SHAPE(FUNCTIONS, evn_shape_count(shape)));
    return evn_reshape(f, evn_matmul(f, evn_cos(f, at), c, false, false), shape);
}

static evn_value straight(evn_graph *f, evn_value w) {
    (void)f;
    return w;
}

/// dx = tanh(x U(t) + b(t)) bend(V(t))ᵀ.
static problem network(int batch, int units, evn_value (*bend)(evn_graph *, evn_value)) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, INNER), &t, &x);
    evn_value u = weight(f, t, "u", EVN_SHAPE(INNER, units));
    evn_value v = weight(f, t, "v", EVN_SHAPE(INNER, units));
    evn_value h = evn_matmul(f, x, u, false, false);
    h = evn_tanh(f, evn_add(f, h, weight(f, t, "b", EVN_SHAPE(units))));
    evn_output(f, "dx", evn_matmul(f, h, bend(f, v), false, true));
    problem p = problem_of(f, NULL);
    test_uniform(1, -2, 2, p.x0, p.x_count);
    test_uniform(2, -1, 1, p.x1_bar, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(3 + (uint64_t)i, -0.5, 0.5, p.weight[i], p.weight_size[i]);
    }
    return p;
}

static const struct {
    int units;
    evn_value (*bend)(evn_graph *, evn_value);
} rows[] = {{4, straight}, {40, straight}, {20, evn_tanh}};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static problem network_of(int row, int batch) {
    return network(batch, rows[row].units, rows[row].bend);
}

static void solve_one(int row, int batch, int at, int from, double x1[INNER]) {
    problem p = network_of(row, MOST), q = network_of(row, batch);
    for (int i = 0; i < batch; ++i) {
        int source = (from + i - at + MOST) % MOST;
        memcpy(q.x0 + i * INNER, p.x0 + source * INNER, sizeof(double) * INNER);
    }
    evn_solver_options options = own_steps(1e-4, false);
    problem_prepare(&q, &options);
    problem_solve(&q, 0, 2);
    memcpy(x1, q.x1 + at * INNER, sizeof(double) * INNER);
    problem_free(&p);
    problem_free(&q);
}

START_TEST(bits_do_not_depend_on_the_batch) {
    static const int batches[] = {1, 17, 33};
    double first[INNER], other[INNER];
    solve_one(_i, MOST, 5, 20, first);
    for (size_t i = 0; i < sizeof(batches) / sizeof(*batches); ++i) {
        solve_one(_i, batches[i], batches[i] / 2, 20, other);
        ck_assert_mem_eq(first, other, sizeof(first));
    }
}
END_TEST

static void check_near(const char *what, const double *a, const double *b, int count) {
    double worst = 0, size = 0;
    for (int i = 0; i < count; ++i) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    printf("%s differs by %.2g\n", what, worst / size);
    ck_assert_double_le(worst, 1e-11 * size);
}

/// At a tolerance at which steps matter.
START_TEST(gradient_is_that_of_samples_alone) {
    enum { BATCH = 3, MOST_ELEMENTS = FUNCTIONS * INNER * 40 };
    problem p = network_of(_i, BATCH), one = network_of(_i, 1);
    double sums[3][MOST_ELEMENTS] = {{0}};
    evn_solver_options options = own_steps(1e-3, true);
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    problem_gradient(&p);
    options.per_sample = false;
    problem_prepare(&one, &options);
    for (int i = 0; i < BATCH; ++i) {
        memcpy(one.x0, p.x0 + i * INNER, sizeof(double) * INNER);
        memcpy(one.x1_bar, p.x1_bar + i * INNER, sizeof(double) * INNER);
        problem_solve(&one, 0, 2);
        problem_gradient(&one);
        check_near("x1", p.x1 + i * INNER, one.x1, INNER);
        check_near("x0_bar", p.x0_bar + i * INNER, one.x0_bar, INNER);
        for (int w = 0; w < p.weight_count; ++w) {
            for (int k = 0; k < p.weight_size[w]; ++k) {
                sums[w][k] += one.weight_bar_host[w][k];
            }
        }
    }
    for (int w = 0; w < p.weight_count; ++w) {
        check_near(evn_dynamics_weight_name(p.dynamics, w), p.weight_bar_host[w], sums[w],
                   p.weight_size[w]);
    }
    problem_free(&p);
    problem_free(&one);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("ode/separated");
    TCase *bits = tcase_create("bits");
    tcase_add_loop_test(bits, bits_do_not_depend_on_the_batch, 0, ROWS);
    suite_add_tcase(s, bits);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradient_is_that_of_samples_alone, 0, ROWS);
    suite_add_tcase(s, gradients);
    return s;
}

int main(void) {
    return test_run(suite());
}
