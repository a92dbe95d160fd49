// SPDX-License-Identifier: Apache-2.0
// Why a solve ended before its end.
#ifndef EVN_INTEGRATOR_OUTCOME_H
#define EVN_INTEGRATOR_OUTCOME_H

#include "dynamics/system.h"
#include "evonode/solver.h"

/// What a step control means by EVN_CONTROL_DONE, …
evn_outcome evn__outcome_of(int status);

/// Whether a solve ended in the way that one by an explicit method does where it is wrong.
bool evn__outcome_may_be_stiff(evn_outcome outcome);

/// Why an adaptive solve cannot go on, and what helps; `next` is the step that was to come, of a
/// leg from t0 to t1 of a solve to `end`.
evn_status evn__outcome_fail(const evn_solver_options *options, const evn_solution *solution,
                             double t0, double t1, double end, double next, bool backward);

/// What may be left unsolved.
typedef struct evn__doubtful {
    bool steps;    ///< equations of fixed steps at all,
    bool vectors;  ///< by GMRES
    bool gradient; ///< transposed equations of any
} evn__doubtful;

/// Of adaptive steps none: their error tells.
evn_status evn__outcome_find_doubtful(const evn_solver_options *options, const evn__system *system,
                                      evn__doubtful *doubtful);

/// After fixed steps, whose states are NaN from where equations were not solved on: whether that is
/// so. Waits for the device, but only where something is doubtful.
/// @param x0, x1  the state at the start and at the end, [count]
evn_status evn__outcome_check_steps(const evn_solver_options *options, evn__doubtful doubtful,
                                    evn_binding x0, evn_binding x1, size_t count,
                                    evn_solution *solution);

/// Whether so many numbers at each of some places are all finite. Waits.
evn_status evn__outcome_are_finite(bool fp64, const evn_binding *at, const size_t *count,
                                   int places, bool *finite);

#endif
