// SPDX-License-Identifier: Apache-2.0
// Gradient schemes in fp64: each discrete gradient against the same steps written out as one graph
// and pulled back by the reference; what the reversible method recovers; memory against steps.
#include "evonode/diff.h"
#include "gradients/revolve.h"
#include "host/runtime.h"
#include "integrator/integrator.h"
#include "methods/unroll.h"
#include "plan/real.h"
#include "problem.h"
#include "ref/ref.h"
#include "test.h"
#include "written_solve.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS = WRITTEN_SOLVE_RESULTS };

static evn_solver_options with(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    options.fp64 = true;
    return options;
}

static void check_same(const char *what, const double *got, const double *expected, int count) {
    double error = test_difference(got, expected, count);
    printf("%s: differs from the steps written out by %.2g\n", what, error);
    ck_assert_msg(error <= 1e-10, "%s: %g", what, error);
}

// Fixed steps -------------------------------------------------------------------------------------

START_TEST(backprop_is_the_gradient_of_its_steps) {
    double expected[RESULTS], got[RESULTS];
    problem p = problem_node_ew(20);
    written_solve w;
    written_solve_begin(&w, &p, "rk4");
    for (int step = 0; step < 7; ++step) {
        written_solve_step(&w, step / 7.0, 1 / 7.0);
    }
    written_solve_observe(&w);
    int count = written_solve_gradient(&w, expected);
    evn_solver_options options = with("rk4", 7, (evn_gradient)_i);
    ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
    check_same(evn_gradient_name(_i), got, expected, count);
    problem_free(&p);
}
END_TEST

/// Of the same steps, with all intermediate values kept and with fewer states than steps; rk4 has
/// stages at the ends of steps, whose times are rounded.
static void check_same_bits(problem *p, evn_solver_options options) {
    double expected[RESULTS], got[RESULTS];
    p->fp64 = options.fp64;
    int count = problem_all_gradients(p, &options, expected);
    options.gradient = EVN_GRADIENT_CHECKPOINTED;
    int stages = p->solution.nfe / p->solution.accepted;
    for (options.checkpoints = 0; options.checkpoints <= 40;
         options.checkpoints = 3 * options.checkpoints + 1) {
        ck_assert_int_eq(problem_all_gradients(p, &options, got), count);
        ck_assert_mem_eq(got, expected, sizeof(double) * (size_t)count);
        int slots = options.checkpoints > 0 ? options.checkpoints : options.steps;
        int most = stages * (int)(options.steps + evn__revolve_cost(options.steps, slots));
        printf("%d checkpoints: %d + %d evaluations\n", options.checkpoints, p->solution.nfe,
               p->backward.nfe);
        ck_assert_int_eq(p->solution.nfe, stages * options.steps);
        ck_assert_int_le(p->backward.nfe, most);
    }
}

START_TEST(checkpoints_give_the_same_bits) {
    problem p = problem_node_ew(23);
    for (int k = 0; k < 8; ++k) {
        evn_solver_options options =
            with(k & 1 ? "midpoint" : "rk4", k & 2 ? 30 : 35, EVN_GRADIENT_BACKPROP);
        options.fp64 = k & 4;
        options.observations = 5 * _i;
        check_same_bits(&p, options);
    }
    problem_free(&p);
}
END_TEST

