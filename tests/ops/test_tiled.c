// SPDX-License-Identifier: Apache-2.0
// Every tile in local memory that the tuner may choose for a GPU, and the family's own choice among
// them, against the reference, with guard zones around the buffers.
#include "ops/tiled.h"
#include "run_plan.h"
#include "variants.h"

static void check_tile(const evn_graph *graph, int index) {
    check_options(graph, &(evn_plan_options){.all_epilogues = true}, (uint64_t)index);
}

/// Run the product with each tile in turn.
static void check(evn__op op, const product_sizes s) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    evn_value result = evn__product_build(graph, op, s);
    TRY(evn_graph_status(graph));
    ck_assert_int_ge(check_variants(graph, result, EVN__ALGORITHM_LOCAL, check_tile), 8);
    evn_graph_destroy(&graph);
}

/// More than the largest tile in both directions, a rest in each; slices of the terms.
START_TEST(matmul) {
    check(EVN__OP_MATMUL, (product_sizes){131, 137, 37, 0, 0});
    check(EVN__OP_MATMUL, (product_sizes){137, 131, 33, 1, 0});
    check(EVN__OP_MATMUL, (product_sizes){3, 2, 1100, 0, 1});
    check(EVN__OP_MATMUL, (product_sizes){45, 70, 3, 1, 1});
}
END_TEST

START_TEST(conv2d) {
    check(EVN__OP_CONV2D, (product_sizes){7, 5, 6, 11, 3, 3, 35, 1, 1});
    check(EVN__OP_CONV2D, (product_sizes){5, 9, 7, 3, 4, 4, 70, 2, 1});
}
END_TEST

/// Strides that leave phases without taps or without pixels; padding above the kernel.
START_TEST(input_grad) {
    check(EVN__OP_CONV2D_INPUT_GRAD, (product_sizes){7, 5, 6, 35, 3, 3, 11, 1, 1});
    check(EVN__OP_CONV2D_INPUT_GRAD, (product_sizes){5, 9, 7, 70, 4, 4, 3, 2, 1});
    check(EVN__OP_CONV2D_INPUT_GRAD, (product_sizes){4, 11, 2, 9, 2, 1, 10, 3, 0});
    check(EVN__OP_CONV2D_INPUT_GRAD, (product_sizes){2, 2, 3, 9, 2, 2, 5, 1, 4});
}
END_TEST

START_TEST(weight_grad) {
    check(EVN__OP_CONV2D_WEIGHT_GRAD, (product_sizes){7, 5, 6, 11, 3, 3, 35, 1, 1});
    check(EVN__OP_CONV2D_WEIGHT_GRAD, (product_sizes){25, 9, 7, 1, 4, 4, 70, 2, 1});
}
END_TEST

/// The choice by size: the largest tile that leaves no compute unit idle, short slices for few
/// rows, small tiles for few registers; none for few terms, for a CPU, or without local memory.
START_TEST(choice) {
    evn_device_info gpu = {
        .type = EVN_DEVICE_GPU, .compute_units = 16, .local_bytes = 1 << 15, .max_work_group = 256};
    evn__tiled t;
    ck_assert(evn__tiled_fits(&gpu, NULL, 4096, 4096, 64, &t));
    ck_assert_int_eq(t.tile.rows * t.tile.vectors, 16);
    ck_assert(evn__tiled_fits(&gpu, NULL, 4608, 64, 576, &t));
    ck_assert_int_eq(t.tile.rows * (int)t.tile.local[1], 128);
    ck_assert_int_eq(evn__tiled_split(&t, &gpu), 1);
    ck_assert(evn__tiled_fits(&gpu, NULL, 64, 64, 1 << 14, &t));
    ck_assert_int_eq((int)t.tile.local[0], 8);
    ck_assert_int_eq(evn__tiled_split(&t, &gpu), 8);
    ck_assert_int_eq(t.slice, 1 << 11);
    ck_assert(evn__tiled_fits(&gpu, NULL, 1, 100, 1024, &t));
    ck_assert_int_eq(evn__tiled_split(&t, &gpu), 8);
    ck_assert(evn__tiled_fits(&gpu, NULL, 1, 10, 1024, &t));
    ck_assert_int_eq(evn__tiled_split(&t, &gpu), 32);
    ck_assert(!evn__tiled_fits(&gpu, NULL, 4096, 4096, 4, &t));
    gpu.min_sub_group = 8; // few registers a thread
    ck_assert(evn__tiled_fits(&gpu, NULL, 4096, 4096, 64, &t));
    ck_assert_int_eq(t.tile.rows * t.tile.vectors, 4);
    ck_assert_int_eq((int)(t.tile.local[0] * t.tile.local[1]), 128);
    gpu.min_sub_group = 0;
    gpu.max_work_group = 64;
    ck_assert(evn__tiled_fits(&gpu, NULL, 4096, 4096, 64, &t));
    ck_assert_int_eq((int)t.tile.local[0], 8);
    gpu.local_bytes = 1 << 12;
    ck_assert(!evn__tiled_fits(&gpu, NULL, 4096, 4096, 64, &t));
    gpu.local_bytes = 1 << 15;
    gpu.type = EVN_DEVICE_CPU;
    ck_assert(!evn__tiled_fits(&gpu, NULL, 4096, 4096, 64, &t));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tiled");
    test_add(suite, tcase_create("matmul"), matmul);           // whole: long
    test_add(suite, tcase_create("conv2d"), conv2d);           // whole: long
    test_add(suite, tcase_create("input_grad"), input_grad);   // whole: long
    test_add(suite, tcase_create("weight_grad"), weight_grad); // whole: long
    test_add(suite, tcase_create("choice"), choice);
    return test_run(suite);
}
