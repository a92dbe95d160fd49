// SPDX-License-Identifier: Apache-2.0
// A solve that ends at an event, from its graphs on, while each call of the system and each
// allocation fails: it ends where it should, or says why it did not.
#include "base/status.h"
#include "evonode/event.h"
#include "plan/real.h"
#include "rig.h"
#include "sweep.h"

#include <math.h>

enum { SIZE = 2 };

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

static evn_status run(void) {
    evn_dynamics *dynamics = NULL;
    evn_graph *e = NULL;
    evn_event_solver *solver = NULL;
    evn_buffer *x0 = NULL;
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-9;
    options.fp64 = true;
    evn_status status = make_oscillator(&dynamics);
    status = status == EVN_OK ? make_event(&e) : status;
    if (status == EVN_OK) {
        const evn_event event = {e, EVN_EVENT_FALLING, true};
        status = evn_event_solver_create(test_device(), dynamics, &options, &event, 1, &solver);
    }
    status = status == EVN_OK ? evn__real_create(test_device(), true, SIZE, &x0) : status;
    status = status == EVN_OK ? solve(solver, x0) : status;
    evn_event_solver_destroy(&solver);
    evn_buffer_destroy(&x0);
    evn_graph_destroy(&e);
    evn_dynamics_destroy(&dynamics);
    return status;
}

START_TEST(faults) {
    static const test_deed deed = {.name = "event", .run = run, .uncounted = true};
    test_sweep_begin();
    test_needs_fp64();
    TRY(run()); // compiles
    test_sweep(&deed);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("event_faults");
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
