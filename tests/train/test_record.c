// SPDX-License-Identifier: Apache-2.0
#include "program.h"
#include "test.h"
#include "train/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static json_t *description(void) {
    return json_pack("{s:i}", "format", 1);
}

static evn_status create(const char *name, evn__record **record) {
    char path[TEST_PATH];
    json_t *run = description();
    evn_status status = evn__record_create(test_path(path, "%s", name), run, record);
    json_decref(run);
    return status;
}

START_TEST(claims) {
    evn__record *record = NULL;
    TRY(create("deep/er/r", &record));
    ck_assert(test_exists("deep/er/r/run.json"));
    ck_assert(test_exists("deep/er/r/metrics.jsonl"));
    evn_epoch epoch = {.train_loss = NAN};
    TRY(evn__record_epoch(record, "backprop", &epoch));
    evn__record_destroy(&record);
    ck_assert_ptr_null(record);

    TRY(create("deep/er/r", &record)); // unfinished: taken over, emptied
    size_t size;
    free(test_read("deep/er/r/metrics.jsonl", &size));
    ck_assert_uint_eq(size, 0);
    evn__summary summary = evn__summary_empty();
    TRY(evn__record_finish(record, &summary));
    evn__record_destroy(&record);
    ck_assert_int_eq(create("deep/er/r", &record), EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "finished run"));
}
END_TEST

START_TEST(one_writer) {
    evn__record *record = NULL;
    TRY(create("shared", &record));
    pid_t process = fork();
    if (process == 0) {
        evn__record *second = NULL;
        _exit(create("shared", &second) == EVN_ERR_OUTPUT ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(process, &status, 0), process);
    ck_assert_int_eq(status, 0);
    evn__record_destroy(&record);
}
END_TEST

START_TEST(numbers) {
    char parent[TEST_PATH], path[TEST_PATH], expected[TEST_PATH];
    test_path(parent, "runs");
    for (int i = 1; i <= 3; ++i) {
        TRY(evn__record_number(parent, "digits", path, sizeof(path)));
        ck_assert_str_eq(path, test_path(expected, "runs/digits-%d", i));
    }
    rmdir(test_path(expected, "runs/digits-2"));
    TRY(evn__record_number(parent, "digits", path, sizeof(path)));
    ck_assert_str_eq(path, test_path(expected, "runs/digits-2"));
}
END_TEST

START_TEST(not_a_number_is_null) {
    evn__record *record = NULL;
    TRY(create("nulls", &record));
    evn_epoch epoch = {.train_loss = NAN, .test_loss = 0.25, .test_errors = 7};
    TRY(evn__record_epoch(record, "adjoint", &epoch));
    evn__summary summary = evn__summary_empty();
    summary.test_accuracy = 0.5;
    TRY(evn__record_finish(record, &summary));
    evn__record_destroy(&record);
    json_t *line = test_json("nulls/metrics.jsonl"), *all = test_json("nulls/summary.json");
    ck_assert(json_is_null(json_object_get(line, "train_loss")));
    ck_assert_double_eq(json_real_value(json_object_get(line, "test_loss")), 0.25);
    ck_assert_int_eq(json_integer_value(json_object_get(line, "test_errors")), 7);
    ck_assert_str_eq(json_string_value(json_object_get(line, "phase_name")), "adjoint");
    ck_assert_double_eq(json_real_value(json_object_get(all, "test_accuracy")), 0.5);
    ck_assert(json_is_null(json_object_get(all, "test_errors")));
    ck_assert(json_is_null(json_object_get(all, "gap_nats")));
    ck_assert_uint_eq(json_object_size(all), 13);
    json_decref(line);
    json_decref(all);
}
END_TEST

static void write_epochs(evn__record *record, int count) {
    for (int i = 0; i < count; ++i) {
        evn_epoch epoch = {.phase = i / 2,
                           .epoch = i,
                           .seconds = 0.5,
                           .test_accuracy = 0.1 * i,
                           .test_errors = 10 - i,
                           .peak_device_bytes = i == 1 ? 1000 : 10};
        TRY(evn__record_epoch(record, "backprop", &epoch));
    }
}

START_TEST(rewinds) {
    char folder[TEST_PATH];
    evn__record *record = NULL;
    evn__totals totals;
    TRY(create("r", &record));
    write_epochs(record, 4);
    evn__record_destroy(&record);
    test_write("r/checkpoint.safetensors", "", 0);
    ck_assert_int_eq(create("r", &record), EVN_ERR_OUTPUT); // it would be lost
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "evonode resume"));

    TRY(evn__record_reopen(test_path(folder, "r"), &record));
    ck_assert(test_exists("r/checkpoint.safetensors"));
    TRY(evn__record_rewind(record, 3, &totals));
    ck_assert_double_eq(totals.seconds, 1.5);
    ck_assert_uint_eq(totals.peak_device_bytes, 1000);
    ck_assert_int_eq(totals.last.epoch, 2);
    ck_assert_int_eq(totals.last.phase, 1);
    ck_assert_int_eq(totals.last.test_errors, 8);
    evn_epoch next = {.epoch = 3, .test_errors = 77};
    TRY(evn__record_epoch(record, "adjoint", &next));
    TRY(evn__record_flush(record));
    json_t *lines;
    TRY(evn__run_metrics(folder, &lines));
    ck_assert_uint_eq(json_array_size(lines), 4);
    ck_assert_double_eq(test_number(json_array_get(lines, 3), "test_errors"), 77);
    json_decref(lines);

    TRY(evn__record_rewind(record, 0, &totals));
    ck_assert_double_eq(totals.seconds, 0);
    evn__summary summary = evn__summary_empty();
    TRY(evn__record_finish(record, &summary));
    evn__record_destroy(&record);
    ck_assert(!test_exists("r/checkpoint.safetensors"));
    ck_assert_int_eq(evn__record_reopen(folder, &record), EVN_ERR_OUTPUT);
    ck_assert_int_eq(evn__record_reopen(test_path(folder, "none"), &record), EVN_ERR_OUTPUT);
    ck_assert_ptr_null(record);
}
END_TEST

