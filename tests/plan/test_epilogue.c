// SPDX-License-Identifier: Apache-2.0
// Element-wise work in the kernels of families: results against the reference, launches, limits.
#include "evonode/diff.h"
#include "run_plan.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_graph *new_graph(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    return g;
}

/// How many launches of the fused plan have an epilogue.
static int count_epilogues(const evn_graph *g, bool all) {
    evn_plan *plan = NULL;
    char *text = NULL;
    int count = 0;
    TRY(evn_plan_create(test_device(), g, &(evn_plan_options){.all_epilogues = all}, &plan));
    TRY(evn_plan_print(plan, &text));
    for (const char *at = text; (at = strstr(at, "+epilogue")); ++at) {
        ++count;
    }
    free(text);
    evn_plan_destroy(&plan);
    return count;
}

static int epilogues(const evn_graph *g) {
    return count_epilogues(g, true);
}

static void check(evn_graph *g, int expected) {
    ck_assert_int_eq(epilogues(g), expected);
    check_plan(g, 1, -1, 1);
    evn_graph_destroy(&g);
}

/// x + h · relu(product + bias), with the product itself as an output or not.
static evn_graph *dense(int m, int k, int n, bool transposed, bool kept) {
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", EVN_SHAPE(m, k));
    evn_value b = evn_input(g, "b", transposed ? EVN_SHAPE(n, k) : EVN_SHAPE(k, n));
    evn_value bias = evn_input(g, "bias", EVN_SHAPE(n)), x = evn_input(g, "x", EVN_SHAPE(m, n));
    evn_value h = evn_input(g, "h", EVN_SCALAR), scale = evn_input(g, "scale", EVN_SHAPE(m, 1));
    evn_value product = evn_matmul(g, a, b, false, transposed);
    evn_value y = evn_relu(g, evn_mul(g, evn_add(g, product, bias), scale));
    evn_output(g, "y", evn_add(g, x, evn_mul(g, h, y)));
    evn_output(g, "step", evn_step(g, y));
    if (kept) {
        evn_output(g, "product", product);
    }
    return g;
}

/// Every algorithm: small, dots, tiles with whole and cut columns, sums of slices, long runs.
START_TEST(products) {
    check(dense(1, 3, 1000, false, true), 1);
    check(dense(3, 40, 37, true, false), 1);
    check(dense(1, 300, 3, false, false), 1);
    check(dense(21, 9, 70, false, true), 1);
    check(dense(9, 17, 5, true, false), 1);
    check(dense(4, 1030, 33, false, false), 1);
    check(dense(9, 9, 1030, false, true), 1);
    check(dense(9, 40, 9, true, false), 1);
}
END_TEST

START_TEST(convolutions) {
    const int channels[] = {5, 21};
    for (int i = 0; i < 2; ++i) {
        int c = channels[i];
        evn_graph *g = new_graph(), *vjp = NULL;
        evn_value x = evn_input(g, "x", EVN_SHAPE(9, 7, 6, c));
        evn_value w = evn_scale(g, evn_input(g, "w", EVN_SHAPE(3, 3, c, c)), 0.1);
        evn_value map = evn_input(g, "map", EVN_SHAPE(1, 7, 6, c));
        evn_value y =
            evn_conv2d(g, evn_relu(g, x), w, (evn_conv2d_options){.stride = 1, .padding = 1});
        evn_output(g, "y", evn_tanh(g, evn_mul(g, evn_add(g, y, map), map)));
        TRY(evn_vjp(g, NULL, &vjp));
        ck_assert_int_ge(epilogues(vjp), 1);
        check_plan(vjp, 2, -1, 1);
        evn_graph_destroy(&vjp);
        check(g, 1);
    }
}
END_TEST

START_TEST(normalisations) {
    const int channels[] = {6, 64, 96}, groups[] = {3, 32, 2};
    for (int i = 0; i < 3; ++i) {
        evn_graph *g = new_graph(), *vjp = NULL;
        evn_value x = evn_input(g, "x", EVN_SHAPE(5, 4, 3, channels[i]));
        evn_value scale = evn_input(g, "scale", EVN_SHAPE(channels[i]));
        evn_value shift = evn_input(g, "shift", EVN_SHAPE(channels[i]));
        evn_value y = evn_normalize(g, x, groups[i], 1e-3);
        y = evn_relu(g, evn_add(g, evn_mul(g, y, scale), shift));
        evn_output(g, "y", evn_add(g, y, x));
        TRY(evn_vjp(g, NULL, &vjp));
        ck_assert_int_eq(epilogues(vjp), 2);
        check_plan(vjp, 3, -1, 1);
        evn_graph_destroy(&vjp);
        check(g, 1);
    }
}
END_TEST

START_TEST(sums) {
    const evn_shape shapes[] = {EVN_SHAPE(700, 48), EVN_SHAPE(6, 5, 7), EVN_SHAPE(2000, 16)};
    for (int i = 0; i < 3; ++i) {
        for (unsigned axes = 1; axes < 1u << shapes[i].rank; ++axes) {
            evn_graph *g = new_graph();
            evn_value x = evn_input(g, "x", shapes[i]), sum = evn_sum(g, x, axes);
            evn_value y = evn_input(g, "y", evn_value_shape(g, sum));
            evn_output(g, "z", evn_tanh(g, evn_add(g, evn_mul(g, sum, y), y)));
            check(g, evn_shape_count(evn_value_shape(g, sum)) > 1); // scalars have no kernel
        }
    }
}
END_TEST

