// SPDX-License-Identifier: Apache-2.0
// Event files of TensorBoard while each call of the system and each allocation fails: all records
// are there, or it is said that they are not.
#include "exchange/events.h"
#include "sweep.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 512 };

static void remove_all(void) {
    char path[PATH];
    DIR *stream = opendir("r");
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        snprintf(path, sizeof(path), "r/%s", entry->d_name);
        remove(path);
    }
    if (stream) {
        closedir(stream);
    }
}

static evn_status write_steps(int done, const char *options) {
    evn__events *events = NULL;
    evn_metrics metrics = {0};
    EVN_TRY(evn_metrics_set(&metrics, "train_loss", "nats", EVN_BETTER_LOWER, 0.5));
    EVN_TRY(evn_metrics_set(&metrics, "seconds", "s", EVN_BETTER_LOWER, 1));
    EVN_TRY(evn__events_create("r", done, options, &events));
    evn_status status = evn__events_write(events, done + 1, &metrics);
    status = status == EVN_OK ? evn__events_write(events, done + 2, &metrics) : status;
    evn__events_destroy(&events);
    return status;
}

/// Files in the folder, and their bytes in all.
static void add_up(int *files, long long *bytes) {
    char path[PATH];
    struct stat info;
    DIR *stream = opendir("r");
    *files = 0;
    *bytes = 0;
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        snprintf(path, sizeof(path), "r/%s", entry->d_name);
        if (entry->d_name[0] != '.' && stat(path, &info) == 0) {
            ++*files;
            *bytes += (long long)info.st_size;
        }
    }
    if (stream) {
        closedir(stream);
    }
}

static long long right;         ///< bytes of an undisturbed training; 0: not known yet
static bool ended_well = false; ///< the last training

/// A training, and one that goes on with it in a file of its own.
static evn_status train(void) {
    evn_status status = write_steps(0, "width | 8");
    status = status == EVN_OK ? write_steps(2, NULL) : status;
    ended_well = status == EVN_OK;
    return status;
}

/// Without faults: where the last training ended well all of its records are there, and none of
/// another's; then for the next one.
static void check_last(void) {
    int files;
    long long bytes;
    add_up(&files, &bytes);
    right = right || !ended_well ? right : bytes;
    ck_assert_msg(!ended_well || (files == 2 && bytes == right),
                  "%d files of %lld bytes, not 2 of %lld", files, bytes, right);
    remove_all();
    fclose(fopen("r/events.out.tfevents.0000000001.host.1", "w")); // of another training
}

START_TEST(faults) {
    static const test_deed deed = {.name = "events", .prepare = check_last, .run = train};
    test_sweep_begin();
    if (evn__events_check() != EVN_OK) {
        exit(TEST_SKIPPED);
    }
    ck_assert_int_eq(chdir(test_folder()), 0);
    ck_assert_int_eq(mkdir("r", 0777), 0);
    test_sweep(&deed);
    check_last();
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events");
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
