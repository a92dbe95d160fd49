// SPDX-License-Identifier: Apache-2.0
// Gradients of solves to events, part by part: the steps of the parts, whose gradient in t0 is
// told, and times without a derivative. Their values: events/test_event_gradient.
#include "evonode/event.h"
#include "plan/real.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <string.h>

// Steps of the parts ------------------------------------------------------------------------------

/// x' = −1 − x / 10 comes to 0, where the first step of a part is short: dt_min is of the search.
/// Where a part has too few steps it says how far it came.
START_TEST(parts_have_steps_of_their_own) {
    const double x0 = 1, one = 1;
    const evn_occurrence_bar among = {1, NULL};
    evn_graph *e = rig_component(1, 1, 0), *f = NULL;
    const evn_event event = {e, EVN_EVENT_EITHER, false};
    evn_solver_options options = rig_options(1e-6);
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.dt_min = 0.01;
    for (int few = 0; few < 2; ++few) {
        TRY(evn_graph_create(&f));
        evn_input(f, "t", EVN_SCALAR);
        evn_value x = evn_input(f, "x", EVN_SHAPE(1, 1));
        evn_value falls = evn_sub(f, evn_scale(f, x, -0.1), evn_full(f, EVN_SHAPE(1, 1), 1));
        evn_output(f, "dx", falls);
        rig r = rig_new(rig_dynamics(f, NULL), &options, &event, 1);
        const evn_event_bars all = {.x1_bar = r.x1_bar, .occurrences = &among};
        evn_binding x0_bar;
        evn_solution back;
        double x1, bar;
        rig_solve(&r, 0, 2, &x0, &x1);
        TRY(evn__real_write(r.x1_bar, true, &one, 1));
        evn_status status = evn_solve_to_event_gradient(r.solver, &all, &x0_bar, NULL, &back);
        if (few) {
            ck_assert_int_eq(status, EVN_ERR_SOLVER);
            ck_assert_int_eq(back.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
            ck_assert_int_gt(back.nfe, 0);
        } else {
            TRY(status);
            TRY(evn__real_read(x0_bar, true, &bar, 1));
            ck_assert_double_eq_tol(bar, exp(-0.2) + 1 / 1.1, 1e-5); // t = 10 log(1 + x0 / 10)
            options.max_steps = r.solution.accepted + r.solution.rejected;
        }
        rig_free(&r);
    }
    evn_graph_destroy(&e);
}
END_TEST

// The gradient in t0 ------------------------------------------------------------------------------

/// q from 1/2 on is another number than before: a jump, whose time has no derivative.
static evn_graph *half(void) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value q = rig_column(e, evn_input(e, "x", EVN_SHAPE(1, 2)), 0);
    evn_value above = evn_step(e, evn_sub(e, q, evn_constant(e, 0.5)));
    evn_output(e, "e", evn_sub(e, above, evn_constant(e, 0.5)));
    return e;
}

/// There is one after a gradient, and none after one that failed, or after another solve.
START_TEST(time_gradient_is_of_the_last_solve) {
    static const double x0[] = {1, 0}, t_bar = 1, zeros[2] = {0};
    evn_graph *q = rig_component(1, 2, 0), *jump = half();
    const evn_event events[] = {{q, EVN_EVENT_FALLING, true}, {jump, EVN_EVENT_EITHER, false}};
    const evn_occurrence_bar among[] = {{1, NULL}, {0, NULL}};
    evn_solver_options options = rig_options(1e-9);
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.time_gradient = true;
    rig r = rig_new(rig_oscillator(1), &options, events, 2);
    evn_event_bars bars = {.x1_bar = r.x1_bar, .t_bar = &t_bar};
    evn_binding x0_bar;
    double x1[2], t0_bar;
    TRY(evn__real_write(r.x1_bar, true, zeros, 2));
    for (int again = 0; again < 2; ++again) {
        rig_solve(&r, 0, 3, x0, x1);
        REFUSED(evn_solve_to_event_time_gradient(r.solver, &t0_bar));
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "evn_solve_to_event_gradient"));
        bars.occurrences = NULL;
        TRY(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, NULL, NULL));
        TRY(evn_solve_to_event_time_gradient(r.solver, &t0_bar));
        ck_assert_double_eq_tol(t0_bar, 1, 1e-7); // what begins later ends later
        if (again) {
            continue;
        }
        bars.occurrences = among;
        ck_assert_int_eq(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, NULL, NULL),
                         EVN_ERR_NOT_FINITE);
        REFUSED(evn_solve_to_event_time_gradient(r.solver, &t0_bar));
    }
    rig_free(&r);
    evn_graph_destroy(&q);
    evn_graph_destroy(&jump);
}
END_TEST

// Times without a derivative ----------------------------------------------------------------------

/// x' = −1, from 1 to 0 at t = 1, where the event is scale x, or its cube.
static evn_graph *scaled(double scale, bool cube) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value x = evn_input(e, "x", EVN_SHAPE(1, 1));
    evn_output(e, "e", evn_scale(e, cube ? evn_mul(e, x, evn_mul(e, x, x)) : x, scale));
    return e;
}

static evn_dynamics *falling(void) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_input(f, "x", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_full(f, EVN_SHAPE(1, 1), -1));
    return rig_dynamics(f, NULL);
}

/// Where a function has no slope at its zero, or so small a one that the quotient overflows, it is
/// said which, and when; other cotangents are right all the same.
START_TEST(grazing_is_told) {
    static const double x0 = 1, zero = 0, large[] = {1, 1e150};
    evn_graph *functions[] = {scaled(1, true), scaled(1e-200, false)};
    for (int i = 0; i < 2; ++i) {
        const evn_event event = {functions[i], EVN_EVENT_EITHER, _i == 0};
        evn_solver_options options = rig_options(1e-6);
        options.method = "euler"; // x is 0 at t = 1 to the last digit
        options.steps = 4;
        options.gradient = EVN_GRADIENT_BACKPROP;
        rig r = rig_new(falling(), &options, &event, 1);
        const evn_occurrence_bar among = {large[i], NULL};
        evn_event_bars bars = {.x1_bar = r.x1_bar, .occurrences = &among};
        evn_binding x0_bar;
        double x1, bar;
        rig_solve(&r, 0, 2, &x0, &x1);
        ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 1);
        TRY(evn__real_write(r.x1_bar, true, &zero, 1));
        ck_assert_int_eq(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, NULL, NULL),
                         EVN_ERR_NOT_FINITE);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "event 0, t = 1,"));
        bars.occurrences = NULL;
        if (_i == 1) { // it has no part in what ends behind it
            TRY(evn__real_write(r.x1_bar, true, &x0, 1));
            TRY(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, NULL, NULL));
            TRY(evn__real_read(x0_bar, true, &bar, 1));
            ck_assert_double_eq_tol(bar, 1, 1e-14);
        }
        rig_free(&r);
        evn_graph_destroy(&functions[i]);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/event_parts");
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, parts_have_steps_of_their_own);
    tcase_add_test(parts, time_gradient_is_of_the_last_solve);
    tcase_add_loop_test(parts, grazing_is_told, 0, 2);
    suite_add_tcase(s, parts);
    return s;
}

int main(void) {
    return test_run(suite());
}
