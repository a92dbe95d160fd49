// SPDX-License-Identifier: Apache-2.0
#include "io/run_directory.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "io/metrics_json.h"
#include "io/metrics_table.h"
#include "io/run_json.h"
#include "io/tensors.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char RUN[] = "run.json", TABLE[] = "metrics.csv", EVALUATION[] = "evaluation.json",
                  SUMMARY[] = "summary.json", MODEL[] = "model.safetensors",
                  NETWORK[] = "network.json", SERIES[] = "series.safetensors",
                  POINTS[] = "points.safetensors";

// What else helps where a file is damaged.
static const char TRAIN[] = "train again", EVALUATE[] = "let 'evonode eval' write it anew";

enum {
    FOLDER_MODE = 0777,
    FILE_MODE = 0666,
    PATH_SIZE = 4096,
    FOLDER_SIZE = PATH_SIZE - 64, ///< leaves room for the name of a file, or of a temporary one
};

struct evn__run_directory {
    char folder[FOLDER_SIZE];
    evn__run_lock lock;
    int metrics;               ///< open for appending
    evn__metrics_table *table; ///< NULL before the first line
};

static evn_status fail_long(const char *folder) {
    EVN_FAIL(EVN_ERR_OUTPUT, "the path of the folder %.80s… is too long; name another place",
             folder);
}

evn_status evn__run_file(const char *folder, const char *name, char *path, size_t size) {
    size_t length = (size_t)snprintf(path, size, "%s/%s", folder, name);
    return length < size ? EVN_OK : fail_long(folder);
}

/// Of a file of a run that is open, whose folder has room for it (open_run).
static const char *path_of(const evn__run_directory *directory, const char *name,
                           char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s", directory->folder, name);
    return path;
}

evn_status evn__run_has(const char *folder, const char *name, bool *has) {
    char path[PATH_SIZE];
    EVN_TRY(evn__run_file(folder, name, path, PATH_SIZE));
    return evn__file_exists(path, has);
}

// Claiming a folder -------------------------------------------------------------------------------

evn_status evn__run_directory_number(const char *parent, const char *stem, char *path,
                                     size_t size) {
    EVN_TRY(evn__folder_make(parent, FOLDER_MODE));
    for (int number = 1, result;; ++number) {
        size_t length = (size_t)snprintf(path, size, "%s/%s-%d", parent, stem, number);
        if (length >= size) {
            return fail_long(parent);
        }
        EVN_RETRY(result, mkdir(path, FOLDER_MODE));
        if (result == 0) {
            evn_status status = evn__folder_sync(parent);
            if (status != EVN_OK) {
                rmdir(path);
            }
            return status;
        }
        EVN_CHECK(errno == EEXIST, EVN_ERR_OUTPUT,
                  "cannot make the folder %s: %s; name another place for the run", path,
                  strerror(errno));
    }
}

/// The names that files of a run have; NULL behind the last.
static const char *own_name(int index) {
    const char *const lock = evn__run_lock_name, *const lines = evn__run_lines_name;
    const char *const own[] = {lock,       RUN,   lines,   TABLE,  SUMMARY,
                               EVALUATION, MODEL, NETWORK, SERIES, POINTS};
    const int count = sizeof(own) / sizeof(own[0]);
    return index < count ? own[index]
           : index - count < EVN__CHECKPOINTS
               ? evn__run_checkpoint_name((evn__generation)(index - count))
               : NULL;
}

static bool is_own(const char *name) {
    int index = 0;
    while (own_name(index) && strcmp(own_name(index), name) != 0) {
        ++index;
    }
    return own_name(index) != NULL;
}

/// A pipe in the place of a file would be waited for, and a folder be found when the run ends.
static evn_status check_places(const char *folder) {
    char path[PATH_SIZE];
    for (int i = 0; own_name(i); ++i) {
        EVN_TRY(evn__run_file(folder, own_name(i), path, PATH_SIZE));
        EVN_CHECK(
            !evn__is_no_file(path), EVN_ERR_OUTPUT,
            "%s is a folder, a pipe or a device where a run has a file; move it away, or name "
            "another folder",
            path);
    }
    return EVN_OK;
}

