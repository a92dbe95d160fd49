// SPDX-License-Identifier: Apache-2.0
// Multi-step methods in fp64: steps and their gradients against formulas whose coefficients are
// integrals of Lagrange's polynomials, written out as one graph; of orders that are chosen, too;
// histories that begin anew; what is refused.
#include "gradients/replay.h"
#include "methods/history.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include "written_steps.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS = WRITTEN_STEPS_RESULTS, MOST_STEPS = WRITTEN_STEPS_MAX };

static const struct {
    const char *name;
    int order; ///< of its predictor
} methods[] = {{"abm4", 3}, {"abm5", 4}};

static evn_solver_options with(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    options.fp64 = true;
    options.rtol = options.atol = 1e-6;
    return options;
}

static void check_same(const char *what, const double *got, const double *expected, int count) {
    double error = test_difference(got, expected, count);
    printf("%s: differs by %.2g\n", what, error);
    ck_assert_msg(error <= 1e-10, "%s: %g", what, error);
}

// Fixed order -------------------------------------------------------------------------------------

/// Also where the first ones are all.
START_TEST(fixed_steps_are_those_written_out) {
    enum { EACH = 1 + 2 };
    static const int counts[] = {1, 2, 4, 9};
    const int steps = counts[_i / 2], order = methods[_i % 2].order;
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED};
    double expected[RESULTS], got[RESULTS], x1[RESULTS];
    problem p = problem_node_ew(30);
    written_steps *w = NULL;
    ck_assert_ptr_nonnull(w = malloc(sizeof(*w)));
    written_steps_begin(w, &p);
    for (int step = 0; step < steps; ++step) {
        written_steps_add(w, step / (double)steps, 1.0 / steps, step < order - 1 ? 0 : order);
    }
    int count = written_steps_gradient(w, x1, expected);
    free(w);
    for (int k = 0; k < EACH; ++k) {
        evn_solver_options options = with(methods[_i % 2].name, steps, gradients[k > 0]);
        options.checkpoints = k == 2 ? 3 : 0;
        ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
        check_same("state", p.x1, x1, p.x_count);
        check_same(evn_gradient_name((int)options.gradient), got, expected, count);
        int first = steps < order - 1 ? steps : order - 1;
        ck_assert_int_eq(p.solution.nfe, 4 * first + 2 * (steps - first));
    }
    problem_free(&p);
}
END_TEST

/// Along the steps that the solver took, whose order rises to that of the method.
START_TEST(adaptive_steps_are_those_written_out) {
    double expected[RESULTS], got[RESULTS], x1[RESULTS], times[MOST_STEPS];
    const int order = methods[_i % 2].order;
    problem p = problem_node_ew(31);
    evn_solver_options options =
        with(methods[_i % 2].name, 0, _i < 2 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_CHECKPOINTED);
    options.checkpoints = _i >= 4 ? 4 : 0;
    int count = problem_all_gradients(&p, &options, got), steps = p.solution.accepted;
    ck_assert_int_lt(steps, MOST_STEPS);
    ck_assert_int_gt(p.solution.accepted, 10);
    TRY(evn_solver_grid(p.solver, times, steps + 1));
    written_steps *w = NULL;
    ck_assert_ptr_nonnull(w = malloc(sizeof(*w)));
    written_steps_begin(w, &p);
    for (int i = 0; i < steps; ++i) {
        written_steps_add(w, times[i], times[i + 1] - times[i], i + 1 < order ? i + 1 : order);
    }
    ck_assert_int_eq(written_steps_gradient(w, x1, expected), count);
    free(w);
    check_same("state", p.x1, x1, p.x_count);
    check_same(evn_gradient_name((int)options.gradient), got, expected, count);
    problem_free(&p);
}
END_TEST

static double loss_between(problem *p, double t0, double t1) {
    double loss = 0;
    problem_solve(p, t0, t1);
    for (int i = 0; i < p->x_count; ++i) {
        loss += p->x1_bar[i] * p->x1[i];
    }
    return loss;
}

