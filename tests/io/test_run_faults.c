// SPDX-License-Identifier: Apache-2.0
// Run directories while each of their calls of the system and allocations fails, and in folders
// whose paths are as long as can be.
#include "base/files.h"
#include "base/json.h"
#include "io/run_directory.h"
#include "program.h"
#include "sweep.h"
#include "test.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONG = 4096, LINES = 3 };

static const char *folder = "r"; ///< of the run, in the test's own

static evn_status check(bool right, const char *what) {
    EVN_CHECK(right, EVN_ERR_INTERNAL, "not so: %s", what);
    return EVN_OK;
}

/// Not by the shell, which takes longer than all else.
static void make_none(void) {
    char path[TEST_PATH];
    DIR *stream = opendir(test_path(path, "r"));
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        remove(test_path(path, "r/%s", entry->d_name));
    }
    if (stream) {
        closedir(stream);
        ck_assert_int_eq(rmdir(test_path(path, "r")), 0);
    }
}

// What a training does
// -----------------------------------------------------------------------------

static evn_status write_checkpoint(const char *contents) {
    char path[LONG];
    EVN_TRY(evn__run_checkpoint(folder, EVN__CHECKPOINT_NEWEST, path, sizeof(path)));
    EVN_TRY(evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEFORE));
    EVN_TRY(evn__file_write(path, contents, strlen(contents)));
    return evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEST);
}

/// The second of them has a column more.
static evn_status write_epoch(evn__run_directory *directory, int epoch) {
    evn_metrics metrics = {0};
    const evn__run_line line = {
        .epoch = epoch, .phase_name = "a, b", .metrics = &metrics, .ended = "\"stalled\""};
    EVN_TRY(evn_metrics_set(&metrics, "train_loss", "nats", EVN_BETTER_LOWER, ldexp(1, -epoch)));
    if (epoch > 0) {
        EVN_TRY(evn_metrics_set(&metrics, "errors", EVN_UNIT_COUNT, EVN_BETTER_LOWER, 7));
    }
    return evn__run_directory_epoch(directory, &line);
}

static evn_status train(evn__run_directory *directory) {
    json_t *run = json_pack("{s:i}", "format", 1);
    evn_status status = evn__run_directory_begin(directory, run);
    json_decref(run);
    EVN_TRY(status);
    EVN_TRY(evn__run_directory_network(directory, "{}"));
    for (int i = 0; i < LINES; ++i) {
        EVN_TRY(write_epoch(directory, i));
        EVN_TRY(evn__run_directory_flush(directory));
        EVN_TRY(write_checkpoint("half"));
    }
    evn_metrics metrics = {0};
    EVN_TRY(evn_metrics_set(&metrics, "train_loss", "nats", EVN_BETTER_LOWER, 0.5));
    return evn__run_directory_finish(directory, &metrics);
}

/// run.json, summary.json and the lines of a finished run.
static evn_status check_finished(int lines) {
    json_t *run = NULL, *summary = NULL, *all = NULL;
    double loss = 0;
    bool goes_on = true, best = true;
    evn_status status = evn__run_read(folder, &run);
    status = status == EVN_OK ? evn__run_summary(folder, &summary) : status;
    status = status == EVN_OK ? evn__run_metrics(folder, &all) : status;
    status = status == EVN_OK ? evn__run_loss(folder, lines, &loss) : status;
    status = status == EVN_OK ? evn__run_has_checkpoint(folder, &goes_on) : status;
    status = status == EVN_OK ? evn__run_has_best(folder, &best) : status;
    bool right = json_integer_value(json_object_get(run, "format")) == 1 &&
                 json_real_value(json_object_get(summary, "train_loss")) == 0.5 &&
                 (int)json_array_size(all) == lines && loss == ldexp(1, 1 - lines) && !goes_on &&
                 !best;
    json_decref(run);
    json_decref(summary);
    json_decref(all);
    return status == EVN_OK ? check(right, "the run is finished") : status;
}

static evn_status begin(void) {
    evn__run_directory *directory = NULL;
    EVN_TRY(evn__run_directory_check(folder));
    EVN_TRY(evn__run_directory_create(folder, &directory));
    evn_status status = train(directory);
    evn__run_directory_destroy(&directory);
    return status == EVN_OK ? check_finished(LINES) : status;
}

// What resuming does
// -------------------------------------------------------------------------------

