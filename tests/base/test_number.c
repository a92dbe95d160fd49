// SPDX-License-Identifier: Apache-2.0
// Numbers as text and back, also in a program whose decimal point is a comma.
#include "base/memory.h"
#include "base/number.h"
#include "comma.h"
#include "test.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_numbers(void) {
    static const double values[] = {0.5, -1.25e-300, 0.1, DBL_MAX, DBL_TRUE_MIN, 1e22, 123456.789};
    char text[64], *end;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); ++i) {
        int length = evn__print(text, sizeof(text), "%.17g", values[i]);
        ck_assert_int_eq(length, (int)strlen(text));
        ck_assert_ptr_null(strchr(text, ','));
        double value = evn__read_real(text, &end);
        ck_assert(value == values[i] && *end == 0);
    }
    ck_assert_int_eq(evn__print(text, 4, "%s %.2f", "x", 0.5), 6);
    ck_assert_str_eq(text, "x 0");
    ck_assert(evn__read_real("2.5/3.5", &end) == 2.5);
    ck_assert_str_eq(end, "/3.5");
    ck_assert(evn__read_real("2,5", &end) == 2); // a comma is no point anywhere
    ck_assert_str_eq(end, ",5");
    ck_assert(isinf(evn__read_real("inf", &end)) && isnan(evn__read_real("nan", &end)));
    evn__text grown = {0};
    evn__text_append(&grown, "R(%.17g)", 0.5);
    ck_assert_str_eq(grown.data, "R(0.5)");
    free(grown.data);
    evn_error_set(EVN_ERR_DATA, "%g", 1.5);
    ck_assert_str_eq(evn_error_message(), "1.5");
}

START_TEST(in_the_c_locale) {
    check_numbers();
}
END_TEST

START_TEST(with_a_decimal_comma) {
    if (comma_enter()) {
        check_numbers();
        char text[8];
        snprintf(text, sizeof(text), "%.1f", 0.5);
        ck_assert_str_eq(text, "0,5"); // and the program's own locale is as it was
        comma_leave();
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("number");
    TCase *point = tcase_create("point");
    tcase_add_test(point, in_the_c_locale);
    tcase_add_test(point, with_a_decimal_comma);
    suite_add_tcase(s, point);
    return s;
}

int main(void) {
    return test_run(suite());
}
