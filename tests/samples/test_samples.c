// SPDX-License-Identifier: Apache-2.0
// How much of a plan over samples is written element by element before it is left to the kernels of
// the families, which are right, too.
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

int main(void) {
    Suite *suite = suite_create("samples");
    test_add(suite, tcase_create("unrolled"), unrolled);
    test_add(suite, tcase_create("beyond"), beyond);
    TCase *sums = tcase_create("sums");
    tcase_add_loop_test(sums, uniform_sums, 0, 2);
    suite_add_tcase(suite, sums);
    return test_run(suite);
}
