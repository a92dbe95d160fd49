// SPDX-License-Identifier: Apache-2.0
// Fixed steps of a dynamics written into a graph, for what runs graphs elsewhere.
#ifndef EVN_METHODS_UNROLL_H
#define EVN_METHODS_UNROLL_H

#include "evonode/dynamics.h"

typedef struct evn__unroll evn__unroll;

/// @return EVN_ERR_ARGUMENT for an unknown method, and for a multi-step one
evn_status evn__unroll_create(const evn_dynamics *dynamics, const char *method,
                              evn__unroll **unroll);
void evn__unroll_destroy(evn__unroll **unroll); ///< nulls; accepts NULL

/// Inline one step from t to t + dt into `graph`.
/// @param[in,out] x        the state before the step; after it
/// @param[in,out] weights  one value for each weight of the dynamics; those that evolve are moved
evn_status evn__unroll_step(const evn__unroll *unroll, evn_graph *graph, double t, double dt,
                            evn_value *x, evn_value *weights);
/// The same with scalars of the graph.
evn_status evn__unroll_step_at(const evn__unroll *unroll, evn_graph *graph, evn_value t,
                               evn_value dt, evn_value *x, evn_value *weights);

#endif
