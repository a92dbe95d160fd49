// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"
#include "gate/write.h"
#include "host/counting.h"

#include <stdio.h>

/// Of the second repetition: the first makes what is kept.
static evn_status count(evn_device *device, const evn__bench_job *job, uint64_t *launches) {
    EVN_TRY(job->work(job->user));
    uint64_t before = evn_device_get_stats(device).launches;
    EVN_TRY(job->work(job->user));
    *launches = evn_device_get_stats(device).launches - before;
    return EVN_OK;
}

static evn_status count_row(evn_device *device, const char *key, bool computes) {
    const evn__bench_row *row = evn__bench_row_find(key);
    evn__bench_job job = {0};
    uint64_t launches = 0;
    EVN_CHECK(row, EVN_ERR_USAGE, "evonode bench has no row '%s'", key);
    if (!computes) {
        evn__device_count_begin(device);
    }
    evn_status status = evn__bench_job_create(device, row, &job);
    if (status == EVN_OK) {
        status = count(device, &job, &launches);
    }
    evn__bench_job_destroy(&job);
    if (!computes) {
        evn__device_count_end(device);
    }
    EVN_TRY(status);
    printf("%s %llu\n", key, (unsigned long long)launches);
    return EVN_OK;
}

evn_status gate_count_launches(int count, char *const *keys, bool computes) {
    evn_device *device = NULL;
    EVN_TRY(evn_device_open(NULL, &device));
    evn_status status = EVN_OK;
    for (int i = 0; i < count && status == EVN_OK; ++i) {
        status = count_row(device, keys[i], computes);
    }
    evn_device_close(&device);
    return status;
}