/// With the times all steps move, and those before are in the history.
START_TEST(times_have_gradients) {
    const double h = 1e-3;
    problem p = problem_node_ew(36);
    evn_solver_options options = with("abm4", 8, EVN_GRADIENT_BACKPROP);
    double by_t0, by_t1, near, far;
    options.time_gradient = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0.1, 1);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &by_t0, &by_t1, NULL));
    near = loss_between(&p, 0.1 + h, 1) - loss_between(&p, 0.1 - h, 1);
    far = loss_between(&p, 0.1 + 2 * h, 1) - loss_between(&p, 0.1 - 2 * h, 1);
    ck_assert_double_eq_tol(by_t0, (8 * near - far) / (12 * h), 1e-9);
    near = loss_between(&p, 0.1, 1 + h) - loss_between(&p, 0.1, 1 - h);
    far = loss_between(&p, 0.1, 1 + 2 * h) - loss_between(&p, 0.1, 1 - 2 * h);
    ck_assert_double_eq_tol(by_t1, (8 * near - far) / (12 * h), 1e-9);
    problem_free(&p);
}
END_TEST

// Orders that are chosen --------------------------------------------------------------------------

/// The solver's problem, and a trail that can be gone from other starts.
typedef struct gone {
    problem *p;
    evn_solver_options options;
    evn__course course;
    evn__problem own;
    evn__replay *replay;
    evn__trail trail;
    evn_binding parameters[PROBLEM_WEIGHTS];
} gone;

static void gone_begin(gone *g, problem *p, const evn_solver_options *options) {
    double times[MOST_STEPS];
    int steps = p->solution.accepted;
    *g = (gone){.p = p, .options = *options};
    ck_assert_int_lt(steps, MOST_STEPS);
    TRY(evn_solver_grid(p->solver, times, steps + 1));
    for (int i = 0; i < steps; ++i) {
        TRY(evn__trail_add(&g->trail, times[i], times[i + 1] - times[i], -1));
    }
    TRY(evn__course_create(&g->options, &g->course));
    g->own = (evn__problem){.device = test_device(),
                            .system = &p->dynamics->system,
                            .options = &g->options,
                            .course = &g->course,
                            .observed = (size_t)p->x_count};
    for (int i = 0; i < p->weight_count; ++i) {
        const evn__weight *w = &p->dynamics->weights[i];
        if (!w->evolves) {
            g->parameters[w->index] = p->weights[i];
        }
    }
    TRY(evn__replay_create(&g->own, steps, &g->replay));
    TRY(evn__replay_follow(g->replay, &g->trail));
}

static void gone_end(gone *g) {
    evn__replay_destroy(&g->replay);
    evn__trail_free(&g->trail);
    evn__course_free(&g->course);
}

/// x at the end, from what the problem has now.
static void go(gone *g, double *x1) {
    problem *p = g->p;
    const evn__passage passage = {.t1 = 1, .parameters = g->parameters};
    TRY(evn__real_write(evn__replay_begin(g->replay, 0), true, p->x0, (size_t)p->x_count));
    for (int i = 0; i < p->weight_count; ++i) {
        const evn__weight *w = &p->dynamics->weights[i];
        evn_binding to = w->evolves ? evn__replay_begin(g->replay, w->index) : p->weights[i];
        TRY(evn__real_write(to, true, p->weight[i], (size_t)p->weight_size[i]));
    }
    TRY(evn__replay_forward(g->replay, &passage));
    TRY(evn__real_read(evn__replay_end(g->replay, 0), true, x1, (size_t)p->x_count));
}

/// Of each step, as the history has it once those before are gone.
static void find_orders(gone *g, int *orders) {
    const evn__system *system = &g->p->dynamics->system;
    int steps = g->trail.count, schedule = (1 + WRITTEN_STEPS_ORDERS) * system->state_count;
    double entries[EVN__SCHEDULE_LENGTHS], x1[RESULTS];
    orders[0] = 1;
    for (g->trail.count = 1; g->trail.count < steps; ++g->trail.count) {
        TRY(evn__replay_follow(g->replay, &g->trail));
        go(g, x1);
        TRY(evn__real_read(evn__replay_end(g->replay, schedule), true, entries,
                           EVN__SCHEDULE_LENGTHS));
        orders[g->trail.count] = 1 + (int)entries[EVN__SCHEDULE_RAISED];
    }
    TRY(evn__replay_follow(g->replay, &g->trail));
}