/// Whether nothing is in the folder but what a run that was killed while it began can leave: its
/// lock, which it takes first, and then files of its own. Without a lock they are somebody else's.
static evn_status check_empty(const char *folder, bool claimed) {
    DIR *stream = opendir(folder);
    EVN_CHECK(stream, evn__file_status(errno, EVN_ERR_OUTPUT),
              "cannot read the folder %s: %s; name another place", folder, strerror(errno));
    bool empty = true;
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(stream))) {
        const char *name = entry->d_name;
        bool none = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        bool left = claimed && (is_own(name) || evn__file_is_temporary(name));
        empty = empty && (none || left);
    }
    int error = errno;
    closedir(stream);
    EVN_CHECK(error == 0, evn__file_status(error, EVN_ERR_OUTPUT),
              "cannot read the folder %s: %s; name another place", folder, strerror(error));
    EVN_CHECK(empty, EVN_ERR_OUTPUT,
              "the folder %s is not empty and holds no run; name a new folder", folder);
    return EVN_OK;
}

static evn_status check_free(const char *folder) {
    bool finished, goes_on, begun, claimed;
    EVN_TRY(check_places(folder));
    EVN_TRY(evn__run_has(folder, SUMMARY, &finished));
    EVN_TRY(evn__run_has_checkpoint(folder, &goes_on));
    EVN_TRY(evn__run_has(folder, RUN, &begun));
    EVN_TRY(evn__run_has(folder, evn__run_lock_name, &claimed));
    EVN_CHECK(!finished, EVN_ERR_OUTPUT,
              "the folder %s has a finished run in it; name a new folder, or remove this one",
              folder);
    EVN_CHECK(!goes_on || begun, EVN_ERR_OUTPUT,
              "the folder %s has checkpoints of a run in it whose run.json is missing; bring that "
              "back and resume, name a new folder, or remove this one",
              folder);
    EVN_CHECK(!goes_on, EVN_ERR_OUTPUT,
              "the folder %s has an unfinished run in it; 'evonode resume %s' continues it; name "
              "a new folder, or remove this one",
              folder, folder);
    return begun && claimed ? EVN_OK : check_empty(folder, claimed);
}

evn_status evn__run_owns(const char *folder, const char *name, bool *owns) {
    bool begun;
    EVN_TRY(evn__run_has(folder, RUN, &begun));
    *owns = begun && is_own(name);
    return EVN_OK;
}

evn_status evn__run_check_different(const char *const *folders, int count) {
    for (int i = 0; i < count; ++i) {
        for (int j = 0; j < i; ++j) {
            EVN_CHECK(!evn__is_same_file(folders[i], folders[j]), EVN_ERR_USAGE,
                      "%s and %s are one run; name each run once", folders[j], folders[i]);
        }
    }
    return EVN_OK;
}

static evn_status open_metrics(evn__run_directory *directory) {
    char path[PATH_SIZE];
    path_of(directory, evn__run_lines_name, path);
    EVN_RETRY(directory->metrics, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE));
    EVN_CHECK(directory->metrics >= 0, EVN_ERR_OUTPUT,
              "cannot write %s: %s; name another place for the run", path, strerror(errno));
    return EVN_OK;
}

static evn_status remove_file(const evn__run_directory *directory, const char *name) {
    char path[PATH_SIZE];
    return evn__file_remove(path_of(directory, name, path));
}

static evn_status shorten(const evn__run_directory *directory, off_t size) {
    int result;
    EVN_RETRY(result, ftruncate(directory->metrics, size));
    EVN_CHECK(result == 0, EVN_ERR_OUTPUT, "cannot shorten %s/%s: %s; check the disk",
              directory->folder, evn__run_lines_name, strerror(errno));
    return EVN_OK;
}

