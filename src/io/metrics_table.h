// SPDX-License-Identifier: Apache-2.0
// metrics.csv of a run: the lines of metrics.jsonl as a table, for spreadsheets and data frames. A
// column for each key, in the order in which they came; what a line lacks, and null, is empty.
#ifndef EVN_IO_METRICS_TABLE_H
#define EVN_IO_METRICS_TABLE_H

#include "base/status.h"
#include <jansson.h>
#include <stdbool.h>

/// A table that is being written.
typedef struct evn__metrics_table evn__metrics_table;

/// Write the table of these lines in place of the one that is there, whole or not at all, to go on
/// with it.
/// @param[in] lines  array of objects
/// @return EVN_ERR_OUTPUT
evn_status evn__metrics_table_create(const char *path, const json_t *lines,
                                     evn__metrics_table **table);
void evn__metrics_table_destroy(evn__metrics_table **table); ///< nulls; accepts NULL

/// Whether there is a column for each key of the line.
bool evn__metrics_table_fits(const evn__metrics_table *table, const json_t *line);

/// Append a line that fits.
/// @return EVN_ERR_OUTPUT
evn_status evn__metrics_table_add(evn__metrics_table *table, const json_t *line);

/// Put what was appended onto the disk.
/// @return EVN_ERR_OUTPUT
evn_status evn__metrics_table_flush(const evn__metrics_table *table);

#endif
