// SPDX-License-Identifier: Apache-2.0
// How a solve by implicit steps says that it has failed.
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "solver/part.h"
#include "test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Of one number x.
static evn_graph *begin(evn_value *x) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    *x = evn_input(f, "x", EVN_SHAPE(1, 1));
    return f;
}

/// x' = −x³ in each row.
static problem cubic(int rows) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(rows, 1), &t, &x);
    evn_output(f, "dx", evn_neg(f, evn_mul(f, x, evn_mul(f, x, x))));
    return problem_of(f, NULL);
}

static evn_solver_options with(int steps) {
    evn_solver_options options = evn_solver_options_default();
    options.method = "implicit_euler";
    options.fp64 = true;
    options.steps = steps;
    return options;
}

/// A few iterations are not enough for x' = −x³ in a step of 100: a fixed one says so, by itself or
/// as part of a reversible one.
START_TEST(steps_that_are_not_solved_are_told) {
    evn_binding x1;
    problem p = cubic(1);
    evn_solver_options options = with(1);
    options.gradient = _i ? EVN_GRADIENT_REVERSIBLE : EVN_GRADIENT_NONE;
    p.x0[0] = 1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 100, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "take more steps"));
    problem_free(&p);
}
END_TEST

/// One of 1,024 rows, whose share in a mean over all would be small: the last correction is some
/// tolerances large.
START_TEST(rows_that_are_not_solved_are_not_hidden) {
    enum { ROWS = 1024 };
    evn_binding x1;
    problem p = cubic(ROWS);
    evn_solver_options options = with(1);
    for (int i = 0; i < ROWS; ++i) {
        p.x0[i] = 0.01;
    }
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 100);
    p.x0[700] = 0.11;
    ck_assert_int_eq(problem_try(&p, 0, 100, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    problem_free(&p);
}
END_TEST

/// To and fro between 0 and 10²⁰: corrections whose squares overflow, each followed by a smaller
/// one, which is no sign of convergence.
START_TEST(infinite_corrections_are_told) {
    evn_value x;
    evn_binding x1;
    evn_graph *f = begin(&x);
    evn_value beyond = evn_step(f, evn_sub(f, x, evn_constant(f, 1)));
    evn_output(f, "dx", evn_scale(f, evn_sub(f, evn_constant(f, 1), beyond), 1e20));
    problem p = problem_of(f, NULL);
    p.x0[0] = 0;
    evn_solver_options options = with(1);
    options.fp64 = false;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    problem_free(&p);
}
END_TEST

/// What begins as no number is no fault of the method's.
START_TEST(starts_that_are_no_numbers_are_told) {
    evn_value x;
    evn_binding x1;
    evn_graph *f = begin(&x);
    evn_output(f, "dx", evn_neg(f, x));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(4);
    p.x0[0] = NAN;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "initial state"));
    problem_free(&p);
}
END_TEST

/// What the last solve gave is not where its memory is once the next one has failed.
START_TEST(starts_that_a_solve_gave_are_not_blamed) {
    evn_binding x1, x2;
    evn_solution solution;
    problem p = cubic(1);
    evn_solver_options options = with(1);
    options.observations = _i;
    p.x0[0] = 1;
    problem_prepare(&p, &options);
    TRY(problem_try(&p, 0, 0.1, &x1));
    ck_assert_int_eq(evn_solve(p.solver, 0, 100, x1, p.weights, &x2, &solution), EVN_ERR_SOLVER);
    ck_assert_int_eq(solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "take more steps"));
    problem_free(&p);
}
END_TEST

static evn_status try_gradient(problem *p) {
    evn_binding x0_bar;
    TRY(evn__real_write(p->x1_bar_at, p->fp64, p->x1_bar, (size_t)p->x1_count));
    return evn_solve_gradient(p->solver, p->x1_bar_at, &x0_bar, p->weights_bar, &p->backward);
}

