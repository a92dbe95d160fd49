// SPDX-License-Identifier: Apache-2.0
// Carries the state of a system from t0 to t1 on a device, without keeping intermediate states.
#ifndef EVN_ODE_INTEGRATOR_H
#define EVN_ODE_INTEGRATOR_H

#include "evonode/solver.h"
#include "ode/course.h"
#include "ode/stepper.h"
#include "ode/system.h"
#include "ode/trail.h"

typedef struct evn__integrator evn__integrator;

/// Where the components of a state stand in one buffer, in elements.
typedef struct evn__layout {
    int count;
    size_t *offset; ///< per component
    size_t *size;   ///< elements of each component
    size_t total;   ///< elements, each component aligned
} evn__layout;

/// Of the states of a system, or of all that its graph gives.
evn_status evn__layout_create(const evn__system *system, evn__layout *layout);
evn_status evn__layout_create_outputs(const evn__system *system, evn__layout *layout);
void evn__layout_free(evn__layout *layout);
/// Where each component is in a buffer; returns the place after.
evn_binding *evn__layout_bind(const evn__layout *layout, evn_buffer *buffer, evn_binding *to);

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
} evn__way;

/// Move the current state over the whole course. Fixed steps enqueue only; adaptive ones wait now
/// and then.
evn_status evn__integrate(evn__integrator *integrator, const evn__way *way,
                          const evn_binding *parameters, evn_solution *solution);

/// Adaptive: the steps of the last way that it came to the end of, or up to where it stopped.
const evn__trail *evn__integrator_trail(const evn__integrator *integrator);

/// Time and length of each fixed step of a course, in device memory; rewritten only when they
/// change, so that a fixed-step solve never waits.
typedef struct evn__times {
    evn_buffer *buffer;        ///< [steps] times, then the lengths: of each interval, or of all
    const evn__course *course; ///< borrowed
    double t0, t1;
    bool backward, fp64, written;
} evn__times;

evn_status evn__times_create(evn_device *device, const evn__course *course, bool fp64,
                             evn__times *times);
void evn__times_free(evn__times *times);
/// From t0 to t1; `backward`: the steps go from the end of each interval to its beginning.
evn_status evn__times_set(evn__times *times, double t0, double t1, bool backward);
/// Where the time at the beginning of a step is, and its length.
evn_binding evn__times_at(const evn__times *times, int step);
evn_binding evn__times_dt(const evn__times *times, int step);
/// The length itself, of the steps of an interval.
double evn__times_length(const evn__times *times, int interval);

/// What may be left unsolved in fixed steps.
typedef struct evn__doubtful {
    bool steps;   ///< equations at all
    bool vectors; ///< by GMRES
} evn__doubtful;

/// Of adaptive steps nothing: their error tells. (outcome.c)
evn_status evn__outcome_find_doubtful(const evn_solver_options *options, const evn__system *system,
                                      evn__doubtful *doubtful);

/// After fixed steps: they are not a number where their equations were not solved, and nobody has
/// looked. Waits for the device, where they may be unsolved alone. (outcome.c)
/// @param x0, x1  the state at the start and at the end, [count]
evn_status evn__outcome_check_steps(const evn_solver_options *options, evn__doubtful doubtful,
                                    evn_binding x0, evn_binding x1, size_t count,
                                    evn_solution *solution);

/// The stepper of the options' method, with the checks that evn_solver_create documents.
evn_status evn__check_options(const evn_solver_options *options, const evn__stepper **stepper);
/// Of these, what only adaptive steps need.
evn_status evn__check_control(const evn_solver_options *options);

#endif
