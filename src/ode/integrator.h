// SPDX-License-Identifier: Apache-2.0
// Carries the state of a system from t0 to t1 on a device, without keeping intermediate states.
#ifndef EVN_ODE_INTEGRATOR_H
#define EVN_ODE_INTEGRATOR_H

#include "evonode/solver.h"
#include "ode/system.h"
#include "ode/tableau.h"

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

evn_status evn__integrator_create(evn_device *device, const evn__system *system,
                                  const evn_solver_options *options, evn__integrator **integrator);
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

/// Move the current state from t0 to t1. `parameters`: one binding each.
evn_status evn__integrate(evn__integrator *integrator, double t0, double t1,
                          const evn_binding *parameters, evn_solution *solution);

/// The same from where the last solve ended, in its direction and with its parameters: what that
/// proposed is the first step, and its last slopes serve again unless the state was `changed`.
evn_status evn__integrate_further(evn__integrator *integrator, double t0, double t1,
                                  const evn_binding *parameters, bool changed,
                                  evn_solution *solution);

/// Times t0, t0 + dt, … of `steps` equal steps and dt behind them, in device memory; rewritten only
/// when they change, so that a fixed-step solve never waits.
typedef struct evn__times {
    evn_buffer *buffer; ///< [steps + 1] times, then dt
    int steps;
    double t0, t1;
    bool fp64, written;
} evn__times;

evn_status evn__times_create(evn_device *device, int steps, bool fp64, evn__times *times);
void evn__times_free(evn__times *times);
evn_status evn__times_set(evn__times *times, double t0, double t1);
evn_binding evn__times_at(const evn__times *times, int step);
evn_binding evn__times_dt(const evn__times *times);

/// The tableau of the options' method, with the checks that evn_solver_create documents.
evn_status evn__check_options(const evn_solver_options *options, const evn__tableau **tableau);

#endif
