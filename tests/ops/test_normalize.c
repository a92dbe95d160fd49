// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"
#include "layered.h"
#include "plan/plan.h"
#include "run_plan.h"
#include "tune/samples.h"
#include "variants.h"
#include <string.h>

static void check_normalize(evn_shape shape, int groups, fill_input *fill) {
    evn_value x;
    evn_graph *graph = graph_with_input(shape, &x);
    evn_output(graph, "y", evn_normalize(graph, x, groups, 1e-5));
    check_op(graph, fill, 1e-5);
    evn_graph_destroy(&graph);
}

static void check_gradient(evn_shape shape, int groups, fill_input *fill) {
    evn_value x;
    evn_graph *graph = graph_with_input(shape, &x);
    evn_value v = evn_input(graph, "v", shape);
    evn_output(graph, "y", evn_normalize_grad(graph, x, v, groups, 1e-2));
    check_op(graph, fill, 1e-5);
    evn_graph_destroy(&graph);
}

/// Channels and groups: vectors that hold several groups, groups of several vectors, and neither;
/// on GPUs also what the rows of a work-group hold, and groups that are wider.
static const int channels_groups[][2] = {
    {1, 1},  {3, 3},   {6, 2},  {8, 4},   {16, 16}, {16, 8}, {16, 4},  {16, 2}, {16, 1},  {24, 8},
    {36, 3}, {64, 32}, {64, 2}, {48, 48}, {96, 32}, {20, 1}, {160, 2}, {70, 1}, {130, 2},
};
enum { CASES = sizeof(channels_groups) / sizeof(*channels_groups) };

START_TEST(groups) {
    int64_t channels = channels_groups[_i][0];
    int count = channels_groups[_i][1];
    check_normalize(EVN_SHAPE(3, 5, 7, channels), count, fill_uniform);
    check_normalize(EVN_SHAPE(2, 3, channels), count, fill_uniform);
    check_normalize(EVN_SHAPE(5, channels), count, fill_uniform);
    check_gradient(EVN_SHAPE(3, 5, 7, channels), count, fill_uniform);
    check_gradient(EVN_SHAPE(5, channels), count, fill_uniform);
}
END_TEST

/// A mean far above the spread: the variance is not a difference of large numbers.
START_TEST(far_from_zero) {
    check_normalize(EVN_SHAPE(2, 11, 13, 32), 16, fill_far);
    check_normalize(EVN_SHAPE(2, 11, 13, 6), 3, fill_far);
}
END_TEST

START_TEST(not_a_number) {
    check_normalize(EVN_SHAPE(9, 2, 16), 8, fill_with_nan);
    check_normalize(EVN_SHAPE(9, 3), 3, fill_with_nan);
    check_gradient(EVN_SHAPE(9, 2, 16), 8, fill_with_nan);
    check_normalize(EVN_SHAPE(3, 40, 64), 32, fill_with_nan);
    check_gradient(EVN_SHAPE(3, 40, 64), 32, fill_with_nan);
}
END_TEST

// Sums over a work-group as the tuner may choose them ---------------------------------------------

/// Sizes as evn__normalization_build has them, and which variants take the shape: one barrier where
/// few sums of others are added up, shuffles where blocks and rows are powers of two or one group
/// is all, sums of whole sub-groups where one is all.
typedef struct sums_case {
    int64_t sizes[5];
    bool one_barrier, shuffles, reduces;
} sums_case;

static const sums_case sums_cases[] = {
    {{3, 6, 5, 64, 32}, true, true, false},   {{2, 5, 7, 64, 2}, false, true, false},
    {{2, 9, 8, 16, 8}, false, true, false},   {{3, 9, 7, 48, 48}, true, false, false},
    {{2, 5, 3, 96, 1}, false, true, true},    {{2, 6, 9, 40, 1}, false, true, true},
    {{3, 8, 9, 64, 64}, true, true, false},   {{2, 3, 4, 320, 2}, false, true, true},
    {{2, 1, 1, 64, 32}, false, false, false}, // too little for a work-group
};
enum { SUMS_CASES = sizeof(sums_cases) / sizeof(*sums_cases) };

static bool taken; ///< whether the variant is to be seen in the plans of the case

