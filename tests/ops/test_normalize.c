// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

static void check_normalize(evn_shape shape, int groups, fill_input *fill) {
    evn_value x;
    evn_graph *graph = graph_with_input(shape, &x);
    evn_output(graph, "y", evn_normalize(graph, x, groups, 1e-5));
    check_op(graph, fill, 1e-5);
    evn_graph_destroy(&graph);
}

static void check_gradient(evn_shape shape, int groups, fill_input *fill) {
    evn_value x;
    evn_graph *graph = graph_with_input(shape, &x);
    evn_value v = evn_input(graph, "v", shape);
    evn_output(graph, "y", evn_normalize_grad(graph, x, v, groups, 1e-2));
    check_op(graph, fill, 1e-5);
    evn_graph_destroy(&graph);
}

/// Channels and groups: vectors that hold several groups, groups of several vectors, and neither;
/// on GPUs also what the rows of a work-group hold, and groups that are wider.
static const int channels_groups[][2] = {
    {1, 1},  {3, 3},   {6, 2},  {8, 4},   {16, 16}, {16, 8}, {16, 4},  {16, 2}, {16, 1},  {24, 8},
    {36, 3}, {64, 32}, {64, 2}, {48, 48}, {96, 32}, {20, 1}, {160, 2}, {70, 1}, {130, 2},
};
enum { CASES = sizeof(channels_groups) / sizeof(*channels_groups) };

START_TEST(groups) {
    int64_t channels = channels_groups[_i][0];
    int count = channels_groups[_i][1];
    check_normalize(EVN_SHAPE(3, 5, 7, channels), count, fill_uniform);
    check_normalize(EVN_SHAPE(2, 3, channels), count, fill_uniform);
    check_normalize(EVN_SHAPE(5, channels), count, fill_uniform);
    check_gradient(EVN_SHAPE(3, 5, 7, channels), count, fill_uniform);
    check_gradient(EVN_SHAPE(5, channels), count, fill_uniform);
}
END_TEST

/// A mean far above the spread: the variance is not a difference of large numbers.
START_TEST(far_from_zero) {
    check_normalize(EVN_SHAPE(2, 11, 13, 32), 16, fill_far);
    check_normalize(EVN_SHAPE(2, 11, 13, 6), 3, fill_far);
}
END_TEST

START_TEST(not_a_number) {
    check_normalize(EVN_SHAPE(9, 2, 16), 8, fill_with_nan);
    check_normalize(EVN_SHAPE(9, 3), 3, fill_with_nan);
    check_gradient(EVN_SHAPE(9, 2, 16), 8, fill_with_nan);
    check_normalize(EVN_SHAPE(3, 40, 64), 32, fill_with_nan);
    check_gradient(EVN_SHAPE(3, 40, 64), 32, fill_with_nan);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("normalize");
    TCase *shapes = tcase_create("shapes");
    tcase_add_loop_test(shapes, groups, 0, CASES);
    suite_add_tcase(s, shapes);
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, far_from_zero);
    tcase_add_test(numbers, not_a_number);
    suite_add_tcase(s, numbers);
    return s;
}

int main(void) {
    return test_run(suite());
}
