// SPDX-License-Identifier: Apache-2.0
// Wrong arguments of the functions of event.h: an error of its own, never a signal.
#include "evonode/event.h"
#include "plan/real.h"
#include "refused.h"
#include "rig.h"

static evn_solver_options single(void) {
    evn_solver_options options = evn_solver_options_default();
    options.gradient = EVN_GRADIENT_BACKPROP;
    return options;
}

START_TEST(creation) {
    evn_graph *e = rig_component(1, 2, 0);
    evn_dynamics *dynamics = rig_oscillator(1);
    const evn_event event = {e, EVN_EVENT_EITHER, true};
    const evn_solver_options options = single();
    evn_solver_options bad = options;
    evn_event_solver *s = NULL;
    evn_device *device = test_device();
    bad.method = "nobody";
    REFUSED(evn_event_solver_create(NULL, dynamics, &options, &event, 1, &s));
    REFUSED(evn_event_solver_create(device, NULL, &options, &event, 1, &s));
    REFUSED(evn_event_solver_create(device, dynamics, NULL, &event, 1, &s));
    REFUSED(evn_event_solver_create(device, dynamics, &options, NULL, 1, &s));
    REFUSED(evn_event_solver_create(device, dynamics, &options, &event, 1, NULL));
    REFUSED(evn_event_solver_create(device, dynamics, &options, &event, -1, &s));
    REFUSED(evn_event_solver_create(device, dynamics, &options, &event, 9, &s));
    REFUSED(evn_event_solver_create(device, dynamics, &bad, &event, 1, &s));
    ck_assert_ptr_null(s);
    evn_event_solver_destroy(NULL);
    evn_event_solver_destroy(&s);
    evn_graph_destroy(&e);
    evn_dynamics_destroy(&dynamics);
}
END_TEST

START_TEST(calls) {
    static const double x0[] = {1, 0};
    evn_graph *e = rig_component(1, 2, 0);
    const evn_event event = {e, EVN_EVENT_EITHER, true};
    const evn_solver_options options = single();
    const evn_sample_times times = {x0, x0, NULL};
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    evn_binding x1, none = {NULL, 0};
    evn_solution solution;
    evn_occurrence o;
    const evn_event_bars bars = {.x1_bar = r.x1_bar}, of_nothing = {.x1_bar = none};
    REFUSED(evn_solve_to_event_gradient(r.solver, &bars, &x1, NULL, NULL)); // no solve
    int ended;
    double grid;
    REFUSED(evn_event_solver_sample_solution(r.solver, 0, &solution));
    REFUSED(evn_event_solver_ended_with(r.solver, 0, &ended));
    REFUSED(evn_solve_to_event(NULL, 0, 1, r.x0, NULL, &x1, NULL));
    REFUSED(evn_solve_to_event(r.solver, 0, 1, none, NULL, &x1, NULL));
    REFUSED(evn_solve_to_event(r.solver, 0, 1, r.x0, NULL, NULL, NULL));
    REFUSED(evn_solve_to_event(r.solver, 0, 1e60, r.x0, NULL, &x1, NULL));
    REFUSED(evn_solve_samples_to_event(NULL, &times, r.x0, NULL, &x1, NULL));
    REFUSED(evn_solve_samples_to_event(r.solver, NULL, r.x0, NULL, &x1, NULL));
    REFUSED(evn_solve_samples_to_event(r.solver, &times, r.x0, NULL, &x1, NULL)); // one time
    TRY(rig_try(&r, 0, 3, x0));
    REFUSED(evn_solve_to_event_gradient(NULL, &bars, &x1, NULL, NULL));
    REFUSED(evn_solve_to_event_gradient(r.solver, &of_nothing, &x1, NULL, NULL));
    REFUSED(evn_solve_to_event_gradient(r.solver, NULL, &x1, NULL, NULL));
    REFUSED(evn_solve_to_event_gradient(r.solver, &bars, NULL, NULL, NULL));
    double t0_bar;
    REFUSED(evn_solve_to_event_time_gradient(NULL, &t0_bar));
    REFUSED(evn_solve_to_event_time_gradient(r.solver, NULL));
    REFUSED(evn_solve_to_event_time_gradient(r.solver, &t0_bar)); // without time_gradient
    REFUSED(evn_event_solver_sample_solution(NULL, 0, &solution));
    REFUSED(evn_event_solver_sample_solution(r.solver, 0, NULL));
    REFUSED(evn_event_solver_sample_solution(r.solver, 1, &solution));
    REFUSED(evn_event_solver_sample_solution(r.solver, -1, &solution));
    REFUSED(evn_event_solver_ended_with(NULL, 0, &ended));
    REFUSED(evn_event_solver_grid(NULL, 0, &grid, 1));
    REFUSED(evn_event_solver_grid(r.solver, 0, NULL, 1));
    REFUSED(evn_event_solver_ended_with(r.solver, 0, NULL));
    REFUSED(evn_event_solver_ended_with(r.solver, 1, &ended));
    REFUSED(evn_event_solver_ended_with(r.solver, -1, &ended));
    evn_binding series;
    REFUSED(evn_event_solver_observed(NULL, &series));
    REFUSED(evn_event_solver_observed(r.solver, NULL));
    REFUSED(evn_event_solver_observed(r.solver, &series)); // without observations
    REFUSED(evn_event_solver_occurrence(NULL, 0, &o));
    REFUSED(evn_event_solver_occurrence(r.solver, 0, NULL));
    REFUSED(evn_event_solver_occurrence(r.solver, 1, &o));
    REFUSED(evn_event_solver_occurrence(r.solver, -1, &o));
    ck_assert_int_eq(evn_event_solver_occurrence_count(NULL), 0);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 1);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("api/events");
    TCase *refused = tcase_create("refused");
    tcase_add_test(refused, creation);
    tcase_add_test(refused, calls);
    suite_add_tcase(s, refused);
    return s;
}

int main(void) {
    return test_run(suite());
}
