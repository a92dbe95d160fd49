// SPDX-License-Identifier: Apache-2.0
// A data set as a source: batches drawn for training, and the parts as they are measured.
#include "evonode/source.h"

#include "base/memory.h"

#include <stdlib.h>

typedef struct images {
    evn_dataset_info dataset;
    int64_t batch;
    evn_batches *drawn;       ///< the training part, augmented
    evn_batches *measured[2]; ///< the parts, images as they are
    int64_t epoch;            ///< whose order the training part has
} images;

static evn_source_info info(const void *self) {
    const images *s = self;
    const evn_dataset_info *d = &s->dataset;
    return (evn_source_info){
        .sample = EVN_SHAPE(d->height, d->width, d->channels),
        .target = EVN_SHAPE(d->classes),
        .has_target = true,
        .batch = s->batch,
        .batches = {evn_batches_batch_count(s->drawn),
                    evn_batches_batch_count(s->measured[EVN_TEST])},
    };
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    images *s = self;
    if (batch->part == EVN_TRAIN && batch->epoch != s->epoch) {
        s->epoch = batch->epoch;
        evn_batches_set_epoch(s->drawn, s->epoch);
        evn_batches_set_epoch(s->measured[EVN_TRAIN], s->epoch);
    }
    const evn_batches *from = batch->training ? s->drawn : s->measured[batch->part];
    *filled = evn_batches_fill(from, batch->index, samples, targets, weights);
    EVN_CHECK(*filled > 0, EVN_ERR_ARGUMENT, "an epoch has no batch %lld", (long long)batch->index);
    return EVN_OK;
}

static void destroy(void *self) {
    images *s = self;
    evn_batches_destroy(&s->drawn);
    evn_batches_destroy(&s->measured[EVN_TRAIN]);
    evn_batches_destroy(&s->measured[EVN_TEST]);
    free(s);
}

static const evn_source_methods methods = {info, fill, destroy};

static evn_status make(images *s, const evn_dataset *dataset, const evn_augmentation *augmentation,
                       uint64_t seed) {
    evn_batches_options options = {
        .part = EVN_TRAIN, .size = (int)s->batch, .shuffle = true, .seed = seed};
    EVN_TRY(evn_batches_create(dataset, &options, &s->measured[EVN_TRAIN]));
    options.augmentation = *augmentation;
    EVN_TRY(evn_batches_create(dataset, &options, &s->drawn));
    options = (evn_batches_options){.part = EVN_TEST, .size = (int)s->batch};
    return evn_batches_create(dataset, &options, &s->measured[EVN_TEST]);
}

evn_status evn_source_images(const evn_dataset *dataset, int64_t batch,
                             const evn_augmentation *augmentation, uint64_t seed,
                             evn_source *source) {
    static const evn_augmentation none = {0};
    images *s = NULL;
    EVN_REQUIRE(source);
    *source = (evn_source){0};
    EVN_REQUIRE(dataset);
    EVN_CHECK(batch >= 1 && batch <= INT32_MAX, EVN_ERR_ARGUMENT,
              "a batch of %lld images; give 1 or more", (long long)batch);
    EVN_TRY(EVN_NEW(&s, 1));
    s->dataset = evn_dataset_get_info(dataset);
    s->batch = batch;
    evn_status status = make(s, dataset, augmentation ? augmentation : &none, seed);
    if (status != EVN_OK) {
        destroy(s);
        return status;
    }
    *source = (evn_source){&methods, s};
    return EVN_OK;
}
