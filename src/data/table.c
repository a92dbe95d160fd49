// SPDX-License-Identifier: Apache-2.0
// A file is gone through once for its numbers, and a second time for the texts of the columns that
// have words: most have none, and need no memory for them.
#include "data/table.h"

#include "base/files.h"
#include "base/names.h"
#include "base/number.h"
#include <csv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 1 << 18, SHOWN = 256 };

/// A file on its way into a table.
typedef struct reading {
    evn__data_table *table;
    const char *data;
    size_t size;
    char delimiter;
    bool again;        ///< the second time: texts
    bool heading;      ///< the header is still to come
    evn_status status; ///< once it has failed, nothing more is taken
    int column;        ///< next cell of the row
    int64_t row, line; ///< that are under way; line from 1
    bool after_return; ///< a line feed that follows belongs to it
    int64_t row_capacity;
    int64_t with_point, with_comma; ///< first lines with such a fraction; 0: none
    const char *last;               ///< text of the cell before, to be shared by equal ones
} reading;

// libcsv ------------------------------------------------------------------------------------------

/// A quote that is never closed would make one cell of all that follows.
static void *bounded(void *memory, size_t bytes) {
    return bytes > EVN__TABLE_CELL_MAX ? NULL : realloc(memory, bytes);
}

static evn_status check_cell(const reading *r, bool fits) {
    EVN_CHECK(fits, EVN_ERR_FORMAT,
              "%s, line %lld: a cell has more than %d bytes; a quote may not be closed",
              r->table->source, (long long)r->line, EVN__TABLE_CELL_MAX);
    return EVN_OK;
}

static evn_status fail_parsing(const reading *r, struct csv_parser *parser) {
    const char *source = r->table->source;
    if (csv_error(parser) == CSV_ENOMEM && parser->entry_size < EVN__TABLE_CELL_MAX / 2) {
        EVN_FAIL(EVN_ERR_MEMORY, "no memory for a cell of %s", source);
    }
    EVN_TRY(check_cell(r, csv_error(parser) == CSV_EPARSE));
    EVN_FAIL(EVN_ERR_FORMAT,
             "%s, line %lld: a quote stands within a cell, or text behind a closing one; quote the "
             "whole cell, and write a quote in it twice",
             source, (long long)r->line);
}

/// Lines end in LF, CRLF or CR. Whether a row ends here, not a blank line.
static bool end_line(reading *r, int end) {
    bool rest = end == '\n' && r->after_return && r->column == 0;
    bool row = r->column > 0;
    r->line += !rest;
    r->after_return = end == '\r';
    return row;
}

static void count_lines(reading *r, const char *text, size_t size) {
    for (const char *at = text; (at = memchr(at, '\n', size - (size_t)(at - text))) != NULL; ++at) {
        ++r->line;
    }
}

// Cells -------------------------------------------------------------------------------------------

static bool is_missing(const char *text, size_t size) {
    static const char *const words[] = {"NA", "N/A", "NaN", "null", "None", "?", "-"};
    if (size == 0) {
        return true;
    }
    for (size_t i = 0; size <= 4 && i < sizeof(words) / sizeof(words[0]); ++i) {
        if (strlen(words[i]) == size && strncasecmp(text, words[i], size) == 0) {
            return true;
        }
    }
    return false;
}

/// Whether the text is a finite number; where commas do not part cells, they may stand before a
/// fraction.
static bool read_number(reading *r, const char *text, size_t size, double *value) {
    if (evn__read_decimal(text, size, '.', value)) {
        if (r->delimiter != ',' && r->with_point == 0 && memchr(text, '.', size)) {
            r->with_point = r->line;
        }
        return isfinite(*value);
    }
    if (r->delimiter == ',' || !evn__read_decimal(text, size, ',', value)) {
        return false;
    }
    r->with_comma = r->with_comma > 0 ? r->with_comma : r->line;
    return isfinite(*value);
}

