// SPDX-License-Identifier: Apache-2.0
// NODE-EW with θ moved by any g, or as a function of t in any basis.
#include "nn/flow.h"

#include "graph/node.h"

static evn_value theta(const evn__flow_kind *kind, evn__network *f, evn_value t, int64_t count) {
    evn__expansions expansions = {.t = t};
    evn_status status =
        evn__network_expand(f, &expansions, kind->evolves.kind->basis, kind->evolves.count);
    evn_value value = status == EVN_OK
                          ? evn__flow_weight(f, count)
                          : evn__graph_fail(f->graph, status, "%s", evn_error_message());
    f->expansion = NULL; // which was of this call
    return value;
}

static evn_value slope(const evn__flow_kind *kind, evn__network *g, evn_value t, evn_value theta) {
    evn_shape row = evn_value_shape(g->graph, theta);
    evn_value kernel = evn_reshape(g->graph, theta, EVN_SHAPE(1, 1, 1, row.dim[1]));
    return evn_reshape(g->graph, kind->evolves.kind->slope(g, "field", t, kernel), row);
}

void evn__flow_weights(evn__evolves evolves, evn__flow_kind *kind) {
    *kind = (evn__flow_kind){.name = evn__flow_evolving.name,
                             .text = evn__flow_evolving.text,
                             .theta = theta,
                             .slope = evolves.kind->slope ? slope : NULL,
                             .evolves = evolves};
}
