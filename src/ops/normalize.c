// SPDX-License-Identifier: Apache-2.0
// Lowering of normalize and normalize_grad: one launch each.
#include "ops/tasks.h"

enum { NORMALIZE_VECTORS = 4 }; // as many sums of each kind as registers hold

/// How many of `count` adjacent vectors a CPU's work-item sums up at once.
static int64_t choose_vectors(const evn__lowering *lowering, int64_t count) {
    int64_t vectors = evn__tasks_are_fat(lowering) ? NORMALIZE_VECTORS : 1;
    while (count % vectors != 0) {
        vectors /= 2;
    }
    return vectors;
}

static evn_status lower(evn__lowering *lowering, const evn_graph *graph, evn_value value,
                        const char *kernel) {
    const evn__node *node = evn__node_at(graph, value);
    int64_t channels = node->shape.dim[node->shape.rank - 1];
    int64_t positions = evn_shape_count(node->shape) / (node->shape.dim[0] * channels);
    int64_t width = channels / node->attributes.groups;
    // Vectors of 16 where they hold whole groups or a group is whole vectors, else single elements.
    bool fits = channels % 16 == 0 && (16 % width == 0 || width % 16 == 0);
    char lanes_option[EVN__TASKS_OPTIONS], options[2 * EVN__TASKS_OPTIONS];
    int64_t lanes = evn__choose_lanes(lowering, fits ? 16 : 1, lanes_option);
    int64_t vectors = choose_vectors(lowering, (width > lanes ? width : channels) / lanes);
    int64_t span = width > lanes ? width : lanes * vectors;
    snprintf(options, sizeof(options), "%s -DVECTORS=%d", lanes_option, (int)vectors);
    evn__call call = {.source = {.family = "normalize", .options = options}, .kernel = kernel};
    for (int i = 0; i < node->operand_count; ++i) {
        evn__push(&call, evn__operand_value(node->operands[i]));
    }
    evn__push(&call, evn__operand_value(value));
    evn__push_int(&call, positions);
    evn__push_int(&call, channels);
    evn__push_int(&call, width);
    evn__push(&call, evn__operand_real(node->attributes.scalar));
    EVN_TRY(evn__share_tasks(lowering, &call, node->shape.dim[0] * (channels / span),
                             positions * span));
    return evn__lower_emit_result(lowering, &call);
}

evn_status evn__lower_normalize(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    return lower(lowering, graph, value, "normalize_groups");
}

evn_status evn__lower_normalize_grad(evn__lowering *lowering, const evn_graph *graph,
                                     evn_value value) {
    return lower(lowering, graph, value, "normalize_groups_grad");
}
