// SPDX-License-Identifier: Apache-2.0
#include "evonode/version.h"
#include "test.h"

#include <stdio.h>

// The numbers, the text and the library that is linked are of one version.
START_TEST(version) {
    char parts[64];
    snprintf(parts, sizeof(parts), "%d.%d.%d", EVN_VERSION_MAJOR, EVN_VERSION_MINOR,
             EVN_VERSION_PATCH);
    ck_assert_str_eq(EVN_VERSION_STRING, parts);
    ck_assert_str_eq(evn_version(), parts);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("version");
    TCase *macros = tcase_create("macros");
    tcase_add_test(macros, version);
    suite_add_tcase(s, macros);
    return s;
}

int main(void) {
    return test_run(suite());
}