/// As much as a solver refuses, which says how much a state takes, and how much is enough.
static size_t size_of_state(const problem *p, evn_solver_options options, size_t *enough) {
    evn_solver *solver = NULL;
    size_t size = 0;
    options.checkpoint_bytes = 1;
    ck_assert_int_eq(evn_solver_create(test_device(), p->dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    const char *said = strstr(evn_error_message(), "a state takes ");
    const char *least = strstr(evn_error_message(), "give ");
    ck_assert(said && sscanf(said, "a state takes %zu", &size) == 1);
    ck_assert(least && sscanf(least, "give %zu", enough) == 1);
    return size;
}

/// Memory for five and a half states is that of two, beside those that steps are taken between.
START_TEST(checkpoints_in_memory) {
    enum { STEPS = 35, WORKING = 3 };
    double expected[RESULTS], got[RESULTS];
    problem p = problem_node_ew(23);
    evn_solver_options options =
        with(_i < 2 ? "rk4" : "dopri5", _i < 2 ? STEPS : 0, EVN_GRADIENT_CHECKPOINTED);
    options.fp64 = _i % 2;
    options.rtol = options.atol = options.fp64 ? 1e-9 : 1e-5;
    size_t enough, size = size_of_state(&p, options, &enough);
    ck_assert_uint_eq(enough, (WORKING + 1) * size);
    for (int kept = 1; kept <= 2; ++kept) {
        options.checkpoints = kept;
        options.checkpoint_bytes = 0;
        p.fp64 = options.fp64;
        int count = problem_all_gradients(&p, &options, expected), nfe = p.backward.nfe;
        options.checkpoints = 0;
        options.checkpoint_bytes = kept == 1 ? enough : (WORKING + 2) * size + size / 2;
        ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
        ck_assert_mem_eq(got, expected, sizeof(double) * (size_t)count);
        ck_assert_int_eq(p.backward.nfe, nfe);
    }
    options.checkpoint_bytes = enough - 1;
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.fall_back = true; // before it falls back
    evn_solver *solver = NULL;
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    options.fall_back = false;
    ck_assert_int_eq(evn_solver_options_check(&options), EVN_ERR_ARGUMENT);
    options.gradient = EVN_GRADIENT_CHECKPOINTED;
    TRY(evn_solver_options_check(&options));
    options.checkpoints = 3;
    ck_assert_int_eq(evn_solver_options_check(&options), EVN_ERR_ARGUMENT);
    problem_free(&p);
}
END_TEST

// Binomial checkpoints ----------------------------------------------------------------------------

/// The least cost, by trying every place of the next state.
static int64_t least_cost(int steps, int slots) {
    enum { STEPS = 40, SLOTS = 8 };
    static int64_t cost[STEPS + 1][SLOTS + 1];
    for (int l = 1; l <= steps; ++l) {
        for (int s = 1; s <= slots; ++s) {
            cost[l][s] = (int64_t)l * (l - 1) / 2;
            for (int m = 1; m < l && s > 1; ++m) {
                int64_t tried = m + cost[l - m][s - 1] + cost[m][s];
                cost[l][s] = tried < cost[l][s] ? tried : cost[l][s];
            }
        }
    }
    return cost[steps][slots];
}

START_TEST(checkpoints_are_where_they_cost_least) {
    for (int steps = 1; steps <= 40; ++steps) {
        for (int slots = 1; slots <= 8; ++slots) {
            ck_assert_int_eq(evn__revolve_cost(steps, slots), least_cost(steps, slots));
        }
    }
    ck_assert_int_eq(evn__revolve_cost(100000, 100000), 99999);
}
END_TEST

// Adaptive steps ----------------------------------------------------------------------------------

/// The steps that the solver took, as it would take them at these tolerances.
START_TEST(backprop_along_accepted_steps) {
    double expected[RESULTS], got[RESULTS];
    problem p = problem_node_ew(24);
    const evn_gradient gradient = _i % 2 == 0 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_CHECKPOINTED;
    evn_solver_options options = with("dopri5", 0, gradient);
    options.rtol = options.atol = 1e-6;
    options.observations = _i < 2 ? 0 : 3;
    options.checkpoints = _i == 3 ? 2 : 0;
    ck_assert_int_gt(problem_all_gradients(&p, &options, got), 0);
    int accepted = p.backward.accepted;
    ck_assert_int_eq(p.solution.accepted, accepted);
    ck_assert_int_gt(accepted, 4);
    evn__trail trail = {0};
    written_solve_accepted(&p, &options, &trail);
    ck_assert_int_eq(trail.count, accepted);
    written_solve w;
    written_solve_begin(&w, &p, "dopri5");
    for (int i = 0; i < trail.count; ++i) {
        written_solve_step(&w, trail.steps[i].t, trail.steps[i].dt);
        if (trail.steps[i].observation >= 0) {
            written_solve_observe(&w);
        }
    }
    int count = written_solve_gradient(&w, expected);
    check_same(evn_gradient_name((int)gradient), got, expected, count);
    evn__trail_free(&trail);
    problem_free(&p);
}
END_TEST

/// As long as no buffer may have so many bytes: out of memory, whichever buffer it is of those that
/// the gradient makes for the steps of a longer solve; after that as if nothing had been.
START_TEST(gradients_go_on_when_there_is_memory) {
    double expected[RESULTS];
    problem p = problem_node_ew(24);
    evn_solver_options options = with("dopri5", 0, (evn_gradient)_i);
    options.dt_max = 0.01;
    int count = problem_all_gradients(&p, &options, expected);
    problem_prepare(&p, &options);
    uint64_t most = test_device()->info.max_allocation_bytes;
    int failures = 0;
    evn_status status = EVN_ERR_DEVICE_MEMORY;
    for (uint64_t bytes = 64; status != EVN_OK && bytes < most; bytes *= 2) {
        evn_binding x0_bar;
        problem_solve(&p, 0, 1);
        TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, (size_t)p.x1_count));
        test_device()->info.max_allocation_bytes = bytes;
        status = evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL);
        test_device()->info.max_allocation_bytes = most;
        ck_assert_msg(status == EVN_OK || status == EVN_ERR_DEVICE_MEMORY, "%d: %s", (int)status,
                      evn_error_message());
        failures += status != EVN_OK;
    }
    ck_assert_int_gt(failures, 3);
    problem_gradient(&p);
    ck_assert_int_gt(p.solution.accepted, 16); // more than there was memory for at first
    ck_assert_mem_eq(p.x0_bar, expected, sizeof(double) * (size_t)p.x_count);
    int at = p.x_count;
    for (int i = 0; i < p.weight_count; at += p.weight_size[i++]) {
        ck_assert_mem_eq(p.weight_bar_host[i], expected + at,
                         sizeof(double) * (size_t)p.weight_size[i]);
    }
    ck_assert_int_eq(at, count);
    problem_free(&p);
}
END_TEST

