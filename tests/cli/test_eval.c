// SPDX-License-Identifier: Apache-2.0
// Run folders that cannot be evaluated.
#include "io/safetensors.h"
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The run "r"; every test leaves it as it was.
static void make_run(void) {
    if (test_exists("r")) {
        return;
    }
    test_outcome result = test_program("", "train digits --out r --filters 8 --limit 32 "
                                           "--phase backprop:steps=1");
    ck_assert_msg(result.code == 0, "%s", result.err);
}

START_TEST(no_run) {
    test_fails_with(test_program("", "eval"), EVN_ERR_USAGE, "needs a RUN");
    test_fails_with(test_program("", "eval nowhere"), EVN_ERR_FILE, "nowhere/run.json");
}
END_TEST

/// What solves a trained model is no phase of a training.
START_TEST(impossible_solver) {
    make_run();
    test_outcome result = test_program("", "eval r --solver euler --steps 0");
    test_fails_with(result, EVN_ERR_USAGE, "euler cannot choose its steps");
    ck_assert_ptr_null(strstr(result.err, "phase"));
}
END_TEST

START_TEST(broken_description) {
    make_run();
    size_t size;
    char *run = test_read_unhashed("r/run.json", &size);
    test_write("r/run.json", run, size / 2);
    test_fails_with(test_program("", "eval r"), EVN_ERR_FORMAT, "run.json");
    char *model = strstr(run, "\"node-ew\"");
    ck_assert_ptr_nonnull(model);
    memcpy(model, "\"nothing\"", 9);
    test_write("r/run.json", run, size);
    test_fails_with(test_program("", "eval r"), EVN_ERR_FORMAT, "nothing");
    test_write("r/run.json", "{\"format\": 1}", 13);
    test_fails_with(test_program("", "eval r"), EVN_ERR_FORMAT, "no task");
    memcpy(model, "\"node-ew\"", 9);
    test_write("r/run.json", run, size);
    free(run);
}
END_TEST

/// What is wrong with options that the run kept is said of its file.
START_TEST(kept_options) {
    static const char *const wrong[][3] = {
        {"\"weights\": \"rda\"", "\"weights\": 12345",
         "r/run.json: its options: weights is no text"},
        {"\"filters\": 8", "\"filters\": {}", "r/run.json"},
        {"\"group\": null", "\"group\": \"ab\"", "r/run.json: --group is not for the task digits"},
    };
    make_run();
    size_t size;
    char *run = test_read_unhashed("r/run.json", &size);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); ++i) {
        char *at = strstr(run, wrong[i][0]);
        ck_assert_msg(at != NULL, "%s", wrong[i][0]);
        size_t before = (size_t)(at - run), old = strlen(wrong[i][0]), new = strlen(wrong[i][1]);
        char *changed = malloc(size + new);
        memcpy(changed, run, before);
        memcpy(changed + before, wrong[i][1], new);
        memcpy(changed + before + new, at + old, size - before - old);
        test_write("r/run.json", changed, size - old + new);
        free(changed);
        test_fails_with(test_program("", "eval r"), EVN_ERR_FORMAT, wrong[i][2]);
    }
    test_write("r/run.json", run, size);
    free(run);
}
END_TEST

START_TEST(other_model) {
    make_run();
    size_t size;
    char *run = test_read_unhashed("r/run.json", &size);
    char *filters = strstr(run, "\"filters\": 8");
    ck_assert_ptr_nonnull(filters);
    filters[11] = '4';
    test_write("r/run.json", run, size);
    test_fails_with(test_program("", "eval r"), EVN_ERR_DATA, "stem");
    filters[11] = '8';
    test_write("r/run.json", run, size);
    free(run);
}
END_TEST

START_TEST(broken_parameters) {
    make_run();
    size_t size;
    char *model = test_read("r/model.safetensors", &size);
    test_write("r/model.safetensors", model, size - 1);
    test_fails_with(test_program("", "eval r"), EVN_ERR_FORMAT, "model.safetensors");
    model[size - 1] ^= 1;
    test_write("r/model.safetensors", model, size);
    test_fails_with(test_program("", "eval r"), EVN_ERR_FORMAT, "model.safetensors");
    model[size - 1] ^= 1;
    test_write("r/model.safetensors", model, size);
    ck_assert_int_eq(test_program("", "eval r").code, 0);
    free(model);
}
END_TEST

