// SPDX-License-Identifier: Apache-2.0
// Results that are handed in: a folder of files, results/VENDOR/DEVICE-DRIVER-DATE.json.
#ifndef EVN_BENCH_SUBMISSION_H
#define EVN_BENCH_SUBMISSION_H

#include "bench/record.h"

/// Append the place of a result: FOLDER/results/VENDOR/DEVICE-DRIVER-DATE.json.
/// @return EVN_ERR_OUTPUT where there is a file already
evn_status evn__bench_submission_place(const char *folder, const json_t *about, evn__text *path);

/// Whether a result may stand in the folder: its file's name is its own, all kernels agree with the
/// reference, in its rows and in its self-test, and no text in it is a path.
/// @return EVN_ERR_DATA
evn_status evn__bench_submission_check(const char *path, const evn__bench_record *record);

#endif