/// What an unfinished run left would contradict the new run.json; that of the old one goes first.
static evn_status clear_folder(const evn__run_directory *directory) {
    const char *const old[] = {RUN, NETWORK, SERIES, POINTS, TABLE, EVALUATION, MODEL};
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); ++i) {
        EVN_TRY(remove_file(directory, old[i]));
    }
    EVN_TRY(evn__run_checkpoints_remove(directory->folder));
    return shorten(directory, 0);
}

static evn_status claim(evn__run_directory *directory) {
    EVN_TRY(evn__folder_make(directory->folder, FOLDER_MODE));
    EVN_TRY(check_free(directory->folder)); // first, so that no other folder gets a lock
    EVN_TRY(evn__run_lock_take(directory->folder, true, &directory->lock));
    EVN_TRY(evn__folder_sync(directory->folder)); // what comes after it is the run's
    EVN_TRY(check_free(directory->folder));
    EVN_TRY(open_metrics(directory));
    return clear_folder(directory);
}

/// Leaves the lock untaken where the run is finished; what a kill behind the summary has left goes.
static evn_status reclaim(evn__run_directory *directory) {
    bool begun, finished;
    EVN_TRY(evn__run_has(directory->folder, RUN, &begun));
    EVN_CHECK(begun, EVN_ERR_FILE,
              "%s/%s is missing: no run has begun there; evonode train begins one",
              directory->folder, RUN);
    EVN_TRY(check_places(directory->folder));
    EVN_TRY(evn__run_has(directory->folder, SUMMARY, &finished));
    evn_status status = evn__run_lock_take(directory->folder, true, &directory->lock);
    if (finished && status != EVN_OK) { // it is looked at, or can only be read
        return EVN_OK;
    }
    EVN_TRY(status);
    EVN_TRY(evn__run_has(directory->folder, SUMMARY, &finished));
    if (finished) { // maybe by the process that had the lock until now
        status = evn__run_checkpoints_remove(directory->folder);
        evn__run_lock_release(&directory->lock);
        return status;
    }
    return open_metrics(directory);
}

static evn_status check_length(const char *folder) {
    return strlen(folder) < FOLDER_SIZE ? EVN_OK : fail_long(folder);
}

static evn_status open_run(const char *folder, evn_status (*take)(evn__run_directory *),
                           evn__run_directory **directory) {
    evn__run_directory *made;
    *directory = NULL;
    EVN_TRY(check_length(folder));
    EVN_TRY(EVN_NEW(&made, 1));
    snprintf(made->folder, FOLDER_SIZE, "%s", folder);
    made->metrics = -1;
    evn_status status = take(made);
    if (status != EVN_OK || made->lock.file == 0) {
        evn__run_directory_destroy(&made);
        return status;
    }
    *directory = made;
    return EVN_OK;
}

void evn__run_directory_discard(const char *folder) {
    char path[PATH_SIZE];
    evn__run_lock lock;
    bool begun;
    if (rmdir(folder) == 0) { // not even a lock could be made
        return;
    }
    if (evn__run_lock_take(folder, true, &lock) == EVN_OK &&
        evn__run_has(folder, RUN, &begun) == EVN_OK && !begun) {
        for (int i = 0; own_name(i); ++i) {
            if (evn__run_file(folder, own_name(i), path, PATH_SIZE) == EVN_OK) {
                evn__file_remove(path);
            }
        }
        rmdir(folder); // stays, where something else is in it
    }
    evn__run_lock_release(&lock);
}

evn_status evn__run_directory_check(const char *folder) {
    bool there;
    EVN_TRY(check_length(folder));
    EVN_TRY(evn__file_exists(folder, &there));
    if (!there) {
        return EVN_OK;
    }
    EVN_TRY(evn__folder_make(folder, FOLDER_MODE)); // refuses what is no folder
    return check_free(folder);
}

evn_status evn__run_directory_create(const char *folder, evn__run_directory **directory) {
    return open_run(folder, claim, directory);
}

evn_status evn__run_directory_reopen(const char *folder, evn__run_directory **directory) {
    return open_run(folder, reclaim, directory);
}