/// The parameters 10³⁰ times as large: the states overflow.
static void blow_up(const char *path) {
    enum { TENSORS_MAX = 256 };
    evn__safetensors *file;
    evn__tensor tensors[TENSORS_MAX];
    TRY(evn__safetensors_read(path, &file));
    int count = evn__safetensors_count(file);
    ck_assert_int_le(count, TENSORS_MAX);
    for (int i = 0; i < count; ++i) {
        tensors[i] = *evn__safetensors_tensor(file, i);
        float *data = malloc(tensors[i].bytes + 1);
        memcpy(data, tensors[i].data, tensors[i].bytes);
        for (size_t k = 0; k < tensors[i].bytes / sizeof(*data); ++k) {
            data[k] *= 1e30f;
        }
        tensors[i].data = data;
    }
    TRY(evn__safetensors_write(path, tensors, count, NULL, 0));
    for (int i = 0; i < count; ++i) {
        free((void *)tensors[i].data);
    }
    evn__safetensors_destroy(&file);
}

/// An answer is found for states that are no numbers too; it is not told as one.
START_TEST(overflow) {
    char path[TEST_PATH];
    make_run();
    size_t size;
    char *model = test_read("r/model.safetensors", &size);
    blow_up(test_path(path, "r/model.safetensors"));
    remove(test_path(path, "r/evaluation.json"));
    test_fails_with(test_program("", "eval r"), EVN_ERR_NOT_FINITE, "not finite");
    ck_assert(!test_exists("r/evaluation.json"));
    test_fails_with(test_program("", "invert r"), EVN_ERR_NOT_FINITE, "overflow");
    test_fails_with(test_program("", "depth r"), EVN_ERR_NOT_FINITE, "overflow");
    test_write("r/model.safetensors", model, size);
    free(model);
}
END_TEST

/// Whatever a task measures: a flow has no loss, a series has errors of its columns.
START_TEST(overflow_of_other_tasks) {
    static const char *const tasks[] = {
        "flow --phase backprop:solver=rk4,steps=2,epochs=2",
        "curve --width 4 --phase backprop:epochs=1",
        "series --data s.csv --f mlp:4 --window 3 --phase backprop:solver=rk4,epochs=2"};
    char path[64], full[TEST_PATH];
    static const char rows[] = "t,x\n0,0\n1,1\n2,0\n3,-1\n4,0\n5,1\n6,0\n7,-1\n8,0\n9,1\n";
    test_write("s.csv", rows, strlen(rows));
    test_outcome result = test_program("", "train %s --out o%d", tasks[_i], _i);
    ck_assert_msg(result.code == 0, "%s", result.err);
    result = test_program("", "eval o%d", _i);
    ck_assert_msg(result.code == 0, "%s", result.err);
    snprintf(path, sizeof(path), "o%d/evaluation.json", _i);
    remove(test_path(full, "%s", path));
    blow_up(test_path(full, "o%d/model.safetensors", _i));
    test_fails_with(test_program("", "eval o%d", _i), EVN_ERR_NOT_FINITE, "not finite");
    ck_assert(!test_exists(path));
}
END_TEST

/// A table of answers has all of its numbers, or is none.
START_TEST(overflow_of_answers) {
    char path[TEST_PATH];
    test_write("times.csv", "t\n0\n0.1\n", 8);
    test_outcome result =
        test_program("", "train curve --width 4 --phase backprop:epochs=1 --out v");
    ck_assert_msg(result.code == 0, "%s", result.err);
    blow_up(test_path(path, "v/model.safetensors"));
    static const char *const verbs[] = {"sample v --times times.csv", "predict v times.csv",
                                        "predict v times.csv --json"};
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); ++i) {
        result = test_program("", "%s", verbs[i]);
        test_fails_with(result, EVN_ERR_NOT_FINITE, "row 2 of the answers is not finite");
        ck_assert_str_eq(result.out, "");
    }
}
END_TEST

