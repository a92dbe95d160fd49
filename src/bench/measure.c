// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include "base/clock.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 2, FEW = 5 };

static int ascending(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median_of(const double *values, int count) {
    double sorted[EVN__BENCH_SAMPLES];
    memcpy(sorted, values, (size_t)count * sizeof(*values));
    qsort(sorted, (size_t)count, sizeof(*sorted), ascending);
    return (sorted[count / 2] + sorted[(count - 1) / 2]) / 2;
}

void evn__bench_summarise(evn__bench_time *time) {
    double sorted[EVN__BENCH_SAMPLES];
    int count = time->count, third = count / 3;
    memcpy(sorted, time->samples, (size_t)count * sizeof(*sorted));
    qsort(sorted, (size_t)count, sizeof(*sorted), ascending);
    time->best = sorted[0];
    time->low = sorted[count / 4];
    time->median = median_of(sorted, count);
    time->high = sorted[count - 1 - count / 4];
    time->drift =
        third > 0
            ? median_of(time->samples + count - third, third) / median_of(time->samples, third) - 1
            : 0;
}

evn_status evn__bench_repeat(evn_device *device, evn__bench_work *work, void *user, int count,
                             double *seconds) {
    double started = evn__now();
    for (int i = 0; i < count; ++i) {
        EVN_TRY(work(user));
    }
    evn_status status = evn_device_finish(device);
    *seconds = (evn__now() - started) / count;
    return status;
}

evn_status evn__bench_warm_up(evn_device *device, const evn__bench_job *job,
                              const evn__bench_sampling *sampling, int *repetitions) {
    double once = 0;
    *repetitions = 1;
    if (job->seconds) {
        return EVN_OK;
    }
    EVN_TRY(evn__bench_repeat(device, job->work, job->user, WARM_UP, &once));
    EVN_TRY(evn__bench_repeat(device, job->work, job->user, 1, &once));
    if (once > 0 && once < sampling->sample_seconds) {
        *repetitions = (int)(sampling->sample_seconds / once) + 1;
    }
    return EVN_OK;
}

evn_status evn__bench_measure(evn_device *device, const evn__bench_job *job,
                              const evn__bench_sampling *sampling, evn__bench_time *time) {
    *time = (evn__bench_time){.repetitions = time->repetitions};
    double started = evn__now();
    evn_device_stats before = evn_device_get_stats(device);
    while (time->count < sampling->count &&
           (time->count < FEW || evn__now() - started < sampling->row_seconds)) {
        double *sample = &time->samples[time->count];
        EVN_TRY(evn__bench_repeat(device, job->work, job->user, time->repetitions, sample));
        *sample = job->seconds ? job->seconds(job->user) : *sample;
        ++time->count;
    }
    evn_device_stats after = evn_device_get_stats(device);
    double all = (double)time->count * time->repetitions;
    time->launches = (double)(after.launches - before.launches) / all;
    time->waits = (double)(after.waits - before.waits - (uint64_t)time->count) / all; // less ours
    evn__bench_summarise(time);
    return EVN_OK;
}
