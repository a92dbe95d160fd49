// SPDX-License-Identifier: Apache-2.0
// Solves and gradients on a GPU with a sample in each work-item, against the plans of any graph;
// and how many launches they take.
#include "evonode/solver.h"
#include "problem.h"
#include "test.h"

enum { ROWS = 70 };

static evn_solver_options options_of(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    return options;
}

/// @return launches
static uint64_t run_as(evn_device_type type, problem *p, const evn_solver_options *options) {
    evn_device_type own = test_act_as(type);
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    uint64_t before = evn_device_get_stats(test_device()).launches;
    problem_solve(p, 0, 1);
    problem_gradient(p);
    uint64_t launches = evn_device_get_stats(test_device()).launches - before;
    test_act_as(own);
    return launches;
}

static void compare(const char *name, const double *a, const double *b, int count, double most) {
    double difference = test_difference(a, b, count);
    ck_assert_msg(difference <= most, "%s: differs by %g", name, difference);
}

/// An accelerator is none of the devices for which kernels over samples are written.
static void check(const evn_solver_options *options, bool fewer) {
    double most = options->fp64 ? 1e-9 : 2e-4;
    problem found = problem_node_ew_of(ROWS, 21), expected = problem_node_ew_of(ROWS, 21);
    uint64_t launches = run_as(EVN_DEVICE_GPU, &found, options);
    uint64_t before = run_as(EVN_DEVICE_ACCELERATOR, &expected, options);
    ck_assert_msg(!fewer || 10 * launches < before, "%d launches instead of %d", (int)launches,
                  (int)before);
    compare("x1", found.x1, expected.x1, found.x1_count, most);
    compare("x0_bar", found.x0_bar, expected.x0_bar, found.x_count, most);
    for (int i = 0; i < found.weight_count; ++i) {
        compare(evn_dynamics_weight_name(found.dynamics, i), found.weight_bar_host[i],
                expected.weight_bar_host[i], found.weight_size[i], most);
    }
    problem_free(&found);
    problem_free(&expected);
}

static void check_precisions(evn_solver_options options, bool fewer) {
    for (int fp64 = 0; fp64 <= evn_device_get_info(test_device())->has_fp64; ++fp64) {
        options.fp64 = fp64;
        check(&options, fewer);
    }
}

START_TEST(backprop) {
    check_precisions(options_of("rk4", 8, EVN_GRADIENT_BACKPROP), true);
    evn_solver_options options = options_of("midpoint", 4, EVN_GRADIENT_BACKPROP);
    options.observations = 4;
    check_precisions(options, false);
}
END_TEST

START_TEST(checkpointed) {
    check_precisions(options_of("rk4", 4, EVN_GRADIENT_CHECKPOINTED), false);
}
END_TEST

START_TEST(adjoint) {
    check_precisions(options_of("rk4", 4, EVN_GRADIENT_ADJOINT), false);
}
END_TEST

/// Steps behind the end are passed over by kernels that do no run.
START_TEST(adaptive) {
    check_precisions(options_of("dopri5", 0, EVN_GRADIENT_ADJOINT), false);
}
END_TEST

START_TEST(launches_do_not_grow_with_steps) {
    uint64_t launches[2];
    for (int i = 0; i < 2; ++i) {
        problem p = problem_node_ew_of(ROWS, 22);
        evn_solver_options options = options_of("rk4", i ? 20 : 2, EVN_GRADIENT_BACKPROP);
        launches[i] = run_as(EVN_DEVICE_GPU, &p, &options);
        problem_free(&p);
    }
    ck_assert_uint_eq(launches[0], launches[1]);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/work_items");
    TCase *grid = tcase_create("grid");
    tcase_add_test(grid, backprop);
    tcase_add_test(grid, checkpointed);
    tcase_add_test(grid, launches_do_not_grow_with_steps);
    suite_add_tcase(s, grid);
    TCase *back = tcase_create("adjoint");
    tcase_add_test(back, adjoint);
    tcase_add_test(back, adaptive);
    suite_add_tcase(s, back);
    return s;
}

int main(void) {
    return test_run(suite());
}
