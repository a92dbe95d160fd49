// SPDX-License-Identifier: Apache-2.0
// Builders of views, layout changes and reductions.
#include "graph/node.h"

#include <string.h>

static evn_value unusable(evn_graph *graph, const char *builder) {
    return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "%s: the operand is not a value of this graph",
                           builder);
}

static evn_value mismatch(evn_graph *graph, const char *builder, evn_shape from, evn_shape to) {
    char a[128], b[128];
    return evn__graph_fail(graph, EVN_ERR_SHAPE, "%s: shape %s does not go with %s", builder,
                           evn__shape_text(from, a), evn__shape_text(to, b));
}

static evn_value view(evn_graph *graph, evn__op op, evn_value x, evn_shape shape,
                      const evn__attributes *attributes) {
    evn__node node = {.op = op, .shape = shape, .operand_count = 1, .operands = {x}};
    if (attributes) {
        node.attributes = *attributes;
    }
    return evn__node_add(graph, &node);
}

evn_value evn_reshape(evn_graph *graph, evn_value x, evn_shape shape) {
    if (!evn__graph_has(graph, x)) {
        return unusable(graph, "reshape");
    }
    evn_shape from = evn_value_shape(graph, x);
    if (evn_shape_count(from) != evn_shape_count(shape)) {
        return mismatch(graph, "reshape", from, shape);
    }
    if (evn__node_at(graph, x)->op == EVN__OP_RESHAPE) {
        return evn_reshape(graph, evn__node_at(graph, x)->operands[0], shape);
    }
    return evn_shape_equal(from, shape) ? x : view(graph, EVN__OP_RESHAPE, x, shape, NULL);
}

evn_value evn_broadcast(evn_graph *graph, evn_value x, evn_shape shape) {
    if (!evn__graph_has(graph, x)) {
        return unusable(graph, "broadcast");
    }
    evn_shape from = evn_value_shape(graph, x);
    if (!evn__shape_is_valid(shape)) {
        return mismatch(graph, "broadcast", from, shape);
    }
    for (int i = 1; i <= from.rank; ++i) {
        int64_t to = i <= shape.rank ? shape.dim[shape.rank - i] : 0;
        if (from.dim[from.rank - i] != to && (from.dim[from.rank - i] != 1 || to < 1)) {
            return mismatch(graph, "broadcast", from, shape);
        }
    }
    if (evn__node_at(graph, x)->op == EVN__OP_BROADCAST) {
        return evn_broadcast(graph, evn__node_at(graph, x)->operands[0], shape);
    }
    return evn_shape_equal(from, shape) ? x : view(graph, EVN__OP_BROADCAST, x, shape, NULL);
}

evn_value evn_permute(evn_graph *graph, evn_value x, const int *order) {
    if (!evn__graph_has(graph, x)) {
        return unusable(graph, "permute");
    }
    evn_shape from = evn_value_shape(graph, x), shape = from;
    evn__attributes attributes = {0};
    unsigned seen = 0;
    bool same = true;
    for (int i = 0; i < from.rank; ++i) {
        if (!order || order[i] < 0 || order[i] >= from.rank || (seen >> order[i] & 1)) {
            return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "permute: not a permutation of axes");
        }
        seen |= 1u << order[i];
        same = same && order[i] == i;
        shape.dim[i] = from.dim[order[i]];
        attributes.order[i] = order[i];
    }
    return same ? x : view(graph, EVN__OP_PERMUTE, x, shape, &attributes);
}

/// Whether `part` placed at `start` lies within `whole`.
static bool contains(evn_shape whole, const int64_t *start, evn_shape part) {
    bool inside = whole.rank == part.rank && evn__shape_is_valid(whole) &&
                  evn__shape_is_valid(part) && (start || whole.rank == 0);
    for (int i = 0; inside && i < whole.rank; ++i) {
        // Not start + extent, which may overflow.
        inside = start[i] >= 0 && start[i] <= whole.dim[i] - part.dim[i];
    }
    return inside;
}

static evn_value place(evn_graph *graph, evn__op op, evn_value x, const int64_t *start,
                       evn_shape shape) {
    evn__attributes attributes = {0};
    memcpy(attributes.start, start, sizeof(*start) * (size_t)shape.rank);
    return view(graph, op, x, shape, &attributes);
}

evn_value evn_slice(evn_graph *graph, evn_value x, const int64_t *start, evn_shape shape) {
    if (!evn__graph_has(graph, x)) {
        return unusable(graph, "slice");
    }
    evn_shape from = evn_value_shape(graph, x);
    if (!contains(from, start, shape)) {
        return mismatch(graph, "slice", from, shape);
    }
    return evn_shape_equal(from, shape) ? x : place(graph, EVN__OP_SLICE, x, start, shape);
}

