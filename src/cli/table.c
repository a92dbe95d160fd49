// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include "base/number.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_SIZE = 512 };

void evn__table_add(evn__table *table, const char *format, ...) {
    char text[CELL_SIZE];
    va_list arguments;
    va_start(arguments, format);
    evn__print_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (table->status == EVN_OK) {
        table->status = EVN_RESERVE(table->cells, table->capacity, table->cell_count + 1);
    }
    if (table->status != EVN_OK) {
        return;
    }
    const char *kept = evn__arena_string(&table->arena, text);
    if (kept) {
        table->cells[table->cell_count++] = kept;
    } else {
        table->status =
            evn__fail(__FILE__, __LINE__, EVN_ERR_MEMORY, "no memory for a cell of a table");
    }
}

/// Characters of a text in UTF-8.
static int width_of(const char *text) {
    int width = 0;
    for (; *text; ++text) {
        width += (*text & 0xc0) != 0x80;
    }
    return width;
}

static int column_width(const evn__table *table, int column) {
    int width = 0;
    for (int i = column; i < table->cell_count; i += table->columns) {
        int length = width_of(table->cells[i]);
        width = length > width ? length : width;
    }
    return width;
}

evn_status evn__table_print(const evn__table *table) {
    EVN_TRY(table->status);
    for (int i = 0; i < table->cell_count; ++i) {
        int column = i % table->columns, width = column_width(table, column);
        bool last = column == table->columns - 1;
        int gap = width - width_of(table->cells[i]);
        printf("  %*s%s%*s%s", column == 0 ? 0 : gap, "", table->cells[i], column == 0 ? gap : 0,
               "", last ? "\n" : "");
    }
    return EVN_OK;
}

void evn__table_free(evn__table *table) {
    free(table->cells);
    evn__arena_free(&table->arena);
}