START_TEST(chosen_orders_have_gradients_along_their_steps) {
    double expected[RESULTS], got[RESULTS], x1[RESULTS];
    int orders[MOST_STEPS], highest = 0;
    problem p = problem_node_ew(32);
    evn_solver_options options =
        with("adams", 0, _i == 0 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_CHECKPOINTED);
    options.rtol = options.atol = 1e-9;
    options.checkpoints = _i == 2 ? 4 : 0;
    int count = problem_all_gradients(&p, &options, got);
    gone g;
    gone_begin(&g, &p, &options);
    find_orders(&g, orders);
    go(&g, x1);
    check_same("gone again", x1, p.x1, p.x_count);
    written_steps *w = NULL;
    ck_assert_ptr_nonnull(w = malloc(sizeof(*w)));
    written_steps_begin(w, &p);
    for (int i = 0; i < g.trail.count; ++i) {
        highest = orders[i] > highest ? orders[i] : highest;
        written_steps_add(w, g.trail.steps[i].t, g.trail.steps[i].dt, orders[i]);
    }
    ck_assert_int_eq(written_steps_gradient(w, x1, expected), count);
    free(w);
    printf("orders to %d\n", highest);
    ck_assert_int_ge(highest, 6);
    check_same("state", p.x1, x1, p.x_count);
    check_same(evn_gradient_name((int)options.gradient), got, expected, count);
    gone_end(&g);
    problem_free(&p);
}
END_TEST

/// The smoother the solution, the higher the order: a digit more costs a few evaluations.
START_TEST(orders_rise_with_precision) {
    int before = 0;
    for (double tolerance = 1e-4; tolerance > 1e-12; tolerance /= 100) {
        problem p = problem_linear();
        evn_solver_options options = with("adams", 0, EVN_GRADIENT_NONE);
        options.rtol = options.atol = tolerance;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, _i == 0 ? 3 : -3);
        double error = problem_linear_error(&p, _i == 0 ? 3 : -3);
        printf("%g: error %.2g, %d + %d steps\n", tolerance, error, p.solution.accepted,
               p.solution.rejected);
        ck_assert_double_lt(error, 50 * tolerance);
        ck_assert_int_lt(p.solution.nfe, before > 0 ? before + 44 : 80);
        before = p.solution.nfe;
        problem_free(&p);
    }
}
END_TEST

/// x' = w tᵖ, which steps of a high enough order have without error: each is as much longer than
/// the one before as it may be.
START_TEST(polynomials_have_gradients) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_value slope = evn_input(f, "w", EVN_SHAPE(1));
    for (int i = 0; i < _i; ++i) {
        slope = evn_mul(f, slope, t);
    }
    evn_output(f, "dx", slope);
    problem p = problem_of(f, NULL);
    evn_solver_options options = with("adams", 0, EVN_GRADIENT_CHECKPOINTED);
    options.rtol = options.atol = 1e-9;
    p.x0[0] = p.weight[0][0] = p.x1_bar[0] = 1;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    ck_assert_double_eq_tol(p.x1[0], 1 + 1.0 / (_i + 1), 1e-7);
    ck_assert_double_eq_tol(p.x0_bar[0], 1, 1e-9);
    ck_assert_double_eq_tol(p.weight_bar_host[0][0], 1.0 / (_i + 1), 1e-7);
    problem_free(&p);
}
END_TEST

// Between the steps -------------------------------------------------------------------------------

/// The interpolants meet where steps do, at the states of the steps.
START_TEST(interpolants_meet) {
    enum { X = 8, MOST = 2 * MOST_STEPS };
    static double grid[MOST_STEPS], times[MOST], x[MOST * X];
    problem p = problem_linear();
    evn_buffer *memory = NULL;
    evn_solver_options options = with(_i == 0 ? "adams" : "abm4", 0, EVN_GRADIENT_NONE);
    options.dense = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 3);
    int steps = p.solution.accepted;
    ck_assert_int_lt(steps, MOST_STEPS);
    TRY(evn_solver_grid(p.solver, grid, steps + 1));
    for (int i = 0; i < steps; ++i) {
        times[2 * i] = nextafter(grid[i + 1], 0);
        times[2 * i + 1] = grid[i + 1];
    }
    TRY(evn__real_create_for(test_device(), EVN__USE_STATES, true, MOST * X, &memory));
    TRY(evn_solver_at(p.solver, times, 2 * steps, (evn_binding){memory, 0}, NULL));
    TRY(evn__real_read((evn_binding){memory, 0}, true, x, (size_t)(2 * steps * X)));
    for (int i = 0; i < steps; ++i) {
        double gap = test_difference(x + 2 * i * X, x + (2 * i + 1) * X, X);
        ck_assert_msg(gap < 1e-14, "%g behind step %d", gap, i);
    }
    ck_assert_double_le(test_difference(x + (2 * steps - 1) * X, p.x1, X), 1e-13);
    evn_buffer_destroy(&memory);
    problem_free(&p);
}
END_TEST

