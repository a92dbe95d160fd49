// SPDX-License-Identifier: Apache-2.0
#include "methods/error_norm.h"

static const evn__norm_kind *kind_of(const evn__step_build *step) {
    return evn__norm_kind_of(step->system->options.norm);
}

evn__error_norm evn__error_norm_begin(evn__step_build *step) {
    return (evn__error_norm){.value = evn_constant(step->graph, 0)};
}

evn__error_norm evn__error_norm_begin_rows(evn__step_build *step, int64_t rows) {
    return (evn__error_norm){.value = evn_constant(step->graph, 0), .rows = rows};
}

static void join_ratio(evn__step_build *step, evn__error_norm *norm, evn_value ratio,
                       evn_shape each) {
    norm->count += evn__norm_elements(step->graph, ratio, each);
    norm->value = kind_of(step)->add(step->graph, norm->value, ratio, each);
}

/// Each state that this one stands for.
static void join_parts(evn__step_build *step, evn__error_norm *norm, evn_value ratio,
                       evn_shape each) {
    evn_graph *g = step->graph;
    int64_t start = 0, all = evn_shape_count(evn_value_shape(g, ratio));
    evn_value side_by_side = evn_reshape(g, ratio, EVN_SHAPE(all));
    for (int i = 0; i < step->system->part_count; ++i) {
        int64_t part = step->system->parts[i];
        join_ratio(step, norm, evn_slice(g, side_by_side, &start, EVN_SHAPE(part)), each);
        start += part;
    }
}

void evn__error_norm_add(evn__step_build *step, evn__error_norm *norm, int state, evn_value x,
                         evn_value scale) {
    evn_graph *g = step->graph;
    evn_value ratio = evn_div(g, x, scale);
    evn_shape each = evn_value_shape(g, step->t);
    if (norm->rows > 0) {
        int64_t all = evn_shape_count(evn_value_shape(g, ratio));
        each = EVN_SHAPE(norm->rows, 1);
        ratio = evn_reshape(g, ratio, EVN_SHAPE(norm->rows, all / norm->rows));
    }
    bool apart = state < step->system->parted && evn_shape_count(each) == 1;
    (apart ? join_parts : join_ratio)(step, norm, ratio, each);
}

evn_value evn__error_norm_end(evn__step_build *step, const evn__error_norm *norm) {
    return kind_of(step)->end(step->graph, norm->value, norm->count);
}

evn_value evn__error_tolerance(evn__step_build *step, evn_value size) {
    evn_graph *g = step->graph;
    return evn_add(g, step->atol, evn_mul(g, step->rtol, size));
}
