// SPDX-License-Identifier: Apache-2.0
// Cases of calls that go wrong, one at a time (support/faults.h), chosen as CHOICE says.
#ifndef EVN_TEST_CALLS_H
#define EVN_TEST_CALLS_H

#include "faults.h"
#include "test.h"

#ifndef CHOICE
#define CHOICE TEST_PART
#endif

START_TEST(scenario) {
    test_scenario(_i, CHOICE);
}
END_TEST

static void add(Suite *suite, TCase *tcase, test_fault_kind kind, const char *verb) {
    int scenario_index = test_scenario_find(kind, verb);
    tcase_add_loop_test(tcase, scenario, scenario_index, scenario_index + 1);
    suite_add_tcase(suite, tcase);
}

#endif
