// SPDX-License-Identifier: Apache-2.0
// --launch-limit where what is learnt is used: the longest launch is told, and work is cut without
// a change of its results.
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// No launch is shorter; some are.
#define NEVER "--launch-limit 1e-9"
#define SOME  "--launch-limit 5e-5"

static test_outcome run(const char *command) {
    test_outcome result = test_program("", "%s", command);
    ck_assert_msg(result.code == 0, "%s: %s", command, result.err);
    return result;
}

/// What a command prints, to be freed.
static char *printed(const char *command, const char *limit) {
    char words[512];
    snprintf(words, sizeof(words), "%s %s", command, limit);
    test_outcome result = run(words);
    if (strcmp(limit, NEVER) == 0) {
        ck_assert_msg(strstr(result.err, "warning: a launch of "), "%s", result.err);
    }
    return strdup(result.out);
}

/// The same numbers, to `tolerance`, and the same words between them.
static void check_same(const char *a, const char *b, double tolerance) {
    while (*a && *b) {
        char *after_a, *after_b;
        double x = strtod(a, &after_a), y = strtod(b, &after_b);
        bool numbers = after_a > a && after_b > b;
        ck_assert_msg(numbers ? fabs(x - y) <= tolerance * fmax(1, fabs(x)) : *a == *b,
                      "%.40s differs from %.40s", a, b);
        a = numbers ? after_a : a + 1;
        b = numbers ? after_b : b + 1;
    }
    ck_assert_int_eq(*a, *b);
}

/// However work is cut, results stay.
static void check_cut(const char *command, double tolerance) {
    static const char *const limits[] = {SOME, NEVER};
    char *whole = printed(command, "");
    for (int i = 0; i < 2; ++i) {
        char *cut = printed(command, limits[i]);
        check_same(whole, cut, tolerance);
        free(cut);
    }
    free(whole);
}

static void train_digits(void) {
    run("train digits --out r --filters 8 --limit 64 --batch 16 --phase "
        "backprop:steps=2,epochs=2,lr=0.1");
}

START_TEST(images) {
    train_digits();
    test_outcome result = run("eval r");
    double errors = test_row(result.out, "test errors");
    ck_assert_ptr_null(strstr(result.out, "longest launch"));
    result = run("eval r --launch-limit 100");
    ck_assert_ptr_nonnull(strstr(result.err, "launches  the longest took "));
    ck_assert_double_gt(test_row(result.out, "longest launch"), 0);
    json_t *evaluation = test_json("r/evaluation.json");
    ck_assert_double_gt(test_number(evaluation, "longest_launch"), 0);
    json_decref(evaluation);
    result = run("eval r " SOME);
    ck_assert_double_eq(test_row(result.out, "test errors"), errors);
    result = run("eval r " NEVER);
    ck_assert_ptr_nonnull(strstr(result.err, "warning: a launch of "));
    ck_assert_double_eq(test_row(result.out, "test errors"), errors);
    test_fails_with(test_program("", "eval r --launch-limit 0"), EVN_ERR_USAGE,
                    "--launch-limit is '0'");
    test_fails_with(test_program("", "train digits --dry-run --launch-limit x"), EVN_ERR_USAGE,
                    "--launch-limit is 'x'");
}
END_TEST

START_TEST(studies) {
    train_digits();
    check_cut("depth r", 1e-4);
    char *inverted = printed("invert r", NEVER);
    free(inverted);
}
END_TEST

/// Enough images for batches of the run's size.
START_TEST(predictions) {
    enum { IMAGES = 48, SIDE = 8 };
    char list[IMAGES * 16] = "";
    for (int i = 0; i < IMAGES; ++i) {
        char name[16];
        unsigned char image[64 + SIDE * SIDE];
        size_t head = (size_t)sprintf((char *)image, "P5 8 8 255\n");
        for (int k = 0; k < SIDE * SIDE; ++k) {
            image[head + (size_t)k] = (unsigned char)(k * (i + 3));
        }
        snprintf(name, sizeof(name), "%02d.pgm", i);
        test_write(name, image, head + SIDE * SIDE);
        strcat(strcat(list, name), "\n");
    }
    test_write("list", list, strlen(list));
    train_digits();
    char files[TEST_PATH], words[2 * TEST_PATH];
    snprintf(words, sizeof(words), "predict r --json --files-from '%s'", test_path(files, "list"));
    check_cut(words, 1e-4);
}
END_TEST

START_TEST(points) {
    run("train flow --out r --data 8gaussians --batch 64 --phase "
        "backprop:solver=rk4,steps=4,epochs=2,lr=0.02");
    check_cut("sample r --count 1500", 1e-4);
    char *drawn = printed("sample r --count 1500", "");
    test_write("points.csv", drawn, strlen(drawn));
    free(drawn);
    check_cut("density r points.csv", 1e-4);
}
END_TEST

START_TEST(series) {
    static const char rows[] = "t,x,y\n0,1,0\n0.4,0.9,0.4\n1,0.5,0.8\n1.3,0.3,1\n2.1,-0.5,0.9\n"
                               "2.4,-0.7,0.6\n3,-1,0.1\n3.7,-0.8,-0.5\n4.4,-0.3,-1\n";
    test_write("s.csv", rows, strlen(rows));
    run("train series --out r --data s.csv --window 1 --holdout 0 --phase "
        "backprop:solver=rk4,steps=4,epochs=2");
    check_cut("sample r", 1e-4);
    check_cut("sample r --until 9", 1e-4);
}
END_TEST

int main(void) {
    Suite *s = suite_create("launch_limit");
    test_add(s, tcase_create("images"), images);
    test_add(s, tcase_create("studies"), studies);
    test_add(s, tcase_create("predictions"), predictions);
    test_add(s, tcase_create("points"), points);
    test_add(s, tcase_create("series"), series);
    return test_run(s);
}