static void note(int64_t *count, int64_t *first, int64_t row) {
    *first = *count == 0 ? row : *first;
    ++*count;
}

static void put_cell(reading *r, evn__data_column *column, const char *text, size_t size) {
    double *value = &column->values[r->row];
    if (read_number(r, text, size, value)) {
        ++column->numbers;
        return;
    }
    *value = NAN;
    if (is_missing(text, size)) {
        note(&column->missing, &column->first_missing, r->row);
    } else {
        note(&column->words, &column->first_word, r->row);
        count_lines(r, text, size);
    }
}

static evn_status put_text(reading *r, evn__data_column *column, const char *text, size_t size) {
    count_lines(r, text, size);
    if (!column->texts) {
        return EVN_OK;
    }
    char *above = r->row > 0 ? column->texts[r->row - 1] : NULL;
    if (above && strlen(above) == size && memcmp(above, text, size) == 0) {
        column->texts[r->row] = above;
        return EVN_OK;
    }
    char *copy = evn__arena_alloc(&r->table->arena, size + 1);
    EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for the texts of %s", r->table->source);
    memcpy(copy, text, size); // behind it the arena has zeros
    column->texts[r->row] = copy;
    return EVN_OK;
}

static evn_status resize(void **items, int64_t count) {
    void *grown = realloc(*items, (size_t)count * sizeof(double));
    EVN_CHECK(grown, EVN_ERR_MEMORY, "no memory for %lld rows of a table", (long long)count);
    *items = grown;
    return EVN_OK;
}

_Static_assert(sizeof(double) == sizeof(int64_t), "resize is for both");

/// Room for the row that begins, and its line.
static evn_status begin_row(reading *r) {
    evn__data_table *t = r->table;
    EVN_CHECK(r->row < EVN__TABLE_ROWS_MAX, EVN_ERR_DATA, // untested: a billion rows
              "%s has more than %d rows", t->source, EVN__TABLE_ROWS_MAX);
    if (r->row == r->row_capacity) {
        r->row_capacity = r->row_capacity > 0 ? 2 * r->row_capacity : 256;
        EVN_TRY(resize((void **)&t->lines, r->row_capacity));
        for (int i = 0; i < t->column_count; ++i) {
            EVN_TRY(resize((void **)&t->columns[i].values, r->row_capacity));
        }
    }
    t->lines[r->row] = r->line;
    return EVN_OK;
}

static void take_cell(void *cell, size_t size, void *user) {
    reading *r = user;
    int index = r->column++;
    if (r->status != EVN_OK) {
        return;
    }
    if (r->heading) {
        count_lines(r, cell, size);
        return;
    }
    if (index == 0 && !r->again) {
        r->status = begin_row(r);
    }
    if (r->status != EVN_OK || index >= r->table->column_count) {
        return; // the end of the row says that it has too many
    }
    evn__data_column *column = &r->table->columns[index];
    if (r->again) {
        r->status = put_text(r, column, cell, size);
    } else {
        put_cell(r, column, cell, size);
    }
}

static evn_status check_length(const reading *r) {
    const evn__data_table *t = r->table;
    EVN_CHECK(r->column == t->column_count, EVN_ERR_FORMAT,
              "%s, line %lld: the row has %d cells, the first one %d (parted by %s); mend it, or "
              "quote cells that have that character inside",
              t->source, (long long)t->lines[r->row], r->column, t->column_count,
              r->delimiter == ','   ? "commas"
              : r->delimiter == ';' ? "semicolons"
                                    : "tabs");
    return EVN_OK;
}

static void take_row(int end, void *user) {
    reading *r = user;
    bool heading = r->heading;
    if (!end_line(r, end)) {
        return;
    }
    r->heading = false;
    if (r->status == EVN_OK && !heading) {
        r->status = check_length(r);
        r->row += r->status == EVN_OK;
    }
    r->column = 0;
}

// All rows ----------------------------------------------------------------------------------------

