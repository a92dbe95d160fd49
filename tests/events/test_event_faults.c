// SPDX-License-Identifier: Apache-2.0
// A solve that ends at an event, from its graphs on, while each call of the system, each allocation
// and calls of OpenCL fail: it ends where it should, or says why it did not.
#include "base/status.h"
#include "evonode/event.h"
#include "plan/real.h"
#include "rig.h"
#include "sweep.h"

#include <math.h>

enum { SIZE = 2, OBSERVATIONS = 9 };

static evn_status make_oscillator(evn_dynamics **dynamics) {
    evn_graph *f = NULL;
    EVN_TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, SIZE));
    const evn_value slopes[] = {rig_column(f, x, 1), evn_neg(f, rig_column(f, x, 0))};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    evn_status status = evn_dynamics_create(f, NULL, dynamics);
    evn_graph_destroy(&f);
    return status;
}

static evn_status make_event(evn_graph **e) {
    EVN_TRY(evn_graph_create(e));
    evn_value x = evn_input(*e, "x", EVN_SHAPE(1, SIZE));
    evn_output(*e, "e", rig_column(*e, x, 0));
    return EVN_OK;
}

/// q = cos t falls through 0 at π/2.
static evn_status solve(evn_event_solver *solver, const evn_buffer *x0) {
    evn_binding x1;
    evn_solution solution;
    evn_occurrence occurrence;
    const double start[SIZE] = {1, 0};
    const evn_binding at = {(evn_buffer *)x0, 0};
    EVN_TRY(evn__real_write(at, true, start, SIZE));
    EVN_TRY(evn_solve_to_event(solver, 0, 9, at, NULL, &x1, &solution));
    EVN_TRY(evn_event_solver_occurrence(solver, 0, &occurrence));
    EVN_CHECK(solution.outcome == EVN_OUTCOME_EVENT && fabs(occurrence.t - acos(0)) < 1e-7,
              EVN_ERR_INTERNAL, "the solve ended at %g", occurrence.t);
    return EVN_OK;
}

/// q₀ cos t + p₀ sin t is 0 at π/2 + atan(p₀ / q₀): ∂t*/∂x₀ = (0, 1).
static evn_status solve_back(evn_event_solver *solver, const evn_buffer *x0) {
    evn_binding bar;
    evn_solution solution;
    double got[SIZE];
    const double t_bar = 1;
    EVN_TRY(solve(solver, x0));
    const evn_binding zero = {(evn_buffer *)x0, SIZE};
    EVN_TRY(evn__real_zero(zero, true, SIZE));
    const evn_event_bars bars = {.x1_bar = zero, .t_bar = &t_bar};
    EVN_TRY(evn_solve_to_event_gradient(solver, &bars, &bar, NULL, &solution));
    EVN_TRY(evn__real_read(bar, true, got, SIZE));
    EVN_CHECK(fabs(got[0]) < 1e-6 && fabs(got[1] - 1) < 1e-6, EVN_ERR_INTERNAL,
              "the gradient is %g, %g", got[0], got[1]);
    return EVN_OK;
}

/// The same of q(1) as well, an observation on the way: its derivatives are cos 1 and sin 1.
static evn_status solve_back_along(evn_event_solver *solver, const evn_buffer *x0) {
    evn_binding bar;
    double got[SIZE];
    const double observed[SIZE] = {1, 0}, t_bar = 1;
    EVN_TRY(solve(solver, x0));
    const evn_binding zero = {(evn_buffer *)x0, SIZE}, series = {(evn_buffer *)x0, 2 * SIZE};
    EVN_TRY(evn__real_zero(zero, true, (1 + OBSERVATIONS) * SIZE));
    EVN_TRY(evn__real_write(series, true, observed, SIZE));
    const evn_event_bars bars = {.x1_bar = zero, .t_bar = &t_bar, .observations = series};
    EVN_TRY(evn_solve_to_event_gradient(solver, &bars, &bar, NULL, NULL));
    EVN_TRY(evn__real_read(bar, true, got, SIZE));
    EVN_CHECK(fabs(got[0] - cos(1)) < 1e-6 && fabs(got[1] - 1 - sin(1)) < 1e-6, EVN_ERR_INTERNAL,
              "the gradient is %g, %g", got[0], got[1]);
    return EVN_OK;
}

static evn_status run_with(evn_gradient gradient, int observations,
                           evn_status (*use)(evn_event_solver *solver, const evn_buffer *x0)) {
    evn_dynamics *dynamics = NULL;
    evn_graph *e = NULL;
    evn_event_solver *solver = NULL;
    evn_buffer *x0 = NULL;
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-9;
    options.fp64 = true;
    options.gradient = gradient;
    options.observations = observations;
    evn_status status = make_oscillator(&dynamics);
    status = status == EVN_OK ? make_event(&e) : status;
    if (status == EVN_OK) {
        const evn_event event = {e, EVN_EVENT_FALLING, true};
        status = evn_event_solver_create(test_device(), dynamics, &options, &event, 1, &solver);
    }
    status = status == EVN_OK
                 ? evn__real_create(test_device(), true, (2 + OBSERVATIONS) * SIZE, &x0)
                 : status;
    status = status == EVN_OK ? use(solver, x0) : status;
    evn_event_solver_destroy(&solver);
    evn_buffer_destroy(&x0);
    evn_graph_destroy(&e);
    evn_dynamics_destroy(&dynamics);
    return status;
}

static evn_status run(void) {
    return run_with(evn_solver_options_default().gradient, OBSERVATIONS, solve);
}

static evn_status run_back(void) {
    return run_with(EVN_GRADIENT_BACKPROP, 0, solve_back);
}

static evn_status run_back_along(void) {
    return run_with(EVN_GRADIENT_BACKPROP, OBSERVATIONS, solve_back_along);
}

START_TEST(faults) {
    static const test_deed deed = {.name = "event", .run = run, .uncounted = true};
    test_sweep_begin();
    test_needs_fp64();
    TRY(run()); // compiles
    test_sweep(&deed);
}
END_TEST

START_TEST(opencl) {
    static const test_deed deeds[] = {{.name = "event", .run = run},
                                      {.name = "gradient", .run = run_back},
                                      {.name = "observations", .run = run_back_along}};
    test_sweep_opencl_begin();
    test_needs_fp64();
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); ++i) {
        TRY(deeds[i].run()); // compiles
        test_sweep_opencl(&deeds[i], 25);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("event_faults");
    test_add(s, tcase_create("faults"), faults);
    test_add(s, tcase_create("opencl"), opencl);
    return s;
}

int main(void) {
    return test_run(suite());
}
