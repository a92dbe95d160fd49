// SPDX-License-Identifier: Apache-2.0
// Training runs through the program: what is in the run folder, and what a failed run leaves.
#include "program.h"
#include "test.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/// A run of seconds: a small network, few steps, 64 images.
static const char SMALL[] = "--filters 8 --batch 32 --limit 64";
static const char PHASES[] = "--phase backprop:steps=2,epochs=2 --phase adjoint:epochs=1,rtol=1e-2";

static const char *text(const json_t *object, const char *name) {
    const char *value = json_string_value(json_object_get(object, name));
    ck_assert_msg(value, "%s is missing or not a text", name);
    return value;
}

static void check_run(void) {
    json_t *run = test_json("r/run.json");
    const json_t *options = json_object_get(run, "options");
    ck_assert_str_eq(text(run, "task"), "digits");
    ck_assert_str_eq(text(options, "model"), "node-ew");
    ck_assert_str_eq(text(options, "weights"), "rda");
    ck_assert_double_eq(test_number(options, "seed"), 5);
    ck_assert_double_eq(test_number(options, "momentum"), 0.9);
    ck_assert_ptr_nonnull(text(json_object_get(run, "device"), "driver"));
    ck_assert_ptr_nonnull(text(json_object_get(run, "device"), "platform"));
    ck_assert_ptr_nonnull(text(json_object_get(run, "versions"), "evonode"));
    const json_t *phases = json_object_get(options, "phase");
    ck_assert_uint_eq(json_array_size(phases), 2);
    ck_assert_str_eq(text(json_array_get(phases, 0), "solver"), "euler");
    ck_assert_double_eq(test_number(json_array_get(phases, 0), "steps"), 2);
    ck_assert_str_eq(text(json_array_get(phases, 1), "solver"), "dopri5");
    ck_assert_double_eq(test_number(json_array_get(phases, 1), "rtol"), 1e-2);
    ck_assert_uint_gt(json_array_size(json_object_get(run, "command")), 10);
    json_decref(run);
}

static void check_metrics(void) {
    char *lines = test_read("r/metrics.jsonl", NULL);
    int count = 0;
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *epoch = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(epoch, "not JSON: %s", line);
        ck_assert_double_eq(test_number(epoch, "epoch"), count);
        ck_assert_str_eq(text(epoch, "phase_name"), count < 2 ? "backprop" : "adjoint");
        ck_assert_double_gt(test_number(epoch, "train_loss"), 0);
        ck_assert_double_gt(test_number(epoch, "seconds"), 0);
        ck_assert_double_eq(test_number(epoch, "test_count"), 355);
        json_decref(epoch);
        ++count;
    }
    ck_assert_int_eq(count, 3);
    free(lines);
}

static void check_summary(void) {
    json_t *summary = test_json("r/summary.json");
    double accuracy = test_number(summary, "test_accuracy");
    ck_assert_double_ge(accuracy, 0);
    ck_assert_double_eq_tol(accuracy, 1 - test_number(summary, "test_errors") / 355, 1e-6);
    ck_assert_double_le(test_number(summary, "train_accuracy"), 1);
    ck_assert_double_gt(test_number(summary, "seconds_total"),
                        test_number(summary, "seconds_per_epoch"));
    ck_assert_double_ge(test_number(summary, "nfe_forward"), 7);
    ck_assert_double_ge(test_number(summary, "nfe_backward"), 7);
    ck_assert_double_gt(test_number(summary, "peak_device_bytes"),
                        test_number(summary, "parameters"));
    ck_assert_double_gt(test_number(summary, "test_loss"), 0);
    ck_assert_ptr_null(json_object_get(summary, "test_nll"));
    ck_assert_ptr_null(json_object_get(summary, "gap_nats"));
    ck_assert_ptr_null(json_object_get(summary, "max_error"));
    json_decref(summary);
}

/// The accuracy in a table, in per cent.
static double table_accuracy(const char *table) {
    const char *row = strstr(table, "test accuracy");
    ck_assert_msg(row, "no accuracy in: %s", table);
    return strtod(row + strlen("test accuracy"), NULL);
}

START_TEST(run_folder) {
    test_outcome result = test_program("", "train digits --out=r --seed 5 %s %s", SMALL, PHASES);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "epoch 3/3"));
    double accuracy = table_accuracy(result.out);
    ck_assert_ptr_nonnull(strstr(result.out, "peak device memory"));
    check_run();
    check_metrics();
    check_summary();
    ck_assert(test_exists("r/model.safetensors"));

    result = test_program("", "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_double_eq(table_accuracy(result.out), accuracy);
    result = test_program("", "eval r --solver euler --steps 2");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "euler, 2 steps"));
    test_fails_with(test_program("", "train digits --out r"), EVN_ERR_OUTPUT, "finished run");
}
END_TEST

