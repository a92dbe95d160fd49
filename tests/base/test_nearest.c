// SPDX-License-Identifier: Apache-2.0
// What a word was probably meant to be.
#include "base/nearest.h"

#include "evonode/solver.h"
#include "test.h"
#include <string.h>

/// What nobody can guess is answered by the list alone: an implicit method must not be answered by
/// an explicit one.
static const struct {
    const char *word, *meant;
} words[] = {
    {"DOPRI5", "dopri5"},
    {"dopri", "dopri5"},
    {"Tsit5", "tsit5"},
    {"dopir5", "dopri5"},
    {"explicit_adams", "adams"},
    {"rosenbrock", "rosenbrock23"},
    {"KVAERNO", "kvaerno3"},
    {"implicitEuler", "implicit_euler"},
    {"radau", NULL},
    {"Radau5", NULL},
    {"bdf", NULL},
    {"lsoda", NULL},
    {"x", NULL},
    {"", NULL},
};

START_TEST(methods) {
    const char *near = evn__nearest_choice(words[_i].word, evn_method_name);
    const char *meant = words[_i].meant;
    ck_assert_msg(near == meant || (near && meant && strcmp(near, meant) == 0),
                  "%s is taken for %s", words[_i].word, near ? near : "nothing");
}
END_TEST

START_TEST(lists) {
    static const char *const names[] = {"train", "resume", "eval", NULL};
    ck_assert_str_eq(evn__nearest("TRIAN", names), "train");
    ck_assert_str_eq(evn__nearest("evaluate", names), "eval");
    ck_assert_ptr_null(evn__nearest("compress", names));
    ck_assert_ptr_null(evn__nearest("a_word_that_is_longer_than_any_name", names));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("nearest");
    TCase *c = tcase_create("methods");
    tcase_add_loop_test(c, methods, 0, sizeof(words) / sizeof(words[0]));
    suite_add_tcase(s, c);
    test_add(s, tcase_create("lists"), lists);
    return s;
}

int main(void) {
    return test_run(suite());
}
