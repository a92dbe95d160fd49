// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

#include "run_plan.h"
#include "variants.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill_small(uint64_t seed, double *data, int64_t count) {
    test_uniform(seed, -0.1, 0.1, data, count);
}

/// What is far from singular, once its rows have changed places.
static evn_value shifted(evn_graph *g, evn_value a, evn_shape shape, int64_t n) {
    double *one = calloc((size_t)(n * n), sizeof(*one));
    ck_assert_ptr_nonnull(one);
    for (int64_t i = 0; i < n; ++i) {
        one[i * n + (i + 1) % n] = (double)n;
    }
    evn_value sum = evn_add(g, a, evn_table(g, shape, one));
    free(one);
    return sum;
}

static void check_solve(int64_t samples, int64_t n, bool transposed, fill_input *fill) {
    evn_value a;
    evn_graph *g = graph_with_input(EVN_SHAPE(samples, n, n), &a);
    evn_value b = evn_input(g, "b", EVN_SHAPE(samples, n));
    check_value(g, evn_linear_solve(g, shifted(g, a, EVN_SHAPE(n, n), n), b, transposed), fill);
}

START_TEST(shapes) {
    const int64_t sizes[] = {1, 2, 3, 4, 8, 17, 32, 65};
    const int64_t samples[] = {1, 3, 130};
    for (int i = 0; i < 3; ++i) {
        check_solve(samples[i], sizes[_i], false, fill_small);
        check_solve(samples[i], sizes[_i], true, fill_small);
    }
}
END_TEST

/// A sample with a NaN is NaN, the others are not.
START_TEST(not_a_number) {
    check_solve(20, 3, false, fill_with_nan);
}
END_TEST

/// In the kernels that carry a sample in each lane or work-item, each system is its sample's own.
static void check_samples(int64_t n) {
    evn_value a;
    int64_t rows = 70;
    evn_graph *g = graph_with_input(EVN_SHAPE(rows, n * n), &a);
    evn_value b = evn_input(g, "b", EVN_SHAPE(rows, n));
    evn_value matrix = evn_reshape(g, shifted(g, a, EVN_SHAPE(n * n), n), EVN_SHAPE(rows, n, n));
    evn_value x = evn_linear_solve(g, matrix, b, false);
    evn_output(g, "x", evn_tanh(g, x));
    evn_output(g, "y", evn_linear_solve(g, matrix, evn_mul(g, x, b), true));
    static const char *const samples[] = {"x", "b", NULL};
    const evn_plan_options options = {.sample_inputs = samples};
    check_options(g, &options, 7);
    evn_plan *plan = NULL;
    char *text = NULL;
    TRY(evn_plan_create(test_device(), g, &options, &plan));
    TRY(evn_plan_print(plan, &text));
    ck_assert_ptr_nonnull(strstr(text, "samples_"));
    free(text);
    evn_plan_destroy(&plan);
    evn_graph_destroy(&g);
}

START_TEST(samples) {
    const int64_t sizes[] = {1, 3, 8, 16};
    evn_device_type own = evn_device_get_info(test_device())->type;
    check_samples(sizes[_i]);
    test_act_as(EVN_DEVICE_GPU);
    check_samples(sizes[_i]);
    test_act_as(own);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solve");
    TCase *sizes = tcase_create("shapes"); // whole: long
    test_add_share(sizes, shapes, 0, 8, 3);
    suite_add_tcase(s, sizes);
    TCase *lanes = tcase_create("samples"); // whole: long
    test_add_share(lanes, samples, 0, 4, 3);
    suite_add_tcase(s, lanes);
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, not_a_number);
    suite_add_tcase(s, numbers);
    return s;
}

int main(void) {
    return test_run(suite());
}