static void check_sums(const evn_graph *graph, int index) {
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), graph, NULL, &plan));
    ck_assert_int_eq(plan->launches.count, 1);
    bool found = strstr(plan->launches.rows[0].source.options, "-DONE_BARRIER");
    evn_plan_destroy(&plan);
    ck_assert_int_eq(found, taken);
    check_options(graph, &(evn_plan_options){.all_epilogues = true}, (uint64_t)index);
    if (evn_device_get_info(test_device())->has_fp64) {
        check_options(graph, &(evn_plan_options){.all_epilogues = true, .fp64 = true},
                      (uint64_t)index);
    }
}

static int check_algorithm(const sums_case *c, evn__op op, evn__algorithm algorithm) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    evn_value node = evn__normalization_build(graph, op, c->sizes);
    TRY(evn_graph_status(graph));
    int tried = check_variants(graph, node, algorithm, check_sums);
    evn_graph_destroy(&graph);
    return tried;
}

START_TEST(one_barrier) {
    const sums_case *c = &sums_cases[_i];
    taken = c->one_barrier;
    ck_assert_int_eq(check_algorithm(c, EVN__OP_NORMALIZE, EVN__ALGORITHM_ONE_BARRIER), 1);
    ck_assert_int_eq(check_algorithm(c, EVN__OP_NORMALIZE_GRAD, EVN__ALGORITHM_ONE_BARRIER), 1);
}
END_TEST

static void check_sub_groups(const sums_case *c) {
    evn_sub_groups own = evn_device_get_info(test_device())->sub_groups;
    taken = own == EVN_SUB_GROUPS_REDUCE ? c->reduces : c->shuffles;
    ck_assert_int_eq(check_algorithm(c, EVN__OP_NORMALIZE, EVN__ALGORITHM_SUB_GROUPS), 1);
    ck_assert_int_eq(check_algorithm(c, EVN__OP_NORMALIZE_GRAD, EVN__ALGORITHM_SUB_GROUPS), 1);
}

/// On a device that has them.
START_TEST(sub_groups) {
    test_needs_sub_groups();
    check_sub_groups(&sums_cases[_i]);
}
END_TEST

static void check_costume(const char *profile, evn_sub_groups expected) {
    test_under_layer("EVN_LAYER_COSTUME", profile);
    ck_assert_int_eq(evn_device_get_info(test_device())->sub_groups, expected);
    check_sub_groups(&sums_cases[0]);
    check_sub_groups(&sums_cases[3]);
    check_sub_groups(&sums_cases[4]);
}

START_TEST(sub_groups_of_amd) {
    char path[TEST_PATH];
    check_costume(test_profile(path, "rx7900xtx"), EVN_SUB_GROUPS_REDUCE);
}
END_TEST

START_TEST(sub_groups_of_intel) {
    char path[TEST_PATH];
    check_costume(test_profile(path, "arca770"), EVN_SUB_GROUPS_INTEL);
}
END_TEST

START_TEST(sub_groups_that_shuffle) {
    char path[TEST_PATH];
    const char *list = "extensions = cl_khr_subgroups cl_khr_subgroup_shuffle";
    check_costume(test_changed_profile(path, "malig610", list), EVN_SUB_GROUPS_SHUFFLE);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("normalize");
    TCase *shapes = tcase_create("shapes"); // whole: long
    test_add_share(shapes, groups, 0, CASES, 3);
    suite_add_tcase(s, shapes);
    TCase *ways = tcase_create("sums"); // whole: long
    test_add_share(ways, one_barrier, 0, SUMS_CASES, 3);
    suite_add_tcase(s, ways);
    TCase *own = tcase_create("sub_groups"); // whole: long
    test_add_share(own, sub_groups, 0, SUMS_CASES, 3);
    suite_add_tcase(s, own);
    test_add(s, tcase_create("sub_groups_of_amd"), sub_groups_of_amd);
    test_add(s, tcase_create("sub_groups_of_intel"), sub_groups_of_intel);
    test_add(s, tcase_create("sub_groups_that_shuffle"), sub_groups_that_shuffle);
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, far_from_zero);
    tcase_add_test(numbers, not_a_number);
    suite_add_tcase(s, numbers);
    return s;
}

int main(void) {
    return test_run(suite());
}
