// SPDX-License-Identifier: Apache-2.0
// What reads data: images, tables, and what is made of them.
#include "base/files.h"
#include "base/names.h"
#include "data/dataset.h"
#include "data/idx.h"
#include "data/pack.h"
#include "data/points.h"
#include "data/series.h"
#include "data/table.h"
#include "evonode/dataset.h"
#include "feeds.h"
#include "image/image.h"
#include "place.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Images ------------------------------------------------------------------------------------------

void feed_idx(const uint8_t *data, size_t size) {
    evn__idx idx;
    if (evn__idx_parse(data, size, &idx) == EVN_OK) {
        size_t count = 1;
        for (int axis = 0; axis < idx.rank; ++axis) {
            PROMISE(idx.extent[axis] >= 1);
            count *= (size_t)idx.extent[axis];
        }
        touch(idx.bytes, count);
        evn__idx_free(&idx);
    }
}

/// The cache of decoded images.
void feed_pack(const uint8_t *data, size_t size) {
    enum { FILES = 3 };
    const evn__pack_key key = {0};
    char name[EVN__HASH_TEXT], file[64];
    evn__pack pack;
    const char *why;
    place p;
    open_place(&p);
    setenv("EVONODE_CACHE_DIR", p.folder, 1);
    PROMISE(evn__folder_make(in_place(&p, "images"), 0700) == EVN_OK);
    evn__hash_print(key.folder, name);
    snprintf(file, sizeof(file), "images/%s.images", name);
    put_file(&p, file, data, size);
    if (evn__pack_load(&key, FILES, &pack, &why) == EVN_OK && pack.bytes) {
        int32_t *files = evn__pack_files(&pack);
        for (int64_t i = 0; i < pack.count; ++i) {
            PROMISE(files[i] >= 0 && files[i] < FILES);
        }
        touch(evn__pack_pixels(&pack),
              (size_t)(pack.count * pack.height * pack.width * pack.channels));
        evn__pack_free(&pack);
    }
    unlink(in_place(&p, file));
    rmdir(in_place(&p, "images"));
    close_place(&p);
}

void feed_image(const uint8_t *data, size_t size) {
    evn__image image;
    uint8_t fitted[5 * 7 * 3];
    if (size == 0 || evn__image_decode(data, size, &image) != EVN_OK) {
        return;
    }
    PROMISE(image.height >= 1 && image.width >= 1);
    PROMISE(image.channels == 1 || image.channels == 3);
    touch(image.pixels, (size_t)(image.height * image.width * image.channels));
    for (evn__fit fit = EVN__FIT_CROP; fit <= EVN__FIT_STRETCH; ++fit) {
        if (evn__image_fit(&image, fit, 5, 7, 3, fitted) == EVN_OK) {
            touch(fitted, sizeof(fitted));
        }
    }
    evn__image_free(&image);
}

// Data sets ---------------------------------------------------------------------------------------

/// A data set that was read is whole, and so are the names of its classes.
static void check_dataset(const char *path) {
    evn_dataset *dataset;
    if (evn_dataset_open_folder(path, NULL, &dataset) != EVN_OK) {
        return;
    }
    evn_dataset_info info = evn_dataset_get_info(dataset);
    PROMISE(info.classes >= 2);
    for (int part = EVN_TRAIN; part <= EVN_TEST; ++part) {
        const uint16_t *labels = evn_dataset_labels(dataset, (evn_part)part);
        PROMISE(info.count[part] >= 1);
        for (int64_t i = 0; i < info.count[part]; ++i) {
            PROMISE(labels[i] < info.classes);
        }
        touch(evn_dataset_pixels(dataset, (evn_part)part),
              (size_t)(info.count[part] * info.height * info.width * info.channels));
    }
    for (int i = 0; i < info.classes; ++i) {
        PROMISE(evn__is_utf8(evn_dataset_class_name(dataset, i)));
    }
    evn_dataset_destroy(&dataset);
}

/// The test batch of CIFAR-10 and the names of its classes, beside whole batches to train on; and
/// all there is of CIFAR-100.
void feed_cifar(const uint8_t *data, size_t size) {
    enum { RECORD = 3073 };
    static uint8_t whole[RECORD];
    place p;
    open_place(&p);
    for (int i = 1; i <= 5; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "data_batch_%d.bin", i);
        whole[0] = (uint8_t)i;
        put_file(&p, name, whole, RECORD);
    }
    put_file(&p, "test_batch.bin", data, size);
    put_file(&p, "batches.meta.txt", data, size);
    check_dataset(p.folder);
    close_place(&p);
    open_place(&p);
    put_file(&p, "train.bin", data, size);
    put_file(&p, "test.bin", data, size);
    put_file(&p, "fine_label_names.txt", data, size);
    check_dataset(p.folder);
    close_place(&p);
}

/// Take a piece off the data, which begins with its length, two bytes.
static const uint8_t *take(const uint8_t **data, size_t *left, size_t *size) {
    size_t length = *left >= 2 ? (*data)[0] + 256u * (*data)[1] : 0, head = *left >= 2 ? 2 : *left;
    const uint8_t *piece = *data + head;
    *size = length < *left - head ? length : *left - head;
    *left -= head + *size;
    *data = piece + *size;
    return piece;
}

