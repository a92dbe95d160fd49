// SPDX-License-Identifier: Apache-2.0
// A comparison as text: the cells of its table.
#include "bench/comparison.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>

enum { CELL = 96 };

const char *evn__bench_comparison_letter(int index) {
    static const char letters[] = "A\0B\0C\0D\0E\0F\0G\0H\0I\0J\0K\0L\0M\0N\0O\0P\0Q\0R\0S\0T\0U\0"
                                  "V\0W\0X\0Y\0Z";
    return index < 26 ? letters + 2 * index : "+";
}

void evn__bench_comparison_describe(const evn__bench_comparison *comparison, int index,
                                    evn__text *line) {
    const json_t *about = comparison->records[index].about;
    const json_t *device = json_object_get(about, "device");
    const char *driver = json_string_value(json_object_get(device, "driver"));
    const char *version = json_string_value(json_object_get(about, "evonode"));
    const char *date = json_string_value(json_object_get(about, "date"));
    evn__text_append(line, "%s: %s, driver %s; evonode %s, %s%s", comparison->paths[index],
                     evn__bench_record_device(&comparison->records[index]), driver ? driver : "–",
                     version ? version : "–", date ? date : "–",
                     json_is_true(json_object_get(about, "quick")) ? ", quick" : "");
}

typedef struct writer {
    void (*add)(void *user, const char *text);
    void *user;
    int count;
} writer;

static void put(writer *w, const char *text) {
    w->add(w->user, text);
    ++w->count;
}

static void put_header(const evn__bench_comparison *c, writer *w) {
    static const char *const heads[] = {"%s ms", "%s of limit", "%s difference"};
    char cell[CELL];
    put(w, "row");
    for (int k = 0; k < c->count; ++k) {
        snprintf(cell, sizeof(cell), heads[0], evn__bench_comparison_letter(k));
        put(w, cell);
        if (k > 0) {
            snprintf(cell, sizeof(cell), "A/%s", evn__bench_comparison_letter(k));
            put(w, cell);
            put(w, "spread");
            put(w, "");
        }
    }
    for (int h = 1; h < 3; ++h) {
        for (int k = 0; k < c->count; ++k) {
            snprintf(cell, sizeof(cell), heads[h], evn__bench_comparison_letter(k));
            put(w, cell);
        }
    }
}

static void put_number(writer *w, const char *format, double value) {
    char cell[CELL];
    evn__print(cell, sizeof(cell), format, value);
    put(w, isnan(value) ? "–" : cell);
}

static const char *verdict_of(const evn__bench_cell *cell) {
    static const char *const names[] = {"", "same", "faster", "slower", "failed"};
    return cell->regression ? "REGRESSION" : names[cell->verdict];
}

static void put_ratio(const evn__bench_cell *cell, writer *w) {
    char text[CELL];
    put_number(w, "%.2f", cell->ratio);
    evn__print(text, sizeof(text), "%.2f-%.2f", cell->low, cell->high);
    put(w, isnan(cell->ratio) ? "" : text);
    put(w, verdict_of(cell));
}

static void put_row(const evn__bench_comparison *c, int row, writer *w) {
    const evn__bench_cell *cells = &c->cells[row * c->count];
    put(w, evn__bench_comparison_row(c, row)->name);
    for (int k = 0; k < c->count; ++k) {
        bool measured = cells[k].row && cells[k].row->time.count > 0;
        put_number(w, "%.4g", measured ? 1e3 * cells[k].row->time.median : NAN);
        if (k > 0) {
            put_ratio(&cells[k], w);
        }
    }
    for (int k = 0; k < c->count; ++k) {
        put_number(w, "%.0f %%", cells[k].row ? 100 * cells[k].row->fraction : NAN);
    }
    for (int k = 0; k < c->count; ++k) {
        put_number(w, "%.0e", cells[k].row ? cells[k].row->difference : NAN);
    }
}

static void put_means(const evn__bench_comparison *c, int columns, writer *w) {
    int begun = w->count;
    put(w, "geometric mean, without the limits");
    for (int k = 0; k < c->count; ++k) {
        put(w, "");
        if (k > 0) {
            put_number(w, "%.2f", evn__bench_comparison_mean(c, k));
            put(w, "");
            put(w, "");
        }
    }
    while (w->count - begun < columns) {
        put(w, "");
    }
}

void evn__bench_comparison_cells(const evn__bench_comparison *comparison, int *columns,
                                 void (*add)(void *user, const char *text), void *user) {
    writer w = {add, user, 0};
    *columns = 1 + 3 * comparison->count + 3 * (comparison->count - 1);
    put_header(comparison, &w);
    for (int i = 0; i < comparison->row_count; ++i) {
        put_row(comparison, i, &w);
    }
    put_means(comparison, *columns, &w);
}