/// x' = −x³ from 10 has no way back that stays finite: of that the gradient tells, and what is
/// watched, not of equations.
START_TEST(ways_back_are_told_of_first) {
    double worst;
    problem p = cubic(1);
    evn_solver_options options = with(100);
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.watch = true;
    p.x0[0] = 10;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(try_gradient(&p), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "take the gradient checkpointed"));
    TRY(evn_solver_watched(p.solver, &worst));
    ck_assert(isinf(worst));
    options.reconstruction = 0; // nothing is judged by it
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(try_gradient(&p), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_NEWTON_FAILED);
    problem_free(&p);
}
END_TEST

/// Cotangents that are no numbers, of x or of weights from behind t1, are the caller's.
START_TEST(cotangents_that_are_no_numbers_are_not_blamed) {
    evn_binding x0_bar;
    evn_buffer *behind = NULL;
    problem p = problem_node_ew(7);
    evn_solver_options options = with(3);
    options.gradient = EVN_GRADIENT_CHECKPOINTED;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    int count = p.weight_size[0];
    double *bars = calloc((size_t)count, sizeof(*bars));
    *(_i ? bars : p.x1_bar) = NAN;
    TRY(evn__real_create(test_device(), true, (size_t)count, &behind));
    TRY(evn__real_write((evn_binding){behind, 0}, true, bars, (size_t)count));
    TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, (size_t)p.x1_count));
    const evn_binding carried[] = {{0}, {behind, 0}};
    TRY(evn__solve_part_gradient(p.solver, p.x1_bar_at, carried, &x0_bar, p.weights_bar,
                                 &p.backward));
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_DONE);
    TRY(evn__real_read(p.weights_bar[0], true, bars, 1));
    ck_assert(isnan(bars[0])); // it came through
    free(bars);
    evn_buffer_destroy(&behind);
    problem_free(&p);
}
END_TEST

/// The same equations in adaptive steps, which become shorter, but not below dt_min; of the batch,
/// or of each sample, of which only the first fails.
START_TEST(adaptive_steps_that_are_not_solved_are_told) {
    evn_binding x1;
    problem p = cubic(2);
    evn_solver_options options = with(0);
    options.dt_first = 100;
    options.dt_min = 50;
    options.per_sample = _i;
    p.x0[0] = 1;
    p.x0[1] = 0.01;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 100, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "equations of a step were not solved"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "dt_min = 50"));
    for (int i = 0; i < 2 && options.per_sample; ++i) {
        evn_solution one;
        TRY(evn_solver_sample_solution(p.solver, i, &one));
        ck_assert_int_eq(one.outcome, i == 0 ? EVN_OUTCOME_NEWTON_FAILED : EVN_OUTCOME_DONE);
    }
    problem_free(&p);
}
END_TEST

/// f jumps to and fro: from 0.5 it leads to where it leads back. No step is short enough for that;
/// where the error alone is too large for dt_min, that is no fault of the equations.
START_TEST(jumps_are_not_solved) {
    evn_value x;
    evn_binding x1;
    evn_graph *f = begin(&x);
    evn_value beyond = evn_step(f, evn_sub(f, x, evn_constant(f, 0.5)));
    evn_value sign = evn_sub(f, evn_constant(f, 1), evn_scale(f, beyond, 2));
    evn_output(f, "dx", _i < 2 ? evn_scale(f, sign, 1e20) : evn_scale(f, x, 30));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(0);
    options.per_sample = _i % 2;
    options.dt_first = _i < 2 ? 0 : 0.01;
    options.dt_min = _i < 2 ? 0 : 0.009;
    p.x0[0] = 0.5;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 1, 2, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome,
                     _i < 2 ? EVN_OUTCOME_NEWTON_FAILED : EVN_OUTCOME_STEP_TOO_SMALL);
    ck_assert_ptr_nonnull(
        strstr(evn_error_message(), _i < 2 ? "however short" : "became smaller than dt_min"));
    problem_free(&p);
}
END_TEST

