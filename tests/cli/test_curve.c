// SPDX-License-Identifier: Apache-2.0
// The curve through the program: run folder, pictures, evaluation.
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_summary(const char *table) {
    json_t *summary = test_json("r/summary.json");
    ck_assert_double_eq_tol(test_row(table, "  loss ") / test_number(summary, "loss"), 1, 1e-3);
    ck_assert_double_eq_tol(test_row(table, "max error") / test_number(summary, "max_error"), 1,
                            1e-3);
    ck_assert_double_eq(test_number(summary, "parameters"),
                        3 * 16 + 16 + 16 * 16 + 16 + 16 * 3 + 3);
    ck_assert_ptr_null(json_object_get(summary, "test_accuracy"));
    ck_assert_ptr_null(json_object_get(summary, "test_errors"));
    ck_assert_ptr_null(json_object_get(summary, "test_nll"));
    json_decref(summary);
}

static void check_run(void) {
    json_t *run = test_json("r/run.json");
    const json_t *options = json_object_get(run, "options");
    ck_assert_double_eq(test_number(options, "width"), 16);
    ck_assert_str_eq(json_string_value(json_object_get(options, "model")), "node");
    const json_t *first = json_array_get(json_object_get(options, "phase"), 0);
    ck_assert_double_eq(test_number(first, "steps"), 100);
    ck_assert_str_eq(json_string_value(json_object_get(options, "optimizer")), "lbfgs");
    ck_assert_double_eq(test_number(first, "lr"), 1); // with another optimiser 0.01
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(run, "note")), "preset paper"));
    json_decref(run);
}

static void check_metrics(void) {
    char *lines = test_read("r/metrics.jsonl", NULL);
    int count = 0;
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *block = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(block, "not JSON: %s", line);
        ck_assert_double_gt(test_number(block, "train_loss"), 0);
        ck_assert_ptr_null(json_object_get(block, "test_count"));
        json_decref(block);
        ++count;
    }
    ck_assert_int_eq(count, 20 + 4);
    free(lines);
}

static void check_evaluated_as_trained(const char *run, double loss) {
    test_outcome result = test_program("", "eval %s", run);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_double_eq(test_row(result.out, "  loss "), loss);
}

/// Steps of each sample's own: trained, evaluated, and solved with others afterwards.
START_TEST(own_steps) {
    test_outcome result =
        test_program("", "train curve --out r --model node-ew --width 8 --phase "
                         "backprop:solver=dopri5,steps=0,epochs=2,per-sample,weight-terms=6");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *run = test_json("r/run.json");
    const json_t *phases = json_object_get(json_object_get(run, "options"), "phase");
    ck_assert(json_is_true(json_object_get(json_array_get(phases, 0), "per-sample")));
    ck_assert_double_eq(test_number(json_array_get(phases, 0), "weight-terms"), 6);
    json_decref(run);
    check_evaluated_as_trained("r", test_row(result.out, "  loss "));
    result = test_program("", "eval r --solver euler --steps 100");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_double_eq(test_row(result.out, "NFE forward"), 100);
    test_fails_with(test_program("", "eval r --steps 100 --weight-terms 3"), EVN_ERR_ARGUMENT,
                    "3 weight_terms");
}
END_TEST

/// Weights on steps of their own: the run says so, and is evaluated as it was trained.
START_TEST(own_weight_steps) {
    test_outcome result =
        test_program("", "train curve --out w --model node-ew --width 8 --steps 100 --weight-steps "
                         "300 --phase backprop:epochs=2 --phase adjoint:steps=100,epochs=1");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *run = test_json("w/run.json");
    const json_t *phases = json_object_get(json_object_get(run, "options"), "phase");
    ck_assert_double_eq(test_number(json_array_get(phases, 1), "weight-steps"), 300);
    json_decref(run);
    check_evaluated_as_trained("w", test_row(result.out, "  loss "));
    result = test_program("", "eval w --weight-terms 24");
    ck_assert_msg(result.code == 0, "%s", result.err);
    test_fails_with(test_program("", "eval w --weight-terms 24 --weight-steps 300"),
                    EVN_ERR_ARGUMENT, "leave one of them out");
}
END_TEST

