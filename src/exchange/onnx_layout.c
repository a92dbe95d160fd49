// SPDX-License-Identifier: Apache-2.0
// Views, layout, sums.
#include "exchange/onnx_rules.h"

#include <string.h>

static evn__onnx_list extents(evn_shape shape, int batch) {
    evn__onnx_list list = {.count = shape.rank};
    for (int i = 0; i < shape.rank; ++i) {
        list.items[i] = i == batch ? EVN__ONNX_BATCH : shape.dim[i];
    }
    return list;
}

int evn__onnx_keep(evn__onnx_translation *t, const evn__node *node, int axis, bool kept) {
    if (axis >= 0 && !kept && t->status == EVN_OK) {
        t->status = evn__fail(__FILE__, __LINE__, EVN_ERR_ARGUMENT,
                              "%s: the operation %s mixes the samples of a batch, so that the "
                              "batch cannot be of any size; fix it, by --batch N",
                              t->model.prefix, evn__op_table[node->op].text);
    }
    return axis;
}

const char *evn__onnx_reshape(evn__onnx_translation *t, const char *x,
                              const evn__onnx_list *shape) {
    const char *extent_list = evn__onnx_integers(&t->model, shape);
    return evn__onnx_node(&t->model, "Reshape", EVN__ONNX_ARGUMENTS(x, extent_list), NULL);
}

static const char *transpose(evn__onnx_translation *t, const char *x, int rank, const int *order) {
    evn__onnx_attribute permutation = {.name = "perm", .count = rank};
    for (int i = 0; i < rank; ++i) {
        permutation.integers[i] = order[i];
    }
    return evn__onnx_node(&t->model, "Transpose", EVN__ONNX_ARGUMENTS(x),
                          EVN__ONNX_ATTRIBUTES(permutation));
}

const char *evn__onnx_channels_first(evn__onnx_translation *t, evn__onnx_value *x) {
    static const int order[] = {0, 3, 1, 2};
    if (!x->channels_first) {
        x->channels_first = transpose(t, evn__onnx_name(t, x), 4, order);
    }
    return x->channels_first;
}

const char *evn__onnx_channels_last(evn__onnx_translation *t, const char *x) {
    static const int order[] = {0, 2, 3, 1};
    return transpose(t, x, 4, order);
}

// Views -------------------------------------------------------------------------------------------

/// The axis of `to` that is axis `batch` of `from`, in the same order of elements; −1: none.
static int reshaped_batch(evn_shape from, int batch, evn_shape to) {
    int64_t before = 1, outside = 1;
    for (int i = 0; i < batch; ++i) {
        before *= from.dim[i];
    }
    for (int i = 0; i < to.rank; ++i) {
        if (outside == before && to.dim[i] == from.dim[batch]) {
            return i;
        }
        outside *= to.dim[i];
    }
    return -1;
}

void evn__onnx_RESHAPE(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                       evn__onnx_value *y) {
    int batch = x[0]->batch < 0 ? -1 : reshaped_batch(x[0]->shape, x[0]->batch, node->shape);
    evn__onnx_keep(t, node, x[0]->batch, batch >= 0);
    evn__onnx_list shape = extents(node->shape, batch);
    y->batch = batch;
    y->name = evn__onnx_reshape(t, evn__onnx_name(t, x[0]), &shape);
}

/// Nothing is written: who needs the whole shape expands it.
void evn__onnx_BROADCAST(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                         evn__onnx_value *y) {
    (void)t, (void)node;
    *y = *x[0];
}

/// The extent of the batch, [1].
static const char *batch_extent(evn__onnx_translation *t) {
    if (!t->batch) {
        t->batch = evn__onnx_node(
            &t->model, "Shape", EVN__ONNX_ARGUMENTS(t->first_input),
            EVN__ONNX_ATTRIBUTES(EVN__ONNX_INTEGER("start", 0), EVN__ONNX_INTEGER("end", 1)));
    }
    return t->batch;
}

/// The extents of a whole shape as an argument; the input decides that of axis `batch`.
static const char *whole_extents(evn__onnx_translation *t, evn_shape shape, int batch) {
    evn__onnx_list list = extents(shape, -1), after = {.count = shape.rank - 1 - batch};
    const char *parts[4] = {0};
    int count = 0;
    if (batch < 0) {
        return evn__onnx_integers(&t->model, &list);
    }
    memcpy(after.items, list.items + batch + 1, sizeof(*after.items) * (size_t)after.count);
    list.count = batch;
    if (batch > 0) {
        parts[count++] = evn__onnx_integers(&t->model, &list);
    }
    parts[count++] = batch_extent(t);
    if (after.count > 0) {
        parts[count++] = evn__onnx_integers(&t->model, &after);
    }
    return evn__onnx_node(&t->model, "Concat", parts,
                          EVN__ONNX_ATTRIBUTES(EVN__ONNX_INTEGER("axis", 0)));
}