// Histories that begin anew -----------------------------------------------------------------------

/// Solving backwards, the cotangent jumps at each observation.
START_TEST(adjoints_follow_tolerances) {
    double expected[RESULTS], got[RESULTS];
    const char *method = _i % 2 == 0 ? "abm4" : "adams";
    problem p = problem_node_ew(33);
    evn_solver_options options = with("dop853", 0, EVN_GRADIENT_BACKPROP);
    options.observations = _i < 2 ? 0 : 3;
    options.rtol = options.atol = 1e-12;
    int count = problem_all_gradients(&p, &options, expected);
    options.method = method;
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.rtol = options.atol = 1e-8;
    ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
    double error = test_difference(got, expected, count);
    printf("%s: adjoint, error %.2g\n", method, error);
    ck_assert_double_le(error, 10 * options.rtol);
    problem_free(&p);
}
END_TEST

/// Fixed steps: order 4 from both ends.
START_TEST(fixed_adjoints_keep_their_order) {
    double expected[RESULTS], got[RESULTS], errors[2];
    problem p = problem_node_ew(34);
    evn_solver_options options = with("dop853", 0, EVN_GRADIENT_BACKPROP);
    options.observations = 3;
    options.rtol = options.atol = 1e-12;
    int count = problem_all_gradients(&p, &options, expected);
    for (int k = 0; k < 2; ++k) {
        options = with("abm4", k == 0 ? 48 : 96, EVN_GRADIENT_ADJOINT);
        options.observations = 3;
        ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
        errors[k] = test_difference(got, expected, count);
    }
    printf("errors %.3g and %.3g, order %.2f\n", errors[0], errors[1], log2(errors[0] / errors[1]));
    ck_assert_double_gt(log2(errors[0] / errors[1]), 3.6);
    problem_free(&p);
}
END_TEST

/// x' = −x before 0.5, 2 x from there on.
static problem jumping(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_value before = evn_step(f, evn_sub(f, evn_constant(f, 0.5), t));
    evn_value rate = evn_sub(f, evn_constant(f, 2), evn_scale(f, before, 3));
    evn_output(f, "dx", evn_mul(f, rate, x));
    problem p = problem_of(f, NULL);
    p.x0[0] = 1;
    return p;
}

START_TEST(jumps_begin_anew) {
    const double at = 0.5;
    problem p = jumping();
    evn_solver_options options =
        with(_i == 0 ? "adams" : "abm4", _i == 2 ? 64 : 0, EVN_GRADIENT_BACKPROP);
    options.jumps = &at;
    options.jump_count = 1;
    options.rtol = options.atol = 1e-9;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    double error = fabs(p.x1[0] - exp(0.5)), of_gradient = fabs(p.x0_bar[0] - exp(0.5));
    printf("%s: errors %.2g and %.2g, %d evaluations\n", options.method, error, of_gradient,
           p.solution.nfe);
    ck_assert_double_le(error, 1e-7);
    ck_assert_double_le(of_gradient, 1e-7);
    problem_free(&p);
}
END_TEST

/// Twice the same solve, and between them another: nothing is left of it.
START_TEST(solves_leave_nothing_behind) {
    double first[RESULTS];
    problem p = problem_node_ew(35);
    evn_solver_options options =
        with(_i == 0 ? "adams" : "abm4", _i == 2 ? 12 : 0, EVN_GRADIENT_NONE);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    memcpy(first, p.x1, sizeof(double) * (size_t)p.x_count);
    int nfe = p.solution.nfe;
    problem_solve(&p, 1, -2);
    problem_solve(&p, 0.5, 0.5);
    ck_assert_mem_eq(p.x1, p.x0, sizeof(double) * (size_t)p.x_count);
    problem_solve(&p, 0, 1);
    ck_assert_mem_eq(p.x1, first, sizeof(double) * (size_t)p.x_count);
    ck_assert_int_eq(p.solution.nfe, nfe);
    problem_free(&p);
}
END_TEST

