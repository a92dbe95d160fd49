// SPDX-License-Identifier: Apache-2.0
#include "bench/suite.h"

#include "base/names.h"
#include "bench/about.h"
#include "bench/rows.h"
#include "host/timing.h"
#include "host/wait.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// Whole runs take seconds each.
enum { RUNS = 3, QUICK_RUNS = 1 };

static const evn__bench_sampling WHOLE = {.sample_seconds = 0.02,
                                          .row_seconds = 60,
                                          .warm_up_seconds = 120,
                                          .run_seconds = 1800},
                                 QUICK = {.sample_seconds = 0.004,
                                          .row_seconds = 10,
                                          .warm_up_seconds = 40,
                                          .run_seconds = 300};

// Which rows --------------------------------------------------------------------------------------

/// Whether `length` bytes of a pattern stand for the whole text.
static bool stands_for(const char *pattern, size_t length, const char *text) {
    if (length == 0) {
        return *text == 0;
    }
    if (*pattern == '*') {
        return stands_for(pattern + 1, length - 1, text) ||
               (*text && stands_for(pattern, length, text + 1));
    }
    return *pattern == *text && stands_for(pattern + 1, length - 1, text + 1);
}

static bool is_chosen(const char *patterns, const evn__bench_row *row) {
    bool chosen = !patterns;
    for (const char *at = patterns; at && *at && !chosen;) {
        size_t length = strcspn(at, ",");
        chosen = stands_for(at, length, row->key) ||
                 stands_for(at, length, evn__bench_group_name((int)row->group));
        at += length + (at[length] == ',');
    }
    return chosen && row->name;
}

static bool is_limit(const evn__bench_row *row) {
    return strcmp(row->key, EVN__BENCH_ARITHMETIC_KEY) == 0 ||
           strcmp(row->key, EVN__BENCH_MEMORY_KEY) == 0;
}

evn_status evn__bench_options_check(const evn__bench_options *options) {
    const evn__bench_row *row;
    bool any = false;
    char list[1024] = "";
    for (int i = 0; (row = evn__bench_row_at(i)); ++i) {
        size_t used = strlen(list);
        any = any || is_chosen(options->rows, row);
        snprintf(list + used, sizeof(list) - used, "%s%s", row->name && used ? ", " : "",
                 row->name ? row->key : "");
    }
    EVN_CHECK(any, EVN_ERR_USAGE, "no row is called '%s'; there are %s", options->rows, list);
    return EVN_OK;
}

// One row -----------------------------------------------------------------------------------------

static evn__bench_sampling sampling_of(const evn__bench_row *row,
                                       const evn__bench_options *options) {
    evn__bench_sampling sampling = options->quick ? QUICK : WHOLE;
    bool whole = row->group == EVN__BENCH_RUNS;
    sampling.count = whole ? (options->quick ? QUICK_RUNS : RUNS) : EVN__BENCH_SAMPLES;
    if (options->warm_up_seconds > 0) {
        sampling.warm_up_seconds = options->warm_up_seconds;
    }
    return sampling;
}

/// A job that is warm. The first launch of each kernel, which may compile it, is waited for: so a
/// driver that compiles for too long is seen between two kernels.
static evn_status make_job(evn_device *device, const evn__bench_row *row,
                           const evn__bench_sampling *sampling, evn__bench_job *job,
                           evn__bench_result *result) {
    evn__timing before = evn__device_time_begin(device, EVN__TIMING_SPARSE);
    evn__device_allow(device, sampling->warm_up_seconds);
    evn_status status = evn__bench_job_create(device, row, job);
    result->lacking = status == EVN_ERR_ARGUMENT && row->group == EVN__BENCH_LIMITS;
    if (status == EVN_OK) {
        status = evn__bench_warm_up(device, job, sampling, &result->time.repetitions);
    }
    evn__device_allow(device, 0);
    evn__device_time_end(device, before);
    return status;
}

