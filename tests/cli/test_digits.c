// SPDX-License-Identifier: Apache-2.0
// The main job as it comes: evonode train digits, with all its defaults.
// TEST: timeout=600
#include "program.h"
#include "test.h"

#include <stdio.h>

START_TEST(reaches_its_accuracy) {
    test_outcome result = test_program("", "train digits");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *summary = test_json("runs/digits-1/summary.json");
    double accuracy = json_number_value(json_object_get(summary, "test_accuracy"));
    printf("test accuracy %.4f after %.1f s\n", accuracy,
           json_number_value(json_object_get(summary, "seconds_total")));
    ck_assert_double_ge(accuracy, 0.975);
    json_decref(summary);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("digits");
    TCase *c = tcase_create("accuracy");
    tcase_add_test(c, reaches_its_accuracy);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
