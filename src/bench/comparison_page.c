// SPDX-License-Identifier: Apache-2.0
// A comparison as one HTML document.
#include "bench/comparison.h"

#include "bench/rows.h"
#include "report/bars.h"
#include "report/document.h"
#include "report/html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Which results -----------------------------------------------------------------------------------

static void put_member(const json_t *object, const char *name, evn__text *html) {
    evn__text_append(html, "<td>");
    evn__html_value(html, json_object_get(object, name));
    evn__text_append(html, "</td>");
}

static void put_rate(double value, const char *unit, evn__text *html) {
    if (isfinite(value)) {
        evn__text_append(html, "<td>%.4g %s</td>", 1e-9 * value, unit);
    } else {
        evn__text_append(html, "<td>–</td>");
    }
}

static void put_selftest(const json_t *about, evn__text *html) {
    const json_t *wrong = json_object_get(json_object_get(about, "selftest"), "wrong");
    bool good = json_integer_value(wrong) == 0;
    evn__text_append(html, !wrong ? "<td>not run</td>"
                           : good ? "<td>all right</td>"
                                  : "<td class=\"worse\">wrong results</td>");
}

static void put_results(const evn__bench_comparison *c, evn__text *html) {
    evn__text_append(
        html,
        "<div class=\"scroll\"><table class=\"texts\">\n<tr><th></th><th>device</th><th>driver"
        "</th><th>platform</th><th>evonode</th><th>date</th><th>power</th>"
        "<th>multiply-add</th><th>memory</th><th>self-test</th><th>file</th>"
        "</tr>\n");
    for (int k = 0; k < c->count; ++k) {
        const json_t *about = c->records[k].about, *device = json_object_get(about, "device");
        evn__text_append(html, "<tr><td>%s</td>", evn__bench_comparison_letter(k));
        put_member(device, "name", html);
        put_member(device, "driver", html);
        put_member(device, "platform", html);
        put_member(about, "evonode", html);
        put_member(about, "date", html);
        put_member(json_object_get(about, "power"), "source", html);
        put_rate(c->records[k].limits.flops, "GF/s", html);
        put_rate(c->records[k].limits.bytes, "GB/s", html);
        put_selftest(about, html);
        evn__text_append(html, "<td class=\"wide\">");
        evn__html_text(html, c->paths[k]);
        evn__text_append(html, "</td></tr>\n");
    }
    evn__text_append(html, "</table></div>\n");
}

// Charts ------------------------------------------------------------------------------------------

/// The rows of a group, all results or all but the first.
typedef struct selection {
    const char **names, **labels;
    evn__bar *bars;
    int rows;
} selection;

static evn__bar ratio_bar(const evn__bench_cell *cell) {
    return (evn__bar){cell->ratio, cell->low, cell->high};
}

static evn__bar share_bar(const evn__bench_cell *cell) {
    double share = cell->row ? cell->row->fraction : NAN;
    return (evn__bar){share, NAN, NAN};
}

static evn_status select_rows(const evn__bench_comparison *c, const char *group, int first,
                              evn__bar (*bar)(const evn__bench_cell *), selection *s) {
    int count = c->count - first;
    EVN_TRY(EVN_NEW(&s->names, c->row_count));
    EVN_TRY(EVN_NEW(&s->labels, count + 1));
    EVN_TRY(EVN_NEW(&s->bars, c->row_count * count + 1));
    for (int k = 0; k < count; ++k) {
        s->labels[k] = evn__bench_comparison_letter(first + k);
    }
    for (int i = 0; i < c->row_count; ++i) {
        const evn__bench_result *row = evn__bench_comparison_row(c, i);
        if (strcmp(row->group, group) != 0) {
            continue;
        }
        for (int k = 0; k < count; ++k) {
            s->bars[s->rows * count + k] = bar(&c->cells[i * c->count + first + k]);
        }
        s->names[s->rows++] = row->name;
    }
    return EVN_OK;
}

