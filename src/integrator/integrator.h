// SPDX-License-Identifier: Apache-2.0
// Carries the state of a system from t0 to t1 on a device, without keeping intermediate states.
#ifndef EVN_INTEGRATOR_INTEGRATOR_H
#define EVN_INTEGRATOR_INTEGRATOR_H

#include "dynamics/system.h"
#include "evonode/solver.h"
#include "integrator/course.h"
#include "integrator/layout.h"
#include "integrator/trail.h"
#include "methods/stepper.h"

typedef struct evn__integrator evn__integrator;

/// @param[in] course  of the options; outlives the integrator
/// @param     jumps   backward, with observations: the state changes at each
evn_status evn__integrator_create(evn_device *device, const evn__system *system,
                                  const evn_solver_options *options, const evn__course *course,
                                  bool jumps, evn__integrator **integrator);
void evn__integrator_destroy(evn__integrator **integrator);

/// Where component `index` of the current state is: write it before a solve, read it after.
evn_binding evn__integrator_state(const evn__integrator *integrator, int index);
const evn__layout *evn__integrator_layout(const evn__integrator *integrator);

/// Of an adjoint: set the cotangents that are sums of pairs to 0, before the first solve; add what
/// is still stacked to them, after the last. Both enqueue only.
evn_status evn__integrator_clear(evn__integrator *integrator);
evn_status evn__integrator_flush(evn__integrator *integrator);
/// The cotangent of a parameter, whichever way it is computed.
evn_binding evn__integrator_parameter_bar(const evn__integrator *integrator, int parameter);

/// The whole course from t0 to t1, or backward, and what happens at its observations.
typedef struct evn__way {
    double t0, t1;
    bool backward; ///< the same for all ways of an integrator
    /// [observations, observed], where the solve has any. Forward, x is put there at the end of
    /// each interval; backward, the component `jumps` gets its share at the beginning of each, of
    /// the first one of the course only where the start is observed.
    evn_binding series;
    size_t observed; ///< forward: elements of the state that are put there; 0: those of x
    int jumps;
    const evn__rest *rest; ///< adaptive, a part of a way; NULL: it is all of it
} evn__way;

/// Move the current state over the whole course. Fixed steps enqueue only; adaptive ones wait now
/// and then.
evn_status evn__integrate(evn__integrator *integrator, const evn__way *way,
                          const evn_binding *parameters, evn_solution *solution);

/// Adaptive: the steps of the last way that it came to the end of, or up to where it stopped.
const evn__trail *evn__integrator_trail(const evn__integrator *integrator);

#endif
