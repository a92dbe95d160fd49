// SPDX-License-Identifier: Apache-2.0
// Which numbers an implicit method solves for together, and how many may be.
#include "evonode/solver.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <string.h>

static evn_solver_options with(evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = "trbdf2";
    options.gradient = gradient;
    return options;
}

static void check_refused(evn_graph *f, evn_gradient gradient, const char *what) {
    evn_solver *solver = NULL;
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(gradient);
    REFUSED(evn_solver_create(test_device(), p.dynamics, &options, &solver));
    ck_assert_msg(strstr(evn_error_message(), what), "%s", evn_error_message());
    problem_free(&p);
}

START_TEST(long_rows_are_refused) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 40), &t, &x);
    evn_output(f, "dx", evn_sub(f, evn_sum(f, x, 2), x));
    check_refused(f, EVN_GRADIENT_NONE, "a row has 40 unknowns, of");
}
END_TEST

START_TEST(rows_that_meet_count_together) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(20, 2), &t, &x);
    evn_output(f, "dx", evn_sub(f, evn_sum(f, x, 1), x));
    check_refused(f, EVN_GRADIENT_NONE, "could not be told apart, so that its system has 40");
}
END_TEST

START_TEST(an_adjoint_counts_twice) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 20), &t, &x);
    evn_output(f, "dx", evn_tanh(f, x));
    check_refused(f, EVN_GRADIENT_ADJOINT, "backprop or checkpointed");
}
END_TEST

/// Weights that f makes of t are those of all rows: x' = x W(t), of more numbers than a system may
/// have, which turns every row by the same angle.
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
    Suite *s = suite_create("ode/linear");
    TCase *unknowns = tcase_create("unknowns");
    tcase_add_test(unknowns, long_rows_are_refused);
    tcase_add_test(unknowns, rows_that_meet_count_together);
    tcase_add_test(unknowns, an_adjoint_counts_twice);
    tcase_add_test(unknowns, weights_of_time_keep_rows_apart);
    suite_add_tcase(s, unknowns);
    return s;
}

int main(void) {
    return test_run(suite());
}
