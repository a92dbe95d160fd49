// SPDX-License-Identifier: Apache-2.0
// What is known of a solve, and of a gradient, only from what it has left in memory.
#include "base/memory.h"
#include "plan/real.h"
#include "solver/solver_state.h"
#include <stdlib.h>

evn_status evn__solver_keep_start(const evn_solver *solver, evn_binding x0) {
    return solver->start ? evn__real_copy((evn_binding){solver->start, 0}, x0, solver->options.fp64,
                                          solver->layout.size[0])
                         : EVN_OK;
}

evn_status evn__solver_check_steps(const evn_solver *solver, evn_binding x1,
                                   evn_solution *solution) {
    return evn__outcome_check_steps(&solver->options, solver->doubtful,
                                    (evn_binding){solver->start, 0}, x1, solver->layout.size[0],
                                    solution);
}

/// Whether all components of the state are finite, where a scheme has them.
static evn_status is_finite(const evn_solver *solver, const evn__scheme *scheme,
                            evn_binding (*place)(const evn__scheme *scheme, int index),
                            bool *finite) {
    evn_binding *at = NULL;
    EVN_TRY(EVN_NEW(&at, solver->layout.count));
    for (int i = 0; i < solver->layout.count; ++i) {
        at[i] = place(scheme, i);
    }
    evn_status status = evn__outcome_are_finite(solver->options.fp64, at, solver->layout.size,
                                                solver->layout.count, finite);
    free(at);
    return status;
}

/// Whether the caller's cotangents are: that of x, [count], and those of weights from behind t1.
static evn_status is_given_finite(const evn_solver *solver, const evn__passage *passage,
                                  size_t count, bool *finite) {
    bool fp64 = solver->options.fp64;
    EVN_TRY(evn__outcome_are_finite(fp64, &passage->x1_bar, &count, 1, finite));
    return *finite && passage->carried_bar
               ? evn__outcome_are_finite(fp64, passage->carried_bar + 1, solver->layout.size + 1,
                                         solver->layout.count - 1, finite)
               : EVN_OK;
}

/// Adaptive steps are waited for anyway; with a bound, or watched, the start that is found tells.
bool evn__solver_checks_gradient(const evn_solver *solver) {
    const evn_solver_options *o = &solver->options;
    bool alone = solver->reconstruction && o->reconstruction == 0 && !o->watch && o->steps == 0;
    return solver->doubtful.gradient || alone;
}

static evn_status fail_unsolved(const evn_solver *solver, evn_solution *solution) {
    solution->outcome = EVN_OUTCOME_NEWTON_FAILED;
    EVN_FAIL(
        EVN_ERR_SOLVER,
        "the gradient is not finite: the transposed equations of a step of %s were not solved, "
        "or derivatives of f are not finite; take more or shorter steps, or give krylov more "
        "vectors",
        solver->options.method);
}

static evn_status fail_not_finite(const evn__scheme *scheme, evn_solution *solution) {
    solution->outcome = EVN_OUTCOME_NOT_FINITE;
    EVN_FAIL(
        EVN_ERR_NOT_FINITE,
        "the gradient '%s' is not finite: the solve, its way back, or derivatives of f are not; "
        "take more steps, or adaptive ones, look at x0 and the weights, or lower the learning "
        "rate",
        evn_gradient_name((int)scheme->problem->options->gradient));
}

evn_status evn__solver_check_gradient(const evn_solver *solver, const evn__scheme *scheme,
                                      const evn__passage *passage, size_t count,
                                      evn_solution *solution) {
    bool finite = true, given = true;
    if (!evn__solver_checks_gradient(solver) && scheme != solver->fallback) {
        return EVN_OK;
    }
    EVN_TRY(is_finite(solver, scheme, scheme->methods->state_bar, &finite));
    if (finite) {
        return EVN_OK;
    }
    EVN_TRY(is_given_finite(solver, passage, count, &given));
    return !given                      ? EVN_OK
           : solver->doubtful.gradient ? fail_unsolved(solver, solution)
                                       : fail_not_finite(scheme, solution);
}

static evn_status check_solved(const evn_solver *solver) {
    EVN_CHECK(solver->solved, EVN_ERR_ARGUMENT,
              "there is no solve that came to its end: call evn_solve first, and go on only if it "
              "is EVN_OK");
    return EVN_OK;
}

evn_status evn_solver_apart(evn_solver *solver, double *x_apart, double *theta_apart) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x_apart);
    EVN_REQUIRE(theta_apart);
    EVN_CHECK(solver->options.gradient == EVN_GRADIENT_REVERSIBLE, EVN_ERR_ARGUMENT,
              "the gradient '%s' moves one state: two, which may come apart, are of the reversible "
              "method",
              evn_gradient_name((int)solver->options.gradient));
    EVN_TRY(check_solved(solver));
    return evn__reconstruction_apart(solver->reconstruction, solver->scheme, x_apart, theta_apart);
}

/// What a state that is finite may hide, and the gradient of the solve, where there was one.
static evn_status check_behind(const evn_solver *solver, evn_solution *solution) {
    double x, theta;
    bool finite = true;
    EVN_TRY(solver->differentiated
                ? is_finite(solver, solver->last, solver->last->methods->state_bar, &finite)
                : EVN_OK);
    EVN_TRY(finite ? EVN_OK : fail_not_finite(solver->last, solution));
    if (!solver->reconstruction) {
        return EVN_OK;
    }
    EVN_TRY(evn__reconstruction_apart(solver->reconstruction, solver->scheme, &x, &theta));
    return evn__reconstruction_check_apart(x, theta, solution);
}

evn_status evn_solver_outcome(const evn_solver *solver, evn_solution *solution) {
    evn_solution unused;
    bool finite = true;
    solution = solution ? solution : &unused;
    *solution = (evn_solution){0};
    EVN_REQUIRE(solver);
    EVN_TRY(check_solved(solver));
    *solution = solver->solution;
    EVN_TRY(is_finite(solver, solver->scheme, solver->scheme->methods->end, &finite));
    if (finite) {
        return check_behind(solver, solution);
    }
    solution->outcome = EVN_OUTCOME_NOT_FINITE;
    EVN_FAIL(
        EVN_ERR_NOT_FINITE,
        "the state after %d steps of %s, at t = %.9g, is not finite: these are too long for f, "
        "or f or the state that they began with is not finite; take more steps, or adaptive "
        "ones, look at x0 and the weights, or lower the learning rate",
        solution->accepted, solver->options.method, solution->t);
}
