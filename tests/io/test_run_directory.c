// SPDX-License-Identifier: Apache-2.0
#include "io/run_directory.h"

#include "base/files.h"
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_checkpoint(const char *folder) {
    bool has;
    TRY(evn__run_has_checkpoint(folder, &has));
    return has;
}

static bool has_best(const char *folder) {
    bool has;
    TRY(evn__run_has_best(folder, &has));
    return has;
}

static json_t *description(void) {
    return json_pack("{s:i}", "format", 1);
}

static evn_status create(const char *name, evn__run_directory **directory) {
    char path[TEST_PATH];
    json_t *run = description();
    evn_status status = evn__run_directory_create(test_path(path, "%s", name), directory);
    if (status == EVN_OK) {
        status = evn__run_directory_begin(*directory, run);
    }
    json_decref(run);
    return status;
}

static void write_metrics(evn__run_directory *directory, int phase, int epoch,
                          const evn_metrics *metrics) {
    const evn__run_line line = {
        .epoch = epoch, .phase = phase, .phase_name = "backprop", .metrics = metrics};
    TRY(evn__run_directory_epoch(directory, &line));
}

static void set(evn_metrics *metrics, const char *name, const char *unit, evn_better better,
                double value) {
    TRY(evn_metrics_set(metrics, name, unit, better, value));
}

static void expect_file(const char *name, const char *contents) {
    char *there = test_read(name, NULL);
    ck_assert_str_eq(there, contents);
    free(there);
}

START_TEST(claims) {
    evn__run_directory *directory = NULL;
    TRY(create("deep/er/r", &directory));
    ck_assert(test_exists("deep/er/r/run.json"));
    ck_assert(test_exists("deep/er/r/metrics.jsonl"));
    write_metrics(directory, 0, 0, &(evn_metrics){0});
    evn__run_directory_destroy(&directory);
    ck_assert_ptr_null(directory);

    TRY(create("deep/er/r", &directory)); // unfinished: taken over, emptied
    size_t size;
    free(test_read("deep/er/r/metrics.jsonl", &size));
    ck_assert_uint_eq(size, 0);
    TRY(evn__run_directory_finish(directory, &(evn_metrics){0}));
    evn__run_directory_destroy(&directory);
    ck_assert_int_eq(create("deep/er/r", &directory), EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "finished run"));
}
END_TEST

/// What a run that was killed right behind its summary has left goes when it is resumed.
START_TEST(ends_what_was_finished) {
    char folder[TEST_PATH];
    evn__run_directory *directory = NULL;
    TRY(create("ended", &directory));
    TRY(evn__run_directory_finish(directory, &(evn_metrics){0}));
    evn__run_directory_destroy(&directory);
    test_write("ended/checkpoint.safetensors", "1", 1);
    test_write("ended/checkpoint-best.safetensors", "1", 1);
    test_write("ended/model.safetensors.tmp-12-0", "half", 4);
    evn__run_lock reader;
    TRY(evn__run_directory_share(test_path(folder, "ended"), &reader));
    TRY(evn__run_directory_reopen(folder, &directory)); // is looked at: no hindrance
    ck_assert_ptr_null(directory);
    evn__run_lock_release(&reader);
    TRY(evn__run_directory_reopen(folder, &directory));
    ck_assert_ptr_null(directory);
    ck_assert(!has_checkpoint(folder) && !has_best(folder));
    ck_assert(!test_exists("ended/model.safetensors.tmp-12-0"));
    ck_assert(test_exists("ended/summary.json"));
}
END_TEST

