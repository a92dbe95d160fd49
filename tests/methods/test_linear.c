// SPDX-License-Identifier: Apache-2.0
// Which numbers an implicit method solves for together, by a matrix or without one.
#include "evonode/solver.h"
#include "problem.h"
#include "test.h"
#include <math.h>

static evn_solver_options with(evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = "trbdf2";
    options.gradient = gradient;
    return options;
}

/// x' = Σ x − x over the rows or the columns of x, in two times 32 unknowns or fewer at a time.
static void check_sums(evn_shape shape, unsigned axes, int krylov) {
    evn_value t, x;
    evn_graph *f = problem_begin(shape, &t, &x);
    evn_output(f, "dx", evn_sub(f, evn_sum(f, x, axes), x));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(EVN_GRADIENT_NONE);
    options.fp64 = true;
    options.rtol = options.atol = 1e-7;
    options.krylov = krylov;
    double sum = 0;
    int64_t along = axes == 1 ? shape.dim[0] : shape.dim[1], apart = axes == 1 ? shape.dim[1] : 1;
    for (int i = 0; i < p.x_count; ++i) {
        p.x0[i] = i % 7 / 8.;
    }
    for (int64_t i = 0; i < along; ++i) {
        sum += p.x0[i * apart];
    }
    const double end = 0.05;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, end);
    double mean = sum / (double)along;
    double exact = mean * exp((double)(along - 1) * end) + (p.x0[0] - mean) * exp(-end);
    ck_assert_double_lt(fabs(p.x1[0] - exact), 1e-4 * exact);
    problem_free(&p);
}

/// One row more than a matrix has room for, as one too few, by vectors that are as many or fewer.
START_TEST(sizes_do_not_matter) {
    const int64_t sizes[] = {31, 32, 33, 70};
    check_sums(EVN_SHAPE(2, sizes[_i]), 2, 0);
    check_sums(EVN_SHAPE(2, sizes[_i]), 2, 3);
    check_sums(EVN_SHAPE(sizes[_i], 2), 1, 0);
}
END_TEST

/// Weights that f makes of t are those of all rows: x' = x W(t), which turns every row by the same
/// angle.
START_TEST(weights_of_time_keep_rows_apart) {
    enum { ROWS = 20 };
    const double turn[] = {0, 1, -1, 0};
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, 2), &t, &x);
    evn_value w = evn_mul(f, evn_table(f, EVN_SHAPE(2, 2), turn), t);
    evn_output(f, "dx", evn_matmul(f, x, w, false, false));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(EVN_GRADIENT_ADJOINT);
    options.fp64 = true;
    options.rtol = options.atol = 1e-7;
    for (int i = 0; i < 2 * ROWS; ++i) {
        p.x0[i] = i / 8.;
    }
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2); // by 2 radians
    for (int i = 0; i < ROWS; ++i) {
        const double *from = p.x0 + 2 * i;
        ck_assert_double_eq_tol(p.x1[2 * i], from[0] * cos(2) - from[1] * sin(2), 1e-3);
        ck_assert_double_eq_tol(p.x1[2 * i + 1], from[0] * sin(2) + from[1] * cos(2), 1e-3);
    }
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/linear");
    TCase *unknowns = tcase_create("unknowns"); // whole: long
    test_add_share(unknowns, sizes_do_not_matter, 0, 4, 3);
    tcase_add_test(unknowns, weights_of_time_keep_rows_apart);
    suite_add_tcase(s, unknowns);
    return s;
}

int main(void) {
    return test_run(suite());
}