// Reversible --------------------------------------------------------------------------------------

START_TEST(reversible_is_the_gradient_of_its_steps) {
    static const char *const methods[] = {"euler", "rk4", "midpoint"};
    double expected[RESULTS], got[RESULTS];
    problem p = problem_node_ew(21);
    evn_solver_options options = with(methods[_i], 6, EVN_GRADIENT_REVERSIBLE);
    options.observations = _i < 2 ? 0 : 3;
    options.coupling = _i < 2 ? 0 : 0.9;
    written_solve w;
    written_solve_begin(&w, &p, options.method);
    for (int step = 0; step < options.steps; ++step) {
        written_solve_reversible_step(&w, step / 6.0, 1 / 6.0, _i < 2 ? 0.99 : 0.9);
        if (step == 5 || (options.observations > 0 && step % 2 == 1)) {
            written_solve_observe(&w);
        }
    }
    int count = written_solve_gradient(&w, expected);
    ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
    check_same(options.method, got, expected, count);
    problem_free(&p);
}
END_TEST

/// In single precision, at any number of steps.
START_TEST(reversible_recovers_the_start) {
    problem p = problem_node_ew(22);
    for (int steps = 10; steps <= 10000; steps *= 10) {
        evn_solver_options options = with("midpoint", steps, EVN_GRADIENT_REVERSIBLE);
        options.fp64 = false;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        problem_gradient(&p);
        double x_error, theta_error;
        TRY(evn_solver_reconstruction(p.solver, &x_error, &theta_error));
        printf("%d steps: x(0) off by %.2g, theta by %.2g\n", steps, x_error, theta_error);
        ck_assert_msg(x_error <= 1e-6 && theta_error <= 1e-6, "%g, %g", x_error, theta_error);
    }
    problem_free(&p);
}
END_TEST

/// The pair is of the order of its base method.
START_TEST(reversible_converges) {
    static const char *const methods[] = {"euler", "midpoint", "rk4"};
    static const int orders[] = {1, 2, 4};
    double error[2];
    for (int k = 0; k < 2; ++k) {
        problem p = problem_linear();
        problem_linear_start(p.x0);
        evn_solver_options options = with(methods[_i], 20 << k, EVN_GRADIENT_REVERSIBLE);
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        error[k] = problem_linear_error(&p, 1);
        problem_free(&p);
    }
    double order = log2(error[0] / error[1]);
    printf("%s: order %.2f\n", methods[_i], order);
    ck_assert_msg(order > orders[_i] - 0.3, "%s: order %g", methods[_i], order);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/scheme");
    TCase *fixed = tcase_create("fixed"); // whole: long
    test_add_share(fixed, backprop_is_the_gradient_of_its_steps, EVN_GRADIENT_BACKPROP,
                   EVN_GRADIENT_CHECKPOINTED + 1, 3);
    tcase_add_loop_test(fixed, checkpoints_give_the_same_bits, 0, 2);
    test_add_share(fixed, checkpoints_in_memory, 0, 4, 3);
    tcase_add_test(fixed, checkpoints_are_where_they_cost_least);
    suite_add_tcase(s, fixed);
    TCase *adaptive = tcase_create("adaptive");
    tcase_add_loop_test(adaptive, backprop_along_accepted_steps, 0, 4);
    suite_add_tcase(s, adaptive);
    TCase *memory = tcase_create("memory");
    tcase_add_loop_test(memory, gradients_go_on_when_there_is_memory, EVN_GRADIENT_BACKPROP,
                        EVN_GRADIENT_CHECKPOINTED + 1);
    suite_add_tcase(s, memory);
    TCase *reversible = tcase_create("reversible"); // whole: long
    test_add_share(reversible, reversible_is_the_gradient_of_its_steps, 0, 3, 3);
    tcase_add_test(reversible, reversible_recovers_the_start);
    test_add_share(reversible, reversible_converges, 0, 3, 3);
    suite_add_tcase(s, reversible);
    return s;
}

int main(void) {
    return test_run(suite());
}
