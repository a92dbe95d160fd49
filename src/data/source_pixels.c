// SPDX-License-Identifier: Apache-2.0
#include "data/pixels.h"

#include "base/status.h"

#include <string.h>

static evn_source_info info(const void *self) {
    const evn__pixels *p = self;
    int64_t batches = (p->count + p->batch - 1) / p->batch;
    return (evn_source_info){
        .sample = p->shape,
        .target = EVN_SHAPE(p->classes),
        .has_target = true,
        .batch = p->batch,
        .batches = {1, batches}, // a task of images wants both parts
    };
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    const evn__pixels *p = self;
    int64_t first = batch->index * p->batch, left = p->count - first;
    EVN_CHECK(batch->part == EVN_TEST && left > 0, EVN_ERR_ARGUMENT, "there is no batch %lld",
              (long long)batch->index);
    size_t each = (size_t)evn_shape_count(p->shape);
    *filled = left < p->batch ? left : p->batch;
    size_t there = (size_t)*filled * each, all = (size_t)p->batch * each;
    const uint8_t *bytes = p->bytes + (size_t)first * each;
    for (size_t i = 0; i < there; ++i) {
        samples[i] = (float)(bytes[i] / 255.0); // as evn_batches has it
    }
    memset(samples + there, 0, (all - there) * sizeof(*samples));
    memset(targets, 0, (size_t)(p->batch * p->classes) * sizeof(*targets));
    for (int64_t i = 0; i < p->batch; ++i) {
        weights[i] = i < *filled ? 1 : 0;
    }
    return EVN_OK;
}

static const evn_source_methods methods = {.info = info, .fill = fill};

void evn__source_pixels(evn__pixels *pixels, evn_source *source) {
    *source = (evn_source){&methods, pixels};
}
