// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

/// Images, windows and strides: overlapping windows, gaps between them, rows left over at the end.
typedef struct pooling {
    evn_shape x;
    int window, stride;
} pooling;

static const pooling poolings[] = {
    {{4, {2, 5, 7, 3}}, 2, 2},  {{4, {2, 5, 7, 16}}, 3, 1}, {{4, {1, 6, 5, 1}}, 3, 2},
    {{4, {3, 4, 4, 32}}, 1, 1}, {{4, {3, 5, 4, 10}}, 1, 2}, {{4, {1, 1, 1, 1}}, 1, 1},
    {{4, {2, 9, 8, 4}}, 2, 3},  {{4, {2, 7, 6, 8}}, 4, 3},  {{4, {2, 6, 6, 48}}, 6, 1},
};
enum { POOLINGS = sizeof(poolings) / sizeof(*poolings) };

static evn_shape pooled(pooling p) {
    evn_shape y = p.x;
    y.dim[1] = (p.x.dim[1] - p.window) / p.stride + 1;
    y.dim[2] = (p.x.dim[2] - p.window) / p.stride + 1;
    return y;
}

START_TEST(mean) {
    pooling p = poolings[_i];
    evn_value x;
    evn_graph *graph = graph_with_input(p.x, &x);
    check_value(graph, evn_mean_pool2d(graph, x, p.window, p.stride), fill_uniform);
    graph = graph_with_input(pooled(p), &x);
    check_value(graph, evn_mean_pool2d_grad(graph, x, p.x, p.window, p.stride), fill_uniform);
}
END_TEST

static void check_maximum(pooling p, fill_input *fill) {
    evn_value x, second;
    evn_graph *graph = graph_with_input(p.x, &x);
    check_value(graph, evn_max_pool2d(graph, x, p.window, p.stride), fill);
    graph = graph_with_input(p.x, &x);
    second = evn_input(graph, "v", p.x);
    check_value(graph, evn_max_pool2d_select(graph, x, second, p.window, p.stride), fill);
    graph = graph_with_input(p.x, &x);
    second = evn_input(graph, "y_bar", pooled(p));
    check_value(graph, evn_max_pool2d_scatter(graph, x, second, p.window, p.stride), fill);
}

/// fill_ties: of equal elements the first in row order counts, for both derivatives alike.
START_TEST(maximum) {
    check_maximum(poolings[_i], fill_uniform);
    check_maximum(poolings[_i], fill_ties);
}
END_TEST

START_TEST(not_a_number) {
    check_maximum(poolings[_i], fill_with_nan);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("pool2d");
    TCase *means = tcase_create("mean");
    tcase_add_loop_test(means, mean, 0, POOLINGS);
    suite_add_tcase(s, means);
    TCase *maxima = tcase_create("maximum");
    tcase_add_loop_test(maxima, maximum, 0, POOLINGS);
    tcase_add_loop_test(maxima, not_a_number, 0, POOLINGS);
    suite_add_tcase(s, maxima);
    return s;
}

int main(void) {
    return test_run(suite());
}
