// SPDX-License-Identifier: Apache-2.0
// Timings of rows as a table and as JSON.
#ifndef EVN_BENCH_REPORT_H
#define EVN_BENCH_REPORT_H

#include "bench/bench.h"

/// One line of the table. `flops` and `bytes` are of one repetition; 0: not known. `nodes`: of
/// the graph that it plans.
typedef struct bench_result {
    const char *name;
    bench_time time;
    double flops, bytes, nodes;
} bench_result;

void bench_report_print(const bench_result *results, int count, const bench_limits *limits);

/// @return EVN_ERR_OUTPUT
evn_status bench_report_write(const char *path, const evn_device *device,
                              const bench_result *results, int count, const bench_limits *limits);

#endif
