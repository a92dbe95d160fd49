// SPDX-License-Identifier: Apache-2.0
#include "train/record.h"

#include "base/files.h"
#include "base/memory.h"
#include "train/tensors.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char RUN[] = "run.json", METRICS[] = "metrics.jsonl", SUMMARY[] = "summary.json",
                  MODEL[] = "model.safetensors", CHECKPOINT[] = "checkpoint.safetensors";

enum { FOLDER_MODE = 0777, FILE_MODE = 0666, PATH_SIZE = 4096, NUMBER_MAX = 1000000 };

struct evn__record {
    char folder[PATH_SIZE];
    int metrics; ///< open for appending, and locked
};

static evn_status join(const char *folder, const char *name, char path[PATH_SIZE]) {
    int length = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    EVN_CHECK(length < PATH_SIZE, EVN_ERR_OUTPUT, "the path of the folder %.80s… is too long",
              folder);
    return EVN_OK;
}

static bool exists(const char *folder, const char *name) {
    char path[PATH_SIZE];
    struct stat info;
    return join(folder, name, path) == EVN_OK && lstat(path, &info) == 0;
}

// JSON --------------------------------------------------------------------------------------------

static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count_or_null(int64_t value) {
    return value >= 0 ? json_integer(value) : json_null();
}

/// Takes `object`.
static evn_status write_json(const char *folder, const char *name, json_t *object) {
    char path[PATH_SIZE];
    char *json = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(object);
    EVN_CHECK(json, EVN_ERR_MEMORY, "no memory for %s", name);
    evn__text text = {0};
    evn__text_append(&text, "%s\n", json);
    free(json);
    evn_status status = text.status == EVN_OK ? join(folder, name, path) : text.status;
    if (status == EVN_OK) {
        status = evn__file_write(path, text.data, text.size);
    }
    free(text.data);
    return status;
}

// Claiming a folder -------------------------------------------------------------------------------

evn_status evn__record_number(const char *parent, const char *stem, char *path, size_t size) {
    EVN_TRY(evn__folder_make(parent, FOLDER_MODE));
    for (int number = 1; number < NUMBER_MAX; ++number) {
        char folder[PATH_SIZE];
        size_t length = (size_t)snprintf(folder, sizeof(folder), "%s/%s-%d", parent, stem, number);
        EVN_CHECK(length < size && length < sizeof(folder), EVN_ERR_OUTPUT,
                  "the path of the folder %.80s… is too long", parent);
        if (mkdir(folder, FOLDER_MODE) == 0) {
            memcpy(path, folder, length + 1);
            return EVN_OK;
        }
        EVN_CHECK(errno == EEXIST, EVN_ERR_OUTPUT,
                  "cannot make the folder %s: %s; name another place for the run", folder,
                  strerror(errno));
    }
    EVN_FAIL(EVN_ERR_OUTPUT, "%s has no free number for %s", parent, stem);
}

static evn_status check_empty(const char *folder) {
    DIR *stream = opendir(folder);
    EVN_CHECK(stream, EVN_ERR_OUTPUT, "cannot read the folder %s: %s; name another place", folder,
              strerror(errno));
    bool empty = true;
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    }
    closedir(stream);
    EVN_CHECK(empty, EVN_ERR_OUTPUT,
              "the folder %s has files in it and is not a run; name a new folder", folder);
    return EVN_OK;
}

static evn_status check_free(const char *folder) {
    EVN_CHECK(!exists(folder, SUMMARY), EVN_ERR_OUTPUT,
              "the folder %s has a finished run in it; name a new folder, or remove this one",
              folder);
    EVN_CHECK(
        !exists(folder, CHECKPOINT), EVN_ERR_OUTPUT,
        "the folder %s has an unfinished run in it; 'evonode resume %s' goes on with it; name "
        "a new folder, or remove this one",
        folder, folder);
    return exists(folder, RUN) ? EVN_OK : check_empty(folder);
}

