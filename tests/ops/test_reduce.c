// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

static void check_sum(evn_shape shape, unsigned axes, fill_input *fill) {
    evn_value x;
    evn_graph *graph = graph_with_input(shape, &x);
    check_value(graph, evn_sum(graph, x, axes), fill);
}

static const evn_shape shapes[] = {
    {1, {7}},
    {1, {33}},
    {2, {3, 5}},
    {2, {7, 17}},
    {2, {5, 16}},
    {3, {2, 3, 5}},
    {3, {3, 65, 10}},
    {4, {4, 3, 2, 16}},
    {5, {2, 3, 4, 5, 6}},
    {6, {2, 3, 2, 3, 2, 5}},
};
enum { SHAPES = sizeof(shapes) / sizeof(*shapes) };

/// Every subset of axes of every rank.
START_TEST(all_axes) {
    for (unsigned axes = 1; axes < 1u << shapes[_i].rank; ++axes) {
        check_sum(shapes[_i], axes, fill_uniform);
    }
}
END_TEST

/// Extents around the widths of vectors and of their unrolled loops, summed and kept.
START_TEST(around_vectors) {
    const int64_t extents[] = {1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64};
    int64_t extent = extents[_i];
    check_sum(EVN_SHAPE(3, extent), 2, fill_uniform);
    check_sum(EVN_SHAPE(extent, 7), 1, fill_uniform);
    check_sum(EVN_SHAPE(5, extent), 1, fill_uniform);
    check_sum(EVN_SHAPE(2, 9, extent), 2, fill_uniform);
}
END_TEST

/// Long enough for two passes; numbers far from zero show a rounding error that grows with length.
START_TEST(two_passes) {
    check_sum(EVN_SHAPE(300001), 1, fill_far);
    check_sum(EVN_SHAPE(2, 150001), 2, fill_far);
    check_sum(EVN_SHAPE(100003, 3), 1, fill_far);
    check_sum(EVN_SHAPE(9973, 32), 1, fill_far);
    check_sum(EVN_SHAPE(3, 4001, 18), 2, fill_far);
}
END_TEST

START_TEST(not_a_number) {
    check_sum(EVN_SHAPE(40, 6), 2, fill_with_nan);
    check_sum(EVN_SHAPE(5, 16), 1, fill_with_nan);
    check_sum(EVN_SHAPE(200000), 1, fill_with_nan);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("reduce");
    TCase *axes = tcase_create("axes");
    tcase_add_loop_test(axes, all_axes, 0, SHAPES);
    suite_add_tcase(s, axes);
    TCase *sizes = tcase_create("sizes");
    tcase_add_loop_test(sizes, around_vectors, 0, 14);
    tcase_add_test(sizes, two_passes);
    tcase_add_test(sizes, not_a_number);
    suite_add_tcase(s, sizes);
    return s;
}

int main(void) {
    return test_run(suite());
}