START_TEST(every_model) {
    const char *const models[] = {"resnet --layers 2", "node", "node-ew --weights mlp"};
    for (int i = 0; i < 3; ++i) {
        test_outcome result = test_program(
            "", "train digits --model %s --optimizer adam --phase checkpointed:steps=2 %s",
            models[i], SMALL);
        ck_assert_msg(result.code == 0, "%s: %s", models[i], result.err);
        char name[64];
        snprintf(name, sizeof(name), "runs/digits-%d/summary.json", i + 1);
        json_t *summary = test_json(name);
        ck_assert((json_object_get(summary, "nfe_forward") == NULL) == (i == 0));
        json_decref(summary);
        snprintf(name, sizeof(name), "eval runs/digits-%d", i + 1);
        ck_assert_int_eq(test_program("", "%s", name).code, 0);
    }
}
END_TEST

/// Ten evolving weights: by the adjoint they are thirty states beside x.
START_TEST(evolving_vectors) {
    test_outcome result = test_program(
        "", "train digits --out r --weights rda-waves --phase adjoint:epochs=1 %s", SMALL);
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *summary = test_json("r/summary.json");
    ck_assert_double_gt(test_number(summary, "nfe_backward"), 0);
    json_decref(summary);
}
END_TEST

START_TEST(augmented_images) {
    const char *const options[] = {"--crop 0", "--crop 2", "--rotate 15", "--scale 0.2",
                                   "--elastic 0.5"};
    enum { RUNS = sizeof(options) / sizeof(options[0]) };
    double loss[RUNS];
    for (int i = 0; i < RUNS; ++i) {
        test_outcome result = test_program(
            "", "train digits --out run%d %s %s --phase backprop:steps=1", i, options[i], SMALL);
        ck_assert_msg(result.code == 0, "%s", result.err);
        char name[64];
        snprintf(name, sizeof(name), "run%d/summary.json", i);
        json_t *summary = test_json(name);
        loss[i] = test_number(summary, "test_loss");
        json_decref(summary);
        for (int k = 0; k < i; ++k) {
            ck_assert_double_ne(loss[i], loss[k]);
        }
        ck_assert_int_eq(test_program("", "eval run%d", i).code, 0);
    }
    test_fails_with(test_program("", "train digits --out r --crop 8"), EVN_ERR_ARGUMENT,
                    "from 0 to 7");
    test_fails_with(test_program("", "train digits --out r --elastic 3"), EVN_ERR_ARGUMENT,
                    "from 0 to 2");
    test_fails_with(test_program("", "train digits --out r --rotate 181"), EVN_ERR_USAGE, "180");
    test_fails_with(test_program("", "train curve --out r --crop 1"), EVN_ERR_USAGE, "crop");
}
END_TEST

/// One Euler step back does not undo one Euler step: the adjoint must not be trusted. The phase
/// goes on from checkpoints, or ends, or, where nobody is to look, the epoch says so.
START_TEST(unreliable_adjoint) {
    test_outcome result = test_program(
        "", "train digits --out r %s --phase adjoint:solver=euler,steps=1,epochs=2", SMALL);
    ck_assert_msg(result.code == 0, "%s", result.err);
    const char *warning = strstr(result.err, "warning: epoch 1, phase adjoint");
    ck_assert_msg(warning, "no warning in: %s", result.err);
    ck_assert_ptr_nonnull(strstr(warning, "from here on the gradients"));
    ck_assert_ptr_null(strstr(warning + 1, "warning")); // once a phase
    result = test_program("",
                          "train digits --out e %s --phase "
                          "adjoint:solver=euler,steps=1,epochs=2,fallback=none",
                          SMALL);
    test_fails_with(result, EVN_ERR_SOLVER, "more than 0.05");
    result = test_program("",
                          "train digits --out u %s --phase reversible:solver=euler,steps=40,"
                          "coupling=0.5,epochs=1,fallback=none",
                          SMALL); // the usual bound is one of adjoints
    ck_assert_msg(result.code == 0, "%s", result.err);
    result = test_program("",
                          "train digits --out w %s --phase "
                          "adjoint:solver=euler,steps=1,epochs=2,reconstruction=0",
                          SMALL);
    ck_assert_msg(result.code == 0, "%s", result.err);
    warning = strstr(result.err, "warning: epoch 1, phase adjoint");
    ck_assert_msg(warning, "no warning in: %s", result.err);
    ck_assert_ptr_null(strstr(warning + 1, "warning"));
}
END_TEST

