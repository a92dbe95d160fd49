// SPDX-License-Identifier: Apache-2.0
#include "io/metrics_table.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct evn__metrics_table {
    char *path;
    int file;        ///< open for appending
    json_t *columns; ///< object whose keys they are, in order
};

// Text --------------------------------------------------------------------------------------------

/// Quoted where it has to be (RFC 4180).
static void put_text(evn__text *text, const char *value) {
    if (!strpbrk(value, ",\"\r\n")) {
        evn__text_append(text, "%s", value);
        return;
    }
    evn__text_append(text, "\"");
    for (; *value; ++value) {
        evn__text_append(text, *value == '"' ? "\"\"" : "%c", *value);
    }
    evn__text_append(text, "\"");
}

/// Numbers are those of metrics.jsonl to the last digit.
static void put_value(evn__text *text, const json_t *value) {
    if (json_is_string(value)) {
        put_text(text, json_string_value(value));
    } else if (value && !json_is_null(value)) {
        evn__text number = {0};
        evn__json_show(value, 0, 9, &number);
        put_text(text, number.data ? number.data : "");
        evn__text_need(text, &number);
        free(number.data);
    }
}

static void put_line(evn__text *text, json_t *columns, const json_t *line) {
    const char *name;
    json_t *unused;
    const char *between = "";
    json_object_foreach(columns, name, unused) {
        evn__text_append(text, "%s", between);
        if (line) {
            put_value(text, json_object_get(line, name));
        } else {
            put_text(text, name);
        }
        between = ",";
    }
    evn__text_append(text, *between ? "\n" : "");
}

/// The keys of all lines, in the order in which they come.
static json_t *find_columns(const json_t *lines) {
    json_t *columns = json_object(), *line;
    size_t i;
    json_array_foreach(lines, i, line) {
        evn__json_put_missing(columns, line);
    }
    return columns;
}

// The file ----------------------------------------------------------------------------------------

static evn_status write_all(const evn__metrics_table *table, const json_t *lines) {
    evn__text text = {0};
    const json_t *line;
    size_t i;
    put_line(&text, table->columns, NULL);
    json_array_foreach(lines, i, line) {
        put_line(&text, table->columns, line);
    }
    evn_status status = text.status;
    if (status == EVN_OK) {
        status = evn__file_write_own(table->path, text.data, text.size);
    }
    free(text.data);
    return status;
}

static evn_status create(evn__metrics_table *table, const char *path, const json_t *lines) {
    table->path = strdup(path);
    table->columns = find_columns(lines);
    EVN_TRY(evn__json_check());
    EVN_CHECK(table->path && table->columns, EVN_ERR_MEMORY, "no memory for the table %s", path);
    EVN_TRY(write_all(table, lines));
    EVN_RETRY(table->file, open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
    EVN_CHECK(table->file >= 0, EVN_ERR_OUTPUT, "cannot write %s: %s; check the folder", path,
              strerror(errno));
    return EVN_OK;
}

evn_status evn__metrics_table_create(const char *path, const json_t *lines,
                                     evn__metrics_table **table) {
    EVN_TRY(EVN_NEW(table, 1));
    (*table)->file = -1;
    evn_status status = create(*table, path, lines);
    if (status != EVN_OK) {
        evn__metrics_table_destroy(table);
    }
    return status;
}

void evn__metrics_table_destroy(evn__metrics_table **table) {
    evn__metrics_table *t = *table;
    if (!t) {
        return;
    }
    if (t->file >= 0) {
        close(t->file);
    }
    json_decref(t->columns);
    free(t->path);
    free(t);
    *table = NULL;
}

bool evn__metrics_table_fits(const evn__metrics_table *table, const json_t *line) {
    const char *name;
    json_t *unused;
    bool fits = true;
    json_object_foreach((json_t *)line, name, unused) {
        fits = fits && json_object_get(table->columns, name);
    }
    return fits;
}

evn_status evn__metrics_table_add(evn__metrics_table *table, const json_t *line) {
    evn__text text = {0};
    put_line(&text, table->columns, line);
    evn_status status = text.status;
    if (status == EVN_OK) {
        status = evn__file_append(table->file, table->path, text.data, text.size);
    }
    free(text.data);
    return status;
}

evn_status evn__metrics_table_flush(const evn__metrics_table *table) {
    return evn__file_sync(table->file, table->path);
}
