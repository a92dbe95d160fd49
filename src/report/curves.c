// SPDX-License-Identifier: Apache-2.0
#include "report/curves.h"

#include "base/json.h"
#include "report/chart.h"
#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 32, NAME = 96, LABEL = 256, MARKS_MAX = 64, FIRST = 4 };

/// Which chart a metric belongs to, by how its name begins; what is left of it is the chart's name.
static const struct {
    const char *prefix, *line, *chart;
    bool dashed;
} families[] = {
    {"train_", "training", "", true},
    {"test_", "test", "", false},
    {"own_", "the phase's solver", "switch ", true},
    {"next_", "the next phase's", "switch ", false},
    {"nfe_forward", "forward", "NFE", false},
    {"nfe_backward", "backward", "NFE", true},
    {"x_", "x", "", false},
    {"theta_", "theta", "", true},
    {"", "", "", false}, // any other is alone
};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

/// What is no course of anything.
static bool is_plain(const char *name) {
    static const char *const names[] = {"epoch",  "phase",       "phase_name",
                                        "switch", "train_count", "test_count"};
    bool plain = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        plain = plain || strcmp(names[i], name) == 0;
    }
    return plain;
}

static int family_of(const char *name) {
    int i = 0;
    while (strncmp(name, families[i].prefix, strlen(families[i].prefix)) != 0) {
        ++i;
    }
    return i;
}

/// "test_accuracy" → "accuracy".
static const char *chart_of(const char *name, char chart[NAME]) {
    int family = family_of(name);
    int used = snprintf(chart, NAME, "%s%s", families[family].chart,
                        name + strlen(families[family].prefix));
    for (int i = 0; i < used && i < NAME; ++i) {
        chart[i] = chart[i] == '_' ? ' ' : chart[i];
    }
    return chart;
}

/// The metrics of all runs in the order in which they come: an object whose keys they are.
static json_t *find_metrics(const evn__reported *runs, int count) {
    json_t *names = json_object(), *line, *value;
    const char *name;
    size_t k;
    for (int i = 0; i < count; ++i) {
        json_array_foreach(runs[i].lines, k, line) {
            json_object_foreach(line, name, value) {
                if (json_is_number(value) && !is_plain(name)) {
                    evn__json_put(names, name, json_true());
                }
            }
        }
    }
    return names;
}

// One chart ---------------------------------------------------------------------------------------

typedef struct drawing {
    const evn__reported *runs;
    int run_count;
    evn__chart_line lines[LINES_MAX];
    char labels[LINES_MAX][LABEL];
    int count;
    double marks[MARKS_MAX]; ///< where the phases of the only run begin
    int mark_count;
    evn_status status;
} drawing;

static void add_line(drawing *d, int run, const char *metric, const char *chart) {
    const evn__reported *of = &d->runs[run];
    int family = family_of(metric), count = (int)json_array_size(of->lines);
    double *points = NULL;
    if (d->count == LINES_MAX || count == 0 || d->status != EVN_OK) {
        return;
    }
    d->status = EVN_NEW(&points, 2 * count);
    for (int i = 0; i < count && points; ++i) {
        const json_t *line = json_array_get(of->lines, (size_t)i);
        points[i] = evn__number_of(line, "epoch") + 1;
        points[count + i] = evn__number_of(line, metric);
    }
    bool alone = d->run_count == 1;
    const char *what = families[family].line;
    snprintf(d->labels[d->count], LABEL, "%s%s%s", alone ? "" : of->folder,
             alone || !what[0] ? "" : ", ", alone && !what[0] ? chart : what);
    d->lines[d->count] = (evn__chart_line){.label = d->labels[d->count],
                                           .colour = alone ? d->count : run,
                                           .dashed = families[family].dashed,
                                           .x = points,
                                           .y = points ? points + count : NULL,
                                           .count = points ? count : 0};
    d->count += points != NULL;
}

static void find_marks(drawing *d) {
    const json_t *line;
    size_t i;
    double phase = 0;
    json_array_foreach(d->runs[0].lines, i, line) {
        double now = evn__number_of(line, "phase");
        if (now != phase && d->run_count == 1 && d->mark_count < MARKS_MAX) {
            d->marks[d->mark_count++] = evn__number_of(line, "epoch") + 0.5;
        }
        phase = now;
    }
}

static void put_chart(const evn__reported *runs, int run_count, json_t *metrics, const char *chart,
                      evn__text *html) {
    drawing *d = NULL;
    const char *metric;
    json_t *unused;
    char of[NAME];
    html->status = html->status == EVN_OK ? EVN_NEW(&d, 1) : html->status;
    if (!d) {
        return;
    }
    d->runs = runs;
    d->run_count = run_count;
    json_object_foreach(metrics, metric, unused) {
        for (int i = 0; i < run_count && strcmp(chart_of(metric, of), chart) == 0; ++i) {
            add_line(d, i, metric, chart);
        }
    }
    find_marks(d);
    const evn__chart c = {
        chart, evn__reported_step(runs, run_count), d->lines, d->count, d->marks, d->mark_count};
    evn__chart_put(&c, html);
    for (int i = 0; i < d->count; ++i) {
        free((double *)d->lines[i].x);
    }
    html->status = html->status == EVN_OK ? d->status : html->status;
    free(d);
}

// All of them -------------------------------------------------------------------------------------

/// The names of the charts, keys of an object in order.
static json_t *find_charts(json_t *metrics) {
    json_t *charts = json_object(), *unused;
    const char *metric;
    char chart[NAME];
    json_object_foreach(metrics, metric, unused) {
        evn__json_put(charts, chart_of(metric, chart), json_true());
    }
    return charts;
}

void evn__curves_put(const evn__reported *runs, int count, evn__text *html) {
    json_t *metrics = find_metrics(runs, count), *charts = find_charts(metrics), *unused;
    const char *chart;
    size_t longest = 0;
    int shown = 0;
    for (int i = 0; i < count; ++i) {
        size_t lines = json_array_size(runs[i].lines);
        longest = lines > longest ? lines : longest;
    }
    if (longest >= 2) {
        evn__text_append(html, "<h2>Course of training</h2>\n<div class=\"grid\">\n");
        json_object_foreach(charts, chart, unused) {
            if (shown++ == FIRST) {
                evn__text_append(html, "</div>\n<details id=\"curves\"><summary>More curves"
                                       "</summary>\n<div class=\"grid\">\n");
            }
            put_chart(runs, count, metrics, chart, html);
        }
        evn__text_append(html, "</div>\n%s", shown > FIRST ? "</details>\n" : "");
    }
    json_decref(charts);
    json_decref(metrics);
}
