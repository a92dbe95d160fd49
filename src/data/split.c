// SPDX-License-Identifier: Apache-2.0
// The decoded images of a folder as training and test part.
#include "base/random.h"
#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNUSED = -1 };

/// The stream of class 0; far from those of orders and augmentation.
#define HOLDOUT_STREAM ((uint64_t)11 << 60)

typedef struct split {
    const evn__folder *folder;
    const evn__pack *pack;
    const evn_folder_options *options;
    int8_t *parts;  ///< [count], evn_part or UNUSED
    int64_t *order; ///< [count], for one class at a time
} split;

static const evn__class_folder *folder_of(const split *s, int64_t image) {
    const evn__folder_file *file = &s->folder->files[evn__pack_files(s->pack)[image]];
    return &s->folder->folders[file->folder];
}

/// Images of each class in each part.
static void count_images(const split *s, int64_t counts[][EVN__PARTS]) {
    memset(counts, 0, (size_t)s->folder->class_count * sizeof(counts[0]));
    for (int64_t i = 0; i < s->pack->count; ++i) {
        if (s->parts[i] != UNUSED) {
            ++counts[folder_of(s, i)->label][s->parts[i]];
        }
    }
}

/// Give `count` of a class's training images, those whose rank in `order` is lowest, to `part`.
static void give(split *s, int label, int64_t count, int part) {
    int64_t rank = 0;
    for (int64_t i = 0; i < s->pack->count; ++i) {
        if (folder_of(s, i)->label == label && s->parts[i] == EVN_TRAIN) {
            if (s->order[rank++] < count) {
                s->parts[i] = (int8_t)part;
            }
        }
    }
}

static evn_status hold_out(split *s, int64_t counts[][EVN__PARTS]) {
    double fraction = s->options->holdout > 0 ? s->options->holdout : 0.1;
    count_images(s, counts);
    for (int label = 0; label < s->folder->class_count; ++label) {
        int64_t count = counts[label][EVN_TRAIN];
        EVN_CHECK(count >= 2, EVN_ERR_DATA,
                  "%s: the class '%s' has %lld of the two images that are needed at least: one "
                  "to train on, one to hold out for the test",
                  s->folder->path, s->folder->classes[label], (long long)count);
        int64_t out = llround(fraction * (double)count);
        out = out < 1 ? 1 : out > count - 1 ? count - 1 : out;
        evn__random_permutation(s->options->seed, HOLDOUT_STREAM ^ (uint64_t)label, s->order,
                                count);
        give(s, label, out, EVN_TEST);
    }
    return EVN_OK;
}

/// Leave `limit` training images, as many of each class as its share is (largest remainder).
static void limit(split *s, int64_t counts[][EVN__PARTS], int64_t total) {
    int64_t left = s->options->limit;
    int64_t remaining = total;
    for (int label = 0; label < s->folder->class_count; ++label) {
        int64_t count = counts[label][EVN_TRAIN];
        int64_t kept = remaining > 0 ? (2 * left * count + remaining) / (2 * remaining) : 0;
        left -= kept;
        remaining -= count;
        for (int64_t i = s->pack->count - 1, drop = count - kept; i >= 0 && drop > 0; --i) {
            if (folder_of(s, i)->label == label && s->parts[i] == EVN_TRAIN) {
                s->parts[i] = UNUSED;
                --drop;
            }
        }
    }
}

static evn_status add_up(const split *s, int64_t counts[][EVN__PARTS], int64_t sums[EVN__PARTS]) {
    sums[EVN_TRAIN] = sums[EVN_TEST] = 0;
    for (int label = 0; label < s->folder->class_count; ++label) {
        EVN_CHECK(counts[label][EVN_TRAIN] > 0, EVN_ERR_DATA,
                  "%s: the class '%s' has no image to train on", s->folder->path,
                  s->folder->classes[label]);
        sums[EVN_TRAIN] += counts[label][EVN_TRAIN];
        sums[EVN_TEST] += counts[label][EVN_TEST];
    }
    EVN_CHECK(sums[EVN_TEST] > 0, EVN_ERR_DATA, "the test part of %s has no images",
              s->folder->path);
    return EVN_OK;
}

