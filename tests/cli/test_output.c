// SPDX-License-Identifier: Apache-2.0
// "-" means standard output for every option that names a file to write; what a verb says beside
// its result is not among it.
#include "evonode/status.h"
#include "program.h"
#include "test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *text) {
    char *copy = strdup(text);
    ck_assert_ptr_nonnull(copy);
    return copy;
}

static void check_same(const char *words, const char *option) {
    test_outcome result = test_program("", "%s", words);
    ck_assert_msg(result.code == 0 && result.out[0], "%s: %s", words, result.err);
    char *expected = copy_of(result.out);
    result = test_program("", "%s %s", words, option);
    ck_assert_msg(result.code == 0, "%s %s: %s", words, option, result.err);
    ck_assert_str_eq(result.out, expected);
    free(expected);
    ck_assert(!test_exists("-"));
}

/// Answers, which are printed anyway.
START_TEST(answers) {
    static const char rows[] = "x,y\n0.5,0.5\n-1,2\n";
    test_write("rows.csv", rows, strlen(rows));
    test_outcome result = test_program("", "train flow --data circles --batch 32 "
                                           "--phase backprop:solver=rk4,steps=4,epochs=2 --out f");
    ck_assert_msg(result.code == 0, "%s", result.err);
    check_same("sample f --count 3", "--out -");
    check_same("sample f --count 3", "--out=-");
    check_same("density f rows.csv", "--out -");
    check_same("density f rows.csv --json", "--out -");
    result = test_program("", "train curve --width 8 --epochs 1 --out c");
    ck_assert_msg(result.code == 0, "%s", result.err);
    check_same("sample c", "--out -");
}
END_TEST

static void check_begins(test_outcome result, const char *text) {
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_msg(strncmp(result.out, text, strlen(text)) == 0, "it prints: %.80s", result.out);
    ck_assert(!test_exists("-"));
}

/// Files, in the place of what would be printed; what stands beside that goes to standard error.
START_TEST(files) {
    check_begins(test_program("", "describe node --svg -"), "<svg");
    test_fails_with(test_program("", "describe node --json --svg -"), EVN_ERR_USAGE,
                    "--svg a file");
    test_outcome result = test_program("", "bench --quick --rows norm --json -");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *record = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(record, "no JSON: %s", result.out);
    json_decref(record);
    ck_assert_ptr_nonnull(strstr(result.err, "median ms"));
    test_write("b.json", result.out, strlen(result.out));
    check_begins(test_program("", "bench compare b.json b.json --html -"), "<!DOCTYPE html>");
    test_fails_with(test_program("", "bench compare b.json --markdown --html -"), EVN_ERR_USAGE,
                    "--html a file");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("output");
    TCase *c = tcase_create("answers");
    tcase_add_test(c, answers);
    suite_add_tcase(s, c);
    c = tcase_create("files");
    tcase_add_test(c, files);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
