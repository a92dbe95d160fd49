// SPDX-License-Identifier: Apache-2.0
// CSV for others to read: commas, LF, a decimal point whatever the locale, quotes where they are
// needed. In memory, since files appear whole or not at all (base/files.h).
#ifndef EVN_DATA_CSV_WRITER_H
#define EVN_DATA_CSV_WRITER_H

#include "base/memory.h"
#include <stdbool.h>

/// Zero-initialise, free text.data with free(). text.status has the first failure.
typedef struct evn__csv_writer {
    evn__text text;
    bool within; ///< a row has a cell already
} evn__csv_writer;

/// The next cell of the row.
void evn__csv_put_text(evn__csv_writer *writer, const char *cell);
/// With nine digits, which tell any two floats apart; NaN is an empty cell.
void evn__csv_put_number(evn__csv_writer *writer, double value);
void evn__csv_end_row(evn__csv_writer *writer);

#endif