static void make_half(void) {
    static const char lines[] = "{\"epoch\": 0, \"phase\": 0, \"train_loss\": 1.0}\n"
                                "{\"epoch\": 1, \"phase\": 0, \"train_loss\": 0.5}\n"
                                "{\"epoch\": 2, \"phase\": 0, \"train_loss\": 0.25}\n"
                                "{\"epoch\": 3, \"phase\": 0, \"train_loss\": 9.0}\n"
                                "{\"epoch\": 4, \"pha";
    char path[TEST_PATH];
    make_none();
    ck_assert_int_eq(mkdir(test_path(path, "r"), 0777), 0);
    test_write("r/lock", "", 0);
    test_write("r/run.json", "{\"format\": 1}", 13);
    test_write("r/metrics.jsonl", lines, sizeof(lines) - 1);
    test_write("r/checkpoint.safetensors", "newest", 6);
    test_write("r/checkpoint-best.safetensors", "best", 4);
    test_write("r/checkpoint-before.safetensors", "before", 6);
    test_write("r/model.safetensors.tmp-12-0", "half", 4);
}

static evn_status go_on(evn__run_directory *directory) {
    evn__run_totals totals;
    bool goes_on, best;
    EVN_TRY(evn__run_has_checkpoint(folder, &goes_on));
    EVN_TRY(evn__run_has_best(folder, &best));
    EVN_TRY(check(goes_on && best, "there are checkpoints"));
    EVN_TRY(evn__run_checkpoint_return(folder, EVN__CHECKPOINT_BEST));
    EVN_TRY(evn__run_directory_rewind(directory, LINES, &totals));
    EVN_TRY(check(totals.epochs == LINES && totals.loss == 0.25, "it goes on behind three"));
    EVN_TRY(write_epoch(directory, LINES));
    evn_metrics metrics = {0};
    EVN_TRY(evn_metrics_set(&metrics, "train_loss", "nats", EVN_BETTER_LOWER, 0.5));
    return evn__run_directory_finish(directory, &metrics);
}

static evn_status resume(void) {
    evn__run_directory *directory = NULL;
    EVN_TRY(evn__run_directory_reopen(folder, &directory));
    EVN_TRY(check(directory, "it is not finished"));
    evn_status status = go_on(directory);
    evn__run_directory_destroy(&directory);
    return status == EVN_OK ? check_finished(LINES + 1) : status;
}

/// Nothing that was finished is begun again, whatever the system says of it.
static evn_status look(void) {
    json_t *evaluation = NULL;
    evn__run_lock lock;
    evn__run_directory *directory = NULL;
    EVN_TRY(evn__run_directory_reopen(folder, &directory));
    EVN_TRY(check(!directory, "it is finished"));
    EVN_TRY(evn__run_directory_share(folder, &lock));
    json_t *written = json_pack("{s:f}", "accuracy", 0.5);
    evn_status status = evn__run_evaluation_write(folder, written);
    json_decref(written);
    status = status == EVN_OK ? evn__run_evaluation(folder, &evaluation) : status;
    bool right = json_real_value(json_object_get(evaluation, "accuracy")) == 0.5;
    json_decref(evaluation);
    evn__run_lock_release(&lock);
    return status == EVN_OK ? check(right, "the evaluation is there") : status;
}

static void make_finished(void) {
    make_none();
    TRY(begin());
    test_write("r/checkpoint.safetensors", "left by a kill", 14);
}

/// Claims a folder that has a finished run; that it is refused is what is right.
static evn_status claim_finished(void) {
    evn__run_directory *directory = NULL;
    evn_status status = evn__run_directory_create(folder, &directory);
    evn__run_directory_destroy(&directory);
    EVN_TRY(check(status != EVN_OK, "a finished run is not overwritten"));
    if (status != EVN_ERR_OUTPUT) {
        return status;
    }
    json_t *summary = NULL;
    EVN_TRY(evn__run_summary(folder, &summary));
    json_decref(summary);
    return check(summary, "it is whole");
}

static evn_status number(void) {
    char path[LONG];
    bool there;
    EVN_TRY(evn__run_directory_number(folder, "digits", path, sizeof(path)));
    EVN_TRY(evn__file_exists(path, &there));
    return check(there && strcmp(path, "r/digits-1") == 0, "the first number is free");
}

static evn_parameters *parameters; ///< one scalar

static evn_status keep_parameters(void) {
    evn__run_directory *directory = NULL;
    double rate = 0.5;
    EVN_TRY(evn__run_directory_create(folder, &directory));
    evn_status status = evn_parameters_write(parameters, 0, &rate);
    status =
        status == EVN_OK ? evn__run_directory_parameters(directory, parameters, NULL, 0) : status;
    evn__run_directory_destroy(&directory);
    EVN_TRY(status);
    rate = 0;
    EVN_TRY(evn_parameters_write(parameters, 0, &rate));
    EVN_TRY(evn__run_parameters(folder, parameters));
    EVN_TRY(evn_parameters_read(parameters, 0, &rate));
    return check(rate == 0.5, "the parameter is read again");
}