static void put_chart(const evn__bench_comparison *c, const char *group, bool ratios,
                      evn__text *html) {
    selection s = {0};
    int first = ratios ? 1 : 0;
    evn_status status = select_rows(c, group, first, ratios ? ratio_bar : share_bar, &s);
    evn__text title = {0};
    evn__text_append(&title, "%s: %s", group, ratios ? "times as fast as A" : "share of the limit");
    const evn__bars bars = {title.data ? title.data : "",
                            s.names,
                            s.labels,
                            s.bars,
                            s.rows,
                            c->count - first,
                            first,
                            ratios ? 1 : NAN,
                            !ratios};
    if (status == EVN_OK && s.rows > 0) {
        evn__bars_put(&bars, html);
    }
    html->status = html->status == EVN_OK ? status : html->status;
    evn__text_need(html, &title);
    free(title.data);
    free(s.names);
    free(s.labels);
    free(s.bars);
}

static void put_charts(const evn__bench_comparison *c, evn__text *html) {
    if (c->count > 1) {
        evn__text_append(html, "<h2>Speed</h2>\n<p class=\"faint\">Above 1 is faster than A; the "
                               "thin line is the spread.</p>\n<div class=\"grid\">\n");
        for (int g = 0; evn__bench_group_name(g); ++g) {
            put_chart(c, evn__bench_group_name(g), true, html);
        }
        evn__text_append(html, "</div>\n");
    }
    evn__text_append(html,
                     "<h2>Share of each device's own limit</h2>\n<p class=\"faint\">The larger of "
                     "arithmetic and memory traffic, in single precision. Winograd's convolutions "
                     "multiply less than is counted, and what stays in a cache is faster than "
                     "memory: both can pass 100 %%.</p>\n<div class=\"grid\">\n");
    put_chart(c, evn__bench_group_name(EVN__BENCH_KERNELS), false, html);
    evn__text_append(html, "</div>\n");
}

// The table ---------------------------------------------------------------------------------------

typedef struct table {
    evn__text *html;
    int columns, at;
} table;

static void add_cell(void *user, const char *text) {
    table *t = user;
    const char *tag = t->at < t->columns ? "th" : "td";
    const char *class = strcmp(text, "faster") == 0 ? " class=\"best\""
                        : strcmp(text, "REGRESSION") == 0 || strcmp(text, "failed") == 0
                            ? " class=\"worse\""
                            : "";
    evn__text_append(t->html, "%s<%s%s>", t->at % t->columns == 0 ? "<tr>" : "", tag, class);
    evn__html_text(t->html, text);
    ++t->at;
    evn__text_append(t->html, "</%s>%s", tag, t->at % t->columns == 0 ? "</tr>\n" : "");
}

static void put_table(const evn__bench_comparison *c, evn__text *html) {
    table t = {html, 0, 0};
    evn__text_append(html, "<h2>All rows</h2>\n<div class=\"scroll\"><table>\n");
    evn__bench_comparison_cells(c, &t.columns, add_cell, &t);
    evn__text_append(html, "</table></div>\n");
}

static void put_reasons(const evn__bench_comparison *c, evn__text *html) {
    for (int i = 0; i < c->row_count * c->count; ++i) {
        const evn__bench_result *row = c->cells[i].row;
        if (row && row->time.count == 0) {
            evn__text_append(html, "<p>%s, ", evn__bench_comparison_letter(i % c->count));
            evn__html_text(html, row->name);
            evn__text_append(html, ": not measured: ");
            evn__html_text(html, row->reason);
            evn__text_append(html, "</p>\n");
        }
    }
}

void evn__bench_comparison_page(const evn__bench_comparison *comparison, evn__text *html) {
    evn__document_begin("Benchmarks", "", html);
    evn__text_append(html, "<main>\n<h1>Benchmarks</h1>\n");
    put_results(comparison, html);
    put_charts(comparison, html);
    put_table(comparison, html);
    put_reasons(comparison, html);
    evn__text_append(html, "</main>\n");
    evn__document_end(NULL, html);
}
