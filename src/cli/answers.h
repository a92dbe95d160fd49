// SPDX-License-Identifier: Apache-2.0
// Tables that verbs answer with: CSV with a head, or lines of JSON, an object for each row. And
// tables that they are asked with, from a file or from standard input.
#ifndef EVN_CLI_ANSWERS_H
#define EVN_CLI_ANSWERS_H

#include "cli/settings.h"
#include "data/csv_writer.h"
#include "data/table.h"

/// Zero-initialise but for `json`, then name the columns, begin, put rows cell by cell, write.
typedef struct evn__answers {
    bool json;
    evn__csv_writer csv; ///< its text is that of JSON too
    evn__text *keys;     ///< [count] names as JSON; of JSON alone
    int count, capacity;
    int cell;     ///< of the row, the next one
    int64_t rows; ///< that have ended
} evn__answers;

void evn__answers_column(evn__answers *answers, const char *name);
void evn__answers_begin(evn__answers *answers); ///< all columns are named

/// The next cell; a number with that many digits. One that is not finite makes the answers fail.
void evn__answers_text(evn__answers *answers, const char *text);
void evn__answers_number(evn__answers *answers, double value, int digits);
void evn__answers_end_row(evn__answers *answers);

/// Write all of it to a file, or to standard output where `path` is NULL; frees the answers.
/// @return the first failure of any of these, EVN_ERR_NOT_FINITE among them; EVN_ERR_OUTPUT
evn_status evn__answers_write(evn__answers *answers, const char *path);
void evn__answers_free(evn__answers *answers);

/// Whether the command line asks `evonode predict` about one table, with options that such have.
/// @return EVN_ERR_USAGE
evn_status evn__question_check(const evn__settings *given);

/// Read a CSV file; "-" is standard input.
/// @return as evn__data_table_read
evn_status evn__question_read(const char *path, evn__data_table **table);

#endif
