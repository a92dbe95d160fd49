// SPDX-License-Identifier: Apache-2.0
// How much of a plan over samples is written element by element before it is left to the kernels of
// the families, which are right, too.
#include "base/number.h"
#include "ops/lower.h"
#include "plan/plan.h"
#include "run_plan.h"
#include "samples/samples.h"
#include "test.h"

enum { ROWS = 37, COLUMNS = 4, TERMS = COLUMNS * (COLUMNS + 1) };

static const char *const names[] = {"x", NULL};

/// x [ROWS, COLUMNS] through `count` layers, each of TERMS terms, a product and its tanh.
static evn_graph *chain(int count) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value y = evn_input(g, "x", EVN_SHAPE(ROWS, COLUMNS));
    evn_value a = evn_input(g, "a", EVN_SHAPE(COLUMNS, COLUMNS));
    for (int i = 0; i < count; ++i) {
        y = evn_tanh(g, evn_matmul(g, y, a, false, i % 2 == 1));
    }
    evn_output(g, "y", y);
    TRY(evn_graph_status(g));
    return g;
}

/// Samples of a work-item; 0: the families compute it.
static int per_item(const evn_graph *g) {
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), g, &(evn_plan_options){.sample_inputs = names}, &plan));
    int samples = plan->units.samples_per_item;
    evn_plan_destroy(&plan);
    return samples;
}

/// As many terms as may be unrolled, and one layer more.
START_TEST(unrolled) {
    enum { MOST = EVN__SAMPLES_MAX_UNROLLED / TERMS };
    evn_graph *most = chain(MOST), *more = chain(MOST + 1);
    if (evn_device_get_info(test_device())->type == EVN_DEVICE_CPU) {
        ck_assert_int_gt(per_item(most), 0);
    }
    ck_assert_int_eq(per_item(more), 0);
    evn_graph_destroy(&most);
    evn_graph_destroy(&more);
}
END_TEST

/// What is left to the families is computed.
START_TEST(beyond) {
    enum { MORE = EVN__SAMPLES_MAX_UNROLLED / TERMS + 1 };
    evn_graph *g = chain(MORE);
    check_options(g, &(evn_plan_options){.sample_inputs = names}, 5);
    evn_graph_destroy(&g);
}
END_TEST

/// y = x · Σ w² + Σ v, w and v the same for all samples: sums over two axes of w, and two of three
/// of v, which follow each other in memory; with `turned` they do not.
static evn_graph *sums_over_axes(bool turned) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(ROWS, COLUMNS));
    evn_value w = evn_input(g, "w", EVN_SHAPE(9, 11)),
              v = evn_input(g, "v", EVN_SHAPE(COLUMNS, 3, 5));
    evn_value squares = evn_mul(g, w, w);
    const int axes[] = {1, 0};
    squares = turned ? evn_permute(g, squares, axes) : squares;
    evn_value size = evn_reshape(g, evn_sum(g, squares, 3u), EVN_SCALAR);
    evn_value rows = evn_reshape(g, evn_sum(g, v, 6u), EVN_SHAPE(COLUMNS));
    evn_output(g, "y", evn_add(g, evn_mul(g, x, size), rows));
    evn_output(g, "of_columns", evn_sum(g, evn_reshape(g, v, EVN_SHAPE(COLUMNS * 3, 5)), 1u));
    TRY(evn_graph_status(g));
    return g;
}

/// What error norms of weights add up leaves no plan to the families.
START_TEST(uniform_sums) {
    evn_graph *g = sums_over_axes(_i);
    if (_i == 0 && evn_device_get_info(test_device())->type == EVN_DEVICE_CPU) {
        ck_assert_int_gt(per_item(g), 0);
    }
    check_options(g, &(evn_plan_options){.sample_inputs = names}, 5);
    evn_graph_destroy(&g);
}
END_TEST

/// x and its sums with what so many weights, more than a kernel has arguments for, are by products,
/// sums, elements or rows.
static evn_graph *many(int kind) {
    enum { WEIGHTS = EVN__MAX_OPERANDS + 12, INNER = 5 };
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(ROWS, COLUMNS)), y = x;
    evn_value v = evn_input(g, "v", EVN_SHAPE(INNER, COLUMNS));
    for (int i = 0; i < WEIGHTS; ++i) {
        char name[16];
        evn__print(name, sizeof(name), "w%d", i);
        evn_value w = evn_input(g, name, EVN_SHAPE(1, INNER));
        evn_value one = kind == 0   ? evn_matmul(g, w, v, false, false)
                        : kind == 1 ? evn_sum_all(g, evn_mul(g, w, w))
                        : kind == 2
                            ? evn_matmul(g, evn_sin(g, w), v, false, false)
                            : evn_matmul(g, evn_matmul(g, x, v, false, true), w, false, true);
        evn_shape row = EVN_SHAPE(1, COLUMNS), shape = EVN_SHAPE(ROWS, COLUMNS);
        one = kind == 3 ? one : evn_broadcast(g, kind == 1 ? one : evn_reshape(g, one, row), shape);
        y = evn_add(g, y, kind == 3 ? evn_broadcast(g, one, shape) : one);
    }
    evn_output(g, "y", y);
    TRY(evn_graph_status(g));
    return g;
}

/// What there is no argument for is read nowhere else.
START_TEST(more_than_arguments) {
    evn_graph *g = many(_i);
    check_options(g, &(evn_plan_options){.sample_inputs = names}, 5);
    evn_graph_destroy(&g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("samples");
    test_add(suite, tcase_create("unrolled"), unrolled);
    test_add(suite, tcase_create("beyond"), beyond);
    TCase *sums = tcase_create("sums");
    tcase_add_loop_test(sums, uniform_sums, 0, 2);
    suite_add_tcase(suite, sums);
    TCase *arguments = tcase_create("arguments");
    tcase_add_loop_test(arguments, more_than_arguments, 0, 4);
    suite_add_tcase(suite, arguments);
    return test_run(suite);
}