evn_value evn_pad(evn_graph *graph, evn_value x, const int64_t *start, evn_shape shape) {
    if (!evn__graph_has(graph, x)) {
        return unusable(graph, "pad");
    }
    evn_shape from = evn_value_shape(graph, x);
    if (!contains(shape, start, from)) {
        return mismatch(graph, "pad", from, shape);
    }
    return evn_shape_equal(from, shape) ? x : place(graph, EVN__OP_PAD, x, start, shape);
}

static bool joins(evn_shape a, evn_shape b, int axis) {
    bool equal = a.rank == b.rank;
    for (int i = 0; equal && i < a.rank; ++i) {
        equal = i == axis || a.dim[i] == b.dim[i];
    }
    return equal;
}

evn_value evn_concat(evn_graph *graph, const evn_value *parts, int count, int axis) {
    if (!parts || count < 1 || count > EVN_MAX_INPUTS || !evn__graph_has(graph, parts[0])) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "concat: takes 1 to %d values",
                               EVN_MAX_INPUTS);
    }
    evn__node node = {.op = EVN__OP_CONCAT, .operand_count = count, .attributes.axis = axis};
    node.shape = evn_value_shape(graph, parts[0]);
    if (axis < 0 || axis >= node.shape.rank) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "concat: no axis %d", axis);
    }
    node.shape.dim[axis] = 0;
    for (int i = 0; i < count; ++i) {
        if (!evn__graph_has(graph, parts[i])) {
            return unusable(graph, "concat");
        }
        evn_shape shape = evn_value_shape(graph, parts[i]);
        if (!joins(node.shape, shape, axis)) {
            return mismatch(graph, "concat", shape, node.shape);
        }
        node.shape.dim[axis] += shape.dim[axis];
        node.operands[i] = parts[i];
    }
    return count == 1 ? parts[0] : evn__node_add(graph, &node);
}

evn_value evn__concat_many(evn_graph *graph, const evn_value *parts, int count, int axis) {
    evn_value some[EVN_MAX_INPUTS] = {parts[0]};
    int joined = 1;
    for (int i = 1; i < count; ++i) {
        some[joined++] = parts[i];
        if (joined == EVN_MAX_INPUTS && i + 1 < count) {
            some[0] = evn_concat(graph, some, joined, axis);
            joined = 1;
        }
    }
    return evn_concat(graph, some, joined, axis);
}

// Reductions --------------------------------------------------------------------------------------

/// Sum over `axes` adjacent axes from `axis` on.
static evn_value sum_run(evn_graph *graph, evn_value x, int axis, int axes) {
    evn_shape shape = evn_value_shape(graph, x);
    for (int i = axis; i < axis + axes; ++i) {
        shape.dim[i] = 1;
    }
    if (evn_shape_equal(shape, evn_value_shape(graph, x))) {
        return x;
    }
    return view(graph, EVN__OP_SUM, x, shape, &(evn__attributes){.axis = axis, .axes = axes});
}

evn_value evn_sum(evn_graph *graph, evn_value x, unsigned axes) {
    if (!evn__graph_has(graph, x)) {
        return unusable(graph, "sum");
    }
    int rank = evn_value_shape(graph, x).rank;
    if (axes >> rank) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "sum: an axis beyond rank %d", rank);
    }
    for (int end = rank; end > 0;) {
        int begin = end;
        while (begin > 0 && (axes >> (begin - 1) & 1)) {
            --begin;
        }
        if (begin < end) {
            x = sum_run(graph, x, begin, end - begin);
        }
        end = begin < end ? begin : end - 1;
    }
    return x;
}

evn_value evn_sum_all(evn_graph *graph, evn_value x) {
    unsigned all = (1u << evn_value_shape(graph, x).rank) - 1;
    return evn_reshape(graph, evn_sum(graph, x, all), EVN_SCALAR);
}

evn_value evn_mean(evn_graph *graph, evn_value x, unsigned axes) {
    evn_value sum = evn_sum(graph, x, axes);
    double whole = (double)evn_shape_count(evn_value_shape(graph, x));
    double kept = (double)evn_shape_count(evn_value_shape(graph, sum));
    return evn_scale(graph, sum, kept / whole);
}

evn_value evn_sum_to(evn_graph *graph, evn_value x, evn_shape shape) {
    evn_shape from = evn_value_shape(graph, x);
    if (!evn__shape_is_valid(shape)) {
        return mismatch(graph, "sum_to", from, shape);
    }
    unsigned axes = 0;
    for (int i = 0; i < from.rank; ++i) {
        int at = i - (from.rank - shape.rank);
        if (at < 0 || shape.dim[at] != from.dim[i]) {
            axes |= 1u << i;
        }
    }
    return evn_reshape(graph, evn_sum(graph, x, axes), shape);
}
