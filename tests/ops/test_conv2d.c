// SPDX-License-Identifier: Apache-2.0
// evn_conv2d and its two gradients against their references, with guard zones around the buffers.
#include "host/guard.h"
#include "host/tuning.h"
#include "ops/variant.h"
#include "plan/plan.h"
#include "run_plan.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Images [B, H, W, Ci], weights [Kh, Kw, Ci, Co].
typedef struct geometry {
    int64_t b, h, w, ci, kh, kw, co;
    int stride, padding;
} geometry;

static void start(void) {
    evn__device_guard(test_device(), true);
}

static void finish(void) {
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), 0);
}

static evn_shape output_shape(geometry g) {
    return EVN_SHAPE(g.b, (g.h + 2 * g.padding - g.kh) / g.stride + 1,
                     (g.w + 2 * g.padding - g.kw) / g.stride + 1, g.co);
}

/// The graph of one of the three operations; its inputs are x, w or y_bar, in the order they take.
static evn_graph *build(geometry g, int operation) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    evn_shape x = EVN_SHAPE(g.b, g.h, g.w, g.ci), w = EVN_SHAPE(g.kh, g.kw, g.ci, g.co);
    evn_conv2d_options options = {g.stride, g.padding};
    evn_value left = evn_input(graph, "left", operation == 1 ? output_shape(g) : x);
    evn_value right = evn_input(graph, "right", operation == 2 ? output_shape(g) : w);
    evn_value result = operation == 0   ? evn_conv2d(graph, left, right, options)
                       : operation == 1 ? evn_conv2d_input_grad(graph, left, right, x, options)
                                        : evn_conv2d_weight_grad(graph, left, right, w, options);
    evn_output(graph, "result", result);
    return graph;
}

static void check(geometry g) {
    for (int operation = 0; operation < 3; operation++) {
        evn_graph *graph = build(g, operation);
        check_plan_as_both(graph, (uint64_t)(g.h * 1009 + g.ci * 101 + g.co + operation), -1, 1);
        evn_graph_destroy(&graph);
    }
}

static void check_in_whole(geometry g) {
    if (test_is_whole()) {
        check(g);
    }
}

START_TEST(test_1x1) {
    check((geometry){3, 5, 4, 7, 1, 1, 9, 1, 0});
    check((geometry){9, 3, 3, 33, 1, 1, 17, 2, 0});
    check((geometry){2, 3, 3, 2, 1, 1, 3, 1, 1});
    check((geometry){1, 1, 1, 1, 1, 1, 1, 1, 0});
}
END_TEST

START_TEST(test_3x3) {
    check((geometry){8, 6, 6, 64, 3, 3, 64, 1, 1});
    check((geometry){5, 7, 4, 3, 3, 3, 20, 1, 0});
    check_in_whole((geometry){9, 5, 6, 10, 3, 3, 33, 2, 1});
    check((geometry){3, 4, 3, 5, 3, 3, 15, 1, 2});
    check_in_whole((geometry){2, 8, 9, 4, 3, 3, 16, 3, 1});
}
END_TEST

// Whole vectors of channels: Winograd's method on CPUs. Images that its tiles of 3×3 do not divide;
// pixels that no tap meets; batches of more tiles than a work-item takes.
START_TEST(test_winograd) {
    check((geometry){5, 7, 5, 16, 3, 3, 48, 1, 1});
    check_in_whole((geometry){3, 9, 10, 32, 3, 3, 16, 1, 0});
    check_in_whole((geometry){2, 4, 3, 16, 3, 3, 32, 1, 2});
    check_in_whole((geometry){40, 6, 6, 48, 3, 3, 64, 1, 1});
    check((geometry){1, 25, 26, 80, 3, 3, 112, 1, 1});
    check((geometry){3, 7, 5, 65, 3, 3, 17, 1, 1});
}
END_TEST

