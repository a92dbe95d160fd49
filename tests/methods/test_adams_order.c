// SPDX-License-Identifier: Apache-2.0
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

/// x' = −k (x − cos t) − sin t, whose solution is cos t: k is 300 up to t = 2, where stability
/// keeps orders low and steps short, and 1 from there on.
static problem calming(void) {
    evn_value t, x;
    evn_graph *g = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_value stiff = evn_step(g, evn_sub(g, evn_constant(g, 2), t));
    evn_value k = evn_add(g, evn_constant(g, 1), evn_scale(g, stiff, 299));
    evn_value pull = evn_mul(g, k, evn_sub(g, x, evn_cos(g, t)));
    evn_output(g, "dx", evn_neg(g, evn_add(g, pull, evn_sin(g, t))));
    problem p = problem_of(g, NULL);
    p.x0[0] = 1;
    return p;
}

START_TEST(orders_rise_again) {
    const double tolerance = _i == 0 ? 1e-4 : 1e-6;
    problem p = calming();
    evn_solver_options options = evn_solver_options_default();
    options.method = "adams";
    options.fp64 = true;
    options.rtol = options.atol = tolerance;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    int stiff = p.solution.nfe;
    problem_solve(&p, 0, 22);
    double error = fabs(p.x1[0] - cos(22));
    printf("%g: error %.2g, %d evaluations to 2, %d to 22\n", tolerance, error, stiff,
           p.solution.nfe);
    ck_assert_double_le(error, 10 * tolerance);
    // 20 radians of a cosine take at most so many; first order would take thousands.
    ck_assert_int_le(p.solution.nfe - stiff, 400);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/adams_order");
    TCase *orders = tcase_create("orders");
    tcase_add_loop_test(orders, orders_rise_again, 0, 2);
    suite_add_tcase(s, orders);
    return s;
}

int main(void) {
    return test_run(suite());
}
