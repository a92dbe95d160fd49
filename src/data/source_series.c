// SPDX-License-Identifier: Apache-2.0
#include "data/series.h"

#include <math.h>
#include <stdlib.h>

static evn_source_info info(const void *self) {
    const evn__time_series *s = self;
    return (evn_source_info){.sample = EVN_SHAPE(s->dimensions),
                             .target = EVN_SHAPE(s->time_count, s->dimensions),
                             .has_target = true,
                             .batch = s->window_count,
                             .batches = {1, 1}};
}

/// @param[out] values  [dimensions] of doubles, for what is on the way
static void fill_window(const evn__time_series *s, int index, double *values, float *sample,
                        float *targets) {
    const evn__window *window = &s->windows[index];
    int64_t count = s->time_count * s->dimensions;
    evn__series_scaled(s, window->track, window->first, true, values);
    for (int k = 0; k < s->dimensions; ++k) {
        sample[k] = (float)values[k];
    }
    for (int64_t i = 0; i < count; ++i) {
        targets[i] = NAN;
    }
    for (int64_t row = evn__window_seen(s, index); row <= window->last; ++row) {
        float *to = targets + evn__series_time(s, index, row) * s->dimensions;
        evn__series_scaled(s, window->track, row, false, values);
        for (int k = 0; k < s->dimensions; ++k) {
            to[k] = (float)values[k];
        }
    }
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    const evn__time_series *s = self;
    double *values = NULL;
    (void)batch;
    EVN_TRY(EVN_NEW(&values, s->dimensions));
    for (int i = 0; i < s->window_count; ++i) {
        fill_window(s, i, values, samples + (int64_t)i * s->dimensions,
                    targets + i * s->time_count * s->dimensions);
        weights[i] = 1;
    }
    free(values);
    *filled = s->window_count;
    return EVN_OK;
}

static void destroy(void *self) {
    evn__time_series *s = self;
    evn__series_destroy(&s);
}

static const evn_source_methods borrowing = {info, fill, NULL}, owning = {info, fill, destroy};

evn_status evn__source_series(const evn__time_series *series, evn_source *source) {
    *source = (evn_source){&borrowing, (void *)series};
    return EVN_OK;
}

evn_status evn__source_series_owned(evn__time_series *series, evn_source *source) {
    *source = (evn_source){&owning, series};
    return EVN_OK;
}
