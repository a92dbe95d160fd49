// SPDX-License-Identifier: Apache-2.0
// points.safetensors of a run: mean [D] and factor [D, D] of the standardisation, and the names of
// the columns, with which the run is used where its data are not.
#include "cli/flow.h"

#include "base/json.h"
#include "io/run_directory.h"
#include "io/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "evonode points 1", FILE_NAME[] = "points.safetensors";
enum { PATH_SIZE = 4096, TENSORS = 2 };

static void describe(int dimensions, const void *mean, const void *factor,
                     evn__tensor tensors[TENSORS]) {
    tensors[0] = (evn__tensor){
        .name = "mean", .dtype = EVN__F64, .rank = 1, .extent = {dimensions}, .data = mean};
    tensors[1] = (evn__tensor){.name = "factor",
                               .dtype = EVN__F64,
                               .rank = 2,
                               .extent = {dimensions, dimensions},
                               .data = factor};
}

evn_status evn__flow_keep_points(const evn__points *points, const char *folder) {
    char path[PATH_SIZE];
    evn__tensor tensors[TENSORS];
    EVN_TRY(evn__run_file(folder, FILE_NAME, path, sizeof(path)));
    describe(points->dimensions, points->standard.mean, points->standard.factor, tensors);
    json_t *names = json_array();
    for (int i = 0; i < points->dimensions; ++i) {
        evn__json_append(names, json_string(points->names[i]));
    }
    char *text;
    evn_status status = evn__json_print(names, JSON_COMPACT, 17, &text);
    json_decref(names);
    EVN_TRY(status);
    const evn__key_value metadata[] = {{"format", FORMAT}, {"columns", text}};
    status = evn__safetensors_write(path, tensors, TENSORS, metadata, 2);
    free(text);
    return status;
}

// Reading -----------------------------------------------------------------------------------------

/// The names that the metadata have, into names [EVN__FLOW_DIMENSIONS_MAX], borrowed from `array`.
static evn_status list_names(const json_t *array, const char **names) {
    size_t count = json_array_size(array);
    EVN_CHECK(count >= 1 && count <= EVN__FLOW_DIMENSIONS_MAX, EVN_ERR_FORMAT,
              "its metadata have no list of 1 to %d columns", EVN__FLOW_DIMENSIONS_MAX);
    for (size_t i = 0; i < count; ++i) {
        names[i] = json_string_value(json_array_get(array, i));
        EVN_CHECK(names[i], EVN_ERR_FORMAT, "column %zu of its metadata has no name", i + 1);
    }
    return EVN_OK;
}

/// A tensor's numbers, as memory that is aligned.
static double *copy_of(const evn__safetensors *file, const char *name) {
    const evn__tensor *tensor = evn__safetensors_find(file, name);
    double *copy = malloc(tensor->bytes);
    if (copy) {
        memcpy(copy, tensor->data, tensor->bytes);
    }
    return copy;
}

static evn_status set_standard(const evn__safetensors *file, evn__points *points) {
    evn__tensor tensors[TENSORS];
    describe(points->dimensions, NULL, NULL, tensors);
    EVN_TRY(evn__safetensors_match(file, tensors, TENSORS));
    double *mean = copy_of(file, "mean"), *factor = copy_of(file, "factor");
    evn_status status =
        mean && factor
            ? evn__standardisation_set(mean, factor, points->dimensions, &points->standard)
            : evn__fail(__FILE__, __LINE__, EVN_ERR_MEMORY, "no memory for the units of columns");
    free(mean);
    free(factor);
    return status;
}

static evn_status read_file(const evn__safetensors *file, const json_t *array,
                            evn__points **points) {
    const char *format = evn__safetensors_metadata(file, "format");
    const char *names[EVN__FLOW_DIMENSIONS_MAX];
    EVN_CHECK(format && strcmp(format, FORMAT) == 0, EVN_ERR_FORMAT,
              "its format is '%.40s', and not '%s'", format ? format : "(none)", FORMAT);
    EVN_TRY(list_names(array, names));
    EVN_TRY(evn__points_describe(names, (int)json_array_size(array), points));
    return set_standard(file, *points);
}

evn_status evn__flow_read_points(const char *folder, evn__points **points) {
    char path[PATH_SIZE];
    evn__safetensors *file;
    *points = NULL;
    EVN_TRY(evn__run_file(folder, FILE_NAME, path, sizeof(path)));
    EVN_TRY(evn__safetensors_read(path, &file));
    const char *columns = evn__safetensors_metadata(file, "columns");
    json_t *array = NULL;
    evn_status status = columns ? evn__json_parse(columns, strlen(columns), &array) : EVN_OK;
    if (status == EVN_OK) {
        status = read_file(file, array, points);
    }
    json_decref(array);
    evn__safetensors_destroy(&file);
    if (status != EVN_OK) {
        evn__points_destroy(points);
        return evn__prepend(status, "%s", path);
    }
    return EVN_OK;
}
