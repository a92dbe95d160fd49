// SPDX-License-Identifier: Apache-2.0
// A plan and what its ports are bound to. Ports that are parameters, and outputs NAME_bar that are
// their gradients, are bound by name.
#ifndef EVN_TASK_BOUND_PLAN_H
#define EVN_TASK_BOUND_PLAN_H

#include "evonode/parameters.h"

/// Zero-initialise.
typedef struct evn__bound_plan {
    evn_plan *plan;
    evn_binding *inputs, *outputs; ///< in the graph's order
} evn__bound_plan;

/// Compile a graph, and bind the ports that belong to parameters. The graph is borrowed.
/// @param[in] options  may be NULL
evn_status evn__bound_plan_create(evn_device *device, const evn_graph *graph,
                                  const evn_plan_options *options, const evn_parameters *parameters,
                                  evn__bound_plan *bound);
void evn__bound_plan_free(evn__bound_plan *bound);

/// Bind a port of the plan's graph by name; one that it lacks is passed over.
void evn__bound_plan_input(evn__bound_plan *bound, const evn_graph *graph, const char *name,
                           evn_binding to);
void evn__bound_plan_output(evn__bound_plan *bound, const evn_graph *graph, const char *name,
                            evn_binding to);

#endif
