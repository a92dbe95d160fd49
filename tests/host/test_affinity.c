// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // sched_setaffinity
#include "host/affinity.h"
#include "test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cpu_set_t allowed(void) {
    cpu_set_t set;
    ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    return set;
}

START_TEST(all_processors) {
    cpu_set_t set = allowed();
    bool all = CPU_COUNT(&set) == sysconf(_SC_NPROCESSORS_CONF);
    unsetenv("POCL_AFFINITY");
    evn__affinity_prepare();
    ck_assert_int_eq(getenv("POCL_AFFINITY") != NULL, all);
}
END_TEST

START_TEST(what_was_set_stays) {
    setenv("POCL_AFFINITY", "0", 1);
    evn__affinity_prepare();
    ck_assert_str_eq(getenv("POCL_AFFINITY"), "0");
}
END_TEST

/// PoCL would put its threads on processors that this process may not use.
START_TEST(some_processors) {
    cpu_set_t before = allowed(), one;
    if (sysconf(_SC_NPROCESSORS_CONF) > 1) {
        int first = 0;
        while (!CPU_ISSET(first, &before)) {
            ++first;
        }
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
        unsetenv("POCL_AFFINITY");
        evn__affinity_prepare();
        ck_assert_ptr_null(getenv("POCL_AFFINITY"));
        ck_assert_int_eq(sched_setaffinity(0, sizeof(before), &before), 0);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("affinity");
    TCase *c = tcase_create("environment");
    tcase_add_test(c, all_processors);
    tcase_add_test(c, what_was_set_stays);
    tcase_add_test(c, some_processors);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