evn_status evn__run_directory_share(const char *folder, evn__run_lock *lock) {
    *lock = (evn__run_lock){0};
    bool begun;
    EVN_TRY(evn__run_has(folder, RUN, &begun));
    EVN_TRY(begun ? check_places(folder) : EVN_OK);
    return begun ? evn__run_lock_take(folder, false, lock) : EVN_OK;
}

evn_status evn__run_directory_begin(evn__run_directory *directory, const json_t *run) {
    return evn__run_json_write(directory->folder, RUN, json_deep_copy(run));
}

void evn__run_directory_destroy(evn__run_directory **directory) {
    if (*directory && (*directory)->metrics >= 0) {
        close((*directory)->metrics);
    }
    if (*directory) {
        evn__metrics_table_destroy(&(*directory)->table);
        evn__run_lock_release(&(*directory)->lock); // last: until then nobody else writes
    }
    free(*directory);
    *directory = NULL;
}

// Writing -----------------------------------------------------------------------------------------

/// metrics.csv of all lines of metrics.jsonl.
static evn_status write_table(evn__run_directory *directory) {
    char path[PATH_SIZE];
    json_t *lines;
    evn__metrics_table_destroy(&directory->table);
    EVN_TRY(evn__run_metrics(directory->folder, &lines));
    evn_status status =
        evn__metrics_table_create(path_of(directory, TABLE, path), lines, &directory->table);
    json_decref(lines);
    return status;
}

/// Append to metrics.csv, or write it anew for a line with a new column.
static evn_status append_row(evn__run_directory *directory, const json_t *line) {
    bool fits = directory->table && evn__metrics_table_fits(directory->table, line);
    return fits ? evn__metrics_table_add(directory->table, line) : write_table(directory);
}

static evn_status append_line(evn__run_directory *directory, const json_t *line) {
    char path[PATH_SIZE], *text;
    EVN_TRY(evn__json_print(line, JSON_COMPACT, 9, &text));
    size_t length = strlen(text);
    text[length++] = '\n'; // in place of the NUL byte: one write for the whole line
    evn_status status = evn__file_append(
        directory->metrics, path_of(directory, evn__run_lines_name, path), text, length);
    free(text);
    return status;
}

bool evn__run_directory_is_there(const evn__run_directory *directory) {
    return evn__run_lock_holds(&directory->lock, directory->folder);
}

bool evn__run_directory_goes_on(const evn__run_directory *directory) {
    bool begun;
    return evn__run_directory_is_there(directory) &&
           evn__run_has(directory->folder, RUN, &begun) == EVN_OK && begun;
}

bool evn__run_directory_is_finished(const evn__run_directory *directory) {
    bool finished;
    return evn__run_has(directory->folder, SUMMARY, &finished) == EVN_OK && finished;
}

/// What is written into a folder that has lost its name is lost.
static evn_status check_place(const evn__run_directory *directory) {
    EVN_CHECK(evn__run_directory_is_there(directory), EVN_ERR_OUTPUT,
              "the run directory %s was removed or moved while it was written; put it back and "
              "resume, or train again",
              directory->folder);
    return EVN_OK;
}

evn_status evn__run_directory_epoch(evn__run_directory *directory, const evn__run_line *line) {
    EVN_TRY(check_place(directory));
    json_t *object = json_pack("{s:i, s:i, s:s}", "epoch", line->epoch, "phase", line->phase,
                               "phase_name", line->phase_name);
    evn__metrics_put(line->metrics, object);
    evn__json_put(object, "switch", line->ended ? json_string(line->ended) : json_null());
    evn_status status = append_line(directory, object);
    if (status == EVN_OK) {
        status = append_row(directory, object);
    }
    json_decref(object);
    return status;
}

evn_status evn__run_evaluation_write(const char *folder, const json_t *evaluation) {
    return evn__run_json_write(folder, EVALUATION, json_deep_copy(evaluation));
}

evn_status evn__run_directory_flush(const evn__run_directory *directory) {
    char path[PATH_SIZE];
    EVN_TRY(check_place(directory));
    return evn__file_sync(directory->metrics, path_of(directory, evn__run_lines_name, path));
}

