// SPDX-License-Identifier: Apache-2.0
#include "data/parts.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

typedef struct parts {
    evn_source whole;
    evn_source_info info; ///< of the whole
    int64_t batches[2];   ///< of the parts
    int64_t batch, count; ///< samples in a part, parts in a batch
    size_t sample, target;
    float *samples, *targets, *weights; ///< of the batch that was drawn last
    int64_t filled;
    evn_batch drawn;
    bool is_drawn;
} parts;

static evn_source_info info(const void *self) {
    const parts *p = self;
    evn_source_info info = p->info;
    info.batch = p->batch;
    memcpy(info.batches, p->batches, sizeof(info.batches));
    return info;
}

static bool is_same(const evn_batch *a, const evn_batch *b) {
    return a->part == b->part && a->training == b->training && a->epoch == b->epoch &&
           a->index == b->index && a->number == b->number;
}

/// The batch that a part is of.
static evn_status draw(parts *p, const evn_batch *whole) {
    if (p->is_drawn && is_same(&p->drawn, whole)) {
        return EVN_OK;
    }
    p->is_drawn = false;
    EVN_TRY(p->whole.methods->fill(p->whole.self, whole, p->samples, p->targets, p->weights,
                                   &p->filled));
    p->drawn = *whole;
    p->is_drawn = true;
    return EVN_OK;
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    parts *p = self;
    evn_batch whole = *batch;
    whole.index /= p->count;
    whole.number /= p->count;
    size_t part = (size_t)((batch->training ? batch->number : batch->index) % p->count);
    size_t first = part * (size_t)p->batch, count = (size_t)p->batch;
    EVN_TRY(draw(p, &whole));
    memcpy(samples, p->samples + first * p->sample, count * p->sample * sizeof(*samples));
    if (targets && p->target > 0) {
        memcpy(targets, p->targets + first * p->target, count * p->target * sizeof(*targets));
    }
    memcpy(weights, p->weights + first, count * sizeof(*weights));
    int64_t left = p->filled - (int64_t)first;
    *filled = left < 0 ? 0 : left < p->batch ? left : p->batch;
    return EVN_OK;
}

static void destroy(void *self) {
    parts *p = self;
    evn_source_destroy(&p->whole);
    free(p->samples);
    free(p->targets);
    free(p->weights);
    free(p);
}

static const evn_source_methods methods = {info, fill, destroy};

/// A part without any sample is none.
static evn_status count_batches(parts *p) {
    for (int part = 0; part < 2; ++part) {
        int64_t all = p->info.batches[part];
        if (all > 0) {
            const evn_batch last = {.part = (evn_part)part, .index = all - 1};
            EVN_TRY(draw(p, &last));
            p->batches[part] = (all - 1) * p->count + (p->filled + p->batch - 1) / p->batch;
        }
    }
    return EVN_OK;
}

static evn_status make(parts *p, int64_t batch) {
    p->info = p->whole.methods->info(p->whole.self);
    EVN_CHECK(batch >= 1 && p->info.batch % batch == 0, EVN_ERR_ARGUMENT,
              "batches of %lld samples have no parts of %lld", (long long)p->info.batch,
              (long long)batch);
    p->batch = batch;
    p->count = p->info.batch / batch;
    p->sample = (size_t)evn_shape_count(p->info.sample);
    p->target = p->info.has_target ? (size_t)evn_shape_count(p->info.target) : 0;
    size_t samples = (size_t)p->info.batch;
    EVN_TRY(EVN_NEW(&p->samples, samples * p->sample));
    EVN_TRY(EVN_NEW(&p->targets, samples * p->target + 1));
    EVN_TRY(EVN_NEW(&p->weights, samples));
    return count_batches(p);
}

evn_status evn__source_parts(evn_source whole, int64_t batch, evn_source *result) {
    parts *p = NULL;
    evn_status status = EVN_NEW(&p, 1);
    if (status != EVN_OK) {
        evn_source_destroy(&whole);
        return status;
    }
    p->whole = whole;
    status = make(p, batch);
    if (status != EVN_OK) {
        destroy(p);
        return status;
    }
    *result = (evn_source){&methods, p};
    return EVN_OK;
}

// Zeros -------------------------------------------------------------------------------------------

static evn_source_info blank_info(const void *self) {
    return *(const evn_source_info *)self;
}

static evn_status blank_fill(void *self, const evn_batch *batch, float *samples, float *targets,
                             float *weights, int64_t *filled) {
    const evn_source_info *like = self;
    size_t count = (size_t)like->batch;
    (void)batch;
    memset(samples, 0, count * (size_t)evn_shape_count(like->sample) * sizeof(*samples));
    if (targets && like->has_target) {
        memset(targets, 0, count * (size_t)evn_shape_count(like->target) * sizeof(*targets));
    }
    for (size_t i = 0; i < count; ++i) {
        weights[i] = 1;
    }
    *filled = like->batch;
    return EVN_OK;
}

static const evn_source_methods blank_methods = {blank_info, blank_fill, free};

evn_status evn__source_blank(const evn_source *like, int64_t batch, evn_source *blank) {
    evn_source_info *made = NULL;
    EVN_TRY(EVN_NEW(&made, 1));
    *made = like->methods->info(like->self);
    made->batch = batch;
    for (int part = 0; part < 2; ++part) {
        made->batches[part] = made->batches[part] < 2 ? made->batches[part] : 2;
    }
    *blank = (evn_source){&blank_methods, made};
    return EVN_OK;
}