static evn_status lock_metrics(evn__record *record) {
    char path[PATH_SIZE];
    EVN_TRY(join(record->folder, METRICS, path));
    record->metrics = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
    EVN_CHECK(record->metrics >= 0, EVN_ERR_OUTPUT,
              "cannot write %s: %s; name another place for the run", path, strerror(errno));
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    EVN_CHECK(fcntl(record->metrics, F_SETLK, &whole) == 0 || errno == ENOLCK, EVN_ERR_OUTPUT,
              "another process is writing the run %s; name a new folder", record->folder);
    return EVN_OK;
}

static evn_status remove_file(const evn__record *record, const char *name) {
    char path[PATH_SIZE];
    EVN_TRY(join(record->folder, name, path));
    EVN_CHECK(unlink(path) == 0 || errno == ENOENT, EVN_ERR_OUTPUT, "cannot remove %s: %s", path,
              strerror(errno));
    return EVN_OK;
}

/// What an unfinished run left would contradict the new run.json.
static evn_status clear_folder(const evn__record *record) {
    EVN_CHECK(ftruncate(record->metrics, 0) == 0, EVN_ERR_OUTPUT,
              "cannot replace the unfinished run in %s: %s; name a new folder", record->folder,
              strerror(errno));
    return remove_file(record, MODEL);
}

static evn_status claim(evn__record *record, const json_t *run) {
    EVN_TRY(evn__folder_make(record->folder, FOLDER_MODE));
    EVN_TRY(check_free(record->folder));
    EVN_TRY(lock_metrics(record));
    EVN_TRY(clear_folder(record));
    return write_json(record->folder, RUN, json_deep_copy(run));
}

static evn_status reclaim(evn__record *record) {
    EVN_CHECK(exists(record->folder, RUN), EVN_ERR_OUTPUT, "there is no run in %s", record->folder);
    EVN_CHECK(!exists(record->folder, SUMMARY), EVN_ERR_OUTPUT,
              "the run in %s is finished; evonode eval tests it", record->folder);
    return lock_metrics(record);
}

/// run: NULL to go on with the run that is there.
static evn_status open_record(const char *folder, const json_t *run, evn__record **record) {
    evn__record *made;
    EVN_CHECK(strlen(folder) < PATH_SIZE, EVN_ERR_OUTPUT, "the path %.80s… is too long", folder);
    EVN_TRY(EVN_NEW(&made, 1));
    snprintf(made->folder, PATH_SIZE, "%s", folder);
    made->metrics = -1;
    evn_status status = run ? claim(made, run) : reclaim(made);
    if (status != EVN_OK) {
        evn__record_destroy(&made);
        return status;
    }
    *record = made;
    return EVN_OK;
}

evn_status evn__record_create(const char *folder, const json_t *run, evn__record **record) {
    return open_record(folder, run, record);
}

evn_status evn__record_reopen(const char *folder, evn__record **record) {
    return open_record(folder, NULL, record);
}

void evn__record_destroy(evn__record **record) {
    if (*record && (*record)->metrics >= 0) {
        close((*record)->metrics);
    }
    free(*record);
    *record = NULL;
}

// Writing -----------------------------------------------------------------------------------------

static json_t *switch_or_null(evn_switch ended) {
    static const char *const names[] = {NULL, "apart", "stalled"};
    return ended == EVN_SWITCH_NONE ? json_null() : json_string(names[ended]);
}

static json_t *epoch_object(const char *phase, const evn_epoch *epoch) {
    const struct {
        const char *name;
        double value;
    } reals[] = {
        {"train_loss", epoch->train_loss},
        {"train_accuracy", epoch->train_accuracy},
        {"test_loss", epoch->test_loss},
        {"test_accuracy", epoch->test_accuracy},
        {"learning_rate", epoch->learning_rate},
        {"seconds", epoch->seconds},
        {"nfe_forward", epoch->nfe_forward},
        {"nfe_backward", epoch->nfe_backward},
        {"x_reconstruction", epoch->x_reconstruction},
        {"theta_reconstruction", epoch->theta_reconstruction},
        {"own_loss", epoch->own_loss > 0 ? epoch->own_loss : NAN},
        {"next_loss", epoch->next_loss > 0 ? epoch->next_loss : NAN},
    };
    json_t *object = json_pack("{s:i, s:i, s:s}", "epoch", epoch->epoch, "phase", epoch->phase,
                               "phase_name", phase);
    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); ++i) {
        json_object_set_new(object, reals[i].name, real_or_null(reals[i].value));
    }
    json_object_set_new(object, "switch", switch_or_null(epoch->ended));
    json_object_set_new(object, "test_errors", count_or_null(epoch->test_errors));
    json_object_set_new(object, "test_count", count_or_null(epoch->test_count));
    json_object_set_new(object, "peak_device_bytes",
                        json_integer((json_int_t)epoch->peak_device_bytes));
    return object;
}