/// All of the data through the parser, a piece after the other.
static evn_status feed(reading *r, struct csv_parser *parser) {
    for (size_t at = 0; at < r->size && r->status == EVN_OK; at += PIECE) {
        size_t bytes = r->size - at < PIECE ? r->size - at : PIECE;
        if (csv_parse(parser, r->data + at, bytes, take_cell, take_row, r) != bytes) {
            return r->status == EVN_OK ? fail_parsing(r, parser) : r->status;
        }
    }
    if (r->status == EVN_OK && csv_fini(parser, take_cell, take_row, r) != 0) {
        EVN_FAIL(EVN_ERR_FORMAT, "%s: the quote of the last cell is not closed", r->table->source);
    }
    return r->status;
}

static evn_status parse_quoted(reading *r) {
    struct csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL); // allocates nothing
    csv_set_delim(&parser, (unsigned char)r->delimiter);
    csv_set_realloc_func(&parser, bounded);
    evn_status status = feed(r, &parser);
    csv_free(&parser);
    return status;
}

// Without quotes ----------------------------------------------------------------------------------

/// Inside of a cell, where no delimiter is.
static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/// A cell without the spaces around it. A line of nothing else has none.
static void take_bare(reading *r, const char *at, const char *end, bool last) {
    while (at < end && is_space(*at)) {
        ++at;
    }
    while (at < end && is_space(end[-1])) {
        --end;
    }
    r->status = check_cell(r, end - at < EVN__TABLE_CELL_MAX);
    if (at < end || r->column > 0 || !last) {
        take_cell((void *)at, (size_t)(end - at), r);
    }
}

/// What libcsv would find, in half of the time for a whole file of numbers.
static evn_status parse_bare(reading *r) {
    const char *at = r->data, *end = at + r->size;
    bool ends[256] = {['\n'] = true, ['\r'] = true}, last = true;
    ends[(unsigned char)r->delimiter] = true;
    while (r->status == EVN_OK && (at < end || !last)) { // a delimiter at the end begins a cell
        const char *begin = at;
        while (at < end && !ends[(unsigned char)*at]) {
            ++at;
        }
        last = at == end || *at != r->delimiter;
        take_bare(r, begin, at, last);
        if (last) {
            take_row(at < end ? *at : '\n', r);
        }
        at += at < end;
    }
    return r->status;
}

static evn_status parse(reading *r) {
    r->line = 1;
    r->column = 0;
    r->row = 0;
    r->after_return = false;
    r->heading = r->table->has_header;
    return memchr(r->data, '"', r->size) ? parse_quoted(r) : parse_bare(r);
}

// The first row -----------------------------------------------------------------------------------

/// Cells of the first row, each ended by a NUL byte.
typedef struct head {
    reading *reading;
    evn__text cells;
    int count;
    bool complete, has_number, has_word;
} head;

static void head_cell(void *cell, size_t size, void *user) {
    head *h = user;
    double value;
    ++h->count;
    evn__text_append(&h->cells, "%s%c", (const char *)cell, 0);
    bool number = read_number(h->reading, cell, size, &value);
    h->has_number = h->has_number || number;
    h->has_word = h->has_word || (!number && !is_missing(cell, size));
}

static void head_row(int end, void *user) {
    head *h = user;
    (void)end;
    h->complete = true; // of a blank line nothing is told
}

/// Up to and with the end of the line, or all.
static size_t line_bytes(const char *text, size_t size) {
    size_t bytes = 0;
    while (bytes < size && text[bytes] != '\n' && text[bytes] != '\r') {
        ++bytes;
    }
    return bytes < size ? bytes + 1 : size;
}