/// What a crash left of a line goes too.
START_TEST(rewinding_drops_half_lines) {
    char folder[TEST_PATH];
    evn__record *record = NULL;
    evn__totals totals;
    TRY(create("h", &record));
    write_epochs(record, 2);
    size_t size;
    char *text = test_read("h/metrics.jsonl", &size);
    evn__record_destroy(&record);
    test_write("h/metrics.jsonl", text, size - 5);
    TRY(evn__record_reopen(test_path(folder, "h"), &record));
    TRY(evn__record_rewind(record, 2, &totals));
    ck_assert_double_eq(totals.seconds, 0.5);
    evn__record_destroy(&record);
    free(text);
    text = test_read("h/metrics.jsonl", &size);
    ck_assert_uint_gt(size, 0);
    ck_assert_ptr_eq(strchr(text, '\n'), text + size - 1);
    free(text);
}
END_TEST

static evn_parameters *make_parameters(uint64_t seed, bool more) {
    evn_parameters *parameters;
    TRY(evn_parameters_create(&parameters));
    TRY(evn_parameters_add(parameters, "f.weight", EVN_SHAPE(3, 5), EVN_INITIAL_NORMAL, 1));
    TRY(evn_parameters_add(parameters, "f.rate", EVN_SCALAR, EVN_INITIAL_UNIFORM, 1));
    if (more) {
        TRY(evn_parameters_add(parameters, "g.weight", EVN_SHAPE(2), EVN_INITIAL_NORMAL, 1));
    }
    TRY(evn_parameters_allocate(parameters, test_device(), false, seed));
    return parameters;
}

START_TEST(parameters) {
    char folder[TEST_PATH];
    evn__record *record = NULL;
    TRY(create("p", &record));
    evn_parameters *first = make_parameters(1, false), *second = make_parameters(2, false);
    evn_parameters *third = make_parameters(1, true);
    evn__pair metadata[] = {{"task", "digits"}};
    TRY(evn__record_parameters(record, first, metadata, 1));
    TRY(evn__run_parameters(test_path(folder, "p"), second));
    double a[15], b[15];
    TRY(evn_parameters_read(first, 0, a));
    TRY(evn_parameters_read(second, 0, b));
    ck_assert_mem_eq(a, b, sizeof(a));
    ck_assert_int_eq(evn__run_parameters(folder, third), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "g.weight"));
    evn_parameters_destroy(&first);
    evn_parameters_destroy(&second);
    evn_parameters_destroy(&third);
    evn__record_destroy(&record);
}
END_TEST

START_TEST(broken_parameters_are_not_written) {
    evn__record *record = NULL;
    TRY(create("q", &record));
    evn_parameters *all = make_parameters(1, false);
    double rate = INFINITY;
    TRY(evn_parameters_write(all, 1, &rate));
    ck_assert_int_eq(evn__record_parameters(record, all, NULL, 0), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "f.rate"));
    ck_assert(!test_exists("q/model.safetensors"));
    evn_parameters_destroy(&all);
    evn__record_destroy(&record);
}
END_TEST

START_TEST(reading) {
    char folder[TEST_PATH];
    json_t *run = NULL;
    evn__record *record = NULL;
    TRY(create("s", &record));
    evn__record_destroy(&record);
    TRY(evn__run_read(test_path(folder, "s"), &run));
    ck_assert_int_eq(json_integer_value(json_object_get(run, "format")), 1);
    json_decref(run);
    test_write("s/run.json", "{\"a\": 1, \"a\": 2}", 16);
    ck_assert_int_eq(evn__run_read(folder, &run), EVN_ERR_FORMAT);
    ck_assert_int_eq(evn__run_read("/nonexistent", &run), EVN_ERR_FILE);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("record");
    TCase *c = tcase_create("folder");
    tcase_add_test(c, claims);
    tcase_add_test(c, one_writer);
    tcase_add_test(c, numbers);
    tcase_add_test(c, not_a_number_is_null);
    tcase_add_test(c, rewinds);
    tcase_add_test(c, rewinding_drops_half_lines);
    tcase_add_test(c, reading);
    suite_add_tcase(s, c);
    c = tcase_create("parameters");
    tcase_add_test(c, parameters);
    tcase_add_test(c, broken_parameters_are_not_written);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
