// SPDX-License-Identifier: Apache-2.0
#include "plan/build.h"

#include "base/status.h"

evn_status evn__plan_build(evn_device *device, void (*build)(const void *self, evn_graph *graph),
                           const void *self, const evn_plan_options *options, evn_plan **plan) {
    evn_graph *graph = NULL;
    EVN_TRY(evn_graph_create(&graph));
    build(self, graph);
    evn_status status = evn_graph_status(graph);
    if (status == EVN_OK) {
        status = evn_plan_create(device, graph, options, plan);
    }
    evn_graph_destroy(&graph);
    return status;
}