START_TEST(one_writer) {
    evn__run_directory *directory = NULL;
    TRY(create("shared", &directory));
    free(test_read("shared/metrics.jsonl", NULL)); // a reader in this process is no end of it
    pid_t process = fork();
    if (process == 0) {
        evn__run_directory *second = NULL;
        _exit(create("shared", &second) == EVN_ERR_OUTPUT ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(process, &status, 0), process);
    ck_assert_int_eq(status, 0);
    evn__run_directory_destroy(&directory);
}
END_TEST

/// What a run that was killed before it had run.json leaves is no hindrance; anything else is.
START_TEST(begins_anew) {
    evn__run_directory *directory = NULL;
    char path[TEST_PATH];
    TRY(evn__run_directory_create(test_path(path, "killed"), &directory));
    evn__run_directory_destroy(&directory);
    test_write("killed/run.json.tmp-12-0", "half", 4);
    test_write("killed/network.json", "{}", 2);
    test_write("killed/checkpoint-best.safetensors", "", 0);
    TRY(create("killed", &directory));
    ck_assert(test_exists("killed/run.json"));
    ck_assert(!test_exists("killed/run.json.tmp-12-0"));
    ck_assert(!test_exists("killed/network.json"));
    evn__run_directory_destroy(&directory);
    ck_assert_int_eq(mkdir(test_path(path, "own"), 0777), 0);
    test_write("own/notes.txt", "mine", 4);
    ck_assert_int_eq(create("own", &directory), EVN_ERR_OUTPUT);
    ck_assert(!test_exists("own/lock"));
}
END_TEST

/// Files of the user's may be called as a run's own are; without a lock no run has left them.
START_TEST(spares_others) {
    static const char *const names[] = {"others/model.safetensors", "others/network.json",
                                        "others/metrics.csv", "others/x.tmp-12-0",
                                        "others/run.json"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    char folder[TEST_PATH];
    evn__run_directory *directory = NULL;
    ck_assert_int_eq(mkdir(test_path(folder, "others"), 0777), 0);
    for (int i = 0; i < NAMES; ++i) {
        test_write(names[i], "mine", 4);
        ck_assert_int_eq(evn__run_directory_check(folder), EVN_ERR_OUTPUT);
        ck_assert_int_eq(create("others", &directory), EVN_ERR_OUTPUT);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "holds no run"));
    }
    ck_assert(!test_exists("others/lock") && !test_exists("others/metrics.jsonl"));
    for (int i = 0; i < NAMES; ++i) {
        expect_file(names[i], "mine");
    }
}
END_TEST

/// What looks at a run and a training keep each other out; two of the first do not.
START_TEST(sharing) {
    char folder[TEST_PATH];
    evn__run_directory *directory = NULL;
    evn__run_lock one, other;
    TRY(create("both", &directory));
    ck_assert_int_eq(evn__run_directory_share(test_path(folder, "both"), &one), EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "another process"));
    evn__run_directory_destroy(&directory);
    TRY(evn__run_directory_share(folder, &one));
    TRY(evn__run_directory_share(folder, &other));
    ck_assert_int_eq(create("both", &directory), EVN_ERR_OUTPUT);
    evn__run_lock_release(&one);
    ck_assert_int_eq(create("both", &directory), EVN_ERR_OUTPUT);
    evn__run_lock_release(&other);
    TRY(create("both", &directory));
    evn__run_directory_destroy(&directory);
}
END_TEST

/// What is no file in the place of a run's file is refused at once; a pipe is not waited for.
START_TEST(places) {
    static const char *const names[] = {"metrics.jsonl", "metrics.csv", "summary.json",
                                        "model.safetensors", "checkpoint-best.safetensors"};
    char folder[TEST_PATH], path[TEST_PATH];
    evn__run_directory *directory = NULL;
    evn__run_lock lock;
    TRY(create("odd", &directory));
    evn__run_directory_destroy(&directory);
    test_path(folder, "odd");
    for (int i = 0; i < 2 * (int)(sizeof(names) / sizeof(names[0])); ++i) {
        remove(test_path(path, "odd/%s", names[i / 2]));
        ck_assert_int_eq(i % 2 ? mkdir(path, 0777) : mkfifo(path, 0666), 0);
        ck_assert_int_eq(evn__run_directory_check(folder), EVN_ERR_OUTPUT);
        ck_assert_int_eq(evn__run_directory_create(folder, &directory), EVN_ERR_OUTPUT);
        ck_assert_int_eq(evn__run_directory_reopen(folder, &directory), EVN_ERR_OUTPUT);
        ck_assert_int_eq(evn__run_directory_share(folder, &lock), EVN_ERR_OUTPUT);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), names[i / 2]));
        ck_assert_int_eq(remove(path), 0);
    }
}
END_TEST