START_TEST(test_winograd_stride_2) {
    check((geometry){5, 13, 13, 64, 4, 4, 64, 2, 1});
    check_in_whole((geometry){3, 15, 9, 16, 4, 4, 48, 2, 0});
    check_in_whole((geometry){7, 12, 27, 32, 4, 4, 16, 2, 1});
    check_in_whole((geometry){2, 16, 10, 48, 4, 4, 32, 2, 2});
    check_in_whole((geometry){40, 13, 12, 16, 4, 4, 16, 2, 1});
    check((geometry){1, 26, 26, 80, 4, 4, 112, 2, 1});
    check((geometry){3, 13, 13, 65, 4, 4, 17, 2, 1});
}
END_TEST

/// A CPU that grants little local memory: the tiles are in global memory.
START_TEST(test_winograd_in_room) {
    uint64_t local = test_grant_local(32 << 10);
    check((geometry){5, 7, 5, 16, 3, 3, 48, 1, 1});
    check((geometry){40, 6, 6, 48, 3, 3, 64, 1, 1});
    check((geometry){5, 13, 13, 64, 4, 4, 64, 2, 1});
    check((geometry){7, 12, 27, 32, 4, 4, 16, 2, 1});
    test_grant_local(local);
}
END_TEST

/// Whether the operation is computed by Winograd's method for CPUs, with `variant` as the tuned
/// one.
static bool takes_winograd(geometry g, int operation, const char *variant) {
    char key[EVN__VARIANT_KEY];
    evn_plan *plan = NULL;
    evn_graph *graph = build(g, operation);
    evn__variant_key(graph, evn_graph_output(graph, 0), false, key);
    TRY(evn__tuning_set(test_device(), key, variant));
    TRY(evn_plan_create(test_device(), graph, NULL, &plan));
    bool found = strcmp(plan->launches.rows[0].source.family, "winograd") == 0;
    if (variant) {
        check_options(graph, &(evn_plan_options){0}, (uint64_t)operation);
    }
    TRY(evn__tuning_set(test_device(), key, NULL));
    evn_plan_destroy(&plan);
    evn_graph_destroy(&graph);
    return found;
}

/// The tuned choice against the default, with as much local memory as there is and with little;
/// images so small that the method saves nothing take it only if they are told to, and channels
/// that fill no vector never. The input gradient takes a sample for each compute unit.
START_TEST(test_winograd_chosen) {
    int64_t units = evn_device_get_info(test_device())->compute_units;
    geometry large = {units > 8 ? units : 8, 7, 5, 16, 3, 3, 48, 1, 1};
    geometry small = {3, 2, 2, 16, 3, 3, 16, 1, 1};
    geometry uneven = {8, 7, 5, 17, 3, 3, 48, 1, 1};
    evn_device_type own = test_act_as(EVN_DEVICE_CPU);
    uint64_t local = evn_device_get_info(test_device())->local_bytes;
    for (int i = 0; i < 2; i++) {
        for (int operation = 0; operation < 3; operation++) {
            ck_assert(takes_winograd(large, operation, NULL));
            ck_assert(takes_winograd(large, operation, "winograd"));
            ck_assert(!takes_winograd(large, operation, "tiles 4x2x16 in 1x1"));
            ck_assert(!takes_winograd(small, operation, NULL));
            ck_assert(takes_winograd(small, operation, "winograd"));
            ck_assert(!takes_winograd(uneven, operation, "winograd"));
        }
        test_grant_local(32 << 10);
    }
    test_grant_local(local);
    test_act_as(own);
}
END_TEST

/// Direct, and by Winograd's method.
START_TEST(test_soft_fma) {
    const geometry all[] = {{5, 7, 4, 3, 3, 3, 20, 1, 0}, {5, 7, 5, 16, 3, 3, 48, 1, 1}};
    for (size_t i = 0; i < 2; ++i) {
        evn_graph *graph = build(all[i], 0);
        check_plan_with_soft_fma(graph, i);
        evn_graph_destroy(&graph);
    }
}
END_TEST

START_TEST(test_4x4) {
    check((geometry){10, 9, 7, 16, 4, 4, 32, 2, 1});
    check((geometry){3, 8, 8, 5, 4, 4, 6, 2, 0});
    check((geometry){4, 4, 5, 3, 4, 4, 40, 2, 2});
}
END_TEST

