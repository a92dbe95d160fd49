// SPDX-License-Identifier: Apache-2.0
#include "elements/access.h"

evn_value evn__strip(const evn_graph *graph, evn_value value) {
    while (evn__node_at(graph, value)->op == EVN__OP_RESHAPE) {
        value = evn__node_at(graph, value)->operands[0];
    }
    return value;
}

bool evn__is_moving(const evn__node *node) {
    return node->op == EVN__OP_BROADCAST || node->op == EVN__OP_PERMUTE ||
           node->op == EVN__OP_SLICE;
}

evn_value evn__source_of(const evn_graph *graph, evn_value value) {
    value = evn__strip(graph, value);
    const evn__node *node = evn__node_at(graph, value);
    return evn__is_moving(node) ? evn__strip(graph, node->operands[0]) : value;
}

evn_value evn__read_by(const evn_graph *graph, evn_value member, int k) {
    const evn__node *node = evn__node_at(graph, member);
    return evn__is_moving(node) ? member : node->operands[k];
}

static void contiguous(evn_shape shape, int64_t stride[EVN_MAX_RANK]) {
    int64_t step = 1;
    for (int i = shape.rank - 1; i >= 0; --i) {
        stride[i] = step;
        step *= shape.dim[i];
    }
}

static void view_strides(const evn__node *view, evn_shape from, evn__access *access) {
    int64_t stride[EVN_MAX_RANK] = {0};
    contiguous(from, stride);
    int missing = access->rank - from.rank;
    for (int i = 0; i < access->rank; ++i) {
        if (view->op == EVN__OP_BROADCAST) {
            bool moves = i >= missing && from.dim[i - missing] > 1;
            access->stride[i] = moves ? stride[i - missing] : 0;
        } else if (view->op == EVN__OP_PERMUTE) {
            access->stride[i] = stride[view->attributes.order[i]];
        } else {
            access->stride[i] = stride[i];
            access->start += view->attributes.start[i] * stride[i];
        }
    }
}

evn__access evn__access_of(const evn_graph *graph, evn_value value) {
    value = evn__strip(graph, value);
    const evn__node *node = evn__node_at(graph, value);
    evn__access access = {.source = evn__source_of(graph, value), .rank = node->shape.rank};
    for (int i = 0; i < access.rank; ++i) {
        access.dim[i] = node->shape.dim[i];
    }
    if (evn__is_moving(node)) {
        evn_shape from = evn_value_shape(graph, node->operands[0]);
        view_strides(node, from, &access);
    } else {
        contiguous(node->shape, access.stride);
    }
    return access;
}

/// One step of walking an access from its last dimension to its first.
typedef struct axis {
    int64_t extent, stride;
} axis;

/// Cut the dimensions so that the trailing axes have exactly `columns` elements.
/// Axes come out last first; *inner is how many belong to the columns.
static bool cut(const evn__access *access, int64_t columns, axis axes[EVN_MAX_RANK + 1], int *count,
                int *inner) {
    int64_t filled = 1;
    *count = 0;
    *inner = -1;
    for (int i = access->rank - 1; i >= 0; --i) {
        int64_t extent = access->dim[i];
        if (filled < columns && filled * extent > columns) {
            int64_t part = columns / filled;
            if (columns % filled != 0 || extent % part != 0) {
                return false;
            }
            axes[(*count)++] = (axis){part, access->stride[i]};
            *inner = *count;
            axes[(*count)++] = (axis){extent / part, access->stride[i] * part};
            filled = columns;
            continue;
        }
        if (filled == columns && *inner < 0) {
            *inner = *count;
        }
        if (filled < columns) {
            filled *= extent;
        }
        axes[(*count)++] = (axis){extent, access->stride[i]};
    }
    if (*inner < 0) {
        *inner = *count;
    }
    return filled == columns;
}

bool evn__access_split(const evn__access *access, int64_t columns, int64_t *stride) {
    axis axes[EVN_MAX_RANK + 1];
    int count, inner;
    if (!cut(access, columns, axes, &count, &inner)) {
        return false;
    }
    int64_t run = 1;
    bool first = true;
    *stride = 0;
    for (int i = 0; i < inner; ++i) {
        if (axes[i].extent == 1) {
            continue;
        }
        if (first) {
            *stride = axes[i].stride;
            first = false;
        } else if (axes[i].stride != *stride * run) {
            return false;
        }
        run *= axes[i].extent;
    }
    return true;
}

void evn__access_base(const evn__access *access, int64_t columns, const char *row,
                      evn__text *text) {
    axis axes[EVN_MAX_RANK + 1];
    int count, inner;
    cut(access, columns, axes, &count, &inner);
    evn__text_append(text, "%lld", (long long)access->start);
    int64_t rows_below = 1;
    for (int i = inner; i < count;) {
        axis whole = axes[i++];
        while (i < count && axes[i].stride == whole.stride * whole.extent) {
            whole.extent *= axes[i++].extent; // adjacent axes that are one run
        }
        if (whole.stride != 0 && whole.extent > 1) {
            evn__text_append(text, " + %s / %lld", row, (long long)rows_below);
            if (i <
                count) { // the outermost run needs no remainder: the batch stays out of the text
                evn__text_append(text, " %% %lld", (long long)whole.extent);
            }
            evn__text_append(text, " * %lld", (long long)whole.stride);
        }
        rows_below *= whole.extent;
    }
}