static evn_status assign_counted(split *s, int64_t counts[][EVN__PARTS], int64_t sums[EVN__PARTS]) {
    for (int64_t i = 0; i < s->pack->count; ++i) {
        s->parts[i] = folder_of(s, i)->part == EVN_TEST ? EVN_TEST : EVN_TRAIN;
    }
    if (!s->folder->has_parts) {
        EVN_TRY(hold_out(s, counts));
    }
    count_images(s, counts);
    EVN_TRY(add_up(s, counts, sums));
    if (s->options->limit > 0 && s->options->limit < sums[EVN_TRAIN]) {
        limit(s, counts, sums[EVN_TRAIN]);
        sums[EVN_TRAIN] = s->options->limit;
    }
    return EVN_OK;
}

static evn_status assign(split *s, int64_t sums[EVN__PARTS]) {
    int64_t(*counts)[EVN__PARTS];
    EVN_TRY(EVN_NEW(&counts, s->folder->class_count));
    evn_status status = assign_counted(s, counts, sums);
    free(counts);
    return status;
}

/// The training part stays in the pack's block, without gaps; the test part is copied before.
static evn_status fill(const split *s, const int64_t counts[EVN__PARTS], evn_dataset *dataset) {
    const evn__pack *p = s->pack;
    evn__part *train = &dataset->parts[EVN_TRAIN], *test = &dataset->parts[EVN_TEST];
    size_t bytes = (size_t)(p->height * p->width * p->channels);
    const uint8_t *pixels = evn__pack_pixels(p);
    uint8_t *to[EVN__PARTS];
    uint16_t *labels[EVN__PARTS];
    EVN_TRY(evn__part_create(test, counts[EVN_TEST], p->height, p->width, p->channels));
    train->images =
        (evn__idx){.rank = 4, .extent = {counts[EVN_TRAIN], p->height, p->width, p->channels}};
    for (int which = 0; which < EVN__PARTS; ++which) {
        EVN_TRY(EVN_NEW(&dataset->parts[which].classes, counts[which]));
        labels[which] = dataset->parts[which].classes;
    }
    for (int64_t i = 0; i < p->count; ++i) {
        if (s->parts[i] != UNUSED) {
            *labels[s->parts[i]]++ = (uint16_t)folder_of(s, i)->label;
        }
    }
    to[EVN_TEST] = test->images.bytes;
    to[EVN_TRAIN] = p->bytes; // over the numbers of the files, which are no longer needed
    for (int64_t i = 0; i < p->count; ++i, pixels += bytes) {
        if (s->parts[i] != UNUSED) {
            memmove(to[s->parts[i]], pixels, bytes);
            to[s->parts[i]] += bytes;
        }
    }
    train->images.bytes = p->bytes;
    return EVN_OK;
}

static evn_status name_classes(const evn__folder *folder, evn_dataset *dataset) {
    size_t bytes = (size_t)folder->class_count * sizeof(char *);
    dataset->classes = evn__arena_alloc(&dataset->arena, bytes);
    EVN_CHECK(dataset->classes, EVN_ERR_MEMORY, "no memory for the classes");
    for (int i = 0; i < folder->class_count; ++i) {
        dataset->classes[i] = evn__arena_string(&dataset->arena, folder->classes[i]);
        EVN_CHECK(dataset->classes[i], EVN_ERR_MEMORY, "no memory for the classes");
    }
    return EVN_OK;
}

static evn_status make(split *s, evn_dataset *dataset) {
    int64_t counts[EVN__PARTS];
    EVN_TRY(EVN_NEW(&s->parts, s->pack->count));
    EVN_TRY(EVN_NEW(&s->order, s->pack->count));
    EVN_TRY(assign(s, counts));
    EVN_TRY(name_classes(s->folder, dataset));
    return fill(s, counts, dataset);
}

evn_status evn__split(const evn__folder *folder, evn__pack *pack, const evn_folder_options *options,
                      evn_dataset *dataset) {
    split s = {.folder = folder, .pack = pack, .options = options};
    evn_status status = make(&s, dataset);
    free(s.parts);
    free(s.order);
    if (status == EVN_OK) {
        pack->bytes = NULL; // the training part has it
        status = evn__dataset_describe(dataset, "images", folder->class_count);
        dataset->info.left_out = pack->left_out;
    }
    return status;
}