START_TEST(test_one_channel) {
    check((geometry){17, 9, 8, 1, 3, 3, 64, 1, 0});
    check((geometry){5, 9, 8, 1, 3, 3, 10, 1, 1});
    check((geometry){6, 5, 5, 12, 3, 3, 1, 1, 1});
    check((geometry){40, 3, 3, 1, 3, 3, 1, 1, 1});
    check((geometry){4, 6, 6, 1, 4, 4, 1, 2, 1});
}
END_TEST

// Not square; strides above the kernel; padding that puts whole kernels outside the image.
START_TEST(test_uneven) {
    check((geometry){3, 9, 5, 3, 1, 4, 7, 2, 1});
    check((geometry){2, 11, 10, 5, 2, 1, 18, 4, 0});
    check((geometry){9, 2, 1, 6, 5, 3, 19, 1, 2});
    check((geometry){2, 2, 3, 2, 2, 2, 5, 1, 4});
    check((geometry){1, 10, 3, 2, 3, 2, 65, 3, 3});
}
END_TEST

/// A tap outside the image takes no part, whatever the weight there is.
START_TEST(test_outside_taps) {
    geometry g = {2, 1, 1, 3, 3, 3, 5, 1, 1};
    double x[2 * 3], w[9 * 3 * 5], y[2 * 5];
    test_uniform(1, -1, 1, x, 2 * 3);
    for (int i = 0; i < 9 * 3 * 5; i++) {
        w[i] = i / 15 == 4 ? 0.5 : INFINITY;
    }
    for (int operation = 0; operation < 2; operation++) {
        evn_graph *graph =
            build(operation == 0 ? g : (geometry){2, 1, 1, 5, 3, 3, 3, 1, 1}, operation);
        run_plan(graph, NULL, (double *[]){x, w}, (double *[]){y});
        for (int i = 0; i < 2 * 5; i++) {
            double sum = 0.5 * (x[i / 5 * 3] + x[i / 5 * 3 + 1] + x[i / 5 * 3 + 2]);
            ck_assert_double_eq_tol(y[i], sum, 1e-6);
        }
        evn_graph_destroy(&graph);
    }
}
END_TEST

// The weight gradient adds slices of the batch in a fixed order.
START_TEST(test_same_bits) {
    geometry g = {64, 5, 5, 3, 3, 3, 20, 1, 1};
    enum { INPUT = 64 * 25 * 3, OUTPUT = 64 * 25 * 20, WEIGHTS = 9 * 3 * 20 };
    double *x = malloc(sizeof(double) * INPUT), *y_bar = malloc(sizeof(double) * OUTPUT);
    double first[WEIGHTS], second[WEIGHTS];
    test_uniform(1, -1, 1, x, INPUT);
    test_uniform(2, -1, 1, y_bar, OUTPUT);
    evn_graph *graph = build(g, 2);
    run_plan(graph, NULL, (double *[]){x, y_bar}, (double *[]){first});
    run_plan(graph, NULL, (double *[]){x, y_bar}, (double *[]){second});
    ck_assert(memcmp(first, second, sizeof first) == 0);
    ck_assert(isfinite(first[0]));
    evn_graph_destroy(&graph);
    free(x);
    free(y_bar);
}
END_TEST

static void add(Suite *suite, TCase *tcase, const TTest *test) {
    tcase_add_checked_fixture(tcase, start, finish);
    test_add(suite, tcase, test);
}

static Suite *suite(void) {
    Suite *s = suite_create("conv2d");
    add(s, tcase_create("1x1"), test_1x1);
    add(s, tcase_create("3x3"), test_3x3);                             // whole: long
    add(s, tcase_create("winograd"), test_winograd);                   // whole: long
    add(s, tcase_create("winograd_stride_2"), test_winograd_stride_2); // whole: long
    add(s, tcase_create("winograd_in_room"), test_winograd_in_room);
    add(s, tcase_create("winograd_chosen"), test_winograd_chosen);
    add(s, tcase_create("soft_fma"), test_soft_fma);
    add(s, tcase_create("4x4"), test_4x4);
    add(s, tcase_create("one_channel"), test_one_channel);
    add(s, tcase_create("uneven"), test_uneven);
    add(s, tcase_create("outside_taps"), test_outside_taps);
    add(s, tcase_create("same_bits"), test_same_bits);
    return s;
}

int main(void) {
    return test_run(suite());
}
