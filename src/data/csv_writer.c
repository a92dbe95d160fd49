// SPDX-License-Identifier: Apache-2.0
#include "data/csv_writer.h"

#include <csv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void part(evn__csv_writer *writer) {
    if (writer->within) {
        evn__text_append(&writer->text, ",");
    }
    writer->within = true;
}

static bool needs_quotes(const char *cell) {
    size_t size = strlen(cell);
    return strpbrk(cell, ",;\t\"\r\n") || (size > 0 && (cell[0] == ' ' || cell[size - 1] == ' '));
}

static evn_status put_quoted(evn__csv_writer *writer, const char *cell) {
    size_t size = strlen(cell), quoted = csv_write(NULL, 0, cell, size);
    char *copy;
    EVN_TRY(EVN_NEW(&copy, quoted + 1));
    csv_write(copy, quoted, cell, size);
    evn__text_append(&writer->text, "%s", copy);
    free(copy);
    return EVN_OK;
}

void evn__csv_put_text(evn__csv_writer *writer, const char *cell) {
    part(writer);
    if (!needs_quotes(cell)) {
        evn__text_append(&writer->text, "%s", cell);
        return;
    }
    evn_status status = put_quoted(writer, cell);
    writer->text.status = writer->text.status == EVN_OK ? status : writer->text.status;
}

void evn__csv_put_number(evn__csv_writer *writer, double value) {
    part(writer);
    if (!isnan(value)) {
        evn__text_append(&writer->text, "%.9g", value);
    }
}

void evn__csv_end_row(evn__csv_writer *writer) {
    evn__text_append(&writer->text, "\n");
    writer->within = false;
}
