// SPDX-License-Identifier: Apache-2.0
#include "evonode/dataset.h"

#include "base/embedded.h"
#include "base/files.h"
#include "data/dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINES_BYTES_MAX = 1 << 20 };

/// What is known of a data set before it is read.
typedef struct source {
    const char *name;
    const char *prefix[EVN__PARTS]; ///< of the file names, by evn_part
    int classes;
    const evn__embedded *embedded; ///< NULL when it is not built in
} source;

static const source sources[] = {
    {"digits", {"train", "test"}, 10, evn__embedded_digits},
    {"mnist", {"train", "t10k"}, 10, NULL},
};

static const source *find_source(const char *name) {
    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); ++i) {
        if (strcmp(sources[i].name, name) == 0) {
            return &sources[i];
        }
    }
    return NULL;
}

// Where the files are -----------------------------------------------------------------------------

static bool exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

/// The folder to read when the caller names none.
static evn_status default_folder(const char *name, char folder[PATH_SIZE]) {
    snprintf(folder, PATH_SIZE, "datasets/%s", name);
    if (evn__is_folder(folder)) {
        return EVN_OK;
    }
    const char *base = getenv("EVONODE_DATA");
    snprintf(folder, PATH_SIZE, "%s/%s", base ? base : "", name);
    EVN_CHECK(base && evn__is_folder(folder), EVN_ERR_FILE,
              "data set %s not found: neither the folder datasets/%s nor $EVONODE_DATA/%s exists "
              "(EVONODE_DATA is %s). To fetch it, run: sh datasets/fetch_%s.sh. To read it from "
              "another folder, give --data FOLDER",
              name, name, name, base ? base : "not set", name);
    return EVN_OK;
}

/// "images", 3 → the first of train-images-idx3-ubyte, …ubyte.gz, train-images.idx3-ubyte, … .
static evn_status find_file(const source *from, const char *folder, evn_part which,
                            const char *kind, int rank, char path[PATH_SIZE]) {
    static const char *const patterns[] = {"%s/%s-%s-idx%d-ubyte", "%s/%s-%s-idx%d-ubyte.gz",
                                           "%s/%s-%s.idx%d-ubyte", "%s/%s-%s.idx%d-ubyte.gz"};
    const char *prefix = from->prefix[which];
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); ++i) {
        int length = snprintf(path, PATH_SIZE, patterns[i], folder, prefix, kind, rank);
        if (length < PATH_SIZE && exists(path)) {
            return EVN_OK;
        }
    }
    EVN_FAIL(EVN_ERR_FILE,
             "the folder '%s' has no file %s-%s-idx%d-ubyte, with or without .gz; check the "
             "folder, or see datasets/README.md for where to get %s",
             folder, prefix, kind, rank, from->name);
}

static evn_status load_file(const source *from, const char *folder, evn_part which,
                            const char *kind, int rank, bool outline, evn__idx *idx) {
    char path[PATH_SIZE];
    EVN_TRY(find_file(from, folder, which, kind, rank, path));
    return outline ? evn__idx_outline(path, idx) : evn__idx_read(path, idx);
}

static evn_status load_embedded(const evn__embedded *table, const char *prefix, const char *kind,
                                int rank, evn__idx *idx) {
    char name[64];
    snprintf(name, sizeof(name), "%s-%s-idx%d-ubyte", prefix, kind, rank);
    const evn__embedded *file = evn__embedded_find(table, name);
    EVN_CHECK(file, EVN_ERR_INTERNAL, "the built-in file %s is missing", name);
    return evn__idx_parse(file->data, file->size, idx);
}

static evn_status load(const source *from, const char *folder, evn_part which, const char *kind,
                       int rank, bool outline, evn__idx *idx) {
    if (folder) {
        return load_file(from, folder, which, kind, rank, outline, idx);
    }
    return load_embedded(from->embedded, from->prefix[which], kind, rank, idx);
}

// Whether they fit together -----------------------------------------------------------------------

static evn_status check_labels(const char *name, const evn__idx *labels, int classes) {
    for (int64_t i = 0; i < labels->extent[0]; ++i) {
        EVN_CHECK(labels->bytes[i] < classes, EVN_ERR_DATA,
                  "%s-labels: label %lld is %d; the classes are 0 to %d", name, (long long)i,
                  labels->bytes[i], classes - 1);
    }
    return EVN_OK;
}

static evn_status check_part(const char *name, const evn__part *one) {
    EVN_CHECK(one->images.rank >= 3, EVN_ERR_DATA,
              "%s-images: it has rank %d; images have 3 (N, H, W) or 4 (N, H, W, C)%s", name,
              one->images.rank,
              one->images.rank == 1 ? ": are the files of images and labels swapped?" : "");
    EVN_CHECK(one->labels.rank == 1, EVN_ERR_DATA, "%s-labels: it has rank %d; labels have 1%s",
              name, one->labels.rank,
              one->labels.rank >= 3 ? ": are the files of images and labels swapped?" : "");
    EVN_CHECK(one->images.extent[0] == one->labels.extent[0], EVN_ERR_DATA,
              "%s: %lld images, but %lld labels: the files are not of one set", name,
              (long long)one->images.extent[0], (long long)one->labels.extent[0]);
    return EVN_OK;
}

