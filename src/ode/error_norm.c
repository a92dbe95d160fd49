// SPDX-License-Identifier: Apache-2.0
#include "ode/error_norm.h"

/// Joins the ratios of one more state, [each or more], to a norm, [each].
typedef evn_value join(evn_graph *graph, evn_value norm, evn_value ratio, evn_shape each);

static double elements(evn_graph *g, evn_value ratio, evn_shape each) {
    return (double)(evn_shape_count(evn_value_shape(g, ratio)) / evn_shape_count(each));
}

static evn_value sum_of_squares(evn_graph *g, evn_value ratio, evn_shape each) {
    return evn_sum_to(g, evn_mul(g, ratio, ratio), each);
}

static evn_value largest_mean(evn_graph *g, evn_value norm, evn_value ratio, evn_shape each) {
    evn_value sum = sum_of_squares(g, ratio, each);
    double count = elements(g, ratio, each);
    return evn_maximum(g, norm, evn_sqrt(g, evn_scale(g, sum, 1 / count)));
}

static evn_value mean(evn_graph *g, evn_value norm, evn_value ratio, evn_shape each) {
    return evn_add(g, norm, sum_of_squares(g, ratio, each));
}

/// Halves are laid on each other, with one element in both where their number is odd.
static evn_value largest(evn_graph *g, evn_value norm, evn_value ratio, evn_shape each) {
    int64_t rows = evn_shape_count(each), width = (int64_t)elements(g, ratio, each);
    evn_value all = evn_reshape(g, evn_abs(g, ratio), EVN_SHAPE(rows, width));
    while (width > 1) {
        int64_t half = (width + 1) / 2;
        const int64_t low[] = {0, 0}, high[] = {0, width - half};
        evn_shape shape = EVN_SHAPE(rows, half);
        all = evn_maximum(g, evn_slice(g, all, low, shape), evn_slice(g, all, high, shape));
        width = half;
    }
    return evn_maximum(g, norm, evn_reshape(g, all, each));
}

static evn_value as_it_is(evn_graph *g, evn_value norm, double count) {
    (void)g;
    (void)count;
    return norm;
}

static evn_value root_of_mean(evn_graph *g, evn_value norm, double count) {
    return evn_sqrt(g, evn_scale(g, norm, 1 / count));
}

static const struct {
    const char *name;
    evn__norm_reach reach;
    join *add;
    evn_value (*end)(evn_graph *graph, evn_value norm, double count);
} norms[] = {
    [EVN_NORM_STATE] = {"state", EVN__REACH_STATE, largest_mean, as_it_is},
    [EVN_NORM_SEMINORM] = {"seminorm", EVN__REACH_EVOLVING, largest_mean, as_it_is},
    [EVN_NORM_MIXED] = {"mixed", EVN__REACH_CONSTANT, largest_mean, as_it_is},
    [EVN_NORM_RMS] = {"rms", EVN__REACH_EVOLVING, mean, root_of_mean},
    [EVN_NORM_COMPONENT] = {"component", EVN__REACH_EVOLVING, largest, as_it_is},
};
enum { NORMS = sizeof(norms) / sizeof(norms[0]) };

const char *evn_norm_name(int index) {
    return index >= 0 && index < NORMS ? norms[index].name : NULL;
}

evn__norm_reach evn__norm_reach_of(evn_norm norm) {
    return norms[norm].reach;
}

evn__error_norm evn__error_norm_begin(evn__step_build *step) {
    return (evn__error_norm){.value = evn_constant(step->graph, 0)};
}

evn__error_norm evn__error_norm_begin_rows(evn__step_build *step, int64_t rows) {
    return (evn__error_norm){.value = evn_constant(step->graph, 0), .rows = rows};
}

static void join_ratio(evn__step_build *step, evn__error_norm *norm, evn_value ratio,
                       evn_shape each) {
    norm->count += elements(step->graph, ratio, each);
    norm->value = norms[step->system->options.norm].add(step->graph, norm->value, ratio, each);
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
    return norms[step->system->options.norm].end(step->graph, norm->value, norm->count);
}

evn_value evn__error_tolerance(evn__step_build *step, evn_value size) {
    evn_graph *g = step->graph;
    return evn_add(g, step->atol, evn_mul(g, step->rtol, size));
}
