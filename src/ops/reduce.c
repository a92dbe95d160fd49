// SPDX-License-Identifier: Apache-2.0
// Lowering of sum: one launch, or two where one has too few tasks for the device and long sums.
#include "ops/tasks.h"

// Not on record; rows norm_vjp and mnist_* of `evonode bench` show it.
enum {
    SUM_MIN_LENGTH = 64,   // rows; shorter parts do not pay for the second launch
    SUM_PART_WORK = 16384, // elements; nor do parts with less work than this on a CPU
    SUM_ITEMS = 64,        // work-items a compute unit that other devices should get at least
};

/// x [outer, extent, inner], summed over extent in `parts` parts of at most `length` rows. `last`
/// is the last extent of the node.
typedef struct sum {
    int64_t outer, extent, inner, lanes, parts, length, last;
    bool rows; // vectors run along the sum
    char options[EVN__TASKS_OPTIONS];
} sum;

static sum describe(const evn__lowering *lowering, const evn__node *node, evn_shape x) {
    int first = node->attributes.axis, end = first + node->attributes.axes;
    sum s = {.outer = 1, .extent = 1, .inner = 1, .parts = 1};
    for (int i = 0; i < x.rank; ++i) {
        int64_t *extent = i < first ? &s.outer : i < end ? &s.extent : &s.inner;
        *extent *= x.dim[i];
    }
    s.length = s.extent;
    s.last = node->shape.rank > 0 ? node->shape.dim[node->shape.rank - 1] : 1;
    s.rows = s.inner == 1 && evn__tasks_are_wide(lowering);
    s.lanes = evn__choose_lanes(lowering, s.rows ? 16 : s.inner, s.options);
    return s;
}

static int64_t tasks_of(const sum *s) {
    return s->outer * s->parts * (s->rows ? 1 : s->inner / s->lanes);
}

/// Cut the sum into as many parts as the device has use for.
static void split(const evn__lowering *lowering, sum *s) {
    int64_t units = evn__lower_device(lowering)->compute_units, tasks = tasks_of(s);
    int64_t wanted = evn__divide_up(SUM_ITEMS * units, tasks),
            max_parts = s->extent / SUM_MIN_LENGTH;
    if (evn__tasks_are_wide(lowering)) {
        int64_t work = s->outer * s->extent * s->inner / SUM_PART_WORK;
        int64_t items = work < EVN__TASKS_PER_UNIT * units ? work : EVN__TASKS_PER_UNIT * units;
        wanted = items / tasks;
    }
    int64_t parts = wanted < max_parts ? wanted : max_parts;
    if (parts > 1) {
        s->length = evn__divide_up(s->extent, parts);
        s->parts = evn__divide_up(s->extent, s->length);
    }
}

static evn_status emit(evn__lowering *lowering, const sum *s, evn__operand x, evn__operand y) {
    evn__call call = {.source = {.family = "reduce", .options = s->options},
                      .kernel = s->rows ? "sum_rows" : "sum_columns"};
    evn__push(&call, x);
    evn__push(&call, y);
    evn__push_int(&call, s->extent);
    if (!s->rows) {
        evn__push_int(&call, s->inner);
    }
    evn__push_int(&call, s->parts);
    evn__push_int(&call, s->length);
    evn__push_int(&call, s->last);
    EVN_TRY(evn__share_tasks(lowering, &call, tasks_of(s), s->length * s->lanes));
    bool result = s->parts == 1 && (s->rows || s->last % s->lanes == 0);
    return result ? evn__lower_emit_result(lowering, &call) : evn__lower_emit(lowering, &call);
}

evn_status evn__lower_sum(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    sum s = describe(lowering, node, evn__node_at(graph, node->operands[0])->shape);
    EVN_CHECK(s.extent <= INT_MAX && s.inner <= INT_MAX, EVN_ERR_SHAPE,
              "sum: an extent above 2^31; use smaller batches");
    evn__operand x = evn__operand_value(node->operands[0]), y = evn__operand_value(value);
    if (evn__lower_partial(lowering, value, &x, &s.extent)) {
        s.length = s.extent;
    }
    split(lowering, &s);
    if (s.parts == 1) {
        return emit(lowering, &s, x, y);
    }
    evn__operand partial = evn__lower_scratch(lowering, s.outer * s.parts * s.inner);
    EVN_TRY(emit(lowering, &s, x, partial));
    s.extent = s.length = s.parts;
    s.parts = 1;
    return emit(lowering, &s, partial, y);
}