/// A line at a time, up to the end of the first row.
static evn_status parse_head(reading *r, head *h) {
    struct csv_parser parser;
    csv_init(&parser, CSV_APPEND_NULL);
    csv_set_delim(&parser, (unsigned char)r->delimiter);
    csv_set_realloc_func(&parser, bounded);
    for (size_t at = 0; at < r->size && !h->complete;) {
        size_t bytes = line_bytes(r->data + at, r->size - at);
        if (csv_parse(&parser, r->data + at, bytes, head_cell, head_row, h) != bytes) {
            evn_status status = fail_parsing(r, &parser);
            csv_free(&parser);
            return status;
        }
        at += bytes;
    }
    csv_fini(&parser, head_cell, head_row, h);
    csv_free(&parser);
    return h->cells.status;
}

static evn_status name_columns(evn__data_table *t, const char *cell) {
    char own[EVN__TABLE_LABEL], shown[SHOWN];
    for (int i = 0; i < t->column_count; ++i, cell += strlen(cell) + 1) {
        evn__data_column *column = &t->columns[i];
        snprintf(own, sizeof(own), "x%d", i + 1);
        evn__printable(cell, shown, sizeof(shown));
        column->named = t->has_header && cell[0];
        EVN_CHECK(!column->named || strcmp(shown, cell) == 0, EVN_ERR_FORMAT,
                  "%s: the name of column %d, '%s', is longer than %d bytes or not UTF-8; change "
                  "it, or save the file as UTF-8",
                  t->source, i + 1, shown, SHOWN - 8);
        column->name = evn__arena_string(&t->arena, column->named ? cell : own);
        EVN_CHECK(column->name, EVN_ERR_MEMORY, "no memory for the names of columns");
        column->first_word = column->first_missing = -1;
    }
    return EVN_OK;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static evn_status check_names(const evn__data_table *t) {
    const char **names;
    EVN_TRY(EVN_NEW(&names, t->column_count));
    for (int i = 0; i < t->column_count; ++i) {
        names[i] = t->columns[i].name;
    }
    qsort(names, (size_t)t->column_count, sizeof(*names), compare_names);
    const char *twice = NULL;
    for (int i = 1; i < t->column_count; ++i) {
        twice = strcmp(names[i], names[i - 1]) == 0 ? names[i] : twice;
    }
    free(names);
    EVN_CHECK(!twice, EVN_ERR_FORMAT, "%s: two columns have the name '%s'; rename one", t->source,
              twice);
    return EVN_OK;
}

static evn_status make_columns(reading *r, const head *h) {
    evn__data_table *t = r->table;
    EVN_CHECK(h->count > 0, EVN_ERR_FORMAT, "%s is empty; it should be a CSV file", t->source);
    EVN_CHECK(h->count <= EVN__TABLE_COLUMNS_MAX, EVN_ERR_FORMAT,
              "%s has %d columns, more than the %d that there may be", t->source, h->count,
              EVN__TABLE_COLUMNS_MAX);
    t->column_count = h->count;
    t->has_header = h->has_word && !h->has_number;
    EVN_TRY(EVN_NEW(&t->columns, h->count));
    EVN_TRY(name_columns(t, h->cells.data));
    return check_names(t);
}

static evn_status read_head(reading *r) {
    head h = {.reading = r};
    evn_status status = parse_head(r, &h);
    status = status == EVN_OK ? make_columns(r, &h) : status;
    free(h.cells.data);
    r->with_point = r->with_comma = 0;
    return status;
}

// The file ----------------------------------------------------------------------------------------

/// Characters in a line, outside of quotes; *end is behind it.
static int count_in_line(const reading *r, size_t begin, char character, size_t *end) {
    int count = 0;
    bool quoted = false;
    size_t at = begin;
    for (; at < r->size && (quoted || (r->data[at] != '\n' && r->data[at] != '\r')); ++at) {
        quoted = quoted != (r->data[at] == '"');
        count += !quoted && r->data[at] == character;
    }
    *end = at + (at < r->size);
    return count;
}

/// Whether the first lines that are not blank have the same number of the character.
static bool parts_evenly(const reading *r, char character, int *count) {
    enum { LINES = 10 };
    int lines = 0;
    bool even = true;
    *count = 0;
    for (size_t at = 0, end; at < r->size && lines < LINES; at = end) {
        int here = count_in_line(r, at, character, &end);
        if (end - at > 1) {
            *count = lines == 0 ? here : *count;
            even = even && here == *count;
            ++lines;
        }
    }
    return even && *count > 0;
}

/// A comma last: it is what decimal numbers and names have inside. It parts nothing where the first
/// line has none of the three, and so one column.
static char find_delimiter(const reading *r) {
    static const char candidates[] = {'\t', ';', ','};
    char present = ',';
    bool any = false;
    for (int i = 0; i < 3; ++i) {
        int count;
        if (parts_evenly(r, candidates[i], &count)) {
            return candidates[i];
        }
        any = any || count > 0;
        present = present == ',' && count > 0 ? candidates[i] : present;
    }
    return any ? present : ';';
}

static evn_status check_text(reading *r) {
    enum { LOOKED_AT = 1 << 16 };
    static const char mark[] = "\xef\xbb\xbf";
    size_t looked_at = r->size < LOOKED_AT ? r->size : LOOKED_AT;
    EVN_CHECK(!memchr(r->data, 0, looked_at), EVN_ERR_FORMAT,
              "%s is no text in UTF-8 (it has a zero byte); save it as CSV in UTF-8",
              r->table->source);
    if (r->size >= 3 && memcmp(r->data, mark, 3) == 0) {
        r->data += 3;
        r->size -= 3;
    }
    return EVN_OK;
}

static evn_status read_texts(reading *r) {
    evn__data_table *t = r->table;
    bool any = false;
    for (int i = 0; i < t->column_count; ++i) {
        if (t->columns[i].words > 0) {
            EVN_TRY(EVN_NEW(&t->columns[i].texts, t->row_count));
            any = true;
        }
    }
    r->again = true;
    return any ? parse(r) : EVN_OK;
}

static evn_status read_all(reading *r) {
    evn__data_table *t = r->table;
    EVN_CHECK(t->source, EVN_ERR_MEMORY, "no memory for a table");
    EVN_TRY(check_text(r));
    r->delimiter = find_delimiter(r);
    EVN_TRY(read_head(r));
    EVN_TRY(parse(r));
    t->row_count = r->row;
    EVN_CHECK(t->row_count > 0, EVN_ERR_DATA, "%s has a header and no row below it", t->source);
    EVN_CHECK(r->with_point == 0 || r->with_comma == 0, EVN_ERR_FORMAT,
              "%s: line %lld has a decimal point, line %lld a decimal comma; write all numbers "
              "alike, without marks between thousands",
              t->source, (long long)r->with_point, (long long)r->with_comma);
    return read_texts(r);
}

evn_status evn__data_table_parse(const char *source, const unsigned char *data, size_t size,
                                 evn__data_table **table) {
    char shown[SHOWN];
    *table = NULL;
    EVN_TRY(EVN_NEW(table, 1));
    evn__data_table *t = *table;
    t->source = evn__arena_string(&t->arena, evn__printable(source, shown, sizeof(shown)));
    reading r = {.table = t, .data = (const char *)data, .size = size, .line = 1};
    evn_status status = read_all(&r);
    if (status != EVN_OK) {
        evn__data_table_destroy(table);
    }
    return status;
}

evn_status evn__data_table_read(const char *path, evn__data_table **table) {
    unsigned char *data;
    size_t size;
    *table = NULL;
    EVN_TRY(evn__file_read(path, &data, &size));
    evn_status status = evn__data_table_parse(path, data, size, table);
    free(data);
    return status;
}

void evn__data_table_destroy(evn__data_table **table) {
    evn__data_table *t = *table;
    if (!t) {
        return;
    }
    for (int i = 0; t->columns && i < t->column_count; ++i) {
        free(t->columns[i].values);
        free(t->columns[i].texts);
    }
    free(t->columns);
    free(t->lines);
    evn__arena_free(&t->arena);
    free(t);
    *table = NULL;
}
