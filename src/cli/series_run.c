// SPDX-License-Identifier: Apache-2.0
// series.safetensors of a run: t [rows], rows [tracks, 2], starts [tracks, D], mean and deviation
// [D], and all names, with which the run is used where its data are not.
#include "cli/series_run.h"

#include "base/json.h"
#include "io/run_directory.h"
#include "io/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "evonode series 1", FILE_NAME[] = "series.safetensors";
enum { PATH_SIZE = 4096, TENSORS = 5, COUNTS = 2, PAIRS = 5 };

static void describe(const evn__series_outline *o, evn__tensor tensors[TENSORS]) {
    const evn__tensor all[TENSORS] = {
        {"t", EVN__F64, 1, {o->rows}, o->t, 0},
        {"rows", EVN__F64, 2, {o->track_count, COUNTS}, o->track_rows, 0},
        {"starts", EVN__F64, 2, {o->track_count, o->dimensions}, o->starts, 0},
        {"mean", EVN__F64, 1, {o->dimensions}, o->mean, 0},
        {"deviation", EVN__F64, 1, {o->dimensions}, o->deviation, 0}};
    memcpy(tensors, all, sizeof(all));
}

// Writing -----------------------------------------------------------------------------------------

static evn_status write_outline(const evn__series_outline *o, const json_t *names,
                                const json_t *tracks, const char *path) {
    evn__tensor tensors[TENSORS];
    char *columns, *trajectories = NULL;
    EVN_TRY(evn__json_print(names, JSON_COMPACT, 17, &columns));
    evn_status status = evn__json_print(tracks, JSON_COMPACT, 17, &trajectories);
    const evn__key_value metadata[PAIRS] = {{"format", FORMAT},
                                            {"time", o->time_name},
                                            {"columns", columns},
                                            {"trajectories", trajectories},
                                            {"group", o->group_name}};
    describe(o, tensors);
    if (status == EVN_OK) {
        status = evn__safetensors_write(path, tensors, TENSORS, metadata,
                                        o->group_name ? PAIRS : PAIRS - 1);
    }
    free(columns);
    free(trajectories);
    return status;
}

/// Rows and starts of the trajectories.
static void list_tracks(const evn__time_series *s, double *rows, double *starts, json_t *tracks) {
    for (int i = 0; i < s->track_count; ++i) {
        const evn__track *track = &s->tracks[i];
        rows[COUNTS * i] = (double)track->count;
        rows[COUNTS * i + 1] = (double)track->trained;
        evn__series_scaled(s, i, track->first, true, starts + (int64_t)i * s->dimensions);
        evn__json_append(tracks, json_string(track->name));
    }
}

evn_status evn__series_keep(const evn__time_series *series, const char *folder) {
    char path[PATH_SIZE];
    double *rows = NULL, *starts = NULL;
    EVN_TRY(evn__run_file(folder, FILE_NAME, path, sizeof(path)));
    evn_status status = EVN_NEW(&rows, (int64_t)COUNTS * series->track_count);
    status = status == EVN_OK ? EVN_NEW(&starts, (int64_t)series->track_count * series->dimensions)
                              : status;
    if (status == EVN_OK) {
        json_t *names = json_array(), *tracks = json_array();
        for (int k = 0; k < series->dimensions; ++k) {
            evn__json_append(names, json_string(series->names[k]));
        }
        list_tracks(series, rows, starts, tracks);
        const evn__series_outline outline = {.time_name = series->time_name,
                                             .group_name = series->group_name,
                                             .dimensions = series->dimensions,
                                             .track_count = series->track_count,
                                             .rows = series->rows,
                                             .t = series->t,
                                             .track_rows = rows,
                                             .starts = starts,
                                             .mean = series->mean,
                                             .deviation = series->deviation};
        status = write_outline(&outline, names, tracks, path);
        json_decref(names);
        json_decref(tracks);
    }
    free(rows);
    free(starts);
    return status;
}

// Reading -----------------------------------------------------------------------------------------

