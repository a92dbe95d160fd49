// SPDX-License-Identifier: Apache-2.0
// Rows of numbers as a source of points: training goes through them again and again, each time in
// another order.
#include "evonode/source.h"

#include "base/memory.h"
#include "base/random.h"
#include "data/points.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPLIT_STREAM = 1 << 20, PASS_STREAM = SPLIT_STREAM + 1 }; // passes follow

typedef struct points {
    float *rows; ///< [count, D], those to train on first
    int64_t dimensions, batch, train, test;
    uint64_t seed;
    int64_t *order; ///< [train] of the pass that was drawn from last
    int64_t pass;   ///< −1: none
} points;

int64_t evn__points_split(uint64_t seed, double holdout, int64_t count, int64_t *order) {
    int64_t test = (int64_t)llround(holdout * (double)count);
    evn__random_permutation(seed, SPLIT_STREAM, order, count);
    test = holdout > 0 && test < 1 ? 1 : test;
    return count - (test < count ? test : count - 1);
}

static evn_source_info info(const void *self) {
    const points *s = self;
    return (evn_source_info){.sample = EVN_SHAPE(s->dimensions),
                             .batch = s->batch,
                             .batches = {[EVN_TRAIN] = (s->train + s->batch - 1) / s->batch,
                                         [EVN_TEST] = (s->test + s->batch - 1) / s->batch}};
}

/// The row that is number `number` of all that training draws.
static int64_t row_of(points *s, int64_t number) {
    int64_t pass = number / s->train;
    if (pass != s->pass) {
        evn__random_permutation(s->seed, (uint64_t)(PASS_STREAM + pass), s->order, s->train);
        s->pass = pass;
    }
    return s->order[number % s->train];
}

static void copy_row(const points *s, int64_t row, int64_t at, float *samples, float *weights) {
    size_t bytes = (size_t)s->dimensions * sizeof(*samples);
    memcpy(samples + at * s->dimensions, s->rows + row * s->dimensions, bytes);
    weights[at] = 1;
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    points *s = self;
    bool test = batch->part == EVN_TEST;
    int64_t first = (batch->training ? batch->number : batch->index) * s->batch;
    int64_t left = batch->training ? s->batch : (test ? s->test : s->train) - first;
    (void)targets;
    *filled = left < s->batch ? left : s->batch;
    memset(samples, 0, (size_t)(s->batch * s->dimensions) * sizeof(*samples));
    memset(weights, 0, (size_t)s->batch * sizeof(*weights));
    for (int64_t i = 0; i < *filled; ++i) {
        int64_t row = batch->training ? row_of(s, first + i) : first + i;
        copy_row(s, test ? s->train + row : row, i, samples, weights);
    }
    return EVN_OK;
}

static void destroy(void *self) {
    points *s = self;
    free(s->rows);
    free(s->order);
    free(s);
}

static const evn_source_methods methods = {info, fill, destroy};

static evn_status make(points *s, const float *rows, int64_t count, double holdout) {
    int64_t *order;
    EVN_TRY(EVN_NEW(&s->rows, evn__size_product((size_t)count, (size_t)s->dimensions)));
    EVN_TRY(EVN_NEW(&s->order, count));
    EVN_TRY(EVN_NEW(&order, count));
    s->train = evn__points_split(s->seed, holdout, count, order);
    s->test = count - s->train;
    for (int64_t i = 0; i < count; ++i) {
        memcpy(s->rows + i * s->dimensions, rows + order[i] * s->dimensions,
               (size_t)s->dimensions * sizeof(*rows));
    }
    free(order);
    return EVN_OK;
}

static evn_status check(const float *rows, int64_t count, int64_t dimensions, int64_t batch,
                        double holdout) {
    EVN_CHECK(count >= 1 && dimensions >= 1 && dimensions <= INT32_MAX && batch >= 1 &&
                  batch <= INT32_MAX && count <= INT64_MAX / 64 / dimensions,
              EVN_ERR_ARGUMENT, "%lld points of %lld dimensions in batches of %lld; give 1 or more",
              (long long)count, (long long)dimensions, (long long)batch);
    EVN_CHECK(holdout >= 0 && holdout < 1, EVN_ERR_ARGUMENT,
              "a fraction of %g to hold out; give 0 to less than 1", holdout);
    for (int64_t i = 0; i < count * dimensions; ++i) {
        EVN_CHECK(isfinite(rows[i]), EVN_ERR_NOT_FINITE, "coordinate %lld of point %lld is %g",
                  (long long)(i % dimensions), (long long)(i / dimensions), (double)rows[i]);
    }
    return EVN_OK;
}

evn_status evn_source_points(const float *rows, int64_t count, int64_t dimensions, int64_t batch,
                             double holdout, uint64_t seed, evn_source *source) {
    points *s = NULL;
    EVN_REQUIRE(source);
    *source = (evn_source){0};
    EVN_REQUIRE(rows);
    EVN_TRY(check(rows, count, dimensions, batch, holdout));
    EVN_TRY(EVN_NEW(&s, 1));
    *s = (points){.dimensions = dimensions, .batch = batch, .seed = seed, .pass = -1};
    evn_status status = make(s, rows, count, holdout);
    if (status != EVN_OK) {
        destroy(s);
        return status;
    }
    *source = (evn_source){&methods, s};
    return EVN_OK;
}
