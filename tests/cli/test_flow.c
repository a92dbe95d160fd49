// SPDX-License-Identifier: Apache-2.0
// A flow through the program: run folder, pictures, evaluation, samples.
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SHORT[] =
    "--data 8gaussians --phase backprop:solver=rk4,steps=4,epochs=60,lr=0.02"
    " --phase adjoint:epochs=5,lr=1e-3";

static double check_summary(const char *table) {
    json_t *summary = test_json("r/summary.json");
    double nll = test_number(summary, "test_nll");
    ck_assert_double_lt(nll, 5);
    ck_assert_double_eq_tol(nll - test_number(summary, "gap_nats"), 2.8326, 1e-9);
    ck_assert_double_eq_tol(test_row(table, "test NLL"), nll, 1e-3);
    ck_assert_double_eq_tol(test_row(table, "gap to the entropy"), test_number(summary, "gap_nats"),
                            1e-3);
    ck_assert_ptr_null(json_object_get(summary, "test_accuracy"));
    json_decref(summary);
    return nll;
}

/// Lines of three numbers under a heading.
static void check_points(const char *csv, int count) {
    static const char heading[] = "x,y,log_p\n";
    int lines = 0, used;
    double x, y, log_p;
    ck_assert_int_eq(strncmp(csv, heading, strlen(heading)), 0);
    for (csv += strlen(heading); sscanf(csv, "%lf,%lf,%lf\n%n", &x, &y, &log_p, &used) == 3;
         csv += used) {
        ck_assert(isfinite(x) && isfinite(y) && log_p < 0);
        ++lines;
    }
    ck_assert_int_eq(lines, count);
    ck_assert_int_eq(*csv, 0);
}

START_TEST(train_eval_sample) {
    static const char *const pictures[] = {"loss", "samples", "strip", "density"};
    test_outcome result = test_program("", "train flow --out r %s", SHORT);
    ck_assert_msg(result.code == 0, "%s", result.err);
    double nll = check_summary(result.out);
    for (int i = 0; i < 4; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "r/%s.png", pictures[i]);
        ck_assert(test_exists(name));
        snprintf(name, sizeof(name), "r/%s.svg", pictures[i]);
        ck_assert_int_eq(test_exists(name), strcmp(pictures[i], "density") != 0); // an image
    }
    result = test_program("", "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_double_eq_tol(test_row(result.out, "test NLL"), nll, 2e-3);
    result = test_program("", "sample r --count 7");
    ck_assert_msg(result.code == 0, "%s", result.err);
    check_points(result.out, 7);
    char *printed = strdup(result.out);
    result = test_program("", "sample r --count 7 --out points.csv");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_str_eq(result.out, "");
    char *written = test_read("points.csv", NULL);
    ck_assert_str_eq(written, printed);
    free(written);
    free(printed);
    test_fails_with(test_program("", "sample r --count 7 --out r/run.json"), EVN_ERR_OUTPUT,
                    "a file of the run itself");
    ck_assert_int_eq(test_program("", "sample r --count 7 --out r/points.csv").code, 0);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
    test_fails_with(test_program("", "train flow --data mnist"), EVN_ERR_USAGE,
                    "no density 'mnist'");
    test_fails_with(test_program("", "train flow --model resnet"), EVN_ERR_USAGE,
                    "no model 'resnet'");
    test_fails_with(test_program("", "train digits --model hypernet"), EVN_ERR_USAGE, "hypernet");
    test_fails_with(test_program("", "train curve --trace exact"), EVN_ERR_USAGE, "--trace");
    test_fails_with(test_program("", "sample nowhere"), EVN_ERR_FILE, "nowhere");
    test_outcome result = test_program(
        "", "train digits --out d --limit 64 --filters 4 --phase backprop:steps=1,epochs=1");
    ck_assert_msg(result.code == 0, "%s", result.err);
    test_fails_with(test_program("", "sample d"), EVN_ERR_ARGUMENT, "only a flow and");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("flow");
    TCase *c = tcase_create("run");
    tcase_add_test(c, train_eval_sample);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, what_does_not_fit_is_refused);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
