// SPDX-License-Identifier: Apache-2.0
// Lowering of pad (one launch) and concat (one launch a part).
#include "ops/tasks.h"

enum { RUN = 1024 }; // elements of a row that a CPU task copies

static int64_t run_length(const evn__lowering *lowering, int64_t row) {
    return !evn__tasks_are_wide(lowering) ? 1 : row < RUN ? row : RUN;
}

/// A padding with whole inner axes merged into the axis that holds them, filled up in front with
/// axes of extent 1.
typedef struct box {
    int64_t x[EVN_MAX_RANK], y[EVN_MAX_RANK], start[EVN_MAX_RANK];
} box;

static box merge_axes(evn_shape x, evn_shape y, const int64_t *start) {
    box b = {{1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, {0}};
    int at = EVN_MAX_RANK - 1;
    for (int i = y.rank - 1; i >= 0; --i) {
        if (b.x[at] != b.y[at]) {
            --at;
        }
        b.start[at] = start[i] * b.y[at];
        b.x[at] *= x.dim[i];
        b.y[at] *= y.dim[i];
    }
    return b;
}

evn_status evn__lower_pad(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    box b = merge_axes(evn__node_at(graph, node->operands[0])->shape, node->shape,
                       node->attributes.start);
    enum { LAST = EVN_MAX_RANK - 1 };
    EVN_CHECK(b.y[LAST] <= INT_MAX - RUN, EVN_ERR_SHAPE, "pad: an extent above 2^31");
    evn__call call = {.source = {.family = "layout", .options = ""}, .kernel = "pad"};
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, evn__operand_value(value));
    for (int i = 0; i <= LAST; ++i) {
        evn__push_int(&call, b.x[i]);
    }
    for (int i = 1; i <= LAST; ++i) {
        evn__push_int(&call, b.y[i]);
    }
    for (int i = 0; i <= LAST; ++i) {
        evn__push_int(&call, b.start[i]);
    }
    int64_t run = run_length(lowering, b.y[LAST]);
    evn__push_int(&call, run);
    int64_t rows = evn_shape_count(node->shape) / b.y[LAST];
    return evn__emit_tasks(lowering, &call, rows * evn__divide_up(b.y[LAST], run), run);
}

/// Copy `part` to elements start … start + length − 1 of each of the `rows` rows of the result.
static evn_status place(evn__lowering *lowering, evn_value part, evn_value value, int64_t rows,
                        int64_t length, int64_t pitch, int64_t start) {
    int64_t run = run_length(lowering, length);
    evn__call call = {.source = {.family = "layout", .options = ""}, .kernel = "place_rows"};
    evn__push(&call, evn__operand_value(part));
    evn__push(&call, evn__operand_value(value));
    evn__push_int(&call, length);
    evn__push_int(&call, pitch);
    evn__push_int(&call, start);
    evn__push_int(&call, run);
    return evn__emit_tasks(lowering, &call, rows * evn__divide_up(length, run), run);
}

evn_status evn__lower_concat(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    int64_t rows = 1;
    for (int i = 0; i < node->attributes.axis; ++i) {
        rows *= node->shape.dim[i];
    }
    int64_t pitch = evn_shape_count(node->shape) / rows, start = 0;
    EVN_CHECK(pitch <= INT_MAX - RUN, EVN_ERR_SHAPE, "concat: a part above 2^31 elements");
    for (int i = 0; i < node->operand_count; ++i) {
        evn_value part = node->operands[i];
        int64_t length = evn_shape_count(evn__node_at(graph, part)->shape) / rows;
        EVN_TRY(place(lowering, part, value, rows, length, pitch, start));
        start += length;
    }
    return EVN_OK;
}
