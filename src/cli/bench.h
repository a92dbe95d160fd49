// SPDX-License-Identifier: Apache-2.0
// What evonode bench does with results (bench_compare.c).
#ifndef EVN_CLI_BENCH_H
#define EVN_CLI_BENCH_H

#include "cli/settings.h"

/// The files after the first word side by side, as the options say. `device` is NULL.
/// @return EVN_ERR_SLOWER where a row is slower than the baseline
evn_status evn__bench_compare_files(evn_device *device, const evn__settings *given);

/// Whether the files after the first word can stand among the results; each is told.
/// @return of the first that cannot
evn_status evn__bench_check_files(evn_device *device, const evn__settings *given);

#endif
