// SPDX-License-Identifier: Apache-2.0
// Winograd's method on GPUs: every variant that the tuner may choose, against the reference with
// guard zones around the buffers; what is refused; the family's own choice.
#include "ops/winograd_tiled.h"
#include "plan/plan.h"
#include "run_plan.h"
#include "variants.h"
#include <string.h>

static const evn__op ops[] = {EVN__OP_CONV2D, EVN__OP_CONV2D_INPUT_GRAD,
                              EVN__OP_CONV2D_WEIGHT_GRAD};

/// The operation, and as a second output relu(result · row), which becomes its epilogue.
static evn_graph *build(evn__op op, const product_sizes s, evn_value *result) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    *result = evn__product_build(graph, op, s);
    int64_t columns = op == EVN__OP_CONV2D_INPUT_GRAD ? s[3] : s[6];
    evn_value row = evn_input(graph, "row", EVN_SHAPE(columns));
    evn_output(graph, "scaled", evn_relu(graph, evn_mul(graph, *result, row)));
    return graph;
}

/// Whether a plan of the graph has a launch of that family.
static bool takes(const evn_graph *graph, const char *family) {
    evn_plan *plan = NULL;
    bool found = false;
    TRY(evn_plan_create(test_device(), graph, NULL, &plan));
    for (int i = 0; i < plan->launches.count; ++i) {
        const char *own = plan->launches.rows[i].source.family;
        found = found || (own && strcmp(own, family) == 0);
    }
    evn_plan_destroy(&plan);
    return found;
}

static void check_tile(const evn_graph *graph, int index) {
    uint64_t seed = (uint64_t)index;
    ck_assert(takes(graph, "winograd_tiled"));
    check_options(graph, &(evn_plan_options){.all_epilogues = true}, seed);
    if (evn_device_get_info(test_device())->has_fp64) {
        check_options(graph, &(evn_plan_options){.all_epilogues = true, .fp64 = true}, seed);
    }
}

/// Run the three operations with every variant of the number of outputs.
static void check(evn__algorithm algorithm, const product_sizes s) {
    int tried = 0;
    for (int op = 0; op < 3; ++op) {
        evn_value result;
        evn_graph *graph = build(ops[op], s, &result);
        tried += check_variants(graph, result, algorithm, check_tile);
        evn_graph_destroy(&graph);
    }
    ck_assert_int_ge(tried, 3);
}

/// More tiles and channels than a work-group has, and fewer; images that tiles do not fill.
START_TEST(tiles_of_2) {
    check(EVN__ALGORITHM_WINOGRAD_2, (product_sizes){5, 7, 5, 35, 3, 3, 33, 1, 1});
    check(EVN__ALGORITHM_WINOGRAD_2, (product_sizes){1, 4, 3, 3, 3, 3, 5, 1, 0});
}
END_TEST

START_TEST(tiles_of_4) {
    check(EVN__ALGORITHM_WINOGRAD_4, (product_sizes){5, 7, 6, 35, 3, 3, 17, 1, 1});
    check(EVN__ALGORITHM_WINOGRAD_4, (product_sizes){1, 4, 3, 3, 3, 3, 5, 1, 0});
}
END_TEST

/// The input gradient's padding is then zero, and below zero.
START_TEST(padding) {
    check(EVN__ALGORITHM_WINOGRAD_2, (product_sizes){2, 3, 4, 4, 3, 3, 6, 1, 2});
    check(EVN__ALGORITHM_WINOGRAD_2, (product_sizes){1, 2, 3, 5, 3, 3, 4, 1, 4});
}
END_TEST

/// Sums over many tiles: slices; and rounding as with many channels.
START_TEST(many) {
    check(EVN__ALGORITHM_WINOGRAD_2, (product_sizes){24, 10, 9, 96, 3, 3, 40, 1, 1});
    check(EVN__ALGORITHM_WINOGRAD_4, (product_sizes){24, 10, 9, 96, 3, 3, 40, 1, 1});
}
END_TEST

/// Other kernels, strides and devices: the family's own choice, as without a variant.
START_TEST(refused) {
    const product_sizes other[] = {
        {2, 5, 5, 4, 3, 3, 4, 2, 1}, {2, 5, 5, 4, 1, 1, 4, 1, 0}, {2, 5, 5, 4, 3, 4, 4, 1, 1}};
    evn_value result;
    evn_device_type own = test_act_as(EVN_DEVICE_GPU);
    for (int i = 0; i < 3; ++i) {
        evn_graph *graph = build(ops[i], other[i], &result);
        choose_variant(graph, result, "winograd 2x2 4x1x4 in 16x4");
        ck_assert(!takes(graph, "winograd_tiled"));
        choose_variant(graph, result, "winograd");
        ck_assert(!takes(graph, "winograd"));
        choose_variant(graph, result, NULL);
        evn_graph_destroy(&graph);
    }
    evn_graph *graph = build(ops[0], (product_sizes){2, 5, 5, 4, 3, 3, 4, 1, 1}, &result);
    choose_variant(graph, result, "winograd 2x2 4x1x4 in 16x4");
    uint64_t local = test_grant_local(1 << 10);
    ck_assert(!takes(graph, "winograd_tiled"));
    test_grant_local(local);
    test_act_as(EVN_DEVICE_CPU);
    ck_assert(!takes(graph, "winograd_tiled"));
    choose_variant(graph, result, NULL);
    evn_graph_destroy(&graph);
    test_act_as(own);
}
END_TEST

