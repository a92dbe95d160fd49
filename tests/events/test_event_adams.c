// SPDX-License-Identifier: Apache-2.0
// Events along a multi-step method: closed forms of their times, of the state there and of the
// gradient, where the history begins anew behind a jump of f, too.
#include "evonode/event.h"
#include "plan/real.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static evn_solver_options with(const char *method, double tolerance) {
    evn_solver_options options = rig_options(tolerance);
    options.method = method;
    return options;
}

/// q = cos t is 0 at π/2, 3π/2, 5π/2; each is looked for from the beginning of its step, and the
/// solve goes on from the step's end.
START_TEST(events_are_found_on_the_way) {
    static const char *const methods[] = {"adams", "abm5", "adams"};
    static const double x0[] = {1, 0};
    bool fp64 = _i < 2;
    double tolerance = fp64 ? 1e-10 : 1e-5, within = 100 * tolerance, x1[2], t1 = _i == 1 ? -9 : 9;
    evn_graph *q = rig_component(1, 2, 0);
    const evn_event event = {q, EVN_EVENT_EITHER, false};
    evn_solver_options options = with(methods[_i], tolerance);
    options.fp64 = fp64;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    rig_solve(&r, 0, t1, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_double_eq_tol(x1[0], cos(9), within);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 3);
    for (int i = 0; i < 3; ++i) {
        evn_occurrence o = rig_occurrence(&r, i);
        ck_assert_double_eq_tol(fabs(o.t), (i + 0.5) * pi, within);
        ck_assert_double_le(fabs(o.x[0]), fp64 ? 1e-13 : 1e-6);
        ck_assert_double_eq_tol(fabs(o.x[1]), 1, within);
    }
    rig_free(&r);
    evn_graph_destroy(&q);
}
END_TEST

/// Where nothing is met, the steps of a solver.
START_TEST(steps_are_those_of_a_solver) {
    static const double x0[] = {1, 0};
    evn_graph *q = NULL;
    TRY(evn_graph_create(&q));
    evn_value x = evn_input(q, "x", EVN_SHAPE(1, 2));
    evn_output(q, "e", evn_add(q, evn_constant(q, 2), rig_column(q, x, 0)));
    const evn_event event = {q, EVN_EVENT_EITHER, true};
    const evn_solver_options options = with("adams", 1e-8);
    evn_dynamics *dynamics = rig_oscillator(1);
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    evn_solver *solver = NULL;
    evn_solution solution;
    evn_binding at;
    double x1[2], expected[2];
    TRY(evn_solver_create(test_device(), dynamics, &options, &solver));
    for (int again = 0; again < 2; ++again) { // nothing is left of the first one
        rig_solve(&r, 0, 9, x0, x1);
        TRY(evn_solve(solver, 0, 9, r.x0, NULL, &at, &solution));
        TRY(evn__real_read(at, true, expected, 2));
        ck_assert_int_eq(r.solution.accepted, solution.accepted);
        ck_assert_int_eq(r.solution.rejected, solution.rejected);
        ck_assert_double_eq_tol(x1[0], expected[0], 1e-12);
        ck_assert_double_eq_tol(x1[1], expected[1], 1e-12);
    }
    evn_solver_destroy(&solver);
    evn_dynamics_destroy(&dynamics);
    rig_free(&r);
    evn_graph_destroy(&q);
}
END_TEST

/// Height and velocity: falls at 10, from 0.3 on at 2.
static evn_dynamics *ball(void) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1, 2));
    evn_value before = evn_step(f, evn_sub(f, evn_constant(f, 0.3), t));
    evn_value fall = evn_sub(f, evn_constant(f, -2), evn_scale(f, before, 8));
    const evn_value slopes[] = {rig_column(f, x, 1),
                                evn_mul(f, evn_full(f, EVN_SHAPE(1, 1), 1), fall)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return rig_dynamics(f, NULL);
}

/// It comes down behind the jump: h + v s − s² = 0, s the time since; the time has a gradient.
START_TEST(gradients_across_a_jump) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_CHECKPOINTED,
                                             EVN_GRADIENT_ADJOINT_QUADRATURE};
    static const double x0[] = {1, 0.5}, zeros[2], at = 0.3;
    double h = x0[0] + 0.3 * x0[1] - 5 * 0.09, v = x0[1] - 3, s = (v + sqrt(v * v + 4 * h)) / 2;
    double x1[2], bar[2], t_bar = 1, rate = v - 2 * s;
    evn_graph *down = rig_component(1, 2, 0);
    const evn_event event = {down, EVN_EVENT_FALLING, true};
    evn_solver_options options = with("adams", 1e-10);
    options.gradient = gradients[_i];
    options.jumps = &at;
    options.jump_count = 1;
    rig r = rig_new(ball(), &options, &event, 1);
    evn_binding x0_bar;
    rig_solve(&r, 0, 5, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(r.solution.t, 0.3 + s, 1e-9);
    ck_assert_double_eq_tol(x1[1], rate, 1e-8);
    TRY(evn__real_write(r.x1_bar, true, zeros, 2));
    const evn_event_bars bars = {.x1_bar = r.x1_bar, .t_bar = &t_bar};
    TRY(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, r.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, bar, 2));
    ck_assert_double_eq_tol(bar[0], -1 / rate, 1e-7);
    ck_assert_double_eq_tol(bar[1], -(0.3 + s) / rate, 1e-7);
    rig_free(&r);
    evn_graph_destroy(&down);
}
END_TEST

START_TEST(fixed_steps_are_refused) {
    evn_graph *q = rig_component(1, 2, 0);
    const evn_event event = {q, EVN_EVENT_EITHER, true};
    evn_solver_options options = with("abm4", 1e-6);
    evn_dynamics *dynamics = rig_oscillator(1);
    evn_event_solver *solver = NULL;
    options.steps = 20;
    REFUSED(evn_event_solver_create(test_device(), dynamics, &options, &event, 1, &solver));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "fixed steps"));
    evn_dynamics_destroy(&dynamics);
    evn_graph_destroy(&q);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/event_adams");
    TCase *found = tcase_create("found");
    tcase_add_loop_test(found, events_are_found_on_the_way, 0, 3);
    tcase_add_test(found, steps_are_those_of_a_solver);
    suite_add_tcase(s, found);
    TCase *gradient = tcase_create("gradient");
    tcase_add_loop_test(gradient, gradients_across_a_jump, 0, 2);
    tcase_add_test(gradient, fixed_steps_are_refused);
    suite_add_tcase(s, gradient);
    return s;
}

int main(void) {
    return test_run(suite());
}
