// SPDX-License-Identifier: Apache-2.0
// evn_matmul against its reference, with guard zones around the buffers.
#include "host/guard.h"
#include "host/tuning.h"
#include "ops/variant.h"
#include "plan/plan.h"
#include "run_plan.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void start(void) {
    evn__device_guard(test_device(), true);
}

static void finish(void) {
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), 0);
}

static evn_graph *product(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    evn_value a = evn_input(graph, "a", transpose_a ? EVN_SHAPE(k, m) : EVN_SHAPE(m, k));
    evn_value b = evn_input(graph, "b", transpose_b ? EVN_SHAPE(n, k) : EVN_SHAPE(k, n));
    evn_output(graph, "c", evn_matmul(graph, a, b, transpose_a, transpose_b));
    return graph;
}

/// All four transpositions.
static void check(int64_t m, int64_t n, int64_t k) {
    for (int t = 0; t < 4; t++) {
        evn_graph *graph = product(m, n, k, t & 1, t & 2);
        check_plan_as_both(graph, (uint64_t)(m * 10007 + n * 101 + k + t), -1, 1);
        evn_graph_destroy(&graph);
    }
}

START_TEST(test_below_tile) {
    check(1, 1, 1);
    check(2, 3, 5);
    check(3, 15, 2);
    check(7, 1, 9);
    check(1, 17, 4);
}
END_TEST

START_TEST(test_at_tile) {
    check(8, 16, 8);
    check(16, 32, 16);
    check(4, 64, 3);
}
END_TEST

START_TEST(test_soft_fma) {
    evn_graph *graph = product(9, 17, 31, false, false);
    check_plan_with_soft_fma(graph, 1);
    evn_graph_destroy(&graph);
}
END_TEST

START_TEST(test_odd) {
    check(9, 17, 31);
    check(33, 47, 19);
    check(5, 33, 65);
    check(67, 10, 13);
    check(31, 100, 7);
}
END_TEST

// Long K with few results is cut into slices.
START_TEST(test_long_inner) {
    check(9, 32, 4096);
    check(1, 1, 3001);
    check(5, 3, 1027);
    check(70, 40, 1111);
}
END_TEST

// Blocks: minimum and maximum rows, panels that are not full, more terms than one copy has.
START_TEST(test_blocks) {
    check(31, 40, 20);
    check(32, 3, 300);
    check(128, 129, 257);
    check(257, 95, 513);
    check(1031, 7, 64);
}
END_TEST

// Few rows against a transposed b, and the first case that is not.
START_TEST(test_few_rows) {
    check(1, 9, 2048);
    check(1, 100, 16);
    check(3, 21, 50);
    check(2, 8, 33);
    check(4, 21, 50);
    check(1, 2, 17000);
    check(9, 9, 300);  // few elements
    check(25, 25, 70); // more
}
END_TEST

/// Few terms and few, long rows: runs, whole ones and a rest; and what has more terms.
START_TEST(test_flat) {
    check(9, 1024, 9);
    check(2, 1110, 128);
    check(16, 2050, 16);
    check(17, 1024, 16);
}
END_TEST

// Few rows and little work: one loop, in runs; and the first case that is more.
START_TEST(test_small) {
    check(1, 1000, 3);
    check(1, 3, 1000);
    check(3, 257, 5);
    check(2, 9, 31);
    check(3, 2048, 4);
    check(3, 2049, 4);
}
END_TEST

/// The kernel of the product, with `variant` as the tuned one, which is compared with the
/// reference.
static void check_told(int64_t m, int64_t n, int64_t k, int t, const char *variant,
                       const char *kernel) {
    char key[EVN__VARIANT_KEY];
    evn_plan *plan = NULL;
    evn_graph *graph = product(m, n, k, t & 1, t & 2);
    evn__variant_key(graph, evn_graph_output(graph, 0), false, key);
    TRY(evn__tuning_set(test_device(), key, variant));
    TRY(evn_plan_create(test_device(), graph, NULL, &plan));
    const evn__launches *launches = &plan->launches;
    ck_assert_str_eq(launches->rows[launches->count - 1].name, kernel);
    check_options(graph, &(evn_plan_options){0}, (uint64_t)t);
    TRY(evn__tuning_set(test_device(), key, NULL));
    evn_plan_destroy(&plan);
    evn_graph_destroy(&graph);
}

