// SPDX-License-Identifier: Apache-2.0
// A step under construction: what steppers (methods/stepper.h) make it with.
#ifndef EVN_METHODS_STEP_BUILD_H
#define EVN_METHODS_STEP_BUILD_H

#include "dynamics/system.h"
#include "methods/stepper.h"

/// Arrays over states, or [set][output of the system].
struct evn__step_build {
    const evn__system *system;
    const evn__stepper *stepper;
    evn_graph *graph;
    evn_value t, dt, end; ///< end: the time after the step; EVN_NONE: t + dt
    evn_value *states, *parameters, *next;
    evn_value *k; ///< [sets + 1][outputs]: slopes, then operands of pairs; behind the sets what is
                  ///< evaluated after the step, and, with `dense`, the interpolant's own stages
    evn_value *inputs;
    evn_value *estimate;  ///< room for the stepper's own, with `adaptive`
    evn_value rtol, atol; ///< EVN_NONE: fixed steps
    evn_value error; ///< with `adaptive`, where the stepper has the norm of its error itself, as
                     ///< it wants the control to see it; EVN_NONE: that of kind->error
    evn_value doubt; ///< of what the stepper could not solve well enough: joins the error of
                     ///< an adaptive step, above 1 makes a fixed one NaN; EVN_NONE: nothing
    bool adaptive;   ///< the first set of slopes is given
    bool dense;      ///< with what its interpolant needs
};

/// Slopes of set `set`, then operands.
evn_value *evn__step_slopes(const evn__step_build *step, int set);

/// `count` arrays of one value for each output of the system, in one piece of memory, to be freed.
evn_status evn__step_arrays(const evn__step_build *step, evn_value **const arrays[], int count,
                            evn_value **memory);

/// slopes[output] = right-hand side at (t, states).
evn_status evn__step_evaluate(evn__step_build *step, evn_value t, const evn_value *states,
                              evn_value *slopes);

/// dt Σ weight[j] k_j of one state; EVN_NONE when all weights are zero.
evn_value evn__step_combine(evn__step_build *step, const double *weights, int count, int state);

/// to = states + dt Σ weight[j] k_j.
void evn__step_advance(evn__step_build *step, const double *weights, int count, evn_value *to);

/// Of fixed steps, which are given no tolerances: what solutions of equations should come to.
void evn__step_choose_tolerances(evn__step_build *step);

/// t + c dt; the time after the step where c is 1.
evn_value evn__step_time(const evn__step_build *step, double c);

#endif