/// Height, width or channels: axis 1, 2 or 3.
static int64_t image_extent(const evn__part *one, int axis) {
    return axis < one->images.rank ? one->images.extent[axis] : 1;
}

static evn_status check_shapes(const evn__part *parts, const char *const *names) {
    for (int axis = 1; axis < EVN__IDX_MAX_RANK; ++axis) {
        int64_t train = image_extent(&parts[EVN_TRAIN], axis);
        int64_t test = image_extent(&parts[EVN_TEST], axis);
        EVN_CHECK(train == test, EVN_ERR_DATA,
                  "images of %s have extent %lld on axis %d, those of %s %lld: the files are not "
                  "of one set",
                  names[EVN_TRAIN], (long long)train, axis, names[EVN_TEST], (long long)test);
    }
    return EVN_OK;
}

evn_status evn__dataset_check(const evn__part *parts, const char *const *names) {
    for (int which = 0; which < EVN__PARTS; ++which) {
        EVN_TRY(check_part(names[which], &parts[which]));
    }
    return check_shapes(parts, names);
}

static evn_status check_parts(const source *from, const evn__part *parts) {
    EVN_TRY(evn__dataset_check(parts, from->prefix));
    for (int which = 0; which < EVN__PARTS; ++which) {
        EVN_TRY(check_labels(from->prefix[which], &parts[which].labels, from->classes));
    }
    return EVN_OK;
}

// The data set ------------------------------------------------------------------------------------

static evn_status load_parts(const source *from, const char *folder, bool outline,
                             evn__part *parts) {
    for (int which = 0; which < EVN__PARTS; ++which) {
        EVN_TRY(load(from, folder, which, "images", 3, outline, &parts[which].images));
        EVN_TRY(load(from, folder, which, "labels", 1, outline, &parts[which].labels));
    }
    return EVN_OK;
}

/// Whether the headers of files fit together, before what they state is unpacked.
static evn_status check_outlines(const source *from, const char *folder) {
    evn__part stated[EVN__PARTS] = {0};
    EVN_TRY(load_parts(from, folder, true, stated));
    evn_status status = evn__dataset_check(stated, from->prefix);
    return status == EVN_OK ? status
                            : evn__prepend(status, "data set %s in '%s'", from->name, folder);
}

static evn_status read_parts(const source *from, const char *folder, evn__part *parts) {
    EVN_TRY(folder ? check_outlines(from, folder) : EVN_OK);
    EVN_TRY(load_parts(from, folder, false, parts));
    evn_status status = check_parts(from, parts);
    if (status != EVN_OK && folder) {
        evn__prepend(status, "data set %s in '%s'", from->name, folder);
    }
    return status;
}

static evn_status widen_labels(evn__part *part) {
    if (part->classes) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&part->classes, part->labels.extent[0]));
    for (int64_t i = 0; i < part->labels.extent[0]; ++i) {
        part->classes[i] = part->labels.bytes[i];
    }
    evn__idx_free(&part->labels);
    return EVN_OK;
}

evn_status evn__dataset_describe(evn_dataset *dataset, const char *name, int classes) {
    evn__part *parts = dataset->parts;
    EVN_TRY(widen_labels(&parts[EVN_TRAIN]));
    EVN_TRY(widen_labels(&parts[EVN_TEST]));
    dataset->info = (evn_dataset_info){
        .name = name,
        .count = {parts[EVN_TRAIN].images.extent[0], parts[EVN_TEST].images.extent[0]},
        .height = image_extent(parts, 1),
        .width = image_extent(parts, 2),
        .channels = image_extent(parts, 3),
        .classes = classes,
    };
    return EVN_OK;
}

evn_status evn__dataset_number(evn_dataset *dataset, int first) {
    char name[16];
    int count = dataset->info.classes;
    dataset->classes = evn__arena_alloc(&dataset->arena, (size_t)count * sizeof(char *));
    EVN_CHECK(dataset->classes, EVN_ERR_MEMORY, "no memory for %d classes", count);
    for (int i = 0; i < count; ++i) {
        snprintf(name, sizeof(name), "%d", first + i);
        dataset->classes[i] = evn__arena_string(&dataset->arena, name);
        EVN_CHECK(dataset->classes[i], EVN_ERR_MEMORY, "no memory for %d classes", count);
    }
    return EVN_OK;
}

