// SPDX-License-Identifier: Apache-2.0
// Columns of a table by their names, and what their cells have to be.
#include "data/table.h"

#include "base/names.h"
#include "base/number.h"
#include <csv.h>
#include <math.h>
#include <string.h>

enum { SHOWN = 96, LIST = 512 };

int evn__data_table_find(const evn__data_table *table, const char *name) {
    for (int i = 0; i < table->column_count; ++i) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/// "width, height, …" into `list`; returns it.
static const char *list_names(const evn__data_table *table, char list[LIST]) {
    size_t used = 0;
    list[0] = 0;
    for (int i = 0; i < table->column_count; ++i) {
        const char *name = table->columns[i].name;
        bool fits = used + strlen(name) + 8 < LIST;
        used += (size_t)evn__print(list + used, LIST - used, "%s%s", i > 0 ? ", " : "",
                                   fits ? name : "…");
        if (!fits) {
            break;
        }
    }
    return list;
}

// Lists of names ----------------------------------------------------------------------------------

typedef struct selection {
    const evn__data_table *table;
    const char *option;
    int *columns, count;
    evn_status status;
} selection;

static evn_status add(selection *s, const char *name) {
    char list[LIST], shown[SHOWN];
    int column = evn__data_table_find(s->table, name);
    EVN_CHECK(column >= 0, EVN_ERR_DATA, "%s has no column '%s' (%s); it has %s", s->table->source,
              evn__printable(name, shown, sizeof(shown)), s->option, list_names(s->table, list));
    for (int i = 0; i < s->count; ++i) {
        EVN_CHECK(s->columns[i] != column, EVN_ERR_USAGE, "%s has '%s' twice", s->option, name);
    }
    s->columns[s->count++] = column;
    return EVN_OK;
}

static void take_name(void *cell, size_t size, void *user) {
    selection *s = user;
    (void)size;
    if (s->status == EVN_OK) {
        s->status = add(s, cell);
    }
}

evn_status evn__data_table_select(const evn__data_table *table, const char *option,
                                  const char *names, int *columns, int *count) {
    struct csv_parser parser;
    selection s = {.table = table, .option = option, .columns = columns};
    csv_init(&parser, CSV_APPEND_NULL); // allocates nothing
    bool whole = csv_parse(&parser, names, strlen(names), take_name, NULL, &s) == strlen(names);
    csv_fini(&parser, take_name, NULL, &s);
    csv_free(&parser);
    EVN_CHECK(whole, EVN_ERR_MEMORY, "no memory for the names of %s", option); // nothing else fails
    EVN_CHECK(s.status != EVN_OK || s.count > 0, EVN_ERR_USAGE, "%s names no column", option);
    *count = s.count;
    return s.status;
}

// Cells -------------------------------------------------------------------------------------------

evn_status evn__data_table_check_numbers(const evn__data_table *table, int column) {
    const evn__data_column *c = &table->columns[column];
    char shown[SHOWN];
    EVN_CHECK(c->words == 0 || c->numbers > 0, EVN_ERR_DATA,
              "%s: the column '%s' has words, such as '%s', and no numbers; name other columns",
              table->source, c->name,
              evn__printable(c->texts[c->first_word], shown, sizeof(shown)));
    EVN_CHECK(c->words == 0, EVN_ERR_DATA,
              "%s, line %lld, column '%s': '%s' is not a finite number; mend it, or name other "
              "columns",
              table->source, (long long)table->lines[c->first_word], c->name,
              evn__printable(c->texts[c->first_word], shown, sizeof(shown)));
    return EVN_OK;
}

const char *evn__data_table_label(const evn__data_table *table, int64_t row, int column,
                                  char label[EVN__TABLE_LABEL]) {
    const evn__data_column *c = &table->columns[column];
    if (c->texts) {
        return c->texts[row];
    }
    label[0] = 0;
    if (!isnan(c->values[row])) {
        evn__print(label, EVN__TABLE_LABEL, "%.17g", c->values[row]);
    }
    return label;
}
