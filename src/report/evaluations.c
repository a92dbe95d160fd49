// SPDX-License-Identifier: Apache-2.0
// What eval kept of runs on images.
#include "report/html.h"
#include "report/tables.h"

#include <math.h>
#include <string.h>

enum { CONFUSION_MAX = 30 }; // classes whose table is shown; the picture has the others

static const char *class_at(const json_t *classes, size_t index) {
    const char *name = json_string_value(json_object_get(json_array_get(classes, index), "class"));
    return name ? name : "";
}

static void put_share(evn__text *html, const json_t *row, const char *key) {
    evn__text_append(html, "<td>");
    evn__html_number(html, evn__number_of(row, key), "fraction");
    evn__text_append(html, "</td>");
}

static void put_classes(const json_t *classes, evn__text *html) {
    const json_t *row;
    size_t i;
    evn__text_append(html, "<div class=\"scroll\"><table>\n<tr><th>class</th><th>images</th>"
                           "<th>precision</th><th>recall</th><th>F1</th></tr>\n");
    json_array_foreach(classes, i, row) {
        evn__text_append(html, "<tr><td>");
        evn__html_text(html, class_at(classes, i));
        evn__text_append(html, "</td><td>");
        evn__html_number(html, evn__number_of(row, "count"), "count");
        evn__text_append(html, "</td>");
        put_share(html, row, "precision");
        put_share(html, row, "recall");
        put_share(html, row, "f1");
        evn__text_append(html, "</tr>\n");
    }
    evn__text_append(html, "</table></div>\n");
}

static void put_cells(const json_t *row, double of_class, evn__text *html) {
    const json_t *cell;
    size_t i;
    json_array_foreach(row, i, cell) {
        double count = json_is_number(cell) ? json_number_value(cell) : 0;
        double share = of_class > 0 ? fmin(fmax(count / of_class, 0), 1) : 0;
        evn__text_append(html, "<td style=\"background:rgba(var(--heat),%.2f)\">", 0.75 * share);
        if (count > 0) {
            evn__html_number(html, count, "count");
        }
        evn__text_append(html, "</td>");
    }
}

static void put_confusion(const json_t *classes, const json_t *confusion, evn__text *html) {
    size_t count = json_array_size(classes), i;
    const json_t *row;
    evn__text_append(html, "<p class=\"faint\">rows: true class; columns: answer</p>\n"
                           "<div class=\"scroll\"><table class=\"confusion\">\n<tr><th></th>");
    for (i = 0; i < count; ++i) {
        evn__text_append(html, "<th>");
        evn__html_text(html, class_at(classes, i));
        evn__text_append(html, "</th>");
    }
    evn__text_append(html, "</tr>\n");
    json_array_foreach(confusion, i, row) {
        evn__text_append(html, "<tr><th>");
        evn__html_text(html, class_at(classes, i));
        evn__text_append(html, "</th>");
        put_cells(row, evn__number_of(json_array_get(classes, i), "count"), html);
        evn__text_append(html, "</tr>\n");
    }
    evn__text_append(html, "</table></div>\n");
}

static void put_bins(const json_t *bins, evn__text *html) {
    const json_t *bin;
    size_t i;
    evn__text_append(html, "<div class=\"scroll\"><table>\n<tr><th>probability</th><th>images</th>"
                           "<th>on average</th><th>right</th></tr>\n");
    json_array_foreach(bins, i, bin) {
        if (evn__number_of(bin, "count") > 0) {
            evn__text_append(html, "<tr><td>%.0f to %.0f %%</td><td>%.0f</td>",
                             100 * evn__number_of(bin, "from"), 100 * evn__number_of(bin, "to"),
                             evn__number_of(bin, "count"));
            put_share(html, bin, "confidence");
            put_share(html, bin, "accuracy");
            evn__text_append(html, "</tr>\n");
        }
    }
    evn__text_append(html, "</table></div>\n");
}

static void put_calibration(const json_t *calibration, evn__text *html) {
    static const char *const keys[][2] = {{"expected_error", "expected calibration error"},
                                          {"brier", "Brier score"},
                                          {"negative_log_likelihood", "negative log-likelihood"}};
    evn__text_append(html, "<p>");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); ++i) {
        evn__text_append(html, "%s%s %.4g", i ? ", " : "", keys[i][1],
                         evn__number_of(calibration, keys[i][0]));
    }
    evn__text_append(html, "</p>\n");
}

/// How a run on images comes to be evaluated.
static void put_advice(const evn__reported *run, evn__text *html) {
    if (!isnan(evn__number_of(run->summary, "test_accuracy"))) {
        evn__text_append(html, "<p class=\"faint\">evonode eval ");
        evn__html_text(html, run->folder);
        evn__text_append(html, " tells its classes apart</p>\n");
    }
}

void evn__tables_put_evaluations(const evn__reported *runs, int count, evn__text *html) {
    for (int i = 0; i < count; ++i) {
        const json_t *classes = json_object_get(runs[i].evaluation, "classes");
        const json_t *confusion = json_object_get(runs[i].evaluation, "confusion");
        if (json_array_size(classes) == 0) {
            put_advice(&runs[i], html);
            continue;
        }
        evn__text_append(html, "<h2>Answers on the test part%s", count > 1 ? ": " : "");
        evn__html_text(html, count > 1 ? runs[i].folder : "");
        evn__text_append(html, "</h2>\n");
        put_calibration(json_object_get(runs[i].evaluation, "calibration"), html);
        if (json_array_size(classes) <= CONFUSION_MAX) {
            put_confusion(classes, confusion, html);
        }
        evn__text_append(html, "<details id=\"classes-%d\"><summary>Classes</summary>\n", i);
        put_classes(classes, html);
        evn__text_append(html,
                         "</details>\n<details id=\"bins-%d\"><summary>Reliability</summary>\n", i);
        put_bins(json_object_get(json_object_get(runs[i].evaluation, "calibration"), "bins"), html);
        evn__text_append(html, "</details>\n");
    }
}