/// A model that is compressed is measured before there is a run of it.
START_TEST(overflow_of_what_is_compressed) {
    char path[TEST_PATH];
    test_outcome result =
        test_program("", "train digits --limit 32 --filters 4 --weights splines --basis 4 "
                         "--phase backprop:steps=1 --out w");
    ck_assert_msg(result.code == 0, "%s", result.err);
    blow_up(test_path(path, "w/model.safetensors"));
    test_fails_with(test_program("", "compress w --basis 5 --out less"), EVN_ERR_NOT_FINITE,
                    "not finite");
    ck_assert(!test_exists("less"));
}
END_TEST

/// Every verb that opens a run.
START_TEST(unknown_task) {
    make_run();
    size_t size;
    char *run = test_read_unhashed("r/run.json", &size);
    char *task = strstr(run, "\"task\": \"digits\"");
    ck_assert_ptr_nonnull(task);
    memcpy(task + 9, "banana", 6);
    test_write("r/run.json", run, size);
    const char *const verbs[] = {"eval r",   "depth r",   "invert r",        "sample r",
                                 "resume r", "compare r", "compare --json r"};
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); ++i) {
        test_outcome result = test_program("", "%s", verbs[i]);
        ck_assert_msg(result.code == EVN_ERR_FORMAT, "%s: %d, %s", verbs[i], result.code,
                      result.err);
        ck_assert_msg(strstr(result.err, "banana"), "%s: %s", verbs[i], result.err);
        ck_assert_msg(strstr(result.err, "r/run.json"), "%s: %s", verbs[i], result.err);
    }
    test_fails_with(test_program("", "train banana"), EVN_ERR_USAGE, "digits, mnist");
    memcpy(task + 9, "digits", 6);
    test_write("r/run.json", run, size);
    free(run);
}
END_TEST

/// What is printed, as JSON, and in the run directory.
START_TEST(classes) {
    make_run();
    test_outcome result = test_program("", "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    double errors = test_row(result.out, "test errors");
    ck_assert_ptr_nonnull(strstr(result.out, "precision"));
    ck_assert(test_exists("r/confusion.png") && test_exists("r/reliability.svg"));
    json_t *kept = test_json("r/evaluation.json");
    result = test_program("", "eval r --json");
    json_t *printed = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(printed, "%s", result.out);
    ck_assert_double_eq(test_number(printed, "test_errors"), errors);
    ck_assert(
        json_equal(json_object_get(printed, "confusion"), json_object_get(kept, "confusion")));
    int64_t wrong = 0, all = 0;
    for (size_t i = 0; i < 100; ++i) {
        const json_t *row = json_array_get(json_object_get(kept, "confusion"), i / 10);
        int64_t count = json_integer_value(json_array_get(row, i % 10));
        wrong += i / 10 == i % 10 ? 0 : count;
        all += count;
    }
    ck_assert_int_eq(wrong, (int64_t)errors);
    ck_assert_int_eq(all, 355);
    const json_t *calibration = json_object_get(printed, "calibration");
    ck_assert_double_eq_tol(test_number(calibration, "negative_log_likelihood"),
                            test_number(printed, "test_loss"), 1e-4);
    json_decref(kept);
    json_decref(printed);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("eval");
    test_add(s, tcase_create("classes"), classes);
    TCase *c = tcase_create("refused");
    tcase_add_test(c, no_run);
    tcase_add_test(c, impossible_solver);
    tcase_add_test(c, broken_description);
    tcase_add_test(c, other_model);
    tcase_add_test(c, kept_options);
    tcase_add_test(c, broken_parameters);
    tcase_add_test(c, overflow);
    tcase_add_test(c, unknown_task);
    suite_add_tcase(s, c);
    c = tcase_create("overflow");
    tcase_add_loop_test(c, overflow_of_other_tasks, 0, 3);
    tcase_add_test(c, overflow_of_answers);
    tcase_add_test(c, overflow_of_what_is_compressed);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