void evn__onnx_expand(evn__onnx_translation *t, evn__onnx_value *value, evn_shape shape) {
    if (evn_shape_equal(value->shape, shape)) {
        return;
    }
    const char *name = evn__onnx_name(t, value);
    int missing = shape.rank - value->shape.rank;
    int batch = value->batch < 0 ? -1 : value->batch + missing;
    for (int i = 0; t->any_batch && i < shape.rank && batch < 0; ++i) {
        batch = shape.dim[i] == t->batch_extent ? i : -1;
    }
    const char *list = whole_extents(t, shape, batch);
    value->name = evn__onnx_node(&t->model, "Expand", EVN__ONNX_ARGUMENTS(name, list), NULL);
    value->shape = shape;
    value->batch = batch;
    value->channels_first = value->kernel_first = value->per_channel = NULL;
}

void evn__onnx_PERMUTE(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                       evn__onnx_value *y) {
    const int *order = node->attributes.order;
    for (int i = 0; i < node->shape.rank; ++i) {
        y->batch = x[0]->batch == order[i] ? i : y->batch;
    }
    y->name = transpose(t, evn__onnx_name(t, x[0]), node->shape.rank, order);
}

void evn__onnx_SLICE(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                     evn__onnx_value *y) {
    evn__onnx_list starts = {0}, ends = {0}, axes = {0};
    for (int i = 0; i < node->shape.rank; ++i) {
        int64_t start = node->attributes.start[i], extent = node->shape.dim[i];
        if (extent != x[0]->shape.dim[i]) {
            starts.items[starts.count++] = start;
            ends.items[ends.count++] = start + extent;
            axes.items[axes.count++] = i;
            evn__onnx_keep(t, node, x[0]->batch, i != x[0]->batch);
        }
    }
    y->batch = x[0]->batch;
    const char *from = evn__onnx_integers(&t->model, &starts);
    const char *to = evn__onnx_integers(&t->model, &ends);
    const char *of = evn__onnx_integers(&t->model, &axes);
    y->name = evn__onnx_node(&t->model, "Slice",
                             EVN__ONNX_ARGUMENTS(evn__onnx_name(t, x[0]), from, to, of), NULL);
}

void evn__onnx_PAD(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                   evn__onnx_value *y) {
    int rank = node->shape.rank;
    evn__onnx_list pads = {.count = 2 * rank};
    for (int i = 0; i < rank; ++i) {
        int64_t before = node->attributes.start[i];
        pads.items[i] = before;
        pads.items[rank + i] = node->shape.dim[i] - x[0]->shape.dim[i] - before;
        evn__onnx_keep(t, node, x[0]->batch,
                       i != x[0]->batch || node->shape.dim[i] == x[0]->shape.dim[i]);
    }
    y->batch = x[0]->batch;
    const char *by = evn__onnx_integers(&t->model, &pads);
    y->name =
        evn__onnx_node(&t->model, "Pad", EVN__ONNX_ARGUMENTS(evn__onnx_name(t, x[0]), by), NULL);
}

void evn__onnx_CONCAT(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                      evn__onnx_value *y) {
    const char *arguments[EVN_MAX_INPUTS + 1] = {0};
    for (int k = 0; k < node->operand_count; ++k) {
        arguments[k] = evn__onnx_name(t, x[k]);
        y->batch = x[k]->batch >= 0 ? x[k]->batch : y->batch;
    }
    evn__onnx_keep(t, node, y->batch, y->batch != node->attributes.axis);
    y->name =
        evn__onnx_node(&t->model, "Concat", arguments,
                       EVN__ONNX_ATTRIBUTES(EVN__ONNX_INTEGER("axis", node->attributes.axis)));
}

void evn__onnx_SUM(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                   evn__onnx_value *y) {
    evn__onnx_list axes = {.count = node->attributes.axes};
    for (int i = 0; i < axes.count; ++i) {
        axes.items[i] = node->attributes.axis + i;
        evn__onnx_keep(t, node, x[0]->batch, x[0]->batch != axes.items[i]);
    }
    y->batch = x[0]->batch;
    const char *over = evn__onnx_integers(&t->model, &axes);
    y->name =
        evn__onnx_node(&t->model, "ReduceSum", EVN__ONNX_ARGUMENTS(evn__onnx_name(t, x[0]), over),
                       EVN__ONNX_ATTRIBUTES(EVN__ONNX_INTEGER("keepdims", 1)));
}
