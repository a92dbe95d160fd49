// SPDX-License-Identifier: Apache-2.0
// All rows, or some, one after the other; what cannot run says why and does not stop the others.
#ifndef EVN_BENCH_SUITE_H
#define EVN_BENCH_SUITE_H

#include "bench/record.h"

typedef struct evn__bench_options {
    const char *rows; ///< patterns, with commas between them, of keys or groups, where * stands for
                      ///< anything; NULL: all. The two limits that shares are of are always in
    bool quick;       ///< shorter samples
    double warm_up_seconds; ///< a row that is not warm by then is given up; 0: 120, or 40 if quick
    bool selftest;          ///< as evn__bench_about
    /// Called with each row when it is done.
    void (*report)(void *user, const evn__bench_record *record, const evn__bench_result *row);
    void *user;
} evn__bench_options;

/// @return EVN_ERR_USAGE where the patterns have no row
evn_status evn__bench_options_check(const evn__bench_options *options);

/// Measure.
/// @param[out] record  freed by the caller, also after a failure
/// @return as evn__bench_about. A row that fails is in the record
evn_status evn__bench_run(evn_device *device, const evn__bench_options *options,
                          evn__bench_record *record);

/// The lowest speed of the device before a row over the highest: how far clocks and others who
/// compute moved it. NaN: not known.
double evn__bench_steadiness(const evn__bench_record *record);

/// What rows that drift more than this say.
#define EVN__BENCH_DRIFT 0.05

#endif
