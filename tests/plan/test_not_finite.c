// SPDX-License-Identifier: Apache-2.0
// NaN and infinities in every element-wise operation and in its tangent: generated kernels, one
// kernel an operation, epilogues and lanes of samples give what the reference gives.
#include "derivative.h"
#include "evonode/diff.h"
#include "graph/node.h"
#include "run_plan.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

enum { VALUES = 9, PAIRS = VALUES * VALUES, COLUMNS = 16 };

static const double special[VALUES] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1, -1, 0.5, -2};

static evn_value (*const unary[])(evn_graph *, evn_value) = {
    evn_neg, evn_abs, evn_sign, evn_step, evn_exp,     evn_log,     evn_sqrt,
    evn_sin, evn_cos, evn_tanh, evn_relu, evn_sigmoid, evn_softplus};
static evn_value (*const binary[])(evn_graph *, evn_value, evn_value) = {
    evn_add, evn_sub, evn_mul, evn_div, evn_maximum, evn_mask};
enum { UNARY = sizeof(unary) / sizeof(unary[0]), BINARY = sizeof(binary) / sizeof(binary[0]) };

/// All operations on all pairs of x and y: as they are, or behind a product that repeats them,
/// whose epilogue the operations then are.
static evn_graph *all_operations(bool behind) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(PAIRS, 1));
    evn_value y = evn_input(g, "y", EVN_SHAPE(PAIRS, 1));
    if (behind) {
        evn_value ones = evn_input(g, "ones", EVN_SHAPE(1, COLUMNS));
        x = evn_matmul(g, x, ones, false, false);
        y = evn_matmul(g, y, ones, false, false);
    }
    for (int i = 0; i < UNARY + BINARY; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "y%d", i);
        evn_output(g, name, i < UNARY ? unary[i](g, x) : binary[i - UNARY](g, x, y));
    }
    TRY(evn_graph_status(g));
    return g;
}

static bool is_same(double got, double expected) {
    if (isnan(expected) || isinf(expected)) {
        return isnan(expected) ? isnan(got) : got == expected;
    }
    return fabs(got - expected) <= 1e-5 * fmax(1, fabs(expected));
}

static void check(const evn_graph *g, const evn_plan_options *options) {
    values inputs = values_like_inputs(g, 1, 1, 2); // the tangents stay numbers
    for (int i = 0; i < PAIRS; ++i) {
        inputs.data[0][i] = special[i / VALUES];
        inputs.data[1][i] = special[i % VALUES];
    }
    int ones = evn_graph_find_input(g, "ones");
    for (int i = 0; ones >= 0 && i < COLUMNS; ++i) {
        inputs.data[ones][i] = 1;
    }
    for (int i = 2; i < inputs.count && ones < 0; ++i) {
        for (int k = 0; k < PAIRS; ++k) {
            inputs.data[i][k] = (float)inputs.data[i][k];
        }
    }
    values expected = values_run(g, &inputs), got = values_run(g, &inputs);
    run_plan(g, options, inputs.data, got.data);
    for (int i = 0; i < got.count; ++i) {
        int64_t count = evn_shape_count(evn_value_shape(g, evn_graph_output(g, i)));
        for (int64_t k = 0; k < count; ++k) {
            int pair = (int)(k / (count / PAIRS));
            ck_assert_msg(is_same(got.data[i][k], expected.data[i][k]),
                          "output %s of %g and %g: %g, the reference gives %g",
                          evn_graph_output_name(g, i), special[pair / VALUES],
                          special[pair % VALUES], got.data[i][k], expected.data[i][k]);
        }
    }
    values_free(&inputs);
    values_free(&expected);
    values_free(&got);
}

static evn_plan_options mode(int index) {
    static const char *const samples[] = {"x", "y", "x_dot", "y_dot", NULL};
    return (evn_plan_options){.fp64 = index & 1,
                              .no_fuse = index / 2 == 1,
                              .all_epilogues = index / 2 == 2,
                              .sample_inputs = index / 2 == 3 ? samples : NULL};
}

static bool can_run(const evn_plan_options *options) {
    return !options->fp64 || evn_device_get_info(test_device())->has_fp64;
}

START_TEST(values_of_operations) {
    evn_plan_options options = mode(_i);
    if (can_run(&options)) {
        evn_graph *g = all_operations(options.all_epilogues);
        check(g, &options);
        evn_graph_destroy(&g);
    }
}
END_TEST

START_TEST(tangents_of_operations) {
    evn_plan_options options = mode(_i);
    evn_graph *g = all_operations(false), *jvp = NULL;
    if (can_run(&options)) {
        TRY(evn_jvp(g, NULL, &jvp));
        check(jvp, &options);
        evn_graph_destroy(&jvp);
    }
    evn_graph_destroy(&g);
}
END_TEST

/// Whether the operation has to give NaN of this pair: a mask does where it keeps one.
static bool has_nan(int operation, double x, double y) {
    if (operation >= UNARY && binary[operation - UNARY] == evn_mask) {
        return isnan(x) && y > 0;
    }
    return isnan(x) || (operation >= UNARY && isnan(y));
}

/// The reference itself: a NaN in is a NaN out.
START_TEST(reference_keeps_nan) {
    evn_graph *g = all_operations(false);
    values inputs = values_like_inputs(g, 1, 1, 2);
    for (int i = 0; i < PAIRS; ++i) {
        inputs.data[0][i] = special[i / VALUES];
        inputs.data[1][i] = special[i % VALUES];
    }
    values out = values_run(g, &inputs);
    for (int i = 0; i < out.count; ++i) {
        for (int k = 0; k < PAIRS; ++k) {
            bool given = has_nan(i, inputs.data[0][k], inputs.data[1][k]);
            ck_assert_msg(!given || isnan(out.data[i][k]), "output %d, pair %d", i, k);
        }
    }
    values_free(&inputs);
    values_free(&out);
    evn_graph_destroy(&g);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("plan/not_finite");
    TCase *elements = tcase_create("elements");
    tcase_add_test(elements, reference_keeps_nan);
    tcase_add_loop_test(elements, values_of_operations, 0, 8);
    tcase_add_loop_test(elements, tangents_of_operations, 0, 8);
    suite_add_tcase(s, elements);
    return s;
}

int main(void) {
    return test_run(suite());
}