/// Forms are taken where they are told to be, far from the shapes that take them by themselves; one
/// that is not for a product leaves the choice to the family.
START_TEST(test_told) {
    evn_device_type own = test_act_as(EVN_DEVICE_CPU);
    for (int t = 0; t < 4; t++) {
        check_told(37, 45, 61, t, "small", "matmul_small");
        check_told(1, 33, 5, t, "small", "matmul_small");
        check_told(37, 300, 61, t, "flat", t & 2 ? "matmul_blocked" : "matmul_flat");
        check_told(1, 3, 300, t, "tiles 4x1x4 in 16x4", "matmul");
    }
    check_told(2, 45, 61, 2, "tiles 8x1x16 in 1x1", "matmul");
    check_told(40, 45, 61, 2, "dots 8x2x16 in 1x1", "matmul_dot");
    test_act_as(own);
}
END_TEST

START_TEST(test_same_bits) {
    enum { M = 9, N = 33, K = 4096 };
    double *a = malloc(sizeof(double) * M * K), *b = malloc(sizeof(double) * K * N);
    double first[M * N], second[M * N];
    test_uniform(1, -1, 1, a, M * K);
    test_uniform(2, -1, 1, b, K * N);
    evn_graph *graph = product(M, N, K, false, false);
    run_plan(graph, NULL, (double *[]){a, b}, (double *[]){first});
    run_plan(graph, NULL, (double *[]){a, b}, (double *[]){second});
    ck_assert(memcmp(first, second, sizeof first) == 0);
    ck_assert(isfinite(first[0]));
    evn_graph_destroy(&graph);
    free(a);
    free(b);
}
END_TEST

// A NaN must reach the results that depend on it, and no others.
START_TEST(test_nan) {
    double a[5 * 3], b[3 * 18], c[5 * 18];
    test_uniform(3, -1, 1, a, 5 * 3);
    test_uniform(4, -1, 1, b, 3 * 18);
    a[4 * 3 + 1] = NAN;
    b[2 * 18 + 17] = NAN;
    evn_graph *graph = product(5, 18, 3, false, false);
    run_plan(graph, NULL, (double *[]){a, b}, (double *[]){c});
    for (int m = 0; m < 5; m++) {
        for (int n = 0; n < 18; n++) {
            ck_assert_int_eq(isnan(c[m * 18 + n]) != 0, m == 4 || n == 17);
        }
    }
    evn_graph_destroy(&graph);
}
END_TEST

static void add(Suite *suite, TCase *tcase, const TTest *test) {
    tcase_add_checked_fixture(tcase, start, finish);
    test_add(suite, tcase, test);
}

static Suite *suite(void) {
    Suite *s = suite_create("matmul");
    add(s, tcase_create("below_tile"), test_below_tile);
    add(s, tcase_create("at_tile"), test_at_tile);
    add(s, tcase_create("soft_fma"), test_soft_fma);
    add(s, tcase_create("odd"), test_odd);
    add(s, tcase_create("long_inner"), test_long_inner);
    add(s, tcase_create("blocks"), test_blocks);
    add(s, tcase_create("few_rows"), test_few_rows);
    add(s, tcase_create("flat"), test_flat);
    add(s, tcase_create("small"), test_small);
    add(s, tcase_create("told"), test_told);
    add(s, tcase_create("same_bits"), test_same_bits);
    add(s, tcase_create("nan"), test_nan);
    return s;
}

int main(void) {
    return test_run(suite());
}
