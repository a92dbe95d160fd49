// SPDX-License-Identifier: Apache-2.0
// Measuring: repeated timings of device work, reported against the limits of the same machine,
// measured in the same run.
#ifndef EVN_BENCH_H
#define EVN_BENCH_H

#include "evonode/evonode.h"

enum { BENCH_SAMPLES = 9 };

/// Work to be timed: enqueues one repetition; it is waited for outside.
typedef evn_status bench_work(void *user);

/// Seconds a repetition; quartiles over BENCH_SAMPLES samples, each at least 20 ms long.
typedef struct bench_time {
    double median, low, high; ///< low, high: first and third quartile
    double best;              ///< the fastest sample: for limits alone
    double launches;          ///< kernels enqueued by one repetition
} bench_time;

evn_status bench_measure(evn_device *device, bench_work *work, void *user, bench_time *time);

/// What the device can do at most.
typedef struct bench_limits {
    double flops; ///< multiply-adds count two, per second
    double bytes; ///< read and written, per second
} bench_limits;

evn_status bench_limits_measure(evn_device *device, bench_limits *limits);

/// One line of the table and of the JSON. `flops` and `bytes` are of one repetition; 0: not known.
typedef struct bench_row {
    const char *name;
    bench_time time;
    double flops, bytes;
} bench_row;

#endif
