// SPDX-License-Identifier: Apache-2.0
// A part of the calls of each entry point of OpenCL fails, one at a time or from it on
// (support/faults.h).
#include "faults.h"
#include "test.h"

#ifndef EVERY
#define EVERY 60
#endif

START_TEST(scenario) {
    test_scenario_opencl(_i, (test_choice){.every = EVERY, .seed = 1});
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