/// A folder that was removed, and even one that has come in its place, gets nothing.
START_TEST(lost_folder) {
    char path[TEST_PATH], away[TEST_PATH];
    evn__run_directory *directory = NULL;
    TRY(create("lost", &directory));
    ck_assert_int_eq(rename(test_path(path, "lost"), test_path(away, "away")), 0);
    const evn__run_line line = {
        .epoch = 0, .phase = 0, .phase_name = "backprop", .metrics = &(evn_metrics){0}};
    ck_assert_int_eq(evn__run_directory_epoch(directory, &line), EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "was removed or moved"));
    ck_assert_int_eq(evn__run_directory_parameters(directory, NULL, NULL, 0), EVN_ERR_OUTPUT);
    evn__run_directory *second = NULL;
    TRY(create("lost", &second));
    ck_assert_int_eq(evn__run_directory_finish(directory, &(evn_metrics){0}), EVN_ERR_OUTPUT);
    ck_assert(!test_exists("lost/summary.json"));
    evn__run_directory_destroy(&directory);
    evn__run_directory_destroy(&second);
}
END_TEST

START_TEST(generations) {
    char folder[TEST_PATH];
    evn__run_directory *directory = NULL;
    TRY(create("g", &directory));
    test_path(folder, "g");
    ck_assert(!has_checkpoint(folder));
    TRY(evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEFORE)); // there is none
    test_write("g/checkpoint.safetensors", "1", 1);
    TRY(evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEST));
    TRY(evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEST)); // again: the same file
    TRY(evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEFORE));
    char newest[TEST_PATH];
    TRY(evn__file_write(test_path(newest, "g/checkpoint.safetensors"), "2", 1));
    expect_file("g/checkpoint.safetensors", "2");
    expect_file("g/checkpoint-before.safetensors", "1");
    expect_file("g/checkpoint-best.safetensors", "1");
    TRY(evn__run_checkpoint_return(folder, EVN__CHECKPOINT_BEST));
    expect_file("g/checkpoint.safetensors", "1");
    ck_assert(!test_exists("g/checkpoint-before.safetensors"));
    TRY(evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEFORE));
    TRY(evn__file_write(newest, "damaged", 7));
    TRY(evn__run_checkpoint_return(folder, EVN__CHECKPOINT_BEFORE));
    expect_file("g/checkpoint.safetensors", "1");
    ck_assert(!test_exists("g/checkpoint-before.safetensors"));
    TRY(evn__run_directory_finish(directory, &(evn_metrics){0}));
    ck_assert(!has_checkpoint(folder) && !has_best(folder));
    evn__run_directory_destroy(&directory);
    ck_assert_int_eq(evn__run_checkpoint_return(folder, EVN__CHECKPOINT_BEST), EVN_ERR_FILE);
    ck_assert_int_eq(evn__run_checkpoint_return(folder, EVN__CHECKPOINT_BEFORE), EVN_ERR_FILE);
}
END_TEST

START_TEST(numbers) {
    char parent[TEST_PATH], path[TEST_PATH], expected[TEST_PATH];
    test_path(parent, "runs");
    for (int i = 1; i <= 3; ++i) {
        TRY(evn__run_directory_number(parent, "digits", path, sizeof(path)));
        ck_assert_str_eq(path, test_path(expected, "runs/digits-%d", i));
    }
    rmdir(test_path(expected, "runs/digits-2"));
    TRY(evn__run_directory_number(parent, "digits", path, sizeof(path)));
    ck_assert_str_eq(path, test_path(expected, "runs/digits-2"));
}
END_TEST

START_TEST(metrics_as_they_are) {
    evn__run_directory *directory = NULL;
    evn_metrics metrics = {0};
    TRY(create("nulls", &directory));
    set(&metrics, "train_loss", "nats", EVN_BETTER_LOWER, NAN);
    set(&metrics, "test_accuracy", "fraction", EVN_BETTER_HIGHER, 0.25);
    set(&metrics, "test_errors", EVN_UNIT_COUNT, EVN_BETTER_LOWER, 7);
    set(&metrics, "learning_rate", "", EVN_BETTER_NEITHER, 1);
    set(&metrics, "peak_device_bytes", "bytes", EVN_BETTER_LOWER, 1e300); // of an edited line
    write_metrics(directory, 1, 3, &metrics);
    TRY(evn__run_directory_finish(directory, &metrics));
    evn__run_directory_destroy(&directory);
    json_t *line = test_json("nulls/metrics.jsonl"), *all = test_json("nulls/summary.json");
    ck_assert(json_is_null(json_object_get(line, "train_loss")));
    ck_assert_double_eq(json_real_value(json_object_get(line, "test_accuracy")), 0.25);
    ck_assert_int_eq(json_integer_value(json_object_get(line, "test_errors")), 7);
    ck_assert(json_is_real(json_object_get(line, "learning_rate")));
    ck_assert_str_eq(json_string_value(json_object_get(line, "phase_name")), "backprop");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "epoch")), 3);
    ck_assert(json_is_null(json_object_get(line, "switch")));
    ck_assert_uint_eq(json_object_size(all), 8);
    const json_t *peak = json_object_get(all, "peak_device_bytes");
    ck_assert(json_is_real(peak) && json_real_value(peak) == 1e300);
    const json_t *meanings = json_object_get(all, "metrics");
    const json_t *accuracy = json_object_get(meanings, "test_accuracy");
    ck_assert_str_eq(json_string_value(json_object_get(accuracy, "unit")), "fraction");
    ck_assert_str_eq(json_string_value(json_object_get(accuracy, "better")), "higher");
    ck_assert(json_is_null(json_object_get(json_object_get(meanings, "learning_rate"), "better")));
    json_decref(line);
    json_decref(all);
}
END_TEST

