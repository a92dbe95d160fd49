// SPDX-License-Identifier: Apache-2.0
#include "ode/error_norm.h"

evn__error_norm evn__error_norm_begin(evn__step_build *step) {
    return (evn__error_norm){.value = evn_constant(step->graph, 0)};
}

evn__error_norm evn__error_norm_begin_rows(evn__step_build *step, int64_t rows) {
    return (evn__error_norm){.value = evn_constant(step->graph, 0), .rows = rows};
}

/// The sum over what has one norm; *count is how many elements that is.
static evn_value sum_up(evn__step_build *step, const evn__error_norm *norm, evn_value x,
                        double *count) {
    evn_graph *g = step->graph;
    int64_t elements = evn_shape_count(evn_value_shape(g, x));
    evn_shape each = evn_value_shape(g, step->t);
    if (norm->rows > 0) {
        each = EVN_SHAPE(norm->rows, 1);
        x = evn_reshape(g, x, EVN_SHAPE(norm->rows, elements / norm->rows));
    }
    *count = (double)(elements / evn_shape_count(each));
    return evn_sum_to(g, x, each);
}

void evn__error_norm_add(evn__step_build *step, evn__error_norm *norm, evn_value x,
                         evn_value scale) {
    evn_graph *g = step->graph;
    evn_value ratio = evn_div(g, x, scale);
    double count;
    evn_value sum = sum_up(step, norm, evn_mul(g, ratio, ratio), &count);
    norm->count += count;
    norm->value = step->system->joint
                      ? evn_add(g, norm->value, sum)
                      : evn_maximum(g, norm->value, evn_sqrt(g, evn_scale(g, sum, 1 / count)));
}

evn_value evn__error_norm_end(evn__step_build *step, const evn__error_norm *norm) {
    evn_graph *g = step->graph;
    return step->system->joint ? evn_sqrt(g, evn_scale(g, norm->value, 1 / norm->count))
                               : norm->value;
}

evn_value evn__error_tolerance(evn__step_build *step, evn_value size) {
    evn_graph *g = step->graph;
    return evn_add(g, step->atol, evn_mul(g, step->rtol, size));
}
