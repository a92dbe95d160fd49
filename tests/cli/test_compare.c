// SPDX-License-Identifier: Apache-2.0
// evonode compare: groups, their numbers, and what cannot be compared.
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void train(const char *format, const char *model, int seed, const char *folder) {
    char command[512];
    snprintf(command, sizeof(command), format, model, seed, folder);
    test_outcome result = test_program("", "%s", command);
    ck_assert_msg(result.code == 0, "%s", result.err);
}

static void check_pictures(const char *const *names) {
    char path[TEST_PATH];
    for (; *names; ++names) {
        snprintf(path, sizeof(path), "p/%s.png", *names);
        ck_assert_msg(test_exists(path), "no %s", path);
        snprintf(path, sizeof(path), "p/%s.svg", *names);
        ck_assert_msg(test_exists(path), "no %s", path);
    }
}

static json_t *compare(const char *runs) {
    test_outcome result = test_program("", "compare --json %s", runs);
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *all = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(all, "not JSON: %s", result.out);
    return all;
}

static const json_t *group_of(const json_t *all, size_t index) {
    return json_array_get(json_object_get(all, "groups"), index);
}

static double of_summary(const char *folder, const char *field) {
    char path[TEST_PATH];
    snprintf(path, sizeof(path), "%s/summary.json", folder);
    json_t *summary = test_json(path);
    double value = test_number(summary, field);
    json_decref(summary);
    return value;
}

static const char IMAGES[] = "train digits --model %s --seed %d --out %s --filters 8 --batch 32 "
                             "--limit 96 --phase backprop:steps=2,epochs=2,lr=0.1";

START_TEST(images) {
    train(IMAGES, "node", 1, "a");
    train(IMAGES, "node", 2, "b");
    train(IMAGES, "node-ew", 1, "c");
    json_t *all = compare("a b c");
    ck_assert_uint_eq(json_array_size(json_object_get(all, "groups")), 2);
    const json_t *node = group_of(all, 0), *errors = json_object_get(node, "test_errors");
    ck_assert_str_eq(json_string_value(json_object_get(node, "label")), "node");
    ck_assert_str_eq(json_string_value(json_object_get(group_of(all, 1), "label")), "node-ew rda");
    double a = of_summary("a", "test_errors"), b = of_summary("b", "test_errors");
    ck_assert_double_eq(test_number(errors, "count"), 2);
    ck_assert_double_eq_tol(test_number(errors, "mean"), (a + b) / 2, 1e-6);
    ck_assert_double_eq_tol(test_number(errors, "low"), fmin(a, b), 1e-6);
    ck_assert_double_eq_tol(test_number(errors, "high"), fmax(a, b), 1e-6);
    ck_assert_double_eq_tol(test_number(errors, "deviation"), fabs(a - b) / sqrt(2), 1e-5);
    json_decref(all);
    test_outcome result = test_program("", "compare a b c --out p");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "node-ew rda"));
    ck_assert_ptr_nonnull(strstr(result.out, "test error, %"));
    check_pictures((const char *const[]){"accuracy-epoch", "accuracy-time", NULL});
}
END_TEST

static const char FLOW[] = "train flow --model %s --seed %d --out %s --data circles "
                           "--phase backprop:steps=4,epochs=120,lr=0.02";

/// The loss of one run reaches its own final one at its end or before, as metrics.jsonl shows.
START_TEST(flows) {
    train(FLOW, "node", 1, "f");
    train(FLOW, "node-ew", 1, "g");
    json_t *all = compare("f g");
    for (size_t i = 0; i < 2; ++i) {
        const json_t *race = json_object_get(group_of(all, i), "race");
        ck_assert_str_eq(json_string_value(json_object_get(race, "against")), "node");
        double iterations = test_number(race, "iterations");
        ck_assert(iterations >= 50 && iterations <= 120 && fmod(iterations, 6) == 0);
        ck_assert_double_gt(test_number(race, "seconds"), 0);
    }
    json_decref(all);
    test_outcome result = test_program("", "compare f g --out p");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "the final loss of node"));
    ck_assert_ptr_nonnull(strstr(result.out, "paper: NODE-EW"));
    check_pictures((const char *const[]){"loss", NULL});
}
END_TEST

START_TEST(what_sets_groups_apart) {
    train(IMAGES, "node --lr 0.1 --schedule constant", 1, "h");
    train(IMAGES, "node --lr 0.1 --schedule cosine", 1, "i");
    json_t *all = compare("h i");
    ck_assert_str_eq(json_string_value(json_object_get(group_of(all, 1), "label")),
                     "node phase1.schedule=cosine");
    json_decref(all);
}
END_TEST

START_TEST(what_cannot_be_compared) {
    train(IMAGES, "node", 1, "j");
    train("train curve --width 8%.0s --seed %d --out %s --phase backprop:epochs=2", "", 1, "k");
    test_fails_with(test_program("", "compare"), EVN_ERR_USAGE, "needs a RUN");
    test_fails_with(test_program("", "compare j nowhere"), EVN_ERR_FILE, "nowhere");
    test_fails_with(test_program("", "compare j k"), EVN_ERR_DATA, "one task at a time");
    test_fails_with(test_program("", "compare j j/"), EVN_ERR_USAGE, "j and j/ are one run");
    char path[TEST_PATH];
    ck_assert_int_eq(symlink("j", test_path(path, "j\xff")), 0);
    test_fails_with(test_program("", "compare --json \"$(printf 'j\\377')\""), EVN_ERR_USAGE,
                    "not UTF-8");
    ck_assert_int_eq(unlink(test_path(path, "k/summary.json")), 0);
    test_fails_with(test_program("", "compare k"), EVN_ERR_DATA, "no run is finished");
    test_write("j/metrics.jsonl", "{\n", 2);
    test_fails_with(test_program("", "compare j"), EVN_ERR_FORMAT, "j/metrics.jsonl");
}
END_TEST

START_TEST(unfinished_runs_are_left_out) {
    char path[TEST_PATH];
    train(IMAGES, "node", 1, "l");
    train(IMAGES, "node", 2, "m");
    ck_assert_int_eq(unlink(test_path(path, "m/summary.json")), 0);
    test_outcome result = test_program("", "compare l m");
    ck_assert_int_eq(result.code, 0);
    ck_assert_ptr_nonnull(strstr(result.err, "m is left out"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("compare");
    TCase *c = tcase_create("images");
    tcase_add_test(c, images);
    tcase_add_test(c, what_sets_groups_apart);
    suite_add_tcase(s, c);
    c = tcase_create("flows");
    tcase_add_test(c, flows);
    suite_add_tcase(s, c);
    c = tcase_create("errors");
    tcase_add_test(c, what_cannot_be_compared);
    tcase_add_test(c, unfinished_runs_are_left_out);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