START_TEST(unwritable) {
    char path[TEST_PATH];
    test_fails_with(test_program("", "train digits --out \"$(printf 'n\\377')\""), EVN_ERR_USAGE,
                    "not UTF-8"); // run.json could not say where
    ck_assert(!test_exists("n\xff"));
    test_fails_with(test_program("", "train digits --out /dev/null/r"), EVN_ERR_OUTPUT,
                    "/dev/null");
    mkdir(test_path(path, "full"), 0777);
    test_write("full/letter.txt", "dear", 4);
    test_fails_with(test_program("", "train digits --out full"), EVN_ERR_OUTPUT, "holds no run");
    ck_assert(!test_exists("full/run.json"));
    test_write("file", "x", 1);
    test_fails_with(test_program("", "train digits --out file"), EVN_ERR_OUTPUT, "file");
}
END_TEST

/// The last step of all ruins the model: no loss of training is taken behind it.
START_TEST(not_finite_in_the_end) {
    test_fails_with(test_program("", "train digits --out last --model node --filters 4 --batch 64 "
                                     "--limit 64 --phase backprop:solver=euler,steps=2,epochs=1,"
                                     "lr=1e30,schedule=constant"),
                    EVN_ERR_NOT_FINITE, "test_loss is not finite");
    ck_assert(!test_exists("last/summary.json"));
    ck_assert(!test_exists("last/checkpoint.safetensors"));
}
END_TEST

START_TEST(not_finite) {
    test_fails_with(test_program("",
                                 "train digits --out r --lr 1e30 %s "
                                 "--phase backprop:steps=2,epochs=3",
                                 SMALL),
                    EVN_ERR_NOT_FINITE, "learning rate");
    ck_assert(test_exists("r/run.json"));
    ck_assert(test_exists("r/metrics.jsonl"));
    ck_assert(!test_exists("r/summary.json"));
    test_outcome again =
        test_program("", "train digits --out r %s --phase backprop:steps=2", SMALL);
    ck_assert_msg(again.code == 0, "an unfinished run is replaced: %s", again.err);
}
END_TEST

/// Until the first epoch is on record; false after a minute.
static bool wait_for_epoch(void) {
    char path[TEST_PATH];
    struct stat info;
    const struct timespec pause = {0, 50000000};
    for (int i = 0; i < 1200; ++i) {
        if (stat(test_path(path, "r/metrics.jsonl"), &info) == 0 && info.st_size > 0) {
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

START_TEST(interrupted) {
    pid_t process = test_program_start("",
                                       "train digits --out r %s --phase backprop:steps=2"
                                       " --epochs 100000",
                                       SMALL);
    bool began = wait_for_epoch();
    test_outcome other = {0};
    if (began) {
        kill(process, SIGTERM);
    } else {
        kill(process, SIGKILL);
    }
    other = test_program_end(process);
    ck_assert_msg(began, "no epoch within a minute: %s", other.err);
    test_fails_with(other, EVN_ERR_INTERRUPTED, "stopped "); // in an epoch or after one
    ck_assert(test_exists("r/run.json"));
    ck_assert(test_exists("r/model.safetensors"));
    ck_assert(!test_exists("r/summary.json"));
    ck_assert_int_eq(test_program("", "eval r").code, 0);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train");
    TCase *c = tcase_create("run_folder");
    tcase_add_test(c, run_folder);
    suite_add_tcase(s, c);
    c = tcase_create("models");
    tcase_add_test(c, every_model);
    suite_add_tcase(s, c);
    c = tcase_create("evolving_vectors");
    tcase_add_test(c, evolving_vectors);
    suite_add_tcase(s, c);
    c = tcase_create("augmented_images");
    tcase_add_test(c, augmented_images);
    suite_add_tcase(s, c);
    c = tcase_create("unreliable_adjoint");
    tcase_add_test(c, unreliable_adjoint);
    suite_add_tcase(s, c);
    c = tcase_create("unwritable");
    tcase_add_test(c, unwritable);
    suite_add_tcase(s, c);
    c = tcase_create("not_finite");
    tcase_add_test(c, not_finite);
    tcase_add_test(c, not_finite_in_the_end);
    suite_add_tcase(s, c);
    c = tcase_create("interrupted");
    tcase_add_test(c, interrupted);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
