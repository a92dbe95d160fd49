// SPDX-License-Identifier: Apache-2.0
// The path of weights as functions of t (dynamics/path_basis.h): from θ at nodes, to θ at any time,
// and back with cotangents.
#ifndef EVN_GRADIENTS_PATH_SERIES_H
#define EVN_GRADIENTS_PATH_SERIES_H

#include "dynamics/path_system.h"
#include "integrator/passage.h"

typedef struct evn__path_series evn__path_series;

/// Of as many terms as there are nodes.
/// @param[in] problem  whose weights evolve
/// @param[in] weights  the system of these alone; both outlive it
evn_status evn__path_series_create(const evn__problem *problem, const evn__system *weights,
                                   const evn__path_basis *basis, int terms,
                                   evn__path_series **series);
void evn__path_series_destroy(evn__path_series **series); ///< nulls; accepts NULL

/// Where the parameters are that a system along the path has of its own, and where their cotangents
/// go: C of each weight, then the span.
void evn__path_series_bind(const evn__path_series *series, evn_binding *to);
void evn__path_series_bind_bars(const evn__path_series *series, evn_binding *to);

/// The way on which it is. A wait, where it is another one than before.
evn_status evn__path_series_set_span(evn__path_series *series, double t0, double t1);

/// From θ at the nodes, [terms, Θ]. Enqueues only.
evn_status evn__path_series_take(const evn__path_series *series, evn_binding nodes);
/// The last terms by what is tolerated, where these say what is missing; else 0. Waits.
evn_status evn__path_series_rest(const evn__path_series *series, double *rest);

/// θ at so many times; at one that is not a number nothing. Waits where they are others than last.
/// @param[in] to      of each weight, where it is wanted at the first time; or no buffer
/// @param     stride  elements from there to where it is wanted at the next; 0: its own
evn_status evn__path_series_at(evn__path_series *series, const double *times, int count,
                               const evn_binding *to, size_t stride);

/// After a gradient along the path: cotangents of θ at the nodes, [terms, Θ]. Enqueues only.
evn_status evn__path_series_back(const evn__path_series *series, evn_binding nodes_bar);
/// What both ends of the way have by the span alone. Waits.
evn_status evn__path_series_span_bars(const evn__path_series *series, double *t0_bar,
                                      double *t1_bar);

#endif
