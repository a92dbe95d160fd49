// SPDX-License-Identifier: Apache-2.0
// What a sample of a batch is promised (solver.h): the same bits again, whatever the others are;
// the same to rounding in a batch of another size.
#include "evonode/solver.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { INPUTS = 10, UNITS = 24, MAX_BATCH = 33 };

/// dx = log softmax(tanh(x U) V) + t·s on [batch, INPUTS].
static problem dense_softmax(int batch, const evn_solver_options *options) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(batch, INPUTS));
    evn_value u = evn_input(f, "u", EVN_SHAPE(INPUTS, UNITS));
    evn_value v = evn_input(f, "v", EVN_SHAPE(UNITS, INPUTS));
    evn_value s = evn_input(f, "s", EVN_SHAPE(INPUTS));
    evn_value hidden = evn_tanh(f, evn_matmul(f, x, u, false, false));
    evn_value soft = evn_log_softmax(f, evn_matmul(f, hidden, v, false, false));
    evn_output(f, "dx", evn_add(f, soft, evn_mul(f, t, s)));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    test_uniform(1, -1, 1, p.x0, p.x_count);
    test_uniform(2, -1, 1, p.x1_bar, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(3 + (uint64_t)i, -1, 1, p.weight[i], p.weight_size[i]);
    }
    problem_prepare(&p, options);
    return p;
}

/// x1 and x0_bar of sample `row`.
static void solve_row(problem *p, int row, double result[2 * INPUTS]) {
    problem_solve(p, 0, 1);
    problem_gradient(p);
    memcpy(result, p->x1 + row * INPUTS, sizeof(double) * INPUTS);
    memcpy(result + INPUTS, p->x0_bar + row * INPUTS, sizeof(double) * INPUTS);
}

static evn_solver_options fixed(bool fp64) {
    evn_solver_options options = evn_solver_options_default();
    options.method = "rk4";
    options.steps = 6;
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.fp64 = fp64;
    return options;
}

START_TEST(others_do_not_matter) {
    static const int sizes[] = {2, 3, 8, MAX_BATCH};
    const int batch = sizes[_i / 2];
    evn_solver_options options = fixed(_i % 2);
    problem p = dense_softmax(batch, &options), again = dense_softmax(batch, &options);
    double expected[2 * INPUTS], got[2 * INPUTS];
    for (int row = 0; row < batch; row += 1 + batch / 4) {
        solve_row(&p, row, expected);
        solve_row(&again, row, got); // another solver, the same arguments
        ck_assert_mem_eq(got, expected, sizeof(expected));
        for (int i = 0; i < p.x_count; ++i) { // the others become other ones
            if (i / INPUTS != row) {
                p.x0[i] = 3 * p.x0[i] + 0.125;
                p.x1_bar[i] = -2 * p.x1_bar[i];
            }
        }
        solve_row(&p, row, got);
        ck_assert_mem_eq(got, expected, sizeof(expected));
        memcpy(p.x0, again.x0, sizeof(double) * (size_t)p.x_count);
        memcpy(p.x1_bar, again.x1_bar, sizeof(double) * (size_t)p.x_count);
    }
    problem_free(&p);
    problem_free(&again);
}
END_TEST

/// One sample alone is computed by other kernels than several: to rounding the same, and no more.
START_TEST(size_matters_to_rounding_alone) {
    evn_solver_options options = fixed(_i % 2);
    problem alone = dense_softmax(1, &options), many = dense_softmax(MAX_BATCH, &options);
    double expected[2 * INPUTS], got[2 * INPUTS];
    solve_row(&alone, 0, expected);
    solve_row(&many, 0, got);
    double difference = test_difference(got, expected, 2 * INPUTS);
    ck_assert_msg(difference < (options.fp64 ? 1e-13 : 1e-5), "%g", difference);
    problem_free(&alone);
    problem_free(&many);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/batch");
    TCase *samples = tcase_create("samples");
    tcase_add_loop_test(samples, others_do_not_matter, 0, 8);
    tcase_add_loop_test(samples, size_matters_to_rounding_alone, 0, 2);
    suite_add_tcase(s, samples);
    return s;
}

int main(void) {
    return test_run(suite());
}
