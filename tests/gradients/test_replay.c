// SPDX-License-Identifier: Apache-2.0
// Memory of steps that are gone again: what is expected, what is found later, and a limit.
#include "evonode/solver.h"
#include "host/counting.h"
#include "problem.h"
#include "test.h"

#include <string.h>

/// What is expected has memory before the first solve, and no more than that; what is not gets it.
START_TEST(expected_steps) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED,
                                             EVN_GRADIENT_ADJOINT_QUADRATURE};
    for (int i = 0; i < 3; ++i) {
        problem p = problem_node_ew(3);
        evn_solver_options options = evn_solver_options_default();
        options.rtol = options.atol = 1e-6;
        options.gradient = gradients[i];
        options.fp64 = true;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 4);
        int steps = p.solution.accepted;
        ck_assert_int_gt(steps, 17);
        uint64_t held[2], made[2];
        for (int known = 0; known < 2; ++known) {
            options.expected_steps = known ? steps : 1;
            problem_prepare(&p, &options);
            uint64_t before = evn_device_get_stats(test_device()).allocations;
            problem_solve(&p, 0, 4);
            problem_gradient(&p);
            held[known] = evn_device_get_stats(test_device()).bytes_now;
            made[known] = evn_device_get_stats(test_device()).allocations - before;
        }
        ck_assert_uint_eq(made[1], 0);
        ck_assert_uint_gt(made[0], 0);
        ck_assert_uint_lt(held[1], held[0]); // which found an eighth more
        ck_assert_double_lt((double)held[0], 1.2 * (double)held[1]);
        options.expected_steps = -1;
        ck_assert_int_eq(evn_solver_options_check(&options), EVN_ERR_ARGUMENT);
        problem_free(&p);
    }
}
END_TEST

/// Beyond a limit of memory a gradient whose steps are kept says what would need less.
START_TEST(steps_beyond_a_limit) {
    problem p = problem_node_ew(3);
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-6;
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.expected_steps = 1;
    options.fp64 = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 4);
    evn__device_limit(test_device(), evn_device_get_stats(test_device()).bytes_now);
    evn_binding x0_bar;
    evn_status status = evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL);
    evn__device_limit(test_device(), 0);
    ck_assert_int_eq(status, EVN_ERR_DEVICE_MEMORY);
    ck_assert_msg(strstr(evn_error_message(), "keep fewer as checkpoints") != NULL, "%s",
                  evn_error_message());
    problem_gradient(&p); // where there is room again
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("replay");
    test_add(s, tcase_create("expected_steps"), expected_steps);
    test_add(s, tcase_create("steps_beyond_a_limit"), steps_beyond_a_limit);
    return s;
}

int main(void) {
    return test_run(suite());
}
