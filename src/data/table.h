// SPDX-License-Identifier: Apache-2.0
// Tables of numbers and words as CSV files have them, read by libcsv. Found by itself: comma,
// semicolon or tab between the cells; a header (a first row without a number); a decimal comma
// where cells are not parted by commas, as those of a single column are not. Taken as they come: a
// byte-order mark, CRLF, quotes, blank lines. Messages name file, line and column.
#ifndef EVN_DATA_TABLE_H
#define EVN_DATA_TABLE_H

#include "base/memory.h"
#include <stdbool.h>

enum {
    EVN__TABLE_COLUMNS_MAX = 4096,
    EVN__TABLE_ROWS_MAX = INT32_MAX / 2,
    EVN__TABLE_CELL_MAX = 1 << 16, ///< bytes
    EVN__TABLE_LABEL = 32,
};

/// A column. A cell is a finite number, missing (empty, or NA, N/A, NaN, null, None, ? or -), or a
/// word: anything else, inf among it.
typedef struct evn__data_column {
    const char *name; ///< UTF-8; x1, x2, … where the file has no name for it
    bool named;       ///< by the file
    double *values;   ///< [rows]; NaN where the cell is no finite number
    char **texts;     ///< [rows] of a column with a word in it: its cells; NULL of others
    int64_t numbers, words, missing;   ///< cells of each kind
    int64_t first_word, first_missing; ///< the row; −1: there is none
} evn__data_column;

typedef struct evn__data_table {
    const char *source; ///< where it is from, as it can be shown
    bool has_header;
    int64_t row_count; ///< without the header and blank lines; >= 1
    int column_count;  ///< >= 1
    evn__data_column *columns;
    int64_t *lines;   ///< [rows]: the line of the file in which a row begins, from 1
    evn__arena arena; ///< of texts and names
} evn__data_table;

/// Read a file, at most 4 GiB.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT for rows of different lengths, broken quotes, what is no
///         text; EVN_ERR_DATA without a row
evn_status evn__data_table_read(const char *path, evn__data_table **table);

/// The same from memory.
/// @param[in] source  what messages call it; copied
evn_status evn__data_table_parse(const char *source, const unsigned char *data, size_t size,
                                 evn__data_table **table);

void evn__data_table_destroy(evn__data_table **table); ///< nulls; accepts NULL

/// Number of the column of that name, −1 when there is none.
int evn__data_table_find(const evn__data_table *table, const char *name);

/// The columns that a list names, as in "width,height": names as the file has them, in quotes where
/// there is a comma inside.
/// @param[in]  option   what the list is of in messages, "--columns"
/// @param[out] columns  [EVN__TABLE_COLUMNS_MAX]
/// @return EVN_ERR_DATA with the names that there are; EVN_ERR_USAGE for a name given twice
evn_status evn__data_table_select(const evn__data_table *table, const char *option,
                                  const char *names, int *columns, int *count);

/// Whether every cell of the column is a number or missing.
/// @return EVN_ERR_DATA with line, column and word
evn_status evn__data_table_check_numbers(const evn__data_table *table, int column);

/// A cell as a label, for grouping: its text, or its number printed into `label`; "" where it is
/// missing from a column of numbers.
const char *evn__data_table_label(const evn__data_table *table, int64_t row, int column,
                                  char label[EVN__TABLE_LABEL]);

#endif
