// SPDX-License-Identifier: Apache-2.0
#include "base/json_hash.h"

#include "base/json.h"
#include "test.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/// Printed with 15 digits, and read.
static json_t *print_and_read(double value, char **text) {
    json_t *object = json_pack("{s:f}", "value", value), *read;
    bool has, fits;
    TRY(evn__json_print_hashed(object, JSON_COMPACT, 15, text));
    TRY(evn__json_parse(*text, strlen(*text), &read));
    TRY(evn__json_check_hash(read, &has, &fits));
    ck_assert(has && fits);
    json_decref(object);
    return read;
}

/// Rounded to 15 digits the largest number is none.
START_TEST(digits) {
    static const double values[] = {0.1, 1.0 / 3, DBL_MAX, -DBL_MAX, DBL_MIN};
    static const char *const begin[] = {"{\"value\":0.1,", "{\"value\":0.333333333333333,"};
    for (int i = 0; i < 5; ++i) {
        char *text;
        json_t *read = print_and_read(values[i], &text);
        double value = json_real_value(json_object_get(read, "value"));
        ck_assert_double_eq_tol(value / values[i], 1, 1e-14);
        ck_assert(i >= 2 || strncmp(text, begin[i], strlen(begin[i])) == 0);
        json_decref(read);
        free(text);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("json_hash");
    test_add(s, tcase_create("digits"), digits);
    return s;
}

int main(void) {
    return test_run(suite());
}
