// SPDX-License-Identifier: Apache-2.0
// Gradients along steps of each sample's own: what they say of themselves, what they leave out, and
// memory that is missing for what they need. That they are right shows test_sample_solve.c.
#include "evonode/solver.h"
#include "layered.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <stdio.h>
#include <string.h>

// Steps -------------------------------------------------------------------------------------------

/// What a gradient says is of the sample with the most steps: where that one began, and no attempt
/// that was rejected or idle.
START_TEST(gradient_counts_steps) {
    static const double t0[] = {7, 5}, t1[] = {7.01, 9};
    evn_binding x1, x0_bar;
    evn_solution one, solution;
    problem p = problem_wide(1);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-5, false);
    options.dt_first = 3; // too long
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1); // writes
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    const evn_sample_times own = {t0, t1, NULL};
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, &solution));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward));
    TRY(evn_solver_sample_solution(p.solver, 1, &one));
    ck_assert_int_gt(one.rejected, 0);
    ck_assert_int_eq(p.backward.accepted, one.accepted);
    ck_assert_int_eq(p.backward.rejected, 0);
    ck_assert_int_eq(p.backward.nfe, 7 * one.accepted); // stages of dopri5
    ck_assert_double_eq(p.backward.t, 5);
    problem_free(&p);
}
END_TEST

/// A way without length, on which no sample takes a step: all observations are of the start.
START_TEST(no_way_has_a_gradient) {
    enum { POINTS = 3 };
    problem p = problem_wide(1);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-5, false);
    options.observations = POINTS;
    problem_prepare(&p, &options);
    problem_solve(&p, 2, 2);
    problem_gradient(&p);
    for (int i = 0; i < p.x_count; ++i) {
        double sum = 0;
        for (int j = 0; j < POINTS; ++j) {
            sum += p.x1_bar[j * p.x_count + i];
            ck_assert_double_eq_tol(p.x1[j * p.x_count + i], p.x0[i], 1e-7);
        }
        ck_assert_double_eq_tol(p.x0_bar[i], sum, 1e-6);
    }
    for (int i = 0; i < p.weight_size[0]; ++i) {
        ck_assert(p.weight_bar_host[0][i] == 0);
    }
    problem_free(&p);
}
END_TEST

/// Launches of the gradient through a way to t1 that takes so many attempts.
static uint64_t launches_back(problem *p, double t1, int *attempts) {
    problem_solve(p, 0, t1);
    problem_gradient(p); // prepares
    uint64_t before = evn_device_get_stats(test_device()).launches;
    problem_gradient(p);
    *attempts = p->solution.accepted + p->solution.rejected;
    return evn_device_get_stats(test_device()).launches - before;
}

/// What no sample attempted is not gone back either.
START_TEST(gradient_leaves_idle_attempts_out) {
    problem p = problem_wide(1);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-5, false);
    int few, many;
    problem_prepare(&p, &options);
    uint64_t back_of_many = launches_back(&p, 6, &many),
             back_of_few = launches_back(&p, 0.01, &few);
    printf("%d attempts: %llu launches, %d: %llu\n", few, (unsigned long long)back_of_few, many,
           (unsigned long long)back_of_many);
    ck_assert_int_le(few, 4);
    ck_assert_int_gt(many, 4);
    ck_assert_int_le(many, 64);
    ck_assert_uint_lt(back_of_few, back_of_many);
    problem_free(&p);
}
END_TEST

// Memory ------------------------------------------------------------------------------------------

enum { FAILS = 64, ELEMENTS = 6 }; // the allocation of the process that fails; of x

/// Before what is made next, whose buffer number `which` is to fail; returns how many are there.
static int fill_up(evn_buffer *buffers[FAILS], int which) {
    int count = 0;
    while (evn_device_get_stats(test_device()).allocations + (uint64_t)which + 1 < FAILS) {
        TRY(evn_buffer_create(test_device(), 64, &buffers[count++]));
    }
    return count;
}

/// A solve to which no memory is given for what its steps leave has nothing to say of samples; the
/// next one, and its gradient, are those of another solver.
static void check_memory(int which) {
    char fault[64];
    evn_buffer *buffers[FAILS] = {0};
    double x1[ELEMENTS], x0_bar[ELEMENTS];
    evn_solution one;
    evn_binding none;
    snprintf(fault, sizeof(fault), "clCreateBuffer:%d:-4", FAILS);
    test_under_layer("EVN_LAYER_FAULT", fault);
    problem p = problem_wide(1);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-5, false);
    problem_prepare(&p, &options);
    int count = fill_up(buffers, which);
    memset(&p.solution, 0x55, sizeof(p.solution));
    ck_assert_int_eq(problem_try(&p, 0, 1, &none), EVN_ERR_DEVICE_MEMORY);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "the states of"));
    ck_assert_int_eq(p.solution.accepted, 0);
    REFUSED(evn_solver_sample_solution(p.solver, 0, &one));
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    TRY(evn_solver_sample_solution(p.solver, 0, &one));
    ck_assert_int_gt(one.accepted, 0);
    memcpy(x1, p.x1, sizeof(x1));
    memcpy(x0_bar, p.x0_bar, sizeof(x0_bar));
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    ck_assert_mem_eq(x1, p.x1, sizeof(x1));
    ck_assert_mem_eq(x0_bar, p.x0_bar, sizeof(x0_bar));
    for (int i = 0; i < count; ++i) {
        evn_buffer_destroy(&buffers[i]);
    }
    problem_free(&p);
}

START_TEST(no_memory_for_steps) {
    check_memory(0);
}
END_TEST

START_TEST(no_memory_for_records) {
    check_memory(1);
}
END_TEST

START_TEST(no_memory_for_states) {
    check_memory(2);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("per_sample/sample_gradient");
    TCase *steps = tcase_create("steps");
    tcase_add_test(steps, gradient_counts_steps);
    tcase_add_test(steps, no_way_has_a_gradient);
    tcase_add_test(steps, gradient_leaves_idle_attempts_out);
    suite_add_tcase(s, steps);
    TCase *memory = tcase_create("no_steps"); // a process each, as a fault comes once
    tcase_add_test(memory, no_memory_for_steps);
    suite_add_tcase(s, memory);
    memory = tcase_create("no_records");
    tcase_add_test(memory, no_memory_for_records);
    suite_add_tcase(s, memory);
    memory = tcase_create("no_states");
    tcase_add_test(memory, no_memory_for_states);
    suite_add_tcase(s, memory);
    return s;
}

int main(void) {
    return test_run(suite());
}
