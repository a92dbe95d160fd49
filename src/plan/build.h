// SPDX-License-Identifier: Apache-2.0
// A plan of a graph that is needed for nothing else.
#ifndef EVN_PLAN_BUILD_H
#define EVN_PLAN_BUILD_H

#include "evonode/plan.h"

/// Make a graph, let `build` fill it, compile it, and destroy it.
/// @param[in] self     what `build` gets
/// @param[in] options  may be NULL
/// @return as evn_plan_create, or what the builders refused
evn_status evn__plan_build(evn_device *device, void (*build)(const void *self, evn_graph *graph),
                           const void *self, const evn_plan_options *options, evn_plan **plan);

#endif