START_TEST(faults_of_parameters) {
    static const test_deed deed = {
        .name = "parameters", .prepare = make_none, .run = keep_parameters, .uncounted = true};
    test_sweep_begin();
    ck_assert_int_eq(chdir(test_folder()), 0);
    TRY(evn_parameters_create(&parameters));
    TRY(evn_parameters_add(parameters, "rate", EVN_SCALAR, EVN_INITIAL_UNIFORM, 1));
    TRY(evn_parameters_allocate(parameters, test_device(), false, 1));
    test_sweep(&deed);
    evn_parameters_destroy(&parameters);
}
END_TEST

START_TEST(faults) {
    static const test_deed deeds[] = {
        {.name = "begin", .prepare = make_none, .run = begin},
        {.name = "resume", .prepare = make_half, .run = resume},
        {.name = "look", .prepare = make_finished, .run = look},
        {.name = "claim", .prepare = make_finished, .run = claim_finished},
        {.name = "number", .prepare = make_none, .run = number},
    };
    test_sweep_begin();
    ck_assert_int_eq(chdir(test_folder()), 0);
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); ++i) {
        test_sweep(&deeds[i]);
    }
}
END_TEST

/// A numbered folder in which no run could begin goes; one in which one did, and what is not a
/// run's, stay.
START_TEST(discarded) {
    char parent[TEST_PATH], path[LONG], own[LONG + 8];
    bool there;
    evn__run_directory *directory;
    json_t *run = json_pack("{s:i}", "format", 1);
    test_path(parent, "runs");
    for (int i = 0; i < 3; ++i) {
        TRY(evn__run_directory_number(parent, "digits", path, sizeof(path)));
        TRY(evn__run_directory_create(path, &directory));
        TRY(evn__run_directory_network(directory, "{}"));
        TRY(i == 1 ? evn__run_directory_begin(directory, run) : EVN_OK);
        evn__run_directory_discard(path); // which is in use
        TRY(evn__run_has(path, "network.json", &there));
        ck_assert(there);
        evn__run_directory_destroy(&directory);
        snprintf(own, sizeof(own), "%s/mine", path);
        TRY(i == 2 ? evn__file_write(own, "", 0) : EVN_OK);
        evn__run_directory_discard(path);
        TRY(evn__file_exists(path, &there));
        ck_assert_msg(there == (i > 0), "%d", i);
        TRY(evn__run_has(path, "network.json", &there));
        ck_assert_msg(there == (i == 1), "%d", i);
    }
    json_decref(run);
}
END_TEST

// Paths
// --------------------------------------------------------------------------------------------

static void check_long(evn_status status, const char *what) {
    bool said = status == EVN_ERR_OUTPUT || status == EVN_ERR_FILE;
    ck_assert_msg(status == EVN_OK || said, "%s, %zu bytes: %s, %s", what, strlen(folder),
                  evn_status_name(status), evn_error_message());
}

/// Of each length up to the longest, and beyond, either all goes well or the folder is refused.
START_TEST(long_paths) {
    static char stretched[2 * LONG];
    evn_status before = EVN_OK;
    test_folder_in_memory();
    for (size_t length = PATH_MAX - 80; length < PATH_MAX + 4; ++length) {
        evn__run_lock lock;
        char path[LONG];
        folder = test_stretch(length, "r", stretched);
        make_none();
        evn_status status = begin();
        check_long(status, "begin");
        ck_assert(before == EVN_OK || status != EVN_OK); // none that is longer goes again
        before = status;
        make_half();
        check_long(resume(), "resume");
        make_half();
        check_long(evn__run_directory_share(folder, &lock), "share");
        evn__run_lock_release(&lock);
        check_long(evn__run_checkpoint_keep(folder, EVN__CHECKPOINT_BEFORE), "keep");
        check_long(evn__run_checkpoint_return(folder, EVN__CHECKPOINT_BEST), "return");
        check_long(evn__run_checkpoints_remove(folder), "remove");
        check_long(evn__run_directory_number(folder, "digits", path, sizeof(path)), "number");
    }
    ck_assert_int_eq(begin(), EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "too long"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("run_faults");
    test_add(s, tcase_create("faults"), faults);
    test_add(s, tcase_create("parameters"), faults_of_parameters);
    test_add(s, tcase_create("discarded"), discarded);
    test_add(s, tcase_create("long_paths"), long_paths);
    return s;
}

int main(void) {
    return test_run(suite());
}
