// SPDX-License-Identifier: Apache-2.0
// Steps and events as graphs. A system's events are a graph of the same inputs with one output
// "e" [rows, events]: rows are the samples where these have times of their own, else there is one.
#ifndef EVN_ODE_EVENT_GRAPH_H
#define EVN_ODE_EVENT_GRAPH_H

#include "evonode/event.h"
#include "ode/stepper.h"
#include "ode/system.h"

/// What is solved, and what is looked for on the way.
typedef struct evn__event_system {
    evn__system system; ///< with a time for each sample where they have steps of their own
    evn__system events; ///< as above; only its graph is more than the system's
    const evn__stepper *stepper;
    bool adaptive;
    int rows, count; ///< events
} evn__event_system;

/// @param[in] dynamics  outlives it
/// @return EVN_ERR_ARGUMENT and EVN_ERR_SHAPE as evn_event_solver_create
evn_status evn__event_system_create(const evn_dynamics *dynamics, const evn_solver_options *options,
                                    const evn__stepper *stepper, const evn_event *events, int count,
                                    evn__event_system *made);
void evn__event_system_free(evn__event_system *system); ///< what it holds, not the struct

/// At the start. Inputs "t", "span", states, parameters, "rtol", "atol"; outputs "e" and "rate",
/// its derivative along the solution; adaptive: the slopes, and "dt", the first step.
evn_status evn__event_start_graph(const evn__event_system *system, evn_graph **graph);

/// A step. Inputs "t", "dt", "end" (t + dt as it is to be seen), states, parameters; adaptive: the
/// slopes at t, "rtol", "atol". Outputs "e" after it, the states after it; adaptive: the slopes
/// after it, and "error".
evn_status evn__event_step_graph(const evn__event_system *system, evn_graph **graph);

/// Inputs "accept", 1 or 0 for each time, then `count` tensors and as many others in place of
/// which, where it is 1, they come; the chosen ones.
evn_status evn__event_choose_graph(const evn__event_system *system, evn_graph **graph);

/// Tensors that the last one chooses among: states and, adaptive, slopes.
int evn__event_chosen(const evn__event_system *system);

/// At the events. Inputs "t", states, parameters, "x_bar", "t_bar", "which" [rows, events]: 1 for
/// the event that a row ended with; outputs "x_bar" and the parameters' cotangents, as
/// evn_solve_to_event_gradient has them, then "rate" [rows, 1] of that event.
evn_status evn__event_gradient_graph(const evn__event_system *system, evn_graph **graph);

#endif