evn_status evn__record_epoch(evn__record *record, const char *phase, const evn_epoch *epoch) {
    json_t *object = epoch_object(phase, epoch);
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    EVN_CHECK(line, EVN_ERR_MEMORY, "no memory for a line of %s", METRICS);
    size_t length = strlen(line);
    line[length++] = '\n'; // in place of the NUL byte: one write for the whole line
    ssize_t written = write(record->metrics, line, length);
    free(line);
    EVN_CHECK(written == (ssize_t)length, EVN_ERR_OUTPUT,
              "cannot write %s/%s: %s; free some space on the disk", record->folder, METRICS,
              written < 0 ? strerror(errno) : "no space is left");
    return EVN_OK;
}

void evn__totals_add(evn__totals *totals, const evn_epoch *epoch) {
    totals->seconds += epoch->seconds;
    if (epoch->peak_device_bytes > totals->peak_device_bytes) {
        totals->peak_device_bytes = epoch->peak_device_bytes;
    }
    totals->last = *epoch;
}

evn__summary evn__summary_empty(void) {
    return (evn__summary){NAN, NAN, -1, NAN, NAN, NAN, NAN, NAN, -1, -1, NAN, NAN, NAN};
}

evn_status evn__record_finish(evn__record *record, const evn__summary *summary) {
    const evn__summary *s = summary;
    const struct {
        const char *name;
        json_t *value;
    } fields[] = {
        {"test_accuracy", real_or_null(s->test_accuracy)},
        {"train_accuracy", real_or_null(s->train_accuracy)},
        {"test_errors", count_or_null(s->test_errors)},
        {"seconds_per_epoch", real_or_null(s->seconds_per_epoch)},
        {"seconds_total", real_or_null(s->seconds_total)},
        {"nfe_forward", real_or_null(s->nfe_forward)},
        {"nfe_backward", real_or_null(s->nfe_backward)},
        {"peak_device_bytes", count_or_null(s->peak_device_bytes)},
        {"parameters", count_or_null(s->parameters)},
        {"loss", real_or_null(s->loss)},
        {"test_nll", real_or_null(s->test_nll)},
        {"gap_nats", real_or_null(s->gap_nats)},
        {"max_error", real_or_null(s->max_error)},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); ++i) {
        json_object_set_new(object, fields[i].name, fields[i].value);
    }
    EVN_TRY(write_json(record->folder, SUMMARY, object));
    return remove_file(record, CHECKPOINT);
}

evn_status evn__record_flush(const evn__record *record) {
    EVN_CHECK(fdatasync(record->metrics) == 0 || errno == EINVAL, EVN_ERR_OUTPUT,
              "cannot write %s/%s: %s; free some space on the disk", record->folder, METRICS,
              strerror(errno));
    return EVN_OK;
}

// Parameters --------------------------------------------------------------------------------------

evn_status evn__record_parameters(evn__record *record, const evn_parameters *parameters,
                                  const evn__pair *metadata, int metadata_count) {
    char path[PATH_SIZE];
    EVN_TRY(join(record->folder, MODEL, path));
    evn__tensors all = {0};
    evn_status status = evn__tensors_fetch(parameters, 0, &all);
    if (status == EVN_OK) {
        status = evn__safetensors_write(path, all.items, all.count, metadata, metadata_count);
    }
    evn__tensors_free(&all);
    return status;
}

// Reading -----------------------------------------------------------------------------------------

static evn_status read_json(const char *folder, const char *name, json_t **value) {
    char path[PATH_SIZE];
    unsigned char *text;
    size_t size;
    json_error_t error;
    EVN_TRY(join(folder, name, path));
    EVN_TRY(evn__file_read(path, &text, &size));
    *value = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &error);
    free(text);
    EVN_CHECK(*value, EVN_ERR_FORMAT, "%s is not valid JSON at line %d: %s", path, error.line,
              error.text);
    return EVN_OK;
}