/// A file on its way into an outline.
typedef struct kept {
    const evn__safetensors *file;
    json_t *columns, *trajectories;
    const char **names; ///< of both, one after the other
    double *numbers;    ///< of all tensors, aligned
} kept;

static evn_status list_names(const json_t *array, const char *what, const char **names) {
    for (size_t i = 0; i < json_array_size(array); ++i) {
        names[i] = json_string_value(json_array_get(array, i));
        EVN_CHECK(names[i], EVN_ERR_FORMAT, "%s %zu of its metadata has no name", what, i + 1);
    }
    return EVN_OK;
}

static evn_status read_names(kept *k, evn__series_outline *o) {
    const char *format = evn__safetensors_metadata(k->file, "format");
    EVN_CHECK(format && strcmp(format, FORMAT) == 0, EVN_ERR_FORMAT,
              "its format is '%.40s', and not '%s'", format ? format : "(none)", FORMAT);
    const char *columns = evn__safetensors_metadata(k->file, "columns");
    const char *trajectories = evn__safetensors_metadata(k->file, "trajectories");
    o->time_name = evn__safetensors_metadata(k->file, "time");
    o->group_name = evn__safetensors_metadata(k->file, "group");
    EVN_TRY(columns ? evn__json_parse(columns, strlen(columns), &k->columns) : EVN_OK);
    EVN_TRY(trajectories ? evn__json_parse(trajectories, strlen(trajectories), &k->trajectories)
                         : EVN_OK);
    o->dimensions = (int)json_array_size(k->columns);
    o->track_count = (int)json_array_size(k->trajectories);
    EVN_CHECK(o->time_name && o->dimensions > 0 && o->track_count > 0, EVN_ERR_FORMAT,
              "its metadata lack the names of the time, the columns or the trajectories");
    EVN_TRY(EVN_NEW(&k->names, (int64_t)o->dimensions + o->track_count));
    o->names = k->names;
    o->tracks = k->names + o->dimensions;
    EVN_TRY(list_names(k->columns, "column", k->names));
    return list_names(k->trajectories, "trajectory", k->names + o->dimensions);
}

static evn_status read_numbers(kept *k, evn__series_outline *o) {
    const evn__tensor *t = evn__safetensors_find(k->file, "t");
    const double **to[TENSORS] = {&o->t, &o->track_rows, &o->starts, &o->mean, &o->deviation};
    evn__tensor tensors[TENSORS];
    size_t bytes = 0;
    o->rows = t && t->rank == 1 ? t->extent[0] : 0;
    describe(o, tensors);
    EVN_TRY(evn__safetensors_match(k->file, tensors, TENSORS));
    for (int i = 0; i < TENSORS; ++i) {
        bytes += evn__safetensors_find(k->file, tensors[i].name)->bytes;
    }
    EVN_TRY(EVN_NEW(&k->numbers, bytes / sizeof(double)));
    double *at = k->numbers;
    for (int i = 0; i < TENSORS; ++i) {
        const evn__tensor *tensor = evn__safetensors_find(k->file, tensors[i].name);
        memcpy(at, tensor->data, tensor->bytes);
        *to[i] = at;
        at += tensor->bytes / sizeof(double);
    }
    return EVN_OK;
}

static evn_status read_file(kept *k, int64_t window, evn__time_series **series) {
    evn__series_outline outline = {0};
    EVN_TRY(read_names(k, &outline));
    EVN_TRY(read_numbers(k, &outline));
    return evn__series_recall(&outline, window, series);
}

evn_status evn__series_read_kept(const char *folder, int64_t window, evn__time_series **series) {
    char path[PATH_SIZE];
    evn__safetensors *file;
    *series = NULL;
    EVN_TRY(evn__run_file(folder, FILE_NAME, path, sizeof(path)));
    EVN_TRY(evn__safetensors_read(path, &file));
    kept k = {.file = file};
    evn_status status = read_file(&k, window, series);
    json_decref(k.columns);
    json_decref(k.trajectories);
    free(k.names);
    free(k.numbers);
    evn__safetensors_destroy(&file);
    return status == EVN_OK ? EVN_OK : evn__prepend(status, "%s", path);
}
