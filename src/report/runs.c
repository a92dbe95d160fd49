// SPDX-License-Identifier: Apache-2.0
#include "report/runs.h"

#include "base/files.h"
#include "io/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, PICTURES_MAX = 100 };
static const size_t PICTURE_BYTES_MAX = (size_t)4 << 20;

double evn__number_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *evn__reported_step(const evn__reported *runs, int count) {
    int iterating = 0;
    for (int i = 0; i < count; ++i) {
        iterating += runs[i].iterates;
    }
    return iterating == 0 ? "epoch" : iterating == count ? "iteration" : "epoch or iteration";
}

static bool is_picture(const char *name) {
    size_t length = strlen(name);
    return length > 4 && name[0] != '.' && strcmp(name + length - 4, ".png") == 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static evn_status add_picture(evn__reported *run, const char *name) {
    EVN_TRY(EVN_RESERVE(run->pictures, run->picture_capacity, run->picture_count + 1));
    char *copy = strdup(name);
    EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for the names of pictures");
    run->pictures[run->picture_count++] = copy;
    return EVN_OK;
}

static evn_status list_pictures(evn__reported *run) {
    evn_status status = EVN_OK;
    const struct dirent *entry;
    DIR *stream = opendir(run->folder);
    EVN_CHECK(stream, evn__file_status(errno, EVN_ERR_FILE), "cannot read the folder %s: %s",
              run->folder, strerror(errno));
    while (status == EVN_OK && (errno = 0, entry = readdir(stream))) {
        if (is_picture(entry->d_name) && run->picture_count < PICTURES_MAX) {
            status = add_picture(run, entry->d_name);
        }
    }
    int error = status == EVN_OK ? errno : 0;
    closedir(stream);
    EVN_CHECK(error == 0, evn__file_status(error, EVN_ERR_FILE), "cannot read the folder %s: %s",
              run->folder, strerror(error));
    if (run->picture_count > 0) {
        qsort(run->pictures, (size_t)run->picture_count, sizeof(char *), by_name);
    }
    return status;
}

evn_status evn__reported_read(const char *folder, evn__reported *run) {
    *run = (evn__reported){.folder = folder};
    EVN_TRY(evn__run_read(folder, &run->run));
    EVN_TRY(evn__run_metrics(folder, &run->lines));
    EVN_TRY(evn__run_summary(folder, &run->summary));
    EVN_TRY(evn__run_evaluation(folder, &run->evaluation));
    return list_pictures(run);
}

void evn__reported_free(evn__reported *run) {
    json_decref(run->run);
    json_decref(run->lines);
    json_decref(run->summary);
    json_decref(run->evaluation);
    for (int i = 0; i < run->picture_count; ++i) {
        free(run->pictures[i]);
    }
    free(run->pictures);
    *run = (evn__reported){0};
}

evn_status evn__reported_picture(const evn__reported *run, int index, unsigned char **data,
                                 size_t *size) {
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof(path), "%s/%s", run->folder, run->pictures[index]);
    EVN_CHECK(length < (int)sizeof(path), EVN_ERR_FILE, "the path of the run %.80s… is too long",
              run->folder);
    return evn__file_read_most(path, PICTURE_BYTES_MAX, data, size);
}
