// SPDX-License-Identifier: Apache-2.0
// A part of each call of the system that the program makes for its files goes wrong, one at a time
// (support/faults.h).
#include "faults.h"
#include "test.h"

#ifndef EVERY
#define EVERY 20
#endif

static const char *const manners[] = {"EIO",  "ENOSPC", "EINTR",     "short",
                                      "kill", "EIO:on", "ENOSPC:on", NULL};

START_TEST(scenario) {
    test_scenario(_i, "files", manners, (test_choice){.every = EVERY, .seed = 1});
}
END_TEST

static void add(Suite *suite, TCase *tcase, int which) {
    tcase_add_loop_test(tcase, scenario, which, which + 1);
    suite_add_tcase(suite, tcase);
}

int main(void) {
    Suite *suite = suite_create("files");
    add(suite, tcase_create("train"), 0);
    add(suite, tcase_create("resume"), 1);
    add(suite, tcase_create("eval"), 2);
    add(suite, tcase_create("compare"), 3);
    add(suite, tcase_create("predict"), 4);
    add(suite, tcase_create("report"), 5);
    return test_run(suite);
}
