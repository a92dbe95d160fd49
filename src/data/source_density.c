// SPDX-License-Identifier: Apache-2.0
// A density in the plane as an endless source of fresh points.
#include "evonode/source.h"

#include "base/memory.h"
#include "data/density.h"

#include <math.h>
#include <stdlib.h>

enum { TRAIN_STREAM = 1, TEST_STREAM = 2, TEST_SEED = 0, TEST_POINTS = 10000 };

typedef struct points {
    const evn__density *density;
    int64_t batch;
    uint64_t seed;
    double *drawn; ///< [B, 2]
} points;

static evn_source_info info(const void *self) {
    const points *s = self;
    return (evn_source_info){
        .sample = EVN_SHAPE(2),
        .batch = s->batch,
        .batches = {[EVN_TEST] = (TEST_POINTS + s->batch - 1) / s->batch},
    };
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    points *s = self;
    (void)targets;
    bool test = batch->part == EVN_TEST;
    int64_t first = (test ? batch->index : batch->number) * s->batch;
    int64_t left = test ? TEST_POINTS - first : s->batch;
    *filled = left < s->batch ? left : s->batch;
    evn__density_sample(s->density, test ? TEST_SEED : s->seed, test ? TEST_STREAM : TRAIN_STREAM,
                        (uint64_t)first, s->batch, s->drawn);
    for (int64_t i = 0; i < s->batch; ++i) {
        samples[2 * i] = (float)s->drawn[2 * i];
        samples[2 * i + 1] = (float)s->drawn[2 * i + 1];
        weights[i] = i < *filled;
    }
    return EVN_OK;
}

static void destroy(void *self) {
    points *s = self;
    free(s->drawn);
    free(s);
}

static const evn_source_methods methods = {info, fill, destroy};

evn_status evn_source_density(const char *name, int64_t batch, uint64_t seed, evn_source *source) {
    points *s = NULL;
    EVN_REQUIRE(source);
    *source = (evn_source){0};
    EVN_REQUIRE(name);
    const evn__density *density = evn__density_find(name);
    EVN_CHECK(density, EVN_ERR_ARGUMENT, "there is no density '%s'", name);
    EVN_CHECK(batch >= 1 && batch <= INT32_MAX, EVN_ERR_ARGUMENT,
              "a batch of %lld points; give 1 or more", (long long)batch);
    EVN_TRY(EVN_NEW(&s, 1));
    *s = (points){.density = density, .batch = batch, .seed = seed};
    evn_status status = EVN_NEW(&s->drawn, 2 * batch);
    if (status != EVN_OK) {
        destroy(s);
        return status;
    }
    *source = (evn_source){&methods, s};
    return EVN_OK;
}

double evn_density_entropy(const char *name) {
    const evn__density *density = evn__density_find(name);
    return density ? density->floor : NAN;
}
