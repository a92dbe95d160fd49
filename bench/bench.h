// SPDX-License-Identifier: Apache-2.0
// Measuring: rows of work, repeated timings of them, the limits of the same machine.
#ifndef EVN_BENCH_H
#define EVN_BENCH_H

#include "bench/tensors.h"

enum { BENCH_SAMPLES = 9 };

// Rows --------------------------------------------------------------------------------------------

/// Work to be timed: enqueues one repetition; it is waited for outside.
typedef evn_status bench_work(void *user);

/// A row made ready to run. Zero-initialise.
typedef struct bench_job {
    bench_work *work;
    void *user;
    double flops, bytes; ///< of one repetition: multiply-adds count two; 0: not known
    /// What one repetition started from, and what it gave: for comparing with a peer.
    evn_status (*inputs)(void *user, bench_tensors *tensors);
    evn_status (*outputs)(void *user, bench_tensors *tensors);
    void (*destroy)(void *user); ///< may be NULL
    double nodes;                ///< of the graph that it plans; 0: it plans none
} bench_job;

typedef struct bench_row {
    const char *key;  ///< in requests and in the peers' tables
    const char *name; ///< in print; NULL: only compared with peers
    evn_status (*create)(evn_device *device, const void *options, bench_job *job);
    const void *options; ///< of `create`
} bench_row;

/// Row number `index`, NULL past the last; the row of that key, NULL when there is none.
const bench_row *bench_row_at(int index);
const bench_row *bench_row_find(const char *key);

evn_status bench_job_create(evn_device *device, const bench_row *row, bench_job *job);
void bench_job_destroy(bench_job *job);

// Timing ------------------------------------------------------------------------------------------

/// Seconds a repetition; quartiles over BENCH_SAMPLES samples, each at least 20 ms long.
typedef struct bench_time {
    double median, low, high; ///< low, high: first and third quartile
    double best;              ///< the fastest sample: for limits alone
    double launches;          ///< kernels enqueued by one repetition
} bench_time;

evn_status bench_measure(evn_device *device, bench_work *work, void *user, bench_time *time);

/// One sample: `count` repetitions, then the device is waited for. *seconds is for one of them.
evn_status bench_repeat(evn_device *device, bench_work *work, void *user, int count,
                        double *seconds);

/// What the device can do at most.
typedef struct bench_limits {
    double flops; ///< multiply-adds count two, per second
    double bytes; ///< read and written, per second
} bench_limits;

evn_status bench_limits_measure(evn_device *device, bench_limits *limits);

/// The multiply-adds per second that the device does now, in some 30 ms.
evn_status bench_speed_measure(evn_device *device, double *flops);

/// Seconds in which a cache line goes from the first of this process's processors to the second and
/// back; 0 where that is not known. Some milliseconds.
double bench_exchange(void);

// Modes of the program ----------------------------------------------------------------------------

/// Answer requests, a line each, from standard input until it ends; see bench/serve.c.
evn_status bench_serve(evn_device *device);

/// The first step of training on the digits, as evonode train does it: for the time from the start
/// of the process.
evn_status bench_first_step(evn_device *device);

#endif
