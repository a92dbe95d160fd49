// SPDX-License-Identifier: Apache-2.0
// Results of evonode bench that nobody measured.
#ifndef EVN_TEST_RESULT_H
#define EVN_TEST_RESULT_H

#include "bench/record.h"

/// A record of five rows: both limits, conv2d, mnist_euler, and one that the device lacks.
/// @param[in] factor  that all times are longer by
/// @param[out] record  freed by the caller
void test_result(const char *vendor, const char *device, double factor, evn__bench_record *record);

/// The row of that key.
evn__bench_result *test_result_row(evn__bench_record *record, const char *key);

/// Write it as `path`, making its folders.
void test_result_write(const evn__bench_record *record, const char *path);

#endif
