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

static void check_decimal(const char *text) {
    char *end;
    double value, expected = evn__read_real(text, &end);
    ck_assert_msg(evn__read_decimal(text, strlen(text), '.', &value) && value == expected,
                  "%s became %.17g", text, value);
    char comma[64];
    snprintf(comma, sizeof(comma), "%s", text);
    if (strchr(comma, '.')) {
        *strchr(comma, '.') = ',';
        ck_assert(!evn__read_decimal(comma, strlen(comma), '.', &value));
    }
    ck_assert(evn__read_decimal(comma, strlen(comma), ',', &value) && value == expected);
}

/// Rounded as strtod does, on every way that it takes.
START_TEST(decimals_are_those_of_strtod) {
    static const char *const texts[] = {"0",
                                        "-0.0",
                                        "1.",
                                        ".5",
                                        "+7",
                                        "1e22",
                                        "1e23",
                                        "5e-324",
                                        "1e-400",
                                        "1e400",
                                        "1E+2",
                                        "00012",
                                        "0.1e-5",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "1.7976931348623157e308",
                                        "18446744073709551615",
                                        "0.3000000000000000444",
                                        "123456789012345678901234567890",
                                        "2.2250738585072011e-308",
                                        "1e99999999999999999999"};
    static const char *const wrong[] = {"",   ".",  "-",   "e5",  "1e",  "1e+", "1.2.3",
                                        " 1", "1 ", "0x1", "inf", "nan", "1,2"};
    static const char *const formats[] = {"%.17g", "%.16f", "%.9g", "%.3f", "%.18e"};
    double numbers[20000], value;
    char text[64];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); ++i) {
        check_decimal(texts[i]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        ck_assert_msg(!evn__read_decimal(wrong[i], strlen(wrong[i]), '.', &value), "%s", wrong[i]);
    }
    test_uniform(3, -1, 1, numbers, 20000);
    for (int i = 0; i < 20000; ++i) {
        evn__print(text, sizeof(text), formats[i % 5], numbers[i] * pow(10, i / 5 % 12 - 6));
        check_decimal(text);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("number");
    TCase *point = tcase_create("point");
    tcase_add_test(point, in_the_c_locale);
    tcase_add_test(point, with_a_decimal_comma);
    suite_add_tcase(s, point);
    TCase *decimal = tcase_create("decimal");
    tcase_add_test(decimal, decimals_are_those_of_strtod);
    suite_add_tcase(s, decimal);
    return s;
}

int main(void) {
    return test_run(suite());
}