static void write_epochs(evn__run_directory *directory, int count) {
    for (int i = 0; i < count; ++i) {
        evn_metrics metrics = {0};
        set(&metrics, "seconds", "s", EVN_BETTER_LOWER, 0.5);
        set(&metrics, "peak_device_bytes", "bytes", EVN_BETTER_LOWER, i == 1 ? 1000 : 10);
        if (i > 0) {
            set(&metrics, "nfe_forward", "", EVN_BETTER_LOWER, 10 * i);
        }
        write_metrics(directory, i / 2, i, &metrics);
    }
}

START_TEST(rewinds) {
    char folder[TEST_PATH];
    evn__run_directory *directory = NULL;
    evn__run_totals totals;
    TRY(create("r", &directory));
    write_epochs(directory, 4);
    evn__run_directory_destroy(&directory);
    test_write("r/checkpoint.safetensors", "", 0);
    ck_assert_int_eq(create("r", &directory), EVN_ERR_OUTPUT); // it would be lost
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "evonode resume"));

    TRY(evn__run_directory_reopen(test_path(folder, "r"), &directory));
    ck_assert(test_exists("r/checkpoint.safetensors"));
    TRY(evn__run_directory_rewind(directory, 3, &totals));
    ck_assert_double_eq(totals.seconds, 1.5);
    ck_assert_double_eq(totals.peak_device_bytes, 1000);
    ck_assert_int_eq(totals.epochs, 3);
    ck_assert_int_eq(totals.phase, 1);
    ck_assert_double_eq(totals.nfe_forward, 20);
    ck_assert(isnan(totals.nfe_backward));
    evn_metrics next = {0};
    set(&next, "test_errors", EVN_UNIT_COUNT, EVN_BETTER_LOWER, 77);
    write_metrics(directory, 1, 3, &next);
    TRY(evn__run_directory_flush(directory));
    json_t *lines;
    TRY(evn__run_metrics(folder, &lines));
    ck_assert_uint_eq(json_array_size(lines), 4);
    ck_assert_double_eq(test_number(json_array_get(lines, 3), "test_errors"), 77);
    json_decref(lines);

    TRY(evn__run_directory_rewind(directory, 0, &totals));
    ck_assert_double_eq(totals.seconds, 0);
    TRY(evn__run_directory_finish(directory, &(evn_metrics){0}));
    evn__run_directory_destroy(&directory);
    ck_assert(!test_exists("r/checkpoint.safetensors"));
    TRY(evn__run_directory_reopen(folder, &directory)); // finished
    ck_assert_ptr_null(directory);
    ck_assert_int_eq(evn__run_directory_reopen(test_path(folder, "none"), &directory),
                     EVN_ERR_FILE);
    ck_assert_ptr_null(directory);
}
END_TEST

/// What a crash left of a line goes too.
START_TEST(rewinding_drops_half_lines) {
    char folder[TEST_PATH];
    evn__run_directory *directory = NULL;
    evn__run_totals totals;
    TRY(create("h", &directory));
    write_epochs(directory, 2);
    size_t size;
    char *text = test_read("h/metrics.jsonl", &size);
    evn__run_directory_destroy(&directory);
    test_write("h/metrics.jsonl", text, size - 5);
    TRY(evn__run_directory_reopen(test_path(folder, "h"), &directory));
    TRY(evn__run_directory_rewind(directory, 2, &totals));
    ck_assert_double_eq(totals.seconds, 0.5);
    evn__run_directory_destroy(&directory);
    free(text);
    text = test_read("h/metrics.jsonl", &size);
    ck_assert_uint_gt(size, 0);
    ck_assert_ptr_eq(strchr(text, '\n'), text + size - 1);
    free(text);
}
END_TEST