START_TEST(run_folder) {
    static const char *const pictures[] = {"curve_x1_x2", "curve_x1_x3", "curve_x2_x3",
                                           "curve_3d",    "error",       "loss"};
    test_outcome result = test_program("", "train curve --out r --width 16 --phase "
                                           "backprop:epochs=40 --phase adjoint:epochs=4");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "iteration 44/44"));
    ck_assert_ptr_nonnull(strstr(result.out, "not the paper's schedule"));
    ck_assert_ptr_nonnull(strstr(result.out, "paper: BP + adjoint"));
    check_summary(result.out);
    check_run();
    check_metrics();
    for (int i = 0; i < 6; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "r/%s.png", pictures[i]);
        ck_assert_msg(test_exists(name), "%s is missing", name);
        snprintf(name, sizeof(name), "r/%s.svg", pictures[i]);
        ck_assert_msg(test_exists(name), "%s is missing", name);
    }
    double loss = test_row(result.out, "  loss "), error = test_row(result.out, "max error");
    result = test_program("", "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_double_eq(test_row(result.out, "  loss "), loss);
    ck_assert_double_eq(test_row(result.out, "max error"), error);
    result = test_program("", "eval r --solver euler");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "euler, 100 steps"));
    ck_assert_double_eq(test_row(result.out, "NFE forward"), 100);
    ck_assert_double_ne(test_row(result.out, "  loss "), loss);
}
END_TEST

/// A bound on the way back is no hindrance to a rehearsal, which solves nothing.
START_TEST(bound_way_back) {
    static const char *const names[] = {"adjoint", "reversible", "adjoint-quadrature"};
    char words[128];
    snprintf(words, sizeof(words),
             "train curve --out %s --width 16 --phase %s:epochs=3,reconstruction=0.05", names[_i],
             names[_i]);
    test_outcome result = test_program("", "%s --dry-run", words);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_msg(!test_exists(names[_i]), "a rehearsal left a folder");
    result = test_program("", "%s", words);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "iteration 3/3"));
}
END_TEST

/// Where the way back does not end at the start, the bound ends the training.
START_TEST(bound_is_kept) {
    test_outcome result = test_program("", "train curve --out kept --width 16 --phase "
                                           "backprop:epochs=10 --phase adjoint:epochs=3,"
                                           "solver=euler,steps=3,reconstruction=1e-7");
    test_fails_with(result, EVN_ERR_SOLVER, "more than 1e-07");
    ck_assert_ptr_null(strstr(result.err, "evonode resume")); // it would end there again
}
END_TEST

/// The message names an option that there is.
START_TEST(steps_are_long_enough) {
    test_outcome result =
        test_program("", "train curve --out long --width 8 --phase adjoint:epochs=1,dt-min=50");
    test_fails_with(result, EVN_ERR_SOLVER, "smaller than dt_min = 50");
}
END_TEST

/// As an option of the verb, for all phases.
START_TEST(bound_is_an_option) {
    const char *words = "train curve --out %s --width 16 --phase backprop:epochs=10 --phase "
                        "adjoint:epochs=3,solver=euler,steps=3 --reconstruction %s";
    char line[256];
    snprintf(line, sizeof(line), words, "beyond", "0.001");
    test_fails_with(test_program("", "%s", line), EVN_ERR_SOLVER, "more than 0.001");
    snprintf(line, sizeof(line), words, "within", "0.05");
    test_outcome result = test_program("", "%s", line);
    ck_assert_msg(result.code == 0, "%s", result.err);
}
END_TEST

START_TEST(refused) {
    test_fails_with(test_program("", "train curve --batch 8"), EVN_ERR_USAGE,
                    "--batch is not for the task curve");
    test_fails_with(test_program("", "train digits --width 8"), EVN_ERR_USAGE,
                    "--width is not for the task digits");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("curve");
    TCase *c = tcase_create("run_folder");
    tcase_add_test(c, run_folder);
    suite_add_tcase(s, c);
    c = tcase_create("own_steps");
    tcase_add_test(c, own_steps);
    tcase_add_test(c, own_weight_steps);
    suite_add_tcase(s, c);
    c = tcase_create("way_back");
    tcase_add_loop_test(c, bound_way_back, 0, 3);
    tcase_add_test(c, bound_is_kept);
    tcase_add_test(c, bound_is_an_option);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, steps_are_long_enough);
    tcase_add_test(c, refused);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
