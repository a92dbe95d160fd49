// SPDX-License-Identifier: Apache-2.0
#include "samples/samples.h"

#include <stdio.h>
#include <string.h>

static void add_scaled(evn__affine *sum, const evn__affine *term, int64_t factor) {
    for (int v = 0; v < EVN__VARS; ++v) {
        sum->c[v] += factor * term->c[v];
    }
}

static evn__affine flatten(evn_shape shape, const evn__index *index) {
    evn__affine flat = {0};
    int64_t stride = 1;
    for (int d = shape.rank - 1; d >= 0; --d) {
        add_scaled(&flat, &index->at[d], stride);
        stride *= shape.dim[d];
    }
    return flat;
}

static int64_t largest(const evn__affine *a, const int64_t range[EVN__VARS]) {
    int64_t sum = a->c[EVN__VAR_ONE];
    for (int v = EVN__VAR_SAMPLE; v < EVN__VARS; ++v) {
        sum += a->c[v] > 0 ? a->c[v] * (range[v] - 1) : 0;
    }
    return sum;
}

/// flat = quotient · extent + remainder with 0 <= remainder < extent for all values of the
/// variables; false where the two are not affine.
static bool divide(const evn__affine *flat, int64_t extent, const int64_t range[EVN__VARS],
                   evn__affine *quotient, evn__affine *remainder) {
    for (int v = 0; v < EVN__VARS; ++v) {
        if (flat->c[v] < 0) {
            return false;
        }
        quotient->c[v] = flat->c[v] / extent;
        remainder->c[v] = flat->c[v] % extent;
    }
    return largest(remainder, range) < extent;
}

static bool unflatten(evn_shape shape, evn__affine flat, const int64_t range[EVN__VARS],
                      evn__index *index) {
    memset(index, 0, sizeof(*index));
    for (int d = shape.rank - 1; d >= 0; --d) {
        evn__affine quotient = {0};
        if (largest(&flat, range) < shape.dim[d]) {
            index->at[d] = flat;
            return true;
        }
        if (!divide(&flat, shape.dim[d], range, &quotient, &index->at[d])) {
            return false;
        }
        flat = quotient;
    }
    return largest(&flat, range) == 0;
}

/// The index into the operand of view `node` for index `at` into the view.
static bool through_view(const evn_graph *g, const evn__node *node, const evn__index *at,
                         const int64_t range[EVN__VARS], evn__index *behind) {
    evn_shape from = evn_value_shape(g, node->operands[0]);
    memset(behind, 0, sizeof(*behind));
    if (node->op == EVN__OP_RESHAPE) {
        return unflatten(from, flatten(node->shape, at), range, behind);
    }
    int missing = node->shape.rank - from.rank;
    for (int d = 0; d < node->shape.rank; ++d) {
        if (node->op == EVN__OP_PERMUTE) {
            behind->at[node->attributes.order[d]] = at->at[d];
        } else if (node->op == EVN__OP_SLICE) {
            behind->at[d] = at->at[d];
            behind->at[d].c[EVN__VAR_ONE] += node->attributes.start[d];
        } else if (d >= missing && from.dim[d - missing] > 1) {
            behind->at[d - missing] = at->at[d];
        }
    }
    return true;
}

static bool is_read_in_place(const evn__samples *s, evn_value value) {
    return !s->computed[value] &&
           evn__op_table[evn__node_at(s->graph, value)->op].class == EVN__CLASS_VIEW;
}

bool evn__samples_locate(const evn__samples *s, evn_value value, const evn__index *index,
                         const int64_t range[EVN__VARS], evn_value *source, evn__affine *flat) {
    evn__index at = *index, behind;
    *flat = flatten(evn_value_shape(s->graph, value), &at);
    while (is_read_in_place(s, value)) {
        const evn__node *node = evn__node_at(s->graph, value);
        value = node->operands[0];
        if (node->op == EVN__OP_RESHAPE && !is_read_in_place(s, value)) {
            break; // the same elements in the same order, whatever the axes
        }
        if (!through_view(s->graph, node, &at, range, &behind)) {
            return false;
        }
        at = behind;
        *flat = flatten(evn_value_shape(s->graph, value), &at);
    }
    *source = value;
    for (int v = EVN__VAR_I; v < EVN__VARS; ++v) {
        flat->c[v] = range[v] > 1 ? flat->c[v] : 0; // the variable is always 0
    }
    return true;
}

bool evn__samples_behind(const evn__samples *s, evn_value value, const evn__index *index,
                         const int64_t range[EVN__VARS], evn__index *behind) {
    return through_view(s->graph, evn__node_at(s->graph, value), index, range, behind);
}

void evn__affine_text(const evn__affine *affine, char text[160]) {
    static const char *const names[EVN__VARS] = {[EVN__VAR_I] = "i", "j", "k"};
    int length = snprintf(text, 160, "%lld", (long long)affine->c[EVN__VAR_ONE]);
    for (int v = EVN__VAR_I; v < EVN__VARS; ++v) {
        if (affine->c[v] == 1) {
            length += snprintf(text + length, 160 - (size_t)length, " + %s", names[v]);
        } else if (affine->c[v] != 0) {
            length += snprintf(text + length, 160 - (size_t)length, " + %lld * %s",
                               (long long)affine->c[v], names[v]);
        }
    }
}
