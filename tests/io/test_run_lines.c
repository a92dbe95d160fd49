// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl of a run: a finished one has no other lines than those that it ended with.
#include "io/run_lines.h"

#include "io/run_directory.h"
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// What the message says to do where a change is meant.
static void forget(const char *name) {
    char path[TEST_PATH];
    json_t *summary = test_json(name);
    ck_assert_int_eq(json_object_del(summary, "metrics_hash"), 0);
    ck_assert_int_eq(json_object_del(summary, "hash"), 0);
    ck_assert_int_eq(json_dump_file(summary, test_path(path, "%s", name), 0), 0);
    json_decref(summary);
}

/// Other lines than those that a finished run ended with.
START_TEST(changed) {
    char folder[TEST_PATH];
    size_t size;
    json_t *run = json_pack("{s:i}", "format", 1), *all;
    evn__run_directory *directory;
    const evn__run_line line = {.phase_name = "backprop", .metrics = &(evn_metrics){0}};
    TRY(evn__run_directory_create(test_path(folder, "r"), &directory));
    TRY(evn__run_directory_begin(directory, run));
    TRY(evn__run_directory_epoch(directory, &line));
    TRY(evn__run_directory_finish(directory, &(evn_metrics){0}));
    evn__run_directory_destroy(&directory);
    json_decref(run);
    TRY(evn__run_metrics(folder, &all));
    ck_assert_uint_eq(json_array_size(all), 1);
    json_decref(all);
    char *text = test_read("r/metrics.jsonl", &size), *epoch = strstr(text, "\"epoch\":0");
    ck_assert_ptr_nonnull(epoch);
    epoch[8] = '4';
    test_write("r/metrics.jsonl", text, size);
    ck_assert_int_eq(evn__run_metrics(folder, &all), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "metrics.jsonl is not what the run left"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "delete \"metrics_hash\" and \"hash\""));
    ck_assert_ptr_null(all);
    forget("r/summary.json");
    TRY(evn__run_metrics(folder, &all));
    json_decref(all);
    remove(test_path(folder, "r/summary.json")); // of one that goes on nothing is known
    TRY(evn__run_metrics(test_path(folder, "r"), &all));
    json_decref(all);
    free(text);
}
END_TEST

/// A training that ends while its lines are read has ended behind them: the summary is read first,
/// as is seen by which of two missing pieces is named.
START_TEST(order) {
    char folder[TEST_PATH];
    json_t *all;
    evn__run_directory *directory;
    TRY(evn__run_directory_create(test_path(folder, "r"), &directory));
    evn__run_directory_destroy(&directory);
    ck_assert_int_eq(remove(test_path(folder, "r/metrics.jsonl")), 0);
    test_write("r/summary.json", "{", 1);
    ck_assert_int_eq(evn__run_metrics(test_path(folder, "r"), &all), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "summary.json"));
    ck_assert_ptr_null(all);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("run_lines");
    test_add(s, tcase_create("changed"), changed);
    test_add(s, tcase_create("order"), order);
    return s;
}

int main(void) {
    return test_run(suite());
}
