// SPDX-License-Identifier: Apache-2.0
// Tuned forms of plans over samples: taken where they are told to be, and right.
#include "host/runtime.h"
#include "host/tuning.h"
#include "plan/plan.h"
#include "run_plan.h"
#include "samples/samples.h"
#include "test.h"

#include <string.h>

static const char *const names[] = {"x", NULL};

/// x [rows, 3], a hidden layer, a product with what it sums to over the samples.
static evn_graph *layer(int64_t rows, int64_t hidden) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(rows, 3));
    evn_value u = evn_input(g, "u", EVN_SHAPE(3, hidden));
    evn_value y = evn_tanh(g, evn_matmul(g, x, u, false, false));
    evn_value mean = evn_scale(g, evn_sum(g, y, 1u << 0), 1.0 / (double)rows);
    evn_output(g, "y", evn_mul(g, y, mean));
    TRY(evn_graph_status(g));
    return g;
}

/// The device tuned to `form` for the graph's class; NULL: not tuned.
static void tell(const evn_graph *g, const char *form) {
    char key[EVN__VARIANT_KEY];
    TRY(evn__tuning_set(test_device(), evn__sample_form_key(g, names, false, key), form));
}

static evn_plan *plan_of(const evn_graph *g, bool few) {
    evn_plan *plan = NULL;
    evn_plan_options options = {.sample_inputs = names, .few_samples = few};
    TRY(evn_plan_create(test_device(), g, &options, &plan));
    return plan;
}

/// What became of a plan: lanes, samples of an item, launches.
typedef struct outcome {
    int lanes, per_item, launches;
} outcome;

static outcome told(const evn_graph *g, const char *form, bool few) {
    tell(g, form);
    evn_plan *plan = plan_of(g, few);
    outcome o = {plan->units.lanes, plan->units.samples_per_item, evn_plan_launch_count(plan)};
    evn_plan_destroy(&plan);
    check_options(g, &(evn_plan_options){.sample_inputs = names, .few_samples = few}, 7);
    tell(g, NULL);
    return o;
}

START_TEST(keys) {
    char key[EVN__VARIANT_KEY];
    evn_graph *g = layer(100, 64), *one = NULL;
    ck_assert_str_eq(evn__sample_form_key(g, names, false, key), "fp32 samples sums 128x64");
    ck_assert_str_eq(evn__sample_form_key(g, names, true, key), "fp64 samples sums 128x64");
    ck_assert_str_eq(evn__sample_form_key(g, (const char *const[]){"z", NULL}, false, key), "");
    TRY(evn_graph_create(&one));
    evn_output(one, "y", evn_exp(one, evn_input(one, "x", EVN_SHAPE(1, 3))));
    ck_assert_str_eq(evn__sample_form_key(one, names, false, key), "fp32 samples 1x3");
    evn_graph_destroy(&one);
    evn_graph_destroy(&g);
}
END_TEST

/// Every form computes the same; that of the families has no lanes, and a choice for other shapes,
/// or one of no known name, changes nothing.
static void check_forms(evn_device_type type) {
    evn_device_type own = test_act_as(type);
    evn_graph *g = layer(70, 19), *other = layer(700, 19);
    outcome usual = told(g, NULL, false);
    ck_assert_int_gt(usual.lanes, 0);
    for (const evn__sample_form *form = evn__sample_forms; form->name; ++form) {
        outcome o = told(g, form->name, false);
        ck_assert_int_eq(o.lanes, form->by_sample ? usual.lanes : 0);
    }
    tell(other, "batch");
    ck_assert_int_eq(told(g, NULL, false).lanes, usual.lanes);
    tell(other, NULL);
    ck_assert_int_eq(told(g, "sample", false).lanes, usual.lanes);
    evn_graph_destroy(&g);
    evn_graph_destroy(&other);
    test_act_as(own);
}

START_TEST(forms) {
    check_forms(EVN_DEVICE_CPU);
    check_forms(EVN_DEVICE_GPU);
}
END_TEST

/// On a CPU whose work-groups make progress and whose compiler knows long vectors: without
/// cooperation there are more launches, without pairs an item is one vector.
START_TEST(launches_and_items) {
    evn_device_type own = test_act_as(EVN_DEVICE_CPU);
    evn__quirks *quirks = &test_device()->quirks;
    int64_t units = evn_device_get_info(test_device())->compute_units;
    if (quirks->groups_progress && units <= 64) {
        evn_graph *g = layer(32 * units + 5, 19);
        outcome usual = told(g, NULL, false), apart = told(g, "samples, apart", false);
        ck_assert_int_eq(usual.launches, 1);
        ck_assert_int_gt(apart.launches, 1);
        ck_assert_int_eq(apart.per_item, usual.per_item);
        outcome narrow = told(g, "samples, narrow", false);
        ck_assert_int_eq(narrow.launches, 1);
        ck_assert_int_eq(narrow.per_item, narrow.lanes);
        evn_graph_destroy(&g);
    }
    test_act_as(own);
}
END_TEST

/// Rows longer than are taken by themselves.
START_TEST(large) {
    evn_device_type own = test_act_as(EVN_DEVICE_CPU);
    evn_graph *g = layer(40, 2 * EVN__SAMPLES_MAX_ROW);
    ck_assert_int_eq(told(g, NULL, false).lanes, 0);
    ck_assert_int_gt(told(g, "samples, large", false).lanes, 0);
    evn_graph_destroy(&g);
    test_act_as(own);
}
END_TEST

/// Where a sample is promised the same bits in any batch, classes of batches do not count.
START_TEST(few) {
    evn_device_type own = test_act_as(EVN_DEVICE_CPU);
    evn_graph *g = layer(5, 19);
    ck_assert_int_gt(told(g, "batch", true).lanes, 0);
    ck_assert_int_eq(told(g, "batch", false).lanes, 0);
    evn_graph_destroy(&g);
    test_act_as(own);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("form");
    test_add(s, tcase_create("keys"), keys);
    test_add(s, tcase_create("forms"), forms);
    test_add(s, tcase_create("launches_and_items"), launches_and_items);
    test_add(s, tcase_create("large"), large);
    test_add(s, tcase_create("few"), few);
    return s;
}

int main(void) {
    return test_run(suite());
}
