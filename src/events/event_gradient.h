// SPDX-License-Identifier: Apache-2.0
// The gradient of a solve to an event: back from where its search has ended, in parts from one
// event whose time or state has a cotangent to the next one.
#ifndef EVN_EVENTS_EVENT_GRADIENT_H
#define EVN_EVENTS_EVENT_GRADIENT_H

#include "events/event_search.h"

typedef struct evn__event_gradient evn__event_gradient;

/// The solve that it is of.
typedef struct evn__event_solve {
    const double *t0, *t1;         ///< of each sample, where it began and ended
    const evn_binding *weights;    ///< one for each; of those that evolve none
    const evn_binding *parameters; ///< of these, in the order of the system
} evn__event_solve;

/// @param[in] problem, dynamics, system, search  outlive it, as does what `solve` leads to, which
///                                               is that of the last search when it is taken
evn_status evn__event_gradient_create(const evn__problem *problem, const evn_dynamics *dynamics,
                                      const evn__event_system *system,
                                      const evn__event_search *search,
                                      const evn__event_solve *solve,
                                      evn__event_gradient **gradient);
void evn__event_gradient_destroy(evn__event_gradient **gradient); ///< nulls; accepts NULL

/// Component `index` of the state at t0, to be written before a search.
evn_binding evn__event_gradient_start(const evn__event_gradient *gradient, int index);
/// Another search begins.
void evn__event_gradient_forget(evn__event_gradient *gradient);

/// As evn_solve_to_event_gradient, of what it has checked.
evn_status evn__event_gradient_take(evn__event_gradient *gradient, const evn_event_bars *bars,
                                    evn_binding *x0_bar, const evn_binding *weights_bar,
                                    evn_solution *solution);
/// As evn_solve_to_event_time_gradient.
evn_status evn__event_gradient_time(const evn__event_gradient *gradient, double *t0_bar);

#endif
