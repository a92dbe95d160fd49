// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"
#include "test.h"

static void is_shown(const char *name, const char *wanted) {
    char shown[64];
    ck_assert_str_eq(evn__printable(name, shown, sizeof(shown)), wanted);
}

START_TEST(printable) {
    is_shown("a cat.png", "a cat.png");
    is_shown("Küche/猫/😀", "Küche/猫/😀");
    is_shown("two\nlines\x1b[31m\x7f", "two\\x0alines\\x1b[31m\\x7f");
    is_shown("latin \xe9t\xe9", "latin \\xe9t\\xe9");
    is_shown("\xc2\x85 \xc0\xaf \xed\xa0\x80", "\\xc2\\x85 \\xc0\\xaf \\xed\\xa0\\x80");
    is_shown("\xe7\x8c", "\\xe7\\x8c"); // cut short
}
END_TEST

START_TEST(utf8) {
    static const char *const right[] = {"", "a\tb\n", "Küche/猫/😀", "\xc2\x85"};
    static const char *const wrong[] = {"latin \xe9t\xe9", "\xc0\xaf",         "\xed\xa0\x80",
                                        "a\xe7\x8c",       "\xf5\x80\x80\x80", "\x80"};
    for (int i = 0; i < 4; ++i) {
        ck_assert(evn__is_utf8(right[i]));
    }
    for (int i = 0; i < 6; ++i) {
        ck_assert(!evn__is_utf8(wrong[i]));
    }
}
END_TEST

START_TEST(long_names_end_in_an_ellipsis) {
    char shown[12];
    ck_assert_str_eq(evn__printable("0123456789abc", shown, sizeof(shown)), "01234567…");
    ck_assert_str_eq(evn__printable("1234567ü", shown, sizeof(shown)), "1234567…");
}
END_TEST

START_TEST(made_utf8) {
    char right[] = "Küche/猫/😀\n\x1b\x7f", cut[] = "\xe7\x8c",
         mixed[] = "GPU \xe9\xff (\xc2\x85) \xc2";
    ck_assert(evn__is_utf8(right) && !evn__is_utf8(cut) && !evn__is_utf8(mixed));
    evn__make_utf8(right);
    evn__make_utf8(cut);
    evn__make_utf8(mixed);
    ck_assert_str_eq(right, "Küche/猫/😀\n\x1b\x7f");
    ck_assert_str_eq(cut, "??");
    ck_assert_str_eq(mixed, "GPU ?? (\xc2\x85) ?");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("names");
    TCase *c = tcase_create("printable");
    tcase_add_test(c, printable);
    tcase_add_test(c, long_names_end_in_an_ellipsis);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("utf8"), utf8);
    test_add(s, tcase_create("made_utf8"), made_utf8);
    return s;
}

int main(void) {
    return test_run(suite());
}
