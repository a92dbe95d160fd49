// SPDX-License-Identifier: Apache-2.0
// Lowering of log_softmax: one launch, a task a row.
#include "ops/tasks.h"

enum { EXP_WORK = 16 }; // an exponential costs about as much as this many elements moved

evn_status evn__lower_log_softmax(evn__lowering *lowering, const evn_graph *graph,
                                  evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    int64_t classes = node->shape.dim[node->shape.rank - 1];
    evn__call call = {.source = {.family = "softmax", .options = ""}, .kernel = "log_softmax"};
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, evn__operand_value(value));
    evn__push_int(&call, classes);
    return evn__emit_tasks(lowering, &call, evn_shape_count(node->shape) / classes,
                           classes * EXP_WORK);
}