evn_status evn__run_directory_finish(evn__run_directory *directory, const evn_metrics *metrics) {
    json_t *object = json_object();
    evn__metrics_show(metrics, object);
    evn_status status = evn__run_directory_flush(directory);
    if (status == EVN_OK && directory->table) {
        status = evn__metrics_table_flush(directory->table);
    }
    if (status == EVN_OK) {
        status = evn__run_lines_put_hash(directory->folder, object);
    }
    if (status != EVN_OK) {
        json_decref(object);
        return status;
    }
    EVN_TRY(evn__run_json_write(directory->folder, SUMMARY, object));
    return evn__run_checkpoints_remove(directory->folder);
}

// Parameters --------------------------------------------------------------------------------------

evn_status evn__run_directory_parameters(evn__run_directory *directory,
                                         const evn_parameters *parameters,
                                         const evn__key_value *metadata, int metadata_count) {
    char path[PATH_SIZE];
    EVN_TRY(check_place(directory));
    evn__tensors all = {0};
    evn_status status = evn__tensors_fetch(parameters, 0, &all);
    if (status == EVN_OK) {
        path_of(directory, MODEL, path);
        status = evn__safetensors_write(path, all.items, all.count, metadata, metadata_count);
    }
    evn__tensors_free(&all);
    return status;
}

// Reading -----------------------------------------------------------------------------------------

/// Another file of the run in its place has a hash that fits, too.
static evn_status check_kind(const char *folder, const json_t *run) {
    EVN_CHECK(json_is_integer(json_object_get(run, "format")), EVN_ERR_FORMAT,
              "%s/%s describes no run: \"format\" is missing; bring it back from a copy, or %s",
              folder, RUN, TRAIN);
    return EVN_OK;
}

evn_status evn__run_read(const char *folder, json_t **run) {
    EVN_TRY(evn__run_json_read(folder, RUN, TRAIN, run));
    evn_status status = check_kind(folder, *run);
    if (status != EVN_OK) {
        json_decref(*run);
        *run = NULL;
    }
    return status;
}

evn_status evn__run_summary(const char *folder, json_t **summary) {
    return evn__run_json_read_optional(folder, SUMMARY, TRAIN, summary);
}

evn_status evn__run_evaluation(const char *folder, json_t **evaluation) {
    return evn__run_json_read_optional(folder, EVALUATION, EVALUATE, evaluation);
}

evn_status evn__run_directory_rewind(evn__run_directory *directory, int epochs,
                                     evn__run_totals *totals) {
    char *text;
    size_t size, bytes;
    EVN_TRY(remove_file(directory, EVALUATION)); // it was of other parameters
    EVN_TRY(evn__run_lines_read(directory->folder, &text, &size));
    evn_status status = evn__run_totals_read(totals, text, epochs, &bytes);
    if (status == EVN_OK) {
        status = shorten(directory, (off_t)bytes);
    }
    free(text);
    EVN_TRY(status);
    return write_table(directory);
}

evn_status evn__run_network(const char *folder, char *path, size_t size) {
    return evn__run_file(folder, NETWORK, path, size);
}

evn_status evn__run_directory_network(evn__run_directory *directory, const char *json) {
    char path[PATH_SIZE];
    return evn__file_write_own(path_of(directory, NETWORK, path), json, strlen(json));
}

static evn_status load(evn_parameters *parameters, const evn__safetensors *file) {
    evn__tensors all = {0};
    evn_status status = evn__tensors_describe(parameters, 0, &all);
    if (status == EVN_OK) {
        status = evn__safetensors_match(file, all.items, all.count);
    }
    if (status == EVN_OK) {
        status = evn__tensors_store(parameters, file);
    }
    evn__tensors_free(&all);
    return status;
}

evn_status evn__run_parameters(const char *folder, evn_parameters *parameters) {
    char path[PATH_SIZE];
    evn__safetensors *file;
    EVN_TRY(evn__run_file(folder, MODEL, path, PATH_SIZE));
    EVN_TRY(evn__safetensors_read(path, &file));
    evn_status status = load(parameters, file);
    evn__safetensors_destroy(&file);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}