/// A scalar that an epilogue writes is computed anew by whoever reads it: what it is made of must
/// have memory, although the epilogue could take its place.
START_TEST(scalars) {
    const evn_shape shapes[] = {EVN_SHAPE(6), EVN_SHAPE(100000)};
    for (int i = 0; i < 2; ++i) {
        evn_graph *g = new_graph(), *jvp = NULL;
        evn_value x = evn_input(g, "x", shapes[i]);
        evn_value sum = evn_sum_all(g, i ? evn_scale(g, x, 1e-2) : x);
        evn_value y = evn_tanh(g, sum);
        evn_output(g, "y", y);
        evn_output(g, "spread", evn_mul(g, x, y));
        TRY(evn_jvp(g, NULL, &jvp));
        check_plan(jvp, 6, -1, 1);
        evn_graph_destroy(&jvp);
        evn_graph_destroy(&g);
    }
}
END_TEST

/// What cannot be an epilogue: the result under another index, or another kernel in between.
START_TEST(limits) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(6, 6));
    evn_value product = evn_matmul(g, x, x, false, false);
    evn_output(g, "y", evn_add(g, product, evn_permute(g, product, (int[]){1, 0})));
    check(g, 0);
    g = new_graph();
    x = evn_input(g, "x", EVN_SHAPE(6, 6));
    product = evn_matmul(g, x, x, false, false);
    evn_value last = evn_matmul(g, product, x, false, false);
    evn_output(g, "y", evn_add(g, product, last)); // of the last product, not of the first
    check(g, 1);
    g = new_graph();
    x = evn_input(g, "x", EVN_SHAPE(6, 4));
    product = evn_matmul(g, x, evn_input(g, "w", EVN_SHAPE(4, 6)), false, false);
    evn_output(g, "y",
               evn_mul(g, evn_reshape(g, product, EVN_SHAPE(4, 9)),
                       evn_input(g, "rows", EVN_SHAPE(4, 1))));
    check(g, 0); // nine columns are no columns of the kernel
}
END_TEST

/// More readers of one product than a kernel has arguments for: as many as a generated kernel takes
/// are one, which the product's kernel has no room for beside its own; the others are on their own.
START_TEST(many_readers) {
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", EVN_SHAPE(256, 64)), w = evn_input(g, "w", EVN_SHAPE(64, 64));
    evn_value product = evn_matmul(g, a, w, false, false);
    for (int i = 0; i < 30; ++i) {
        char x[32], y[32];
        snprintf(x, sizeof(x), "x%d", i);
        snprintf(y, sizeof(y), "y%d", i);
        evn_output(g, y, evn_mul(g, product, evn_input(g, x, EVN_SHAPE(256, 64))));
    }
    check(g, 0);
}
END_TEST

/// Phase 1 may use what phase 0 computes, but not be its epilogue.
START_TEST(phases) {
    evn_graph *g = dense(5, 12, 40, false, false), *vjp = NULL;
    TRY(evn_vjp(g, NULL, &vjp));
    check_phases(vjp, (const char *const[]){"y_bar", "step_bar", NULL}, 5);
    evn_graph_destroy(&vjp);
    evn_graph_destroy(&g);
}
END_TEST

/// By itself a plan makes an epilogue only of what saves a pass over much memory, and is short.
START_TEST(small_ones_are_kernels) {
    for (int i = 0; i < 3; ++i) {
        evn_graph *g = new_graph();
        evn_shape shape = EVN_SHAPE(i == 0 ? 16 : 1024, 64);
        evn_value a = evn_input(g, "a", shape), w = evn_input(g, "w", EVN_SHAPE(64, 64));
        evn_value y = evn_relu(
            g, evn_add(g, evn_matmul(g, a, w, false, false), evn_input(g, "bias", EVN_SHAPE(64))));
        for (int k = 0; i == 2 && k < 3; ++k) {
            const char *const names[] = {"k1", "k2", "k3"};
            y = evn_add(g, y, evn_input(g, names[k], shape));
        }
        evn_output(g, "y", y);
        ck_assert_int_eq(count_epilogues(g, false), i == 1);
        ck_assert_int_eq(count_epilogues(g, true), 1);
        evn_graph_destroy(&g);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("epilogue");
    TCase *families = tcase_create("families");
    tcase_add_test(families, products);
    tcase_add_test(families, convolutions);
    tcase_add_test(families, normalisations);
    tcase_add_test(families, sums);
    suite_add_tcase(s, families);
    TCase *plans = tcase_create("plans");
    tcase_add_test(plans, limits);
    tcase_add_test(plans, scalars);
    tcase_add_test(plans, many_readers);
    tcase_add_test(plans, small_ones_are_kernels);
    tcase_add_test(plans, phases);
    suite_add_tcase(s, plans);
    return s;
}

int main(void) {
    return test_run(suite());
}
