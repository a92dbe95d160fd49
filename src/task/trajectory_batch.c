// SPDX-License-Identifier: Apache-2.0
#include "task/trajectory_batch.h"

#include "base/memory.h"
#include "task/given_source.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t evn__trajectory_samples(const evn__trajectory_size *size) {
    return size->batch * size->dimensions;
}

int64_t evn__trajectory_targets(const evn__trajectory_size *size) {
    return size->times * evn__trajectory_samples(size);
}

int64_t evn__trajectory_states(const evn__trajectory_size *size) {
    return size->batch * size->columns;
}

evn_status evn__trajectory_batch_create(const evn__trajectory_size *size,
                                        evn__trajectory_batch *batch) {
    EVN_TRY(EVN_NEW(&batch->samples, evn__trajectory_samples(size)));
    EVN_TRY(EVN_NEW(&batch->targets, evn__trajectory_targets(size)));
    return EVN_NEW(&batch->weights, size->batch);
}

void evn__trajectory_batch_free(evn__trajectory_batch *batch) {
    free(batch->samples);
    free(batch->targets);
    free(batch->weights);
    *batch = (evn__trajectory_batch){0};
}

evn_status evn__trajectory_batch_fill(const evn__trajectory_size *size, const evn_source *source,
                                      const evn_batch *which, evn__trajectory_batch *batch) {
    int64_t filled;
    return evn__source_fill(source, which, size->batch, batch->samples, batch->targets,
                            batch->weights, &filled);
}

bool evn__trajectory_batch_equal(const evn__trajectory_size *size, const evn__trajectory_batch *a,
                                 const evn__trajectory_batch *b) {
    size_t samples = (size_t)evn__trajectory_samples(size) * sizeof(float);
    size_t targets = (size_t)evn__trajectory_targets(size) * sizeof(float);
    return memcmp(a->samples, b->samples, samples) == 0 &&
           memcmp(a->targets, b->targets, targets) == 0;
}

void evn__trajectory_batch_targets(const evn__trajectory_size *size,
                                   const evn__trajectory_batch *batch, float *targets,
                                   float *mask) {
    for (int64_t b = 0; b < size->batch; ++b) {
        for (int64_t i = 0; i < size->times; ++i) {
            for (int64_t k = 0; k < size->dimensions; ++k) {
                float value = batch->targets[(b * size->times + i) * size->dimensions + k];
                int64_t to = (i * size->batch + b) * size->dimensions + k;
                bool known = !mask || !isnan(value);
                targets[to] = known ? value : 0;
                if (mask) {
                    mask[to] = known;
                }
            }
        }
    }
}

void evn__trajectory_batch_starts(const evn__trajectory_size *size,
                                  const evn__trajectory_batch *batch, float *states) {
    for (int64_t b = 0; b < size->batch; ++b) {
        for (int64_t k = 0; k < size->columns; ++k) {
            states[b * size->columns + k] =
                k < size->dimensions ? batch->samples[b * size->dimensions + k] : 0;
        }
    }
}