/// x' = x² has no solution to t = 2 from 1; the message has a time near 1.
START_TEST(what_has_no_end_is_said) {
    problem p = problem_square();
    evn_solver_options options = with("adams", 0, EVN_GRADIENT_NONE);
    evn_binding x1;
    p.x0[0] = 1;
    problem_prepare(&p, &options);
    evn_status status = problem_try(&p, 0, 2, &x1);
    printf("%s\n", evn_error_message());
    ck_assert(status == EVN_ERR_SOLVER || status == EVN_ERR_NOT_FINITE);
    ck_assert(p.solution.t > 0.99 && p.solution.t < 1.01);
    problem_free(&p);
}
END_TEST

// Single precision --------------------------------------------------------------------------------

START_TEST(single_precision_meets_tolerances) {
    for (double tolerance = 1e-3; tolerance > 5e-7; tolerance /= 10) {
        problem p = problem_linear();
        evn_solver_options options = with("adams", 0, EVN_GRADIENT_NONE);
        options.fp64 = false;
        options.rtol = options.atol = tolerance;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 3);
        double error = problem_linear_error(&p, 3);
        printf("%g: error %.2g, %d evaluations\n", tolerance, error, p.solution.nfe);
        ck_assert_double_lt(error, 50 * tolerance);
        ck_assert_int_lt(p.solution.nfe, 120);
        problem_free(&p);
    }
}
END_TEST

// What is refused ---------------------------------------------------------------------------------

static void refuse(const evn_solver_options *options, const char *word) {
    REFUSED(evn_solver_options_check(options));
    ck_assert_msg(strstr(evn_error_message(), word), "%s", evn_error_message());
    printf("%s\n", evn_error_message());
}

START_TEST(what_knows_no_history_is_refused) {
    evn_solver_options options = with("adams", 10, EVN_GRADIENT_NONE);
    refuse(&options, "abm5");
    options = with("abm4", 10, EVN_GRADIENT_REVERSIBLE);
    refuse(&options, "reversible");
    options = with("adams", 0, EVN_GRADIENT_BACKPROP);
    options.per_sample = true;
    refuse(&options, "per_sample");
}
END_TEST

START_TEST(exports_are_refused) {
    problem p = problem_growth(true);
    evn__unroll *unroll = NULL;
    REFUSED(evn__unroll_create(p.dynamics, "abm4", &unroll));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "exported"));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/adams");
    TCase *steps = tcase_create("steps"); // whole: long
    test_add_share(steps, fixed_steps_are_those_written_out, 0, 8, 3);
    test_add_share(steps, adaptive_steps_are_those_written_out, 0, 6, 3);
    tcase_add_test(steps, times_have_gradients);
    suite_add_tcase(s, steps);
    TCase *orders = tcase_create("orders"); // whole: long
    test_add_share(orders, chosen_orders_have_gradients_along_their_steps, 0, 3, 3);
    tcase_add_loop_test(orders, orders_rise_with_precision, 0, 2);
    tcase_add_loop_test(orders, polynomials_have_gradients, 0, 2);
    tcase_add_test(orders, single_precision_meets_tolerances);
    suite_add_tcase(s, orders);
    TCase *between = tcase_create("between");
    tcase_add_loop_test(between, interpolants_meet, 0, 2);
    suite_add_tcase(s, between);
    TCase *anew = tcase_create("anew"); // whole: long
    test_add_share(anew, adjoints_follow_tolerances, 0, 4, 3);
    tcase_add_test(anew, fixed_adjoints_keep_their_order);
    test_add_share(anew, jumps_begin_anew, 0, 3, 3);
    test_add_share(anew, solves_leave_nothing_behind, 0, 3, 3);
    tcase_add_test(anew, what_has_no_end_is_said);
    suite_add_tcase(s, anew);
    TCase *refusals = tcase_create("refusals");
    tcase_add_test(refusals, what_knows_no_history_is_refused);
    tcase_add_test(refusals, exports_are_refused);
    suite_add_tcase(s, refusals);
    return s;
}

int main(void) {
    return test_run(suite());
}
