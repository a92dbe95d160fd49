// SPDX-License-Identifier: Apache-2.0
#include "evonode/dataset.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "data/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 256 };

/// The stream of epoch 0's order; far from the small numbers that parameters have.
#define ORDER_STREAM ((uint64_t)1 << 63)

struct evn_batches {
    evn_batches_options options;
    evn_dataset_info info;
    const uint8_t *pixels;
    const uint16_t *labels;
    int64_t samples; ///< of the part
    int64_t epoch;
    int64_t *order; ///< [samples], of this epoch
    float *levels;  ///< [C, LEVELS], what a byte of a channel becomes
    uint8_t *image; ///< [H, W, C], one whose colours were changed; NULL: none is
};

// What a byte becomes -----------------------------------------------------------------------------

/// How often each byte occurs in a channel of the training part: [LEVELS].
static void count_levels(const evn_dataset *dataset, int64_t channel, int64_t *counts) {
    evn_dataset_info info = evn_dataset_get_info(dataset);
    const uint8_t *pixels = evn_dataset_pixels(dataset, EVN_TRAIN);
    int64_t bytes = info.count[EVN_TRAIN] * info.height * info.width * info.channels;
    memset(counts, 0, LEVELS * sizeof(*counts));
    for (int64_t i = channel; i < bytes; i += info.channels) {
        ++counts[pixels[i]];
    }
}

/// Mean and standard deviation of a channel, in units of 0 … 255.
static void moments(const int64_t *counts, double *mean, double *deviation) {
    double n = 0, sum = 0, squares = 0;
    for (int level = 0; level < LEVELS; ++level) {
        n += (double)counts[level];
        sum += (double)counts[level] * level;
    }
    *mean = sum / n;
    for (int level = 0; level < LEVELS; ++level) {
        double distance = level - *mean;
        squares += (double)counts[level] * distance * distance;
    }
    *deviation = squares > 0 ? sqrt(squares / n) : 1; // a constant channel becomes 0
}

static void set_levels(evn_batches *batches, const evn_dataset *dataset) {
    for (int64_t channel = 0; channel < batches->info.channels; ++channel) {
        double mean = 0, deviation = LEVELS - 1;
        if (batches->options.normalize) {
            int64_t counts[LEVELS];
            count_levels(dataset, channel, counts);
            moments(counts, &mean, &deviation);
        }
        for (int level = 0; level < LEVELS; ++level) {
            batches->levels[channel * LEVELS + level] = (float)((level - mean) / deviation);
        }
    }
}

// Batches -----------------------------------------------------------------------------------------

static evn_status allocate(evn_batches *batches) {
    EVN_TRY(EVN_NEW(&batches->order, batches->samples));
    if (batches->options.augmentation.jitter > 0) {
        const evn_dataset_info *info = &batches->info;
        EVN_TRY(EVN_NEW(&batches->image, info->height * info->width * info->channels));
    }
    return EVN_NEW(&batches->levels, batches->info.channels * LEVELS);
}

static evn_status check_options(const evn_dataset_info *info, const evn_batches_options *options) {
    EVN_CHECK(options->part == EVN_TRAIN || options->part == EVN_TEST, EVN_ERR_ARGUMENT,
              "a data set has no part %d", (int)options->part);
    EVN_CHECK(options->size >= 1, EVN_ERR_ARGUMENT, "a batch of %d samples: at least 1 is needed",
              options->size);
    EVN_CHECK(!options->shuffle || options->size <= info->count[options->part], EVN_ERR_DATA,
              "a batch of %d samples does not fit into the %lld there are; choose a smaller batch",
              options->size, (long long)info->count[options->part]);
    return evn__augmentation_check(&options->augmentation, info);
}

evn_status evn_batches_create(const evn_dataset *dataset, const evn_batches_options *options,
                              evn_batches **batches) {
    EVN_REQUIRE(batches);
    *batches = NULL;
    EVN_REQUIRE(dataset);
    EVN_REQUIRE(options);
    evn_dataset_info info = evn_dataset_get_info(dataset);
    EVN_TRY(check_options(&info, options));
    EVN_TRY(EVN_NEW(batches, 1));
    **batches = (evn_batches){
        .options = *options,
        .info = info,
        .pixels = evn_dataset_pixels(dataset, options->part),
        .labels = evn_dataset_labels(dataset, options->part),
        .samples = info.count[options->part],
    };
    evn_status status = allocate(*batches);
    if (status != EVN_OK) {
        evn_batches_destroy(batches);
        return status;
    }
    set_levels(*batches, dataset);
    evn_batches_set_epoch(*batches, 0);
    return EVN_OK;
}

void evn_batches_destroy(evn_batches **batches) {
    if (!batches || !*batches) {
        return;
    }
    free((*batches)->order);
    free((*batches)->levels);
    free((*batches)->image);
    free(*batches);
    *batches = NULL;
}

void evn_batches_set_epoch(evn_batches *batches, int64_t epoch) {
    if (!batches) {
        return;
    }
    batches->epoch = epoch;
    if (batches->options.shuffle) {
        evn__random_permutation(batches->options.seed, ORDER_STREAM ^ (uint64_t)epoch,
                                batches->order, batches->samples);
        return;
    }
    for (int64_t i = 0; i < batches->samples; ++i) {
        batches->order[i] = i;
    }
}

int64_t evn_batches_batch_count(const evn_batches *batches) {
    if (!batches) {
        return 0;
    }
    int64_t size = batches->options.size;
    int64_t rounding = batches->options.shuffle ? 0 : size - 1;
    return (batches->samples + rounding) / size;
}

static void write_sample(const evn_batches *batches, int64_t sample, float *image, float *label) {
    const evn_dataset_info *info = &batches->info;
    const evn_batches_options *options = &batches->options;
    int64_t image_size = info->height * info->width * info->channels;
    evn__placement placement =
        evn__placement_draw(&options->augmentation, options->seed, batches->epoch, sample);
    const uint8_t *pixels = batches->pixels + sample * image_size;
    if (batches->image) {
        evn__jitter_write(options->augmentation.jitter, options->seed, batches->epoch, sample, info,
                          pixels, batches->image);
        pixels = batches->image;
    }
    evn__placement_write(&placement, info, pixels, batches->levels, image);
    label[batches->labels[sample]] = 1;
}

int evn_batches_fill(const evn_batches *batches, int64_t index, float *images, float *labels,
                     float *weights) {
    if (!images || !labels || index < 0 || index >= evn_batches_batch_count(batches)) {
        return 0;
    }
    const evn_dataset_info *info = &batches->info;
    int size = batches->options.size;
    int64_t image_size = info->height * info->width * info->channels;
    int64_t first = index * size, left = batches->samples - first;
    int real = left < size ? (int)left : size;
    memset(labels, 0, (size_t)size * (size_t)info->classes * sizeof(*labels));
    for (int i = 0; i < size; ++i) {
        float *image = images + i * image_size;
        if (i < real) {
            write_sample(batches, batches->order[first + i], image, labels + i * info->classes);
        } else {
            memset(image, 0, (size_t)image_size * sizeof(*image));
        }
        if (weights) {
            weights[i] = i < real ? 1 : 0;
        }
    }
    return real;
}
