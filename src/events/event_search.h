// SPDX-License-Identifier: Apache-2.0
// The search for events: steps are made one by one, by the device, and the host looks at the error
// and the events of each row after each of them: what it decides is little, and differs from row to
// row. Where an event has changed its sign over a step that would be accepted, the step is taken
// again with other lengths (events/root.h).
#ifndef EVN_EVENTS_EVENT_SEARCH_H
#define EVN_EVENTS_EVENT_SEARCH_H

#include "events/event_found.h"
#include "events/event_graph.h"
#include "events/event_observations.h"
#include "gradients/scheme.h"

typedef struct evn__event_search evn__event_search;

/// @param[in] problem, system, events  outlive it
evn_status evn__event_search_create(const evn__problem *problem, const evn__event_system *system,
                                    const evn_event *events, evn__event_search **search);
void evn__event_search_destroy(evn__event_search **search); ///< nulls; accepts NULL

/// Component `index` of the state: at the start before a search, at its end after it.
evn_binding evn__event_search_state(const evn__event_search *search, int index);

/// From the start to the first terminal event of each row, or its end.
/// @return EVN_ERR_SOLVER or EVN_ERR_NOT_FINITE, naming the first row that came to a stop
evn_status evn__event_search_run(evn__event_search *search, const evn__passage *passage,
                                 evn_solution *solution);

/// What one row did.
evn_solution evn__event_search_solution(const evn__event_search *search, int row);
/// The event that it ended with; −1: none.
int evn__event_search_terminal(const evn__event_search *search, int row);

/// The accepted steps of one row, as evn_event_solver_grid has them.
evn_status evn__event_search_grid(const evn__event_search *search, int row, double *times,
                                  int count);

/// What was observed.
const evn__event_observations *evn__event_search_observations(const evn__event_search *search);

int evn__event_search_count(const evn__event_search *search);
const evn__event_found *evn__event_search_found(const evn__event_search *search, int index);

#endif
