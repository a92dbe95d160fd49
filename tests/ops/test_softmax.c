// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

#include <math.h>

static void check_log_softmax(evn_shape shape, fill_input *fill) {
    evn_value x;
    evn_graph *graph = graph_with_input(shape, &x);
    check_value(graph, evn_log_softmax(graph, x), fill);
}

START_TEST(shapes) {
    const int64_t classes[] = {1, 2, 3, 10, 15, 16, 17, 33, 100, 1000};
    check_log_softmax(EVN_SHAPE(5, classes[_i]), fill_uniform);
    check_log_softmax(EVN_SHAPE(2, 3, classes[_i]), fill_uniform);
    check_log_softmax(EVN_SHAPE(classes[_i]), fill_uniform);
    check_log_softmax(EVN_SHAPE(131, classes[_i]), fill_uniform);
}
END_TEST

static void fill_wide(uint64_t seed, double *data, int64_t count) {
    test_uniform(seed, -2000, 2000, data, count);
}

static void fill_infinite(uint64_t seed, double *data, int64_t count) {
    fill_uniform(seed, data, count);
    for (int64_t i = 0; i < count; i += 2) {
        data[i] = -INFINITY;
    }
}

/// exp of these overflows; and e^−∞ = 0 leaves the other classes finite.
START_TEST(overflow) {
    check_log_softmax(EVN_SHAPE(7, 10), fill_wide);
    evn_value x;
    evn_graph *graph = graph_with_input(EVN_SHAPE(4, 3), &x);
    evn_value y = evn_exp(graph, evn_log_softmax(graph, x));
    check_value(graph, y, fill_infinite);
}
END_TEST

START_TEST(not_a_number) {
    check_log_softmax(EVN_SHAPE(20, 5), fill_with_nan);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("softmax");
    TCase *sizes = tcase_create("shapes");
    tcase_add_loop_test(sizes, shapes, 0, 10);
    suite_add_tcase(s, sizes);
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, overflow);
    tcase_add_test(numbers, not_a_number);
    suite_add_tcase(s, numbers);
    return s;
}

int main(void) {
    return test_run(suite());
}
