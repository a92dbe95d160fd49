// SPDX-License-Identifier: Apache-2.0
// The grid of the last solve: the times of its steps.
#include "evonode/solver.h"

#include "solver/solver_state.h"

/// Weights that go before x may come to a stop: x has taken no steps then.
static evn_status check_goes(const evn__scheme *scheme) {
    const evn__scheme_methods *methods = scheme->methods;
    EVN_CHECK(!methods->stopped_together || !methods->stopped_together(scheme), EVN_ERR_ARGUMENT,
              "the weights, which are solved by themselves before x, came to a stop: there is no "
              "grid of x; look at the error of the solve");
    return EVN_OK;
}

/// That of fixed steps is the course's.
static evn_status copy_fixed_grid(const evn_solver *solver, double *times, int count) {
    const evn__passage *p = &solver->passage;
    evn__trail trail = {0};
    evn_status status = evn__trail_set(&trail, &solver->course, solver->options.fp64, p->t0, p->t1);
    if (status == EVN_OK) {
        status = evn__trail_grid(&trail, p->t0, times, count);
    }
    evn__trail_free(&trail);
    return status;
}

evn_status evn_solver_grid(const evn_solver *solver, double *times, int count) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(times);
    const evn__scheme_methods *methods = solver->scheme->methods;
    bool fixed = solver->options.steps > 0 && solver->options.jump_count == 0;
    EVN_CHECK(solver->passage.parameters, EVN_ERR_ARGUMENT,
              "there was no solve that could have a grid: call evn_solve first");
    EVN_TRY(check_goes(solver->scheme));
    EVN_CHECK(
        fixed || methods->trail, EVN_ERR_ARGUMENT,
        "each sample has steps of its own: there is no grid of all; evn_solver_sample_grid has "
        "that of each");
    EVN_TRY(
        fixed ? copy_fixed_grid(solver, times, count)
              : evn__trail_grid(methods->trail(solver->scheme), solver->passage.t0, times, count));
    times[count - 1] = solver->solved ? solver->passage.t1 : times[count - 1];
    return EVN_OK;
}

// Of each sample's own steps ----------------------------------------------------------------------

static evn_status copy_sample_grid(const evn_solver *solver, int index, double *times, int count,
                                   evn__trail *trail) {
    const evn__scheme_methods *methods = solver->scheme->methods;
    double end = methods->sample(solver->scheme, index).t;
    EVN_TRY(methods->steps(solver->scheme, &solver->passage, index, trail));
    EVN_TRY(evn__trail_grid(trail, trail->count > 0 ? trail->steps[0].t : end, times, count));
    times[count - 1] = end;
    return EVN_OK;
}

evn_status evn_solver_sample_grid(const evn_solver *solver, int64_t index, double *times,
                                  int count) {
    evn_solution solution;
    evn__trail trail = {0};
    EVN_REQUIRE(times);
    EVN_TRY(evn_solver_sample_solution(solver, index, &solution));
    EVN_TRY(check_goes(solver->scheme));
    evn_status status = copy_sample_grid(solver, (int)index, times, count, &trail);
    evn__trail_free(&trail);
    return status;
}