// The choice by size ------------------------------------------------------------------------------

static const evn_device_info gpu = {
    .type = EVN_DEVICE_GPU, .compute_units = 16, .local_bytes = 1 << 15, .max_work_group = 256};

static bool fits(const evn_device_info *device, bool fp64, evn__op op, const evn__variant *variant,
                 evn__winograd_tiled *t) {
    static const int64_t x[] = {128, 12, 12, 64}, w[] = {3, 3, 64, 64}, y[] = {128, 12, 12, 64};
    static const evn__winograd c = {x, w, y, 1, 1};
    return evn__winograd_tiled_fits(device, fp64, &c, op, variant, t);
}

static int items(const evn__winograd_tiled *t) {
    return (int)(t->tile.local[0] * t->tile.local[1]);
}

/// The largest tile with work for all compute units; none on a CPU, with few registers, or where
/// the device is too large for the work.
START_TEST(choice) {
    evn__winograd_tiled t;
    evn_device_info device = gpu;
    ck_assert(fits(&device, false, EVN__OP_CONV2D, NULL, &t));
    ck_assert_int_eq(items(&t), 128);
    ck_assert_int_eq(t.outside, 2);
    device.max_work_group = 64;
    ck_assert(fits(&device, false, EVN__OP_CONV2D, NULL, &t));
    ck_assert_int_eq(items(&t), 64);
    device = gpu;
    device.compute_units = 300; // 2 · 288 groups of the largest
    ck_assert(fits(&device, false, EVN__OP_CONV2D_INPUT_GRAD, NULL, &t));
    ck_assert_int_eq(items(&t), 64);
    device.compute_units = 1000;
    ck_assert(!fits(&device, false, EVN__OP_CONV2D, NULL, &t));
    device = gpu;
    device.min_sub_group = 8;
    ck_assert(!fits(&device, false, EVN__OP_CONV2D, NULL, &t));
    device = gpu;
    device.type = EVN_DEVICE_CPU;
    ck_assert(!fits(&device, false, EVN__OP_CONV2D, NULL, &t));
    device.type = EVN_DEVICE_GPU;
    ck_assert(fits(&device, false, EVN__OP_CONV2D_WEIGHT_GRAD, NULL, &t));
    ck_assert_int_eq((int)evn__winograd_tiled_split(&t, &device), 4); // of 4 × 2 groups
    ck_assert_int_eq((int)t.slice, 1152);
}
END_TEST

/// Tiles of 4×4 outputs need 27 KiB in single precision, more than 32 in double.
START_TEST(local_memory) {
    evn__winograd_tiled t;
    evn_device_info device = gpu;
    const evn__variant *wide = evn__variant_find(EVN__OP_CONV2D, "winograd 4x4 4x1x4 in 16x12");
    ck_assert_ptr_nonnull(wide);
    ck_assert(fits(&device, false, EVN__OP_CONV2D, wide, &t));
    ck_assert_int_eq(t.outside, 4);
    ck_assert_int_eq(t.depth, 4);
    ck_assert(!fits(&device, true, EVN__OP_CONV2D, wide, &t));
    device.local_bytes = 1 << 16;
    ck_assert(fits(&device, true, EVN__OP_CONV2D, wide, &t));
    device.local_bytes = 1 << 15;
    const evn__variant *large = evn__variant_find(EVN__OP_CONV2D, "winograd 2x2 8x2x4 in 16x16");
    ck_assert_ptr_nonnull(large);
    ck_assert(fits(&device, true, EVN__OP_CONV2D, large, &t));
    ck_assert_int_eq(t.depth, 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("winograd_tiled");
    test_add(suite, tcase_create("tiles_of_2"), tiles_of_2); // whole: long
    test_add(suite, tcase_create("tiles_of_4"), tiles_of_4); // whole: long
    test_add(suite, tcase_create("padding"), padding);       // whole: long
    test_add(suite, tcase_create("many"), many);             // whole: long
    test_add(suite, tcase_create("refused"), refused);
    test_add(suite, tcase_create("choice"), choice);
    test_add(suite, tcase_create("local_memory"), local_memory);
    return test_run(suite);
}
