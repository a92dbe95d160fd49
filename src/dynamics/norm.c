// SPDX-License-Identifier: Apache-2.0
#include "dynamics/norm.h"

double evn__norm_elements(evn_graph *g, evn_value ratio, evn_shape each) {
    return (double)(evn_shape_count(evn_value_shape(g, ratio)) / evn_shape_count(each));
}

static evn_value sum_of_squares(evn_graph *g, evn_value ratio, evn_shape each) {
    return evn_sum_to(g, evn_mul(g, ratio, ratio), each);
}

static evn_value largest_mean(evn_graph *g, evn_value norm, evn_value ratio, evn_shape each) {
    evn_value sum = sum_of_squares(g, ratio, each);
    double count = evn__norm_elements(g, ratio, each);
    return evn_maximum(g, norm, evn_sqrt(g, evn_scale(g, sum, 1 / count)));
}

static evn_value mean(evn_graph *g, evn_value norm, evn_value ratio, evn_shape each) {
    return evn_add(g, norm, sum_of_squares(g, ratio, each));
}

/// Halves are laid on each other, with one element in both where their number is odd.
static evn_value largest(evn_graph *g, evn_value norm, evn_value ratio, evn_shape each) {
    int64_t rows = evn_shape_count(each), width = (int64_t)evn__norm_elements(g, ratio, each);
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

static const evn__norm_kind norms[] = {
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

const evn__norm_kind *evn__norm_kind_of(evn_norm norm) {
    return &norms[norm];
}
