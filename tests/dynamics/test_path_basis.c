// SPDX-License-Identifier: Apache-2.0
// How weights that are solved by themselves are read between nodes, where t is rounded.
#include "problem.h"
#include "test.h"

/// x' = w, w' = 0.
static problem constant_slope(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 1), &t, &x), *g = NULL;
    evn_output(f, "dx", evn_input(f, "w", EVN_SHAPE(1, 1)));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_output(g, "dw", evn_scale(g, evn_input(g, "w", EVN_SHAPE(1, 1)), 0));
    problem p = problem_of(f, g);
    p.x0[0] = 0;
    p.weight[0][0] = 1;
    return p;
}

/// Far from t = 0 a rounded time lies outside the way by more than a step of θ.
START_TEST(rounded_times_are_on_the_way) {
    problem p = constant_slope();
    evn_solver_options options = evn_solver_options_default();
    double t0 = _i == 0 ? 1000.04 : 1000.14, t1 = _i == 0 ? 1000.14 : 1000.04;
    options.method = "euler";
    options.steps = 2;
    options.weight_steps = 2000;
    problem_prepare(&p, &options);
    problem_solve(&p, t0, t1);
    ck_assert_double_eq_tol(p.x1[0], t1 - t0, 1e-4);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("dynamics/path_basis");
    TCase *linear = tcase_create("linear");
    tcase_add_loop_test(linear, rounded_times_are_on_the_way, 0, 2);
    suite_add_tcase(s, linear);
    return s;
}

int main(void) {
    return test_run(suite());
}