static void expect_table(const char *text) {
    char *there = test_read("t/metrics.csv", NULL);
    ck_assert_str_eq(there, text);
    free(there);
}

/// The same lines as a table, which grows by columns too, and that a resumed run does not repeat.
START_TEST(table) {
    char folder[TEST_PATH];
    evn__run_directory *directory = NULL;
    evn__run_totals totals;
    evn_metrics metrics = {0};
    TRY(create("t", &directory));
    set(&metrics, "loss", "", EVN_BETTER_LOWER, 0.1);
    evn__run_line line = {.epoch = 0, .phase = 0, .phase_name = "a \"b\", c", .metrics = &metrics};
    TRY(evn__run_directory_epoch(directory, &line));
    set(&metrics, "loss", "", EVN_BETTER_LOWER, NAN);
    set(&metrics, "count", EVN_UNIT_COUNT, EVN_BETTER_NEITHER, 3);
    line = (evn__run_line){1, 0, "backprop", "stalled", &metrics};
    TRY(evn__run_directory_epoch(directory, &line));
    const char head[] = "epoch,phase,phase_name,loss,switch,count\n0,0,\"a \"\"b\"\", c\",0.1,,\n";
    char text[512];
    snprintf(text, sizeof(text), "%s1,0,backprop,,stalled,3\n", head);
    expect_table(text);
    TRY(evn__run_directory_epoch(directory, &line)); // appended
    snprintf(text, sizeof(text), "%s1,0,backprop,,stalled,3\n1,0,backprop,,stalled,3\n", head);
    expect_table(text);
    evn__run_directory_destroy(&directory);

    test_write("t/checkpoint.safetensors", "", 0);
    TRY(evn__run_directory_reopen(test_path(folder, "t"), &directory));
    TRY(evn__run_directory_rewind(directory, 1, &totals));
    expect_table("epoch,phase,phase_name,loss,switch\n0,0,\"a \"\"b\"\", c\",0.1,\n");
    TRY(evn__run_directory_epoch(directory, &line));
    snprintf(text, sizeof(text), "%s1,0,backprop,,stalled,3\n", head);
    expect_table(text);
    TRY(evn__run_directory_rewind(directory, 0, &totals));
    expect_table("");
    evn__run_directory_destroy(&directory);
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
    evn__run_directory *directory = NULL;
    TRY(create("p", &directory));
    evn_parameters *first = make_parameters(1, false), *second = make_parameters(2, false);
    evn_parameters *third = make_parameters(1, true);
    evn__key_value metadata[] = {{"task", "digits"}};
    TRY(evn__run_directory_parameters(directory, first, metadata, 1));
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
    evn__run_directory_destroy(&directory);
}
END_TEST

START_TEST(broken_parameters_are_not_written) {
    evn__run_directory *directory = NULL;
    TRY(create("q", &directory));
    evn_parameters *all = make_parameters(1, false);
    double rate = INFINITY, weight[15] = {NAN};
    TRY(evn_parameters_write(all, 1, &rate));
    ck_assert_int_eq(evn__run_directory_parameters(directory, all, NULL, 0), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "f.rate"));
    TRY(evn_parameters_write(all, 0, weight));
    ck_assert_int_eq(evn__run_directory_parameters(directory, all, NULL, 0), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "f.weight"));
    ck_assert(!test_exists("q/model.safetensors"));
    evn_parameters_destroy(&all);
    evn__run_directory_destroy(&directory);
}
END_TEST

