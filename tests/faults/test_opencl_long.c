// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=7200
// Every one of what test_opencl.c takes a part of.
#include "faults.h"
#include "test.h"

START_TEST(scenario) {
    test_scenario_opencl(_i, (test_choice){.every = 1, .seed = 1});
}
END_TEST

int main(void) {
    Suite *suite = suite_create("opencl");
    TCase *tcase = tcase_create("train");
    tcase_add_loop_test(tcase, scenario, 0, 1);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("eval");
    tcase_add_loop_test(tcase, scenario, 2, 3);
    suite_add_tcase(suite, tcase);
    return test_run(suite);
}
