// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

#include <stdio.h>

enum { RANDOM_CASES = 40 };

/// Uniform in 0 … bound − 1.
static int64_t below(uint64_t seed, int64_t bound) {
    double x;
    test_uniform(seed, 0, (double)bound, &x, 1);
    return (int64_t)x;
}

static void check_pad(evn_shape part, const int64_t *start, evn_shape whole, fill_input *fill) {
    evn_value x;
    evn_graph *graph = graph_with_input(part, &x);
    check_value(graph, evn_pad(graph, x, start, whole), fill);
}

/// Ranks 1 … 6, each axis padded or not.
START_TEST(pad_random) {
    evn_shape whole = {.rank = _i % EVN_MAX_RANK + 1}, part = whole;
    int64_t start[EVN_MAX_RANK];
    for (int i = 0; i < whole.rank; ++i) {
        uint64_t seed = (uint64_t)(_i * EVN_MAX_RANK + i) * 4;
        whole.dim[i] = 2 + below(seed, 5);
        part.dim[i] = below(seed + 1, 3) ? 1 + below(seed + 2, whole.dim[i]) : whole.dim[i];
        start[i] = below(seed + 3, whole.dim[i] - part.dim[i] + 1);
    }
    part.dim[whole.rank - 1] = 1 + (part.dim[whole.rank - 1] - 1) % (whole.dim[whole.rank - 1] - 1);
    check_pad(part, start, whole, fill_uniform);
}
END_TEST

/// Rows longer than the run of a task, with begin and end inside one; a NaN is copied.
START_TEST(pad_long_rows) {
    check_pad(EVN_SHAPE(3000), (int64_t[]){1030}, EVN_SHAPE(5000), fill_uniform);
    check_pad(EVN_SHAPE(2, 10), (int64_t[]){1, 2040}, EVN_SHAPE(4, 2050), fill_uniform);
    check_pad(EVN_SHAPE(3, 5, 7, 16), (int64_t[]){0, 1, 1, 0}, EVN_SHAPE(3, 7, 9, 16),
              fill_with_nan);
}
END_TEST

static void check_concat(evn_shape shape, const int64_t *extents, int count, int axis) {
    evn_value parts[EVN_MAX_INPUTS];
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    for (int i = 0; i < count; ++i) {
        char name[16];
        snprintf(name, sizeof(name), "part%d", i);
        shape.dim[axis] = extents[i];
        parts[i] = evn_input(graph, name, shape);
    }
    check_value(graph, evn_concat(graph, parts, count, axis), fill_with_nan);
}

START_TEST(concat_random) {
    evn_shape shape = {.rank = _i % EVN_MAX_RANK + 1};
    int64_t extents[EVN_MAX_INPUTS];
    for (int i = 0; i < shape.rank; ++i) {
        shape.dim[i] = 1 + below((uint64_t)(_i * EVN_MAX_RANK + i), 5);
    }
    int count = 2 + (int)below((uint64_t)_i + 1000, EVN_MAX_INPUTS - 1);
    for (int i = 0; i < count; ++i) {
        extents[i] = 1 + below((uint64_t)(_i * EVN_MAX_INPUTS + i) + 2000, 6);
    }
    check_concat(shape, extents, count, (int)below((uint64_t)_i + 3000, shape.rank));
}
END_TEST

START_TEST(concat_long_rows) {
    check_concat(EVN_SHAPE(1), (int64_t[]){3000, 1, 1024}, 3, 0);
    check_concat(EVN_SHAPE(3, 1, 17), (int64_t[]){100, 61}, 2, 1);
    check_concat(EVN_SHAPE(5, 6, 6, 1), (int64_t[]){64, 1}, 2, 3);
}
END_TEST

/// The same value twice.
START_TEST(concat_with_itself) {
    evn_value x;
    evn_graph *graph = graph_with_input(EVN_SHAPE(3, 5), &x);
    check_value(graph, evn_concat(graph, (evn_value[]){x, x}, 2, 1), fill_uniform);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("layout");
    TCase *pad = tcase_create("pad");
    tcase_add_loop_test(pad, pad_random, 0, RANDOM_CASES);
    tcase_add_test(pad, pad_long_rows);
    suite_add_tcase(s, pad);
    TCase *concat = tcase_create("concat");
    tcase_add_loop_test(concat, concat_random, 0, RANDOM_CASES);
    tcase_add_test(concat, concat_long_rows);
    tcase_add_test(concat, concat_with_itself);
    suite_add_tcase(s, concat);
    return s;
}

int main(void) {
    return test_run(suite());
}