static evn_status measure_job(evn_device *device, const evn__bench_sampling *sampling,
                              evn__bench_job *job, evn__bench_result *result) {
    evn__device_allow(device, job->seconds ? sampling->run_seconds : 0);
    evn_status status = evn__bench_measure(device, job, sampling, &result->time);
    evn__device_allow(device, 0);
    EVN_TRY(status);
    result->flops = job->flops;
    result->bytes = job->bytes;
    result->nodes = job->nodes;
    result->tolerance = job->check ? job->tolerance : NAN;
    return job->check ? job->check(job->user, &result->difference) : EVN_OK;
}

static evn_status measure(evn_device *device, const evn__bench_row *row,
                          const evn__bench_options *options, evn__bench_result *result) {
    evn__bench_job job = {0};
    evn__bench_sampling sampling = sampling_of(row, options);
    EVN_TRY(evn__bench_speed_measure(device, &result->speed));
    evn_status status = make_job(device, row, &sampling, &job, result);
    if (status == EVN_OK) {
        status = measure_job(device, &sampling, &job, result);
    }
    evn__bench_job_destroy(&job);
    return status;
}

static void take_reason(evn__bench_result *result) {
    char line[sizeof(result->reason)];
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(evn_error_message(), "\n"),
             evn_error_message());
    evn__bench_hide_paths(line);
    evn__printable(line, result->reason, sizeof(result->reason)); // drivers write any bytes
    result->time.count = 0;
}

/// Shares of both limits, which are the first rows of all.
static void weigh(evn__bench_record *record, evn__bench_result *result) {
    if (strcmp(result->key, EVN__BENCH_ARITHMETIC_KEY) == 0) {
        record->limits.flops = result->flops / result->time.best;
    } else if (strcmp(result->key, EVN__BENCH_MEMORY_KEY) == 0) {
        record->limits.bytes = result->bytes / result->time.best;
    } else if (strcmp(result->group, evn__bench_group_name(EVN__BENCH_LIMITS)) != 0) {
        result->fraction =
            evn__bench_fraction(&record->limits, result->flops, result->bytes, result->time.median);
    }
}

static evn_status run_row(evn_device *device, const evn__bench_options *options,
                          const evn__bench_row *row, evn__bench_record *record) {
    evn__bench_result result = {.difference = NAN, .tolerance = NAN, .fraction = NAN, .speed = NAN};
    snprintf(result.key, sizeof(result.key), "%s", row->key);
    snprintf(result.name, sizeof(result.name), "%s", row->name);
    snprintf(result.group, sizeof(result.group), "%s", evn__bench_group_name((int)row->group));
    result.status = measure(device, row, options, &result);
    if (result.status == EVN_OK) {
        weigh(record, &result);
    } else {
        take_reason(&result);
    }
    EVN_TRY(evn__bench_record_add(record, &result));
    options->report(options->user, record, &result);
    return EVN_OK;
}

static evn_status run_rows(evn_device *device, const evn__bench_options *options,
                           evn__bench_record *record) {
    const evn__bench_row *row;
    for (int i = 0; (row = evn__bench_row_at(i)); ++i) {
        if (is_chosen(options->rows, row) || is_limit(row)) {
            EVN_TRY(run_row(device, options, row, record));
        }
    }
    return EVN_OK;
}

evn_status evn__bench_run(evn_device *device, const evn__bench_options *options,
                          evn__bench_record *record) {
    *record = (evn__bench_record){.limits = {NAN, NAN}};
    EVN_TRY(evn__bench_options_check(options));
    EVN_TRY(evn__bench_about(device, options->quick, options->selftest, &record->about));
    evn__waiting before = evn__device_wait_as(device, EVN__WAITING_SPINS);
    evn_status status = run_rows(device, options, record);
    evn__device_wait_as(device, before);
    return status;
}

double evn__bench_steadiness(const evn__bench_record *record) {
    double lowest = INFINITY, highest = 0;
    for (int i = 0; i < record->count; ++i) {
        if (record->rows[i].speed > 0) {
            lowest = fmin(lowest, record->rows[i].speed);
            highest = fmax(highest, record->rows[i].speed);
        }
    }
    return highest > 0 ? lowest / highest : NAN;
}
