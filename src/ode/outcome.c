// SPDX-License-Identifier: Apache-2.0
// Why an adaptive solve ended before its end.
#include "base/number.h"
#include "kernels/shared.h"
#include "ode/integrator_state.h"
#include <math.h>

evn_outcome evn__outcome_of(int status) {
    switch (status) {
    case EVN_CONTROL_TOO_SMALL:
        return EVN_OUTCOME_STEP_TOO_SMALL;
    case EVN_CONTROL_TOO_MANY:
        return EVN_OUTCOME_TOO_MANY_STEPS;
    case EVN_CONTROL_NOT_FINITE:
        return EVN_OUTCOME_NOT_FINITE;
    default:
        return EVN_OUTCOME_DONE;
    }
}

/// Distance of the times beside t that the kernels see.
static double resolution(const evn_solver_options *options, double t) {
    return options->fp64 ? nextafter(fabs(t), INFINITY) - fabs(t)
                         : (double)(nextafterf(fabsf((float)t), INFINITY) - fabsf((float)t));
}

/// What is to be done depends on why there was no step.
static void advise(const evn_solver_options *options, evn_outcome outcome, double t0, double t1,
                   double t, double next, bool backward, char text[192]) {
    const double fewest =
        1e4; // times of an interval that steps of a sensible length can tell apart
    bool coarse = resolution(options, t) * fewest > fabs(t1 - t0);
    if (backward && !coarse) { // tolerances do not make dynamics reversible
        evn__print(text, 192,
                   "these dynamics cannot be solved backwards; take the gradient checkpointed or "
                   "reversible, or let the solver fall back on checkpoints");
    } else if (outcome == EVN_OUTCOME_NOT_FINITE) {
        evn__print(
            text, 192,
            "the state or its slope is not finite; look at the initial state and the weights, "
            "or lower the learning rate");
    } else if (outcome == EVN_OUTCOME_TOO_MANY_STEPS) {
        evn__print(text, 192,
                   "it used up its %d steps; raise max_steps, loosen rtol and atol, lower the "
                   "learning rate, or use fixed steps",
                   options->max_steps);
    } else if (fabs(next) < options->dt_min) {
        evn__print(text, 192,
                   "its step became smaller than dt_min = %g; lower that, loosen rtol and atol, or "
                   "use fixed steps",
                   options->dt_min);
    } else if (coarse) {
        evn__print(
            text, 192,
            "%s precision has no two times there that are closer than %.3g; let time begin at "
            "0%s",
            options->fp64 ? "double" : "single", resolution(options, t),
            options->fp64 ? "" : ", or use double precision");
    } else {
        evn__print(
            text, 192,
            "its step became too small; loosen rtol and atol, lower the learning rate, or use "
            "fixed steps");
    }
}

evn_status evn__outcome_fail(const evn_solver_options *options, const evn_solution *solution,
                             double t0, double t1, double next, bool backward) {
    char text[192];
    advise(options, solution->outcome, t0, t1, solution->t, next, backward, text);
    EVN_FAIL(
        solution->outcome == EVN_OUTCOME_NOT_FINITE ? EVN_ERR_NOT_FINITE : EVN_ERR_SOLVER,
        "the solver stopped at t = %.9g on the way %sto %.9g, before a step of %g, with %d steps "
        "accepted and %d rejected: %s",
        solution->t, backward ? "back " : "", t1, next, solution->accepted, solution->rejected,
        text);
}