evn_status evn__dataset_lines(const char *path,
                              evn_status (*take)(void *user, int index, const char *line),
                              void *user) {
    unsigned char *text;
    size_t bytes;
    evn_status status = EVN_OK;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return EVN_OK;
    }
    EVN_TRY(evn__file_read_most(path, LINES_BYTES_MAX, &text, &bytes));
    char *line = (char *)text;
    for (int index = 0; *line && status == EVN_OK; ++index) {
        char *end = line + strcspn(line, "\n");
        char *next = *end ? end + 1 : end;
        *end = 0;
        line[strcspn(line, "\r")] = 0;
        status = take(user, index, line);
        line = next;
    }
    free(text);
    return status;
}

evn_status evn__part_create(evn__part *part, int64_t count, int64_t height, int64_t width,
                            int64_t channels) {
    part->images = (evn__idx){.rank = 4, .extent = {count, height, width, channels}};
    part->labels = (evn__idx){.rank = 1, .extent = {count}};
    EVN_TRY(EVN_NEW(&part->images.bytes, count * height * width * channels));
    return EVN_NEW(&part->labels.bytes, count);
}

static evn_status open_named(const source *from, const char *folder, evn_dataset *dataset) {
    EVN_TRY(read_parts(from, folder, dataset->parts));
    EVN_TRY(evn__dataset_describe(dataset, from->name, from->classes));
    return evn__dataset_number(dataset, 0);
}

evn_status evn_dataset_open(const char *name, const char *folder, evn_dataset **dataset) {
    EVN_REQUIRE(dataset);
    *dataset = NULL;
    EVN_REQUIRE(name);
    char found[PATH_SIZE];
    const source *from = find_source(name);
    EVN_CHECK(from, EVN_ERR_ARGUMENT, "there is no data set '%s'; there are digits and mnist",
              name);
    if (!folder && !from->embedded) {
        EVN_TRY(default_folder(name, found));
        folder = found;
    }
    EVN_TRY(EVN_NEW(dataset, 1));
    evn_status status = open_named(from, folder, *dataset);
    if (status != EVN_OK) {
        evn_dataset_destroy(dataset);
    }
    return status;
}

void evn_dataset_destroy(evn_dataset **dataset) {
    if (!dataset || !*dataset) {
        return;
    }
    for (int which = 0; which < EVN__PARTS; ++which) {
        evn__idx_free(&(*dataset)->parts[which].images);
        evn__idx_free(&(*dataset)->parts[which].labels);
        free((*dataset)->parts[which].classes);
    }
    evn__arena_free(&(*dataset)->arena);
    free(*dataset);
    *dataset = NULL;
}

evn_dataset_info evn_dataset_get_info(const evn_dataset *dataset) {
    return dataset ? dataset->info : (evn_dataset_info){0};
}

static bool has_part(const evn_dataset *dataset, evn_part which) {
    return dataset && (which == EVN_TRAIN || which == EVN_TEST);
}

const char *evn_dataset_class_name(const evn_dataset *dataset, int index) {
    bool there = dataset && index >= 0 && index < dataset->info.classes;
    return there ? dataset->classes[index] : NULL;
}

evn_status evn_dataset_limit(evn_dataset *dataset, evn_part which, int64_t count) {
    EVN_CHECK(has_part(dataset, which), EVN_ERR_ARGUMENT, "a data set has no part %d", (int)which);
    EVN_CHECK(count >= 1, EVN_ERR_ARGUMENT, "a limit of %lld samples: at least 1 is needed",
              (long long)count);
    if (count < dataset->info.count[which]) {
        dataset->info.count[which] = count;
    }
    return EVN_OK;
}

const uint8_t *evn_dataset_pixels(const evn_dataset *dataset, evn_part which) {
    return has_part(dataset, which) ? dataset->parts[which].images.bytes : NULL;
}

const uint16_t *evn_dataset_labels(const evn_dataset *dataset, evn_part which) {
    return has_part(dataset, which) ? dataset->parts[which].classes : NULL;
}

void evn__dataset_digest(const evn_dataset *dataset, char digest[EVN__HASH_TEXT]) {
    const evn_dataset_info *info = &dataset->info;
    int64_t pixels = info->height * info->width * info->channels;
    evn__hash parts[2 * EVN__PARTS + 1];
    for (int which = 0; which < EVN__PARTS; ++which) {
        const evn__part *part = &dataset->parts[which];
        size_t count = (size_t)info->count[which];
        parts[2 * which] = evn__hash_of(part->images.bytes, count * (size_t)pixels);
        parts[2 * which + 1] = evn__hash_of(part->classes, count * sizeof(*part->classes));
    }
    const int64_t shape[] = {info->height, info->width, info->channels, info->classes};
    parts[2 * EVN__PARTS] = evn__hash_of(shape, sizeof(shape));
    evn__hash_print(evn__hash_of(parts, sizeof(parts)), digest);
}
