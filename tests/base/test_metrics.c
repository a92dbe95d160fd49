// SPDX-License-Identifier: Apache-2.0
#include "evonode/metrics.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

START_TEST(set_and_find) {
    evn_metrics metrics = {0};
    TRY(evn_metrics_set(&metrics, "loss", "nats", EVN_BETTER_LOWER, 2));
    TRY(evn_metrics_set(&metrics, "accuracy", "fraction", EVN_BETTER_HIGHER, 0.5));
    TRY(evn_metrics_set(&metrics, "loss", "", EVN_BETTER_NEITHER, 3)); // in its place
    ck_assert_int_eq(metrics.count, 2);
    const evn_metric *loss = evn_metrics_find(&metrics, "loss");
    ck_assert_ptr_eq(loss, &metrics.items[0]);
    ck_assert_str_eq(loss->unit, "");
    ck_assert_int_eq(loss->better, EVN_BETTER_NEITHER);
    ck_assert_double_eq(evn_metrics_value(&metrics, "loss"), 3);
    ck_assert_double_eq(evn_metrics_value(&metrics, "accuracy"), 0.5);
    ck_assert_ptr_null(evn_metrics_find(&metrics, "los"));
    ck_assert(isnan(evn_metrics_value(&metrics, "errors")));
}
END_TEST

START_TEST(limits) {
    evn_metrics metrics = {0};
    char name[EVN_METRIC_NAME + 1];
    memset(name, 'a', sizeof(name));
    name[EVN_METRIC_NAME] = 0;
    ck_assert_int_eq(evn_metrics_set(&metrics, name, "", EVN_BETTER_LOWER, 1), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_metrics_set(&metrics, "", "", EVN_BETTER_LOWER, 1), EVN_ERR_ARGUMENT);
    name[EVN_METRIC_NAME - 1] = 0;
    TRY(evn_metrics_set(&metrics, name, "", EVN_BETTER_LOWER, 1));
    while (metrics.count < EVN_METRICS_MAX) {
        snprintf(name, sizeof(name), "m%d", metrics.count);
        TRY(evn_metrics_set(&metrics, name, "", EVN_BETTER_LOWER, 1));
    }
    ck_assert_int_eq(evn_metrics_set(&metrics, "more", "", EVN_BETTER_LOWER, 1), EVN_ERR_ARGUMENT);
    TRY(evn_metrics_set(&metrics, name, "", EVN_BETTER_LOWER, 7)); // one that is there
    ck_assert_double_eq(metrics.items[EVN_METRICS_MAX - 1].value, 7);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("metrics");
    TCase *c = tcase_create("list");
    tcase_add_test(c, set_and_find);
    tcase_add_test(c, limits);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
