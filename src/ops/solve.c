// SPDX-License-Identifier: Apache-2.0
// Lowering of solve: one launch, a task a sample, with room for the matrices.
#include "ops/tasks.h"

evn_status evn__lower_solve(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    int64_t samples = node->shape.dim[0], n = node->shape.dim[1];
    evn__call call = {.source = {.family = "solve", .options = ""}, .kernel = "solve"};
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, evn__operand_value(node->operands[1]));
    evn__push(&call, evn__operand_value(value));
    evn__push(&call, evn__lower_scratch(lowering, samples * n * n));
    evn__push_int(&call, n);
    evn__push_int(&call, node->attributes.transpose_a);
    return evn__emit_tasks(lowering, &call, samples, n * n * (n + 3) / 3);
}
