// SPDX-License-Identifier: Apache-2.0
// What a benchmark of a device found, in memory and as a file: JSON with a hash over its content.
// docs/bench.md has the format. A file of a newer format, a foreign or a damaged one is refused.
#ifndef EVN_BENCH_RECORD_H
#define EVN_BENCH_RECORD_H

#include "bench/bench.h"
#include <jansson.h>

enum { EVN__BENCH_FORMAT = 1, EVN__BENCH_KEY = 48, EVN__BENCH_NAME = 96, EVN__BENCH_REASON = 256 };

/// One row. Numbers that do not apply are NaN.
typedef struct evn__bench_result {
    char key[EVN__BENCH_KEY], name[EVN__BENCH_NAME], group[EVN__BENCH_KEY];
    char reason[EVN__BENCH_REASON]; ///< why it has no times; "": it has
    evn_status status;              ///< of that failure, while it is measured
    bool lacking;                   ///< for it is not for this device; else something failed
    evn__bench_time time;
    double flops, bytes, nodes;   ///< of a repetition; 0: not known
    double fraction;              ///< of the limit, evn__bench_fraction
    double difference, tolerance; ///< from the reference, and what it may be
    double speed;                 ///< multiply-adds a second of the device, just before
} evn__bench_result;

/// Zero-initialise; released with evn__bench_record_free.
typedef struct evn__bench_record {
    json_t *about; ///< all of the file but "rows" and "hash": bench/about.h
    evn__bench_limits limits;
    evn__bench_result *rows; ///< [count]
    int count, capacity;
} evn__bench_record;

void evn__bench_record_free(evn__bench_record *record);

/// Append a row.
/// @return EVN_ERR_MEMORY
evn_status evn__bench_record_add(evn__bench_record *record, const evn__bench_result *row);

/// The row of that key, measured or not; NULL: there is none.
const evn__bench_result *evn__bench_record_find(const evn__bench_record *record, const char *key);

/// Name of the device, as in the file.
const char *evn__bench_record_device(const evn__bench_record *record);

/// The file's text, freed by the caller.
/// @return EVN_ERR_MEMORY
evn_status evn__bench_record_print(const evn__bench_record *record, char **text);

/// Read a file.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT with the file's name and what is wrong with it
evn_status evn__bench_record_read(const char *path, evn__bench_record *record);

#endif
