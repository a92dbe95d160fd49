// SPDX-License-Identifier: Apache-2.0
// Steps and events as graphs. Each event is a graph of the system's inputs with one output "e"
// [rows, 1]: rows are the samples where these have times of their own, else there is one.
#ifndef EVN_EVENTS_EVENT_GRAPH_H
#define EVN_EVENTS_EVENT_GRAPH_H

#include "dynamics/system.h"
#include "evonode/event.h"
#include "methods/history.h"

/// What is solved, and what is looked for on the way.
typedef struct evn__event_system {
    evn__system system;   ///< with a time for each sample where they have steps of their own
    evn__system *events;  ///< [count]: as above; only their graphs are more than the system's
    evn__history history; ///< its system is what steps go along: that, or of a multi-step method
                          ///< with what it knows of the steps before behind the states
    const evn__stepper *stepper;
    bool adaptive;
    int rows, count; ///< events
} evn__event_system;

/// @param[in] dynamics  outlives it; `made` stays where it is
/// @return EVN_ERR_ARGUMENT and EVN_ERR_SHAPE as evn_event_solver_create
evn_status evn__event_system_create(evn_device *device, const evn_dynamics *dynamics,
                                    const evn_solver_options *options, const evn__stepper *stepper,
                                    const evn_event *events, int count, evn__event_system *made);
void evn__event_system_free(evn__event_system *system); ///< what it holds, not the struct

/// Of the following all but the last are of states with a history, which has no slopes.
///
/// At the start. Inputs "t", "span", states, parameters, "rtol", "atol"; outputs "e" and "rate",
/// its derivative along the solution, [rows, events]; adaptive: the slopes, and "dt", the first
/// step.
evn_status evn__event_start_graph(const evn__event_system *system, evn_graph **graph);

/// A step. Inputs "t", "dt", "end" (t + dt as it is to be seen), states, parameters; adaptive: the
/// slopes at t, "rtol", "atol". Outputs "e" after it, the states after it; adaptive: the slopes
/// after it, "error", and of an implicit method "doubt" (methods/step.h).
evn_status evn__event_step_graph(const evn__event_system *system, evn_graph **graph);

/// Inputs "accept", 1 or 0 for each time, then states "x.0", …, adaptive: slopes "slope.0", …, and
/// as many of what was tried, "tried.0", …, "tried_slope.0", …; outputs these where it is 1, else
/// those.
evn_status evn__event_choose_graph(const evn__event_system *system, evn_graph **graph);

/// At the events. Inputs "t", states, parameters, "x_bar", "t_bar", "which" [rows, events]: 1 for
/// the event that a row ended with, "first": the same of one row alone for each event; outputs
/// "x_bar" and the parameters' cotangents, as evn_solve_to_event_gradient has them, then "rate"
/// [rows, 1] of that event and "multiplier" [rows, 1], (t̄ + x̄·f) / rate, by which it has a share.
/// Other events may be anything there.
evn_status evn__event_gradient_graph(const evn__event_system *system, evn_graph **graph);

#endif
