// SPDX-License-Identifier: Apache-2.0
// Measuring a device: rows of work, repeated timings of them, the limits of the same device.
#ifndef EVN_BENCH_BENCH_H
#define EVN_BENCH_BENCH_H

#include "bench/tensors.h"

// Rows --------------------------------------------------------------------------------------------

/// Work to be timed: enqueues one repetition; it is waited for outside.
typedef evn_status evn__bench_work(void *user);

/// A row made ready to run. Zero-initialise.
typedef struct evn__bench_job {
    evn__bench_work *work;
    void *user;
    double flops, bytes; ///< of one repetition: multiply-adds count two; 0: not known
    /// What one repetition started from, and what it gave: for comparing with a peer. May be NULL.
    evn_status (*inputs)(void *user, evn__bench_tensors *tensors);
    evn_status (*outputs)(void *user, evn__bench_tensors *tensors);
    /// How far what the work gives is from the reference, over the largest number, or 1; NULL:
    /// there is none. Called once, after all repetitions, of which it may make another.
    evn_status (*check)(void *user, double *difference);
    double tolerance; ///< what that may be
    /// Seconds that the last repetition measured itself; NULL: those of the clock.
    double (*seconds)(void *user);
    void (*destroy)(void *user); ///< may be NULL
    double nodes;                ///< of the graph that it plans; 0: it plans none
} evn__bench_job;

/// What a row measures.
typedef enum evn__bench_group {
    EVN__BENCH_LIMITS,
    EVN__BENCH_KERNELS,
    EVN__BENCH_SOLVERS,
    EVN__BENCH_TRAINING,
    EVN__BENCH_PLANNING,
    EVN__BENCH_RUNS,
    EVN__BENCH_GROUPS
} evn__bench_group;

typedef struct evn__bench_row {
    const char *key;  ///< in requests, result files and the peers' tables
    const char *name; ///< in print; NULL: only compared with peers
    evn_status (*create)(evn_device *device, const void *options, evn__bench_job *job);
    const void *options; ///< of `create`
    evn__bench_group group;
} evn__bench_row;

/// Row number `index`, NULL past the last; the row of that key, NULL when there is none.
const evn__bench_row *evn__bench_row_at(int index);
const evn__bench_row *evn__bench_row_find(const char *key);
const char *evn__bench_group_name(int group); ///< NULL past the last

evn_status evn__bench_job_create(evn_device *device, const evn__bench_row *row,
                                 evn__bench_job *job);
void evn__bench_job_destroy(evn__bench_job *job);

// Timing ------------------------------------------------------------------------------------------

enum { EVN__BENCH_SAMPLES = 20 };

/// How a row is sampled.
typedef struct evn__bench_sampling {
    int count;              ///< samples, at most EVN__BENCH_SAMPLES
    double sample_seconds;  ///< a sample has as many repetitions as take that long
    double row_seconds;     ///< no sample is begun after it, once there are a few
    double warm_up_seconds; ///< what is not warm by then is given up
    double run_seconds;     ///< a job that measures its own seconds is given up after them
} evn__bench_sampling;

/// Seconds a repetition.
typedef struct evn__bench_time {
    double samples[EVN__BENCH_SAMPLES]; ///< [count], in the order in which they were taken
    int count;
    int repetitions;          ///< of a sample
    double median, low, high; ///< low, high: first and third quartile
    double best;              ///< the fastest sample: for limits alone
    double drift;             ///< the last third's median over the first third's, less 1
    double launches, waits;   ///< of one repetition
} evn__bench_time;

/// Compile and fill caches (but of a job that measures its own seconds), after as many seconds at
/// most as the device allows; how many repetitions make a sample.
evn_status evn__bench_warm_up(evn_device *device, const evn__bench_job *job,
                              const evn__bench_sampling *sampling, int *repetitions);

/// Samples of the job, of time->repetitions each, once it is warm.
evn_status evn__bench_measure(evn_device *device, const evn__bench_job *job,
                              const evn__bench_sampling *sampling, evn__bench_time *time);

/// Median, quartiles, best and drift of time->samples.
void evn__bench_summarise(evn__bench_time *time);

/// One sample: `count` repetitions, then the device is waited for. *seconds is for one of them.
evn_status evn__bench_repeat(evn_device *device, evn__bench_work *work, void *user, int count,
                             double *seconds);

// Limits ------------------------------------------------------------------------------------------

/// What the device can do at most, in single precision.
typedef struct evn__bench_limits {
    double flops; ///< multiply-adds count two, per second
    double bytes; ///< read and written, per second
} evn__bench_limits;

evn_status evn__bench_limits_measure(evn_device *device, evn__bench_limits *limits);

/// The larger share of both limits that work of `flops` and `bytes` in `seconds` has; NaN where
/// neither applies.
double evn__bench_fraction(const evn__bench_limits *limits, double flops, double bytes,
                           double seconds);

/// The multiply-adds per second that the device does now, in some 30 ms.
evn_status evn__bench_speed_measure(evn_device *device, double *flops);

/// Seconds in which a cache line goes from the first of this process's processors to the second and
/// back; 0 where that is not known. Some milliseconds.
double evn__bench_exchange(void);

// Modes of the verb -------------------------------------------------------------------------------

/// Answer requests, a line each, from standard input until it ends; see serve.c.
evn_status evn__bench_serve(evn_device *device);

/// A first step of training on the digits, without rehearsal and self-test: for the time from the
/// start of the process.
evn_status evn__bench_first_step(evn_device *device);

#endif
