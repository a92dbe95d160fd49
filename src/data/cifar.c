// SPDX-License-Identifier: Apache-2.0
// The binary batches of CIFAR-10 (label, 3072 bytes) and CIFAR-100 (coarse label, fine label, 3072
// bytes), planes of red, green and blue: https://www.cs.toronto.edu/~kriz/cifar.html
#include "base/files.h"
#include "base/names.h"
#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, IMAGE = 3 * PLANE, BATCHES_MAX = 8 };
enum { PATH_SIZE = 4096, SHOWN = 512 };

typedef struct kind {
    const char *train[BATCHES_MAX]; ///< NULL-ended
    const char *test, *names;
    int label_bytes; ///< of which the last is the label
    int classes;
} kind;

static const kind kinds[] = {
    {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
      "data_batch_5.bin"},
     "test_batch.bin",
     "batches.meta.txt",
     1,
     10},
    {{"train.bin"}, "test.bin", "fine_label_names.txt", 2, 100},
};

static bool has_file(const char *folder, const char *name) {
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return length < PATH_SIZE && evn__is_regular_file(path);
}

static const kind *find_kind(const char *folder) {
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); ++i) {
        if (has_file(folder, kinds[i].test) || has_file(folder, kinds[i].train[0])) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool evn__has_cifar(const char *folder) {
    return find_kind(folder) != NULL;
}

/// Batches of a part: their contents, owned.
typedef struct batch {
    unsigned char *data;
    size_t bytes;
} batch;

static evn_status read_batch(const kind *of, const char *folder, const char *name, batch *one) {
    char path[PATH_SIZE];
    size_t record = (size_t)(IMAGE + of->label_bytes);
    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    EVN_CHECK(length < PATH_SIZE, EVN_ERR_FILE, "the path of %s is too long", name);
    EVN_TRY(evn__file_read(path, &one->data, &one->bytes));
    EVN_CHECK(one->bytes > 0 && one->bytes % record == 0, EVN_ERR_FORMAT,
              "%s: %zu bytes are no multiple of the %zu of an image of CIFAR-%d: it is truncated, "
              "or no such file",
              path, one->bytes, record, of->classes);
    for (size_t at = 0; at < one->bytes; at += record) {
        int label = one->data[at + (size_t)of->label_bytes - 1];
        EVN_CHECK(label < of->classes, EVN_ERR_DATA,
                  "%s: the label of image %zu is %d; the classes are 0 to %d", path, at / record,
                  label, of->classes - 1);
    }
    return EVN_OK;
}

static void unpack(const kind *of, const batch *one, evn__part *part, int64_t *index) {
    const unsigned char *end = one->data + one->bytes;
    for (const unsigned char *at = one->data; at < end; at += IMAGE, ++*index) {
        uint8_t *pixels = part->images.bytes + *index * IMAGE;
        at += of->label_bytes;
        part->labels.bytes[*index] = at[-1];
        for (int i = 0; i < IMAGE; ++i) {
            pixels[i] = at[i % 3 * PLANE + i / 3];
        }
    }
}

static evn_status read_part(const kind *of, const char *folder, const char *const *names, int count,
                            evn__part *part) {
    batch batches[BATCHES_MAX] = {{0}};
    evn_status status = EVN_OK;
    int64_t images = 0;
    for (int i = 0; i < count && status == EVN_OK; ++i) {
        status = read_batch(of, folder, names[i], &batches[i]);
        images += (int64_t)(batches[i].bytes / (size_t)(IMAGE + of->label_bytes));
    }
    if (status == EVN_OK) {
        status = evn__part_create(part, images, SIDE, SIDE, 3);
    }
    images = 0;
    for (int i = 0; i < count; ++i) {
        if (status == EVN_OK) {
            unpack(of, &batches[i], part, &images);
        }
        free(batches[i].data);
    }
    return status;
}

/// As the names of folders: bytes that JSON or a terminal cannot have are written out.
static evn_status name_class(void *user, int index, const char *line) {
    char shown[SHOWN];
    evn_dataset *dataset = user;
    if (index < dataset->info.classes && line[0]) {
        evn__printable(line, shown, sizeof(shown));
        dataset->classes[index] = evn__arena_string(&dataset->arena, shown);
        EVN_CHECK(dataset->classes[index], EVN_ERR_MEMORY, "no memory for the classes");
    }
    return EVN_OK;
}

/// Replace the numbers by the names that the file has.
static evn_status name_classes(const kind *of, const char *folder, evn_dataset *dataset) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", folder, of->names);
    return evn__dataset_lines(path, name_class, dataset);
}

evn_status evn__read_cifar(const char *folder, evn_dataset *dataset) {
    const kind *of = find_kind(folder);
    int count = 0;
    EVN_CHECK(of, EVN_ERR_FILE, "the batches of %s have gone while they were read", folder);
    while (of->train[count]) {
        ++count;
    }
    EVN_TRY(read_part(of, folder, of->train, count, &dataset->parts[EVN_TRAIN]));
    EVN_TRY(read_part(of, folder, &of->test, 1, &dataset->parts[EVN_TEST]));
    EVN_TRY(evn__dataset_describe(dataset, "images", of->classes));
    EVN_TRY(evn__dataset_number(dataset, 0));
    return name_classes(of, folder, dataset);
}
