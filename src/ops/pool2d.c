// SPDX-License-Identifier: Apache-2.0
// Lowering of the poolings: one launch each, a task a pixel of the result and a vector of channels.
#include "ops/tasks.h"

/// `x` and `pooled` are the shapes [B, H, W, C] of the two sides; the result is one of them.
static evn_status lower(evn__lowering *lowering, const evn_graph *graph, evn_value value,
                        const char *kernel, evn_shape x, evn_shape pooled) {
    const evn__node *node = evn__node_at(graph, value);
    char options[EVN__TASKS_OPTIONS];
    int64_t lanes = evn__choose_lanes(lowering, x.dim[3], options);
    evn__call call = {.source = {.family = "pool2d", .options = options}, .kernel = kernel};
    for (int i = 0; i < node->operand_count; ++i) {
        evn__push(&call, evn__operand_value(node->operands[i]));
    }
    evn__push(&call, evn__operand_value(value));
    for (int i = 1; i < 4; ++i) {
        evn__push_int(&call, x.dim[i]);
    }
    evn__push_int(&call, pooled.dim[1]);
    evn__push_int(&call, pooled.dim[2]);
    evn__push_int(&call, node->attributes.window);
    evn__push_int(&call, node->attributes.stride);
    int64_t window = (int64_t)node->attributes.window * node->attributes.window;
    return evn__emit_tasks(lowering, &call, evn_shape_count(node->shape) / lanes, window * lanes);
}

static evn_shape operand_shape(const evn_graph *graph, evn_value value, int index) {
    return evn__node_at(graph, evn__node_at(graph, value)->operands[index])->shape;
}

evn_status evn__lower_mean_pool2d(evn__lowering *lowering, const evn_graph *graph,
                                  evn_value value) {
    return lower(lowering, graph, value, "mean_pool2d", operand_shape(graph, value, 0),
                 evn__node_at(graph, value)->shape);
}

evn_status evn__lower_mean_pool2d_grad(evn__lowering *lowering, const evn_graph *graph,
                                       evn_value value) {
    return lower(lowering, graph, value, "mean_pool2d_grad", evn__node_at(graph, value)->shape,
                 operand_shape(graph, value, 0));
}

evn_status evn__lower_max_pool2d_select(evn__lowering *lowering, const evn_graph *graph,
                                        evn_value value) {
    return lower(lowering, graph, value, "max_pool2d_select", operand_shape(graph, value, 0),
                 evn__node_at(graph, value)->shape);
}

evn_status evn__lower_max_pool2d_scatter(evn__lowering *lowering, const evn_graph *graph,
                                         evn_value value) {
    return lower(lowering, graph, value, "max_pool2d_scatter", evn__node_at(graph, value)->shape,
                 operand_shape(graph, value, 1));
}