/// What is no run, or is too long for one, and which runs can be compared.
START_TEST(other_paths) {
    char run[TEST_PATH], path[TEST_PATH], link[TEST_PATH], long_path[4200];
    evn__run_directory *directory = NULL;
    evn__run_lock lock;
    TRY(create("o", &directory));
    evn__run_directory_destroy(&directory);
    test_path(run, "o");
    memset(long_path, '/', sizeof(long_path));
    strcpy(long_path + sizeof(long_path) - 2, "x");
    ck_assert_int_eq(evn__run_lock_take(long_path, false, &lock), EVN_ERR_OUTPUT);
    json_t *read;
    ck_assert_int_eq(evn__run_read(long_path, &read), EVN_ERR_OUTPUT);
    ck_assert_int_eq(evn__run_metrics(long_path, &read), EVN_ERR_OUTPUT);
    ck_assert_int_eq(evn__run_parameters(long_path, NULL), EVN_ERR_OUTPUT);
    ck_assert_int_eq(evn__run_parameters(run, NULL), EVN_ERR_FILE); // none was written
    TRY(evn__run_evaluation(run, &read));
    ck_assert_ptr_null(read);
    ck_assert_int_eq(symlink(run, test_path(link, "other")), 0);
    const char *const runs[] = {run, test_folder(), link};
    TRY(evn__run_check_different(runs, 2));
    ck_assert_int_eq(evn__run_check_different(runs, 3), EVN_ERR_USAGE);
    test_write("file", "x", 1);
    ck_assert_int_eq(evn__run_directory_check(test_path(path, "file")), EVN_ERR_OUTPUT);
    TRY(evn__run_directory_share(test_folder(), &lock)); // no run: nothing to lock
    ck_assert_int_eq(lock.file, 0);
    ck_assert(!evn__run_lock_holds(&lock, run));
    TRY(evn__run_lock_take(run, true, &lock));
    ck_assert(evn__run_lock_holds(&lock, run) && !evn__run_lock_holds(&lock, long_path));
    ck_assert(!evn__run_lock_holds(&lock, test_folder()));
    char elsewhere[] = "/dev/shm/evonode-test-XXXXXX"; // another disk's may have the same number
    if (mkdtemp(elsewhere)) {
        char other[64];
        snprintf(other, sizeof(other), "%s/lock", elsewhere);
        fclose(fopen(other, "w"));
        ck_assert(!evn__run_lock_holds(&lock, elsewhere));
        unlink(other);
        rmdir(elsewhere);
    }
    evn__run_lock_release(&lock);
}
END_TEST

START_TEST(lines_that_are_damaged) {
    char folder[TEST_PATH];
    static const char lines[] = "{\"epoch\": 0}\n{\"epoch\"\n{\"epoch\": 2}\n";
    evn__run_directory *directory = NULL;
    json_t *all;
    double loss;
    bool has;
    TRY(create("d", &directory));
    evn__run_directory_destroy(&directory);
    test_write("d/metrics.jsonl", lines, sizeof(lines) - 1);
    ck_assert_int_eq(evn__run_metrics(test_path(folder, "d"), &all), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "line 2 of "));
    ck_assert_ptr_null(all);
    test_write("d/metrics.jsonl", lines, 13);
    TRY(evn__run_loss(folder, 1, &loss)); // the line has none
    ck_assert(isnan(loss));
    test_write("d/checkpoint-before.safetensors", "1", 1);
    TRY(evn__run_has_checkpoint(folder, &has));
    ck_assert(has);
}
END_TEST

START_TEST(reading) {
    char folder[TEST_PATH];
    json_t *run = NULL;
    evn__run_directory *directory = NULL;
    TRY(create("s", &directory));
    evn__run_directory_destroy(&directory);
    TRY(evn__run_read(test_path(folder, "s"), &run));
    ck_assert_int_eq(json_integer_value(json_object_get(run, "format")), 1);
    json_decref(run);
    test_write("s/run.json", "{\"a\": 1, \"a\": 2}", 16);
    ck_assert_int_eq(evn__run_read(folder, &run), EVN_ERR_FORMAT);
    ck_assert_int_eq(evn__run_read("/nonexistent", &run), EVN_ERR_FILE);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("run_directory");
    TCase *c = tcase_create("folder");
    tcase_add_test(c, claims);
    tcase_add_test(c, ends_what_was_finished);
    tcase_add_test(c, one_writer);
    tcase_add_test(c, begins_anew);
    tcase_add_test(c, spares_others);
    tcase_add_test(c, sharing);
    tcase_add_test(c, places);
    tcase_add_test(c, lost_folder);
    tcase_add_test(c, generations);
    tcase_add_test(c, numbers);
    tcase_add_test(c, metrics_as_they_are);
    tcase_add_test(c, rewinds);
    tcase_add_test(c, rewinding_drops_half_lines);
    tcase_add_test(c, table);
    tcase_add_test(c, reading);
    tcase_add_test(c, other_paths);
    tcase_add_test(c, lines_that_are_damaged);
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