/// IDX files of a prefix, as EMNIST has them, with the characters that its labels are.
void feed_idx_set(const uint8_t *data, size_t size) {
    static const char *const names[] = {"a-mapping.txt", "a-train-images", "a-train-labels",
                                        "a-test-images", "a-test-labels"};
    place p;
    open_place(&p);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        size_t bytes;
        const uint8_t *piece = take(&data, &size, &bytes);
        put_file(&p, names[i], piece, bytes);
    }
    check_dataset(in_place(&p, "a"));
    close_place(&p);
}

// Tables ------------------------------------------------------------------------------------------

void feed_table(const uint8_t *data, size_t size) {
    evn__data_table *table;
    char label[EVN__TABLE_LABEL];
    if (evn__data_table_parse("fuzz", data, size, &table) != EVN_OK) {
        return;
    }
    PROMISE(table->row_count >= 1 && table->column_count >= 1);
    for (int c = 0; c < table->column_count; ++c) {
        const evn__data_column *column = &table->columns[c];
        PROMISE(column->numbers + column->words + column->missing == table->row_count);
        PROMISE(evn__is_utf8(column->name));
        for (int64_t row = 0; row < table->row_count; ++row) {
            touch(evn__data_table_label(table, row, c, label), 1);
        }
        evn__data_table_check_numbers(table, c);
    }
    evn__data_table_destroy(&table);
}

static void check_series(const evn__time_series *s) {
    int64_t rows = 0;
    int windows = 0;
    PROMISE(evn__is_utf8(s->time_name) && s->dimensions >= 1 && s->track_count >= 1);
    for (int i = 0; i < s->dimensions; ++i) {
        PROMISE(evn__is_utf8(s->names[i]) && isfinite(s->mean[i]) && s->deviation[i] > 0);
    }
    for (int i = 0; i < s->track_count; ++i) {
        const evn__track *track = &s->tracks[i];
        PROMISE(track->first == rows && track->count >= 1 && track->trained <= track->count);
        PROMISE(track->windows == 0 || track->first_window == windows);
        for (int64_t row = 1; row < track->count; ++row) {
            PROMISE(s->t[rows + row] > s->t[rows + row - 1]);
        }
        rows += track->count;
        windows += track->windows;
    }
    PROMISE(rows == s->rows && windows == s->window_count);
    for (int i = 0; i < s->window_count; ++i) {
        PROMISE(s->windows[i].first < s->windows[i].last && s->windows[i].last < s->rows);
    }
    touch(s->values, (size_t)(s->rows * s->dimensions) * sizeof(double));
    for (int64_t i = 0; i < s->time_count; ++i) {
        PROMISE(s->times[i] >= 0 && s->times[i] <= 1);
    }
}

/// As one trajectory, in windows, by groups of "g", and by columns.
void feed_series(const uint8_t *data, size_t size) {
    static const evn__series_options ways[] = {
        {.holdout = 0.2},
        {.holdout = 0, .window = 2},
        {.group = "g", .holdout = 0.5, .by_group = true, .seed = 3},
        {.time = "t", .columns = "x,\"y,z\"", .holdout = 0.1}};
    place p;
    open_place(&p);
    const char *path = put_file(&p, "series.csv", data, size);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); ++i) {
        evn__time_series *series;
        if (evn__series_read(path, &ways[i], &series) == EVN_OK) {
            check_series(series);
            evn__series_destroy(&series);
        }
    }
    close_place(&p);
}

static void check_points(evn__points *points, const evn__data_table *table) {
    float *standard;
    double *rows;
    int64_t repeated;
    size_t count = (size_t)(points->count * points->dimensions);
    PROMISE(points->count + points->left_out == table->row_count);
    for (size_t i = 0; i < count; ++i) {
        PROMISE(isfinite(points->rows[i]));
    }
    if (evn__points_repeated(points, &repeated) == EVN_OK) {
        PROMISE(repeated >= 0 && repeated < points->count);
    }
    if (evn__points_match(points, table, &rows) == EVN_OK) {
        touch(rows, (size_t)(table->row_count * points->dimensions) * sizeof(double));
        free(rows);
    }
    if (evn__points_fit(points, 0.2, 1) == EVN_OK &&
        evn__points_standardise(points, &standard) == EVN_OK) {
        touch(standard, count * sizeof(float));
        free(standard);
    }
}

/// All columns, and some by name; a row may be bad.
void feed_points(const uint8_t *data, size_t size) {
    static const char *const columns[] = {NULL, "x,y"};
    enum { COLUMNS_MAX = 8 };
    evn__data_table *table;
    if (evn__data_table_parse("fuzz", data, size, &table) != EVN_OK) {
        return;
    }
    for (int i = 0; i < 2; ++i) {
        evn__points *points;
        if (evn__points_take(table, columns[i], i, COLUMNS_MAX, &points) == EVN_OK) {
            check_points(points, table);
            evn__points_destroy(&points);
        }
    }
    evn__data_table_destroy(&table);
}