/// Weights that are solved by themselves, θ' = −θ³ in one step, not x along what is no number.
START_TEST(weights_that_are_not_solved_are_told) {
    evn_value t, x;
    evn_binding x1;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 1), &t, &x), *g = NULL;
    evn_value theta = evn_input(f, "theta", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_neg(f, evn_matmul(f, x, theta, false, false)));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    theta = evn_input(g, "theta", EVN_SHAPE(1, 1));
    evn_output(g, "dtheta", evn_neg(g, evn_mul(g, theta, evn_mul(g, theta, theta))));
    problem p = problem_of(f, g);
    evn_solver_options options = with(_i ? 10 : 0);
    options.weight_steps = 1;
    p.weight[0][0] = 1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 100, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "the weights, solved by themselves"));
    problem_free(&p);
}
END_TEST

/// x' = x² from 1 goes to infinity at t = 1. Equal steps of an explicit method go on behind it, and
/// are asked how they ended.
START_TEST(explicit_steps_are_asked) {
    evn_value x;
    evn_solution asked;
    evn_graph *f = begin(&x);
    evn_output(f, "dx", evn_mul(f, x, x));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(20);
    options.method = "rk4";
    p.x0[0] = 1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(evn_solver_outcome(p.solver, &asked), EVN_ERR_ARGUMENT); // before a solve
    problem_solve(&p, 0, 5);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_int_eq(evn_solver_outcome(p.solver, &asked), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(asked.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert_int_eq(asked.accepted, 20);
    ck_assert(asked.t == 5);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "after 20 steps of rk4"));
    problem_solve(&p, 0, 0.5);
    TRY(evn_solver_outcome(p.solver, &asked));
    ck_assert_int_eq(asked.outcome, EVN_OUTCOME_DONE);
    TRY(evn_solver_outcome(p.solver, NULL));
    problem_free(&p);
}
END_TEST

/// A matrix is always solved, and nothing is iterated: with one the Rosenbrock method goes on as
/// explicit ones do.
START_TEST(rosenbrock_steps_are_asked) {
    evn_value x;
    evn_solution asked;
    evn_graph *f = begin(&x);
    evn_output(f, "dx", evn_exp(f, x));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with(4);
    options.method = "rosenbrock23";
    p.x0[0] = 1000;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_int_eq(evn_solver_outcome(p.solver, &asked), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(asked.outcome, EVN_OUTCOME_NOT_FINITE);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/outcome");
    TCase *implicit = tcase_create("implicit");
    tcase_add_loop_test(implicit, steps_that_are_not_solved_are_told, 0, 2);
    tcase_add_test(implicit, rows_that_are_not_solved_are_not_hidden);
    tcase_add_test(implicit, infinite_corrections_are_told);
    tcase_add_test(implicit, starts_that_are_no_numbers_are_told);
    tcase_add_loop_test(implicit, starts_that_a_solve_gave_are_not_blamed, 0, 2);
    suite_add_tcase(s, implicit);
    TCase *adaptive = tcase_create("adaptive");
    tcase_add_loop_test(adaptive, adaptive_steps_that_are_not_solved_are_told, 0, 2);
    tcase_add_loop_test(adaptive, jumps_are_not_solved, 0, 4);
    suite_add_tcase(s, adaptive);
    TCase *gradients = tcase_create("gradients");
    tcase_add_test(gradients, ways_back_are_told_of_first);
    tcase_add_loop_test(gradients, cotangents_that_are_no_numbers_are_not_blamed, 0, 2);
    suite_add_tcase(s, gradients);
    TCase *others = tcase_create("others");
    tcase_add_loop_test(others, weights_that_are_not_solved_are_told, 0, 2);
    tcase_add_test(others, explicit_steps_are_asked);
    tcase_add_test(others, rosenbrock_steps_are_asked);
    suite_add_tcase(s, others);
    return s;
}

int main(void) {
    return test_run(suite());
}
