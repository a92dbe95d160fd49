// SPDX-License-Identifier: Apache-2.0
// A table of texts whose columns are as wide as they must be.
#ifndef EVN_CLI_TABLE_H
#define EVN_CLI_TABLE_H

#include "base/memory.h"

/// Zero-initialise with the number of columns, free with evn__table_free.
typedef struct evn__table {
    int columns;
    int cell_count, capacity;
    const char **cells; ///< row after row
    evn__arena arena;
    evn_status status; ///< first failure; adding after one does nothing
} evn__table;

/// Add the next cell; the first `columns` of them are the header. Texts are UTF-8.
void evn__table_add(evn__table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// Print to standard output, the first column to the left, the others to the right.
evn_status evn__table_print(const evn__table *table);
void evn__table_free(evn__table *table);

#endif
