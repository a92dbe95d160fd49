// SPDX-License-Identifier: Apache-2.0
// Rules of the linear operations that move or add elements: each jvp is the operation itself on
// the tangent, each vjp its transpose.
#include "diff/rules.h"

#define OPERAND_SHAPE(i) evn_value_shape(site->graph, site->node.operands[i])

void evn__vjp_RESHAPE(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_reshape(site->graph, y_bar, OPERAND_SHAPE(0));
}

evn_value evn__jvp_RESHAPE(const evn__site *site, const evn_value *x_dot) {
    return evn_reshape(site->graph, x_dot[0], site->node.shape);
}

void evn__vjp_BROADCAST(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_sum_to(site->graph, y_bar, OPERAND_SHAPE(0));
}

evn_value evn__jvp_BROADCAST(const evn__site *site, const evn_value *x_dot) {
    return evn_broadcast(site->graph, x_dot[0], site->node.shape);
}

void evn__vjp_PERMUTE(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    int inverse[EVN_MAX_RANK];
    for (int i = 0; i < site->node.shape.rank; ++i) {
        inverse[site->node.attributes.order[i]] = i;
    }
    x_bar[0] = evn_permute(site->graph, y_bar, inverse);
}

evn_value evn__jvp_PERMUTE(const evn__site *site, const evn_value *x_dot) {
    return evn_permute(site->graph, x_dot[0], site->node.attributes.order);
}

void evn__vjp_SLICE(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_pad(site->graph, y_bar, site->node.attributes.start, OPERAND_SHAPE(0));
}

evn_value evn__jvp_SLICE(const evn__site *site, const evn_value *x_dot) {
    return evn_slice(site->graph, x_dot[0], site->node.attributes.start, site->node.shape);
}

void evn__vjp_PAD(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_slice(site->graph, y_bar, site->node.attributes.start, OPERAND_SHAPE(0));
}

evn_value evn__jvp_PAD(const evn__site *site, const evn_value *x_dot) {
    return evn_pad(site->graph, x_dot[0], site->node.attributes.start, site->node.shape);
}

void evn__vjp_CONCAT(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    int64_t start[EVN_MAX_RANK] = {0};
    int axis = site->node.attributes.axis;
    for (int i = 0; i < site->node.operand_count; ++i) {
        x_bar[i] = evn_slice(site->graph, y_bar, start, OPERAND_SHAPE(i));
        start[axis] += OPERAND_SHAPE(i).dim[axis];
    }
}

evn_value evn__jvp_CONCAT(const evn__site *site, const evn_value *x_dot) {
    evn_value parts[EVN_MAX_INPUTS];
    for (int i = 0; i < site->node.operand_count; ++i) {
        parts[i] = x_dot[i] == EVN_NONE ? evn_full(site->graph, OPERAND_SHAPE(i), 0) : x_dot[i];
    }
    return evn_concat(site->graph, parts, site->node.operand_count, site->node.attributes.axis);
}

void evn__vjp_SUM(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[0] = evn_broadcast(site->graph, y_bar, OPERAND_SHAPE(0));
}

evn_value evn__jvp_SUM(const evn__site *site, const evn_value *x_dot) {
    unsigned axes = ((1u << site->node.attributes.axes) - 1) << site->node.attributes.axis;
    return evn_sum(site->graph, x_dot[0], axes);
}