evn_status evn__run_read(const char *folder, json_t **run) {
    return read_json(folder, RUN, run);
}

evn_status evn__run_summary(const char *folder, json_t **summary) {
    *summary = NULL;
    return exists(folder, SUMMARY) ? read_json(folder, SUMMARY, summary) : EVN_OK;
}

/// The lines of metrics.jsonl as text, freed by the caller.
static evn_status read_lines(const char *folder, char path[PATH_SIZE], char **text) {
    unsigned char *data;
    size_t size;
    EVN_TRY(join(folder, METRICS, path));
    EVN_TRY(evn__file_read(path, &data, &size));
    *text = (char *)data;
    return EVN_OK;
}

evn_status evn__run_metrics(const char *folder, json_t **lines) {
    char path[PATH_SIZE], *text;
    json_error_t error;
    evn_status status = EVN_OK;
    EVN_TRY(read_lines(folder, path, &text));
    *lines = json_array();
    char *line = text;
    for (char *end = strchr(line, '\n'); end && status == EVN_OK; end = strchr(line, '\n')) {
        json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &error);
        if (!object) {
            status = evn__fail(__FILE__, __LINE__, EVN_ERR_FORMAT, "line %zu of %s is not JSON: %s",
                               json_array_size(*lines) + 1, path, error.text);
        }
        json_array_append_new(*lines, object);
        line = end + 1;
    }
    free(text);
    if (status != EVN_OK) {
        json_decref(*lines);
        *lines = NULL;
    }
    return status;
}

/// A real number of a line, NaN where it does not apply.
static double read_real(const json_t *line, const char *key) {
    const json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int64_t read_count(const json_t *line, const char *key) {
    const json_t *value = json_object_get(line, key);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/// Whether the line is of one of the first `epochs` epochs; then it is added.
static bool add_line(const char *line, size_t length, int epochs, evn__totals *totals) {
    json_t *object = json_loadb(line, length, 0, NULL);
    int64_t epoch = read_count(object, "epoch");
    bool counts = epoch >= 0 && epoch < epochs && read_count(object, "phase") >= 0;
    if (counts) {
        int64_t peak = read_count(object, "peak_device_bytes");
        double seconds = read_real(object, "seconds");
        evn_epoch read = {.phase = (int)read_count(object, "phase"),
                          .epoch = (int)epoch,
                          .test_loss = read_real(object, "test_loss"),
                          .test_accuracy = read_real(object, "test_accuracy"),
                          .test_errors = read_count(object, "test_errors"),
                          .test_count = read_count(object, "test_count"),
                          .seconds = isfinite(seconds) ? seconds : 0,
                          .nfe_forward = read_real(object, "nfe_forward"),
                          .nfe_backward = read_real(object, "nfe_backward"),
                          .peak_device_bytes = peak > 0 ? (uint64_t)peak : 0};
        evn__totals_add(totals, &read);
    }
    json_decref(object);
    return counts;
}

evn_status evn__record_rewind(evn__record *record, int epochs, evn__totals *totals) {
    char path[PATH_SIZE], *text;
    EVN_TRY(read_lines(record->folder, path, &text));
    char *line = text;
    *totals = (evn__totals){0};
    for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        if (!add_line(line, (size_t)(end - line), epochs, totals)) {
            break;
        }
        line = end + 1;
    }
    int failed = ftruncate(record->metrics, line - text);
    free(text);
    EVN_CHECK(!failed, EVN_ERR_OUTPUT, "cannot shorten %s: %s", path, strerror(errno));
    return EVN_OK;
}

evn_status evn__run_checkpoint(const char *folder, char *path, size_t size) {
    int length = snprintf(path, size, "%s/%s", folder, CHECKPOINT);
    EVN_CHECK(length >= 0 && (size_t)length < size, EVN_ERR_OUTPUT,
              "the path of the folder %.80s… is too long", folder);
    return EVN_OK;
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
    EVN_TRY(join(folder, MODEL, path));
    EVN_TRY(evn__safetensors_read(path, &file));
    evn_status status = load(parameters, file);
    evn__safetensors_destroy(&file);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}
