// SPDX-License-Identifier: Apache-2.0
#include "report/tables.h"

#include "base/json.h"
#include "report/html.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_folders(const evn__reported *runs, int count, evn__text *html) {
    evn__text_append(html, "<div class=\"scroll\"><table>\n<tr><th></th>");
    for (int i = 0; i < count; ++i) {
        evn__text_append(html, "<th>");
        evn__html_text(html, runs[i].folder);
        evn__text_append(html, "</th>");
    }
    evn__text_append(html, "</tr>\n");
}

static void put_name(evn__text *html, const char *name) {
    char *shown = strdup(name);
    for (char *at = shown; at && *at; ++at) {
        *at = *at == '_' ? ' ' : *at;
    }
    evn__text_append(html, "<tr><td>");
    evn__html_text(html, shown ? shown : name);
    evn__text_append(html, "</td>");
    free(shown);
}

// Results -----------------------------------------------------------------------------------------

static const json_t *member(const json_t *object, const char *a, const char *b) {
    return json_object_get(json_object_get(object, a), b);
}

static const char *text_of(const json_t *value) {
    const char *text = json_string_value(value);
    return text ? text : "";
}

/// Nothing where no run has it.
static void put_row(const evn__reported *runs, int count, const char *name,
                    const json_t *(*find)(const evn__reported *run), evn__text *html) {
    bool any = false;
    for (int i = 0; i < count; ++i) {
        any = any || json_is_string(find(&runs[i]));
    }
    if (!any) {
        return;
    }
    put_name(html, name);
    for (int i = 0; i < count; ++i) {
        evn__text_append(html, "<td>");
        evn__html_value(html, find(&runs[i]));
        evn__text_append(html, "</td>");
    }
    evn__text_append(html, "</tr>\n");
}

static const json_t *find_task(const evn__reported *run) {
    return json_object_get(run->run, "task");
}

static const json_t *find_model(const evn__reported *run) {
    return member(run->run, "options", "model");
}

static const json_t *find_network(const evn__reported *run) {
    return member(run->run, "options", "network");
}

static const json_t *find_data(const evn__reported *run) {
    return member(run->run, "options", "data");
}

static const json_t *find_device(const evn__reported *run) {
    return member(run->run, "device", "name");
}

static void put_state(const evn__reported *runs, int count, evn__text *html) {
    char steps[32];
    put_name(html, "state");
    for (int i = 0; i < count; ++i) {
        evn__text_append(html, "<td>%s</td>", runs[i].summary ? "finished" : "not finished");
    }
    evn__text_append(html, "</tr>\n");
    snprintf(steps, sizeof(steps), "%ss", evn__reported_step(runs, count));
    put_name(html, steps);
    for (int i = 0; i < count; ++i) {
        size_t lines = json_array_size(runs[i].lines);
        const json_t *last = lines ? json_array_get(runs[i].lines, lines - 1) : NULL;
        evn__text_append(html, "<td>");
        evn__html_number(html, evn__number_of(last, "epoch") + 1, "count");
        evn__text_append(html, "</td>");
    }
    evn__text_append(html, "</tr>\n");
}

/// What is known of a run's metric: of the finished run, else of its last line.
static double value_of(const evn__reported *run, const char *metric) {
    size_t lines = json_array_size(run->lines);
    const json_t *last = lines ? json_array_get(run->lines, lines - 1) : NULL;
    return evn__number_of(run->summary ? run->summary : last, metric);
}

/// Unit and direction of a metric, which a finished run has.
static const json_t *meaning_of(const evn__reported *runs, int count, const char *metric) {
    const json_t *meaning = NULL;
    for (int i = 0; i < count && !meaning; ++i) {
        meaning = member(runs[i].summary, "metrics", metric);
    }
    return meaning;
}

/// What a metric of a run that is not finished, whose lines have no units, is in.
static const char *likely_unit(const char *metric) {
    static const struct {
        const char *end, *unit;
    } ends[] = {{"_accuracy", "fraction"},
                {"_errors", "count"},
                {"_count", "count"},
                {"_bytes", "bytes"},
                {"seconds", "s"}};
    size_t length = strlen(metric);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); ++i) {
        size_t size = strlen(ends[i].end);
        if (length >= size && strcmp(metric + length - size, ends[i].end) == 0) {
            return ends[i].unit;
        }
    }
    return "";
}

static bool is_one_task(const evn__reported *runs, int count) {
    bool one = true;
    for (int i = 1; i < count; ++i) {
        one = one && strcmp(text_of(find_task(&runs[i])), text_of(find_task(&runs[0]))) == 0;
    }
    return one;
}

/// The best value of the runs; NaN where no way is better, or there is one run, or they do not do
/// the same.
static double best_of(const evn__reported *runs, int count, const char *metric,
                      const char *better) {
    double best = NAN;
    bool compared = count > 1 && better[0] && is_one_task(runs, count);
    for (int i = 0; i < count && compared; ++i) {
        double value = value_of(&runs[i], metric);
        bool lower = strcmp(better, "lower") == 0;
        if (!isnan(value) && (isnan(best) || (lower ? value < best : value > best))) {
            best = value;
        }
    }
    return best;
}

static void put_metric(const evn__reported *runs, int count, const char *metric, evn__text *html) {
    const json_t *meaning = meaning_of(runs, count, metric);
    const char *unit = meaning ? text_of(json_object_get(meaning, "unit")) : likely_unit(metric);
    double best = best_of(runs, count, metric, text_of(json_object_get(meaning, "better")));
    put_name(html, metric);
    for (int i = 0; i < count; ++i) {
        double value = value_of(&runs[i], metric);
        evn__text_append(html, "<td%s>", value == best ? " class=\"best\"" : "");
        evn__html_number(html, value, unit);
        evn__text_append(html, "</td>");
    }
    evn__text_append(html, "</tr>\n");
}

/// The metrics of all summaries, or of the last lines, in order.
static json_t *find_metrics(const evn__reported *runs, int count) {
    json_t *names = json_object(), *value;
    const char *name;
    for (int i = 0; i < count; ++i) {
        size_t lines = json_array_size(runs[i].lines);
        json_t *from = runs[i].summary;
        from = from ? from : lines ? json_array_get(runs[i].lines, lines - 1) : NULL;
        json_object_foreach(from, name, value) {
            bool place = strcmp(name, "epoch") == 0 || strcmp(name, "phase") == 0;
            if (json_is_number(value) && !place) {
                evn__json_put(names, name, json_true());
            }
        }
    }
    return names;
}

void evn__tables_put_results(const evn__reported *runs, int count, evn__text *html) {
    json_t *metrics = find_metrics(runs, count), *unused;
    const char *name;
    put_folders(runs, count, html);
    put_row(runs, count, "task", find_task, html);
    put_row(runs, count, "model", find_model, html);
    put_row(runs, count, "network", find_network, html);
    put_row(runs, count, "data", find_data, html);
    put_row(runs, count, "device", find_device, html);
    put_state(runs, count, html);
    json_object_foreach(metrics, name, unused) {
        put_metric(runs, count, name, html);
    }
    evn__text_append(html, "</table></div>\n");
    json_decref(metrics);
}

// Settings ----------------------------------------------------------------------------------------

static json_t *find_options(const evn__reported *runs, int count) {
    json_t *names = json_object(), *value;
    const char *name;
    for (int i = 0; i < count; ++i) {
        json_object_foreach(json_object_get(runs[i].run, "options"), name, value) {
            if (!json_is_null(value) && !json_is_false(value)) {
                evn__json_put(names, name, json_true());
            }
        }
    }
    return names;
}

static bool differs(const evn__reported *runs, int count, const char *option) {
    const json_t *first = member(runs[0].run, "options", option);
    bool different = false;
    for (int i = 1; i < count; ++i) {
        const json_t *other = member(runs[i].run, "options", option);
        different =
            different || !json_equal(first ? first : json_null(), other ? other : json_null());
    }
    return different;
}

/// A phase as it can be typed: "backprop:solver=rk4,steps=5".
static void put_phase(const json_t *phase, evn__text *html) {
    const json_t *value;
    const char *key, *join = ":";
    evn__html_text(html, text_of(json_object_get(phase, "name")));
    json_object_foreach((json_t *)phase, key, value) {
        if (strcmp(key, "name") != 0 && !json_is_null(value)) {
            evn__text_append(html, "%s", join);
            evn__html_text(html, key);
            evn__text_append(html, "=");
            evn__html_value(html, value);
            join = ",";
        }
    }
}

static void put_value(const json_t *value, evn__text *html) {
    const json_t *phase;
    size_t i;
    if (!json_is_object(json_array_get(value, 0))) {
        evn__html_value(html, value);
        return;
    }
    json_array_foreach(value, i, phase) {
        evn__text_append(html, i ? "<br>" : "");
        put_phase(phase, html);
    }
}

static void put_options(const evn__reported *runs, int count, json_t *options, bool different,
                        evn__text *html) {
    const char *name;
    json_t *unused;
    put_folders(runs, count, html);
    json_object_foreach(options, name, unused) {
        if (differs(runs, count, name) != different) {
            continue;
        }
        put_name(html, name);
        for (int i = 0; i < count; ++i) {
            evn__text_append(html, "<td class=\"wide\">");
            put_value(member(runs[i].run, "options", name), html);
            evn__text_append(html, "</td>");
        }
        evn__text_append(html, "</tr>\n");
    }
    evn__text_append(html, "</table></div>\n");
}

/// As it can be typed again.
static void put_command(const evn__reported *run, evn__text *html) {
    const json_t *word;
    size_t i;
    evn__text_append(html, "<pre>");
    json_array_foreach(json_object_get(run->run, "command"), i, word) {
        const char *text = text_of(word);
        bool plain = text[0] && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789_-+=:,./@%") == strlen(text);
        evn__text_append(html, i ? " <span>" : "<span>"); // a line breaks between words alone
        evn__text_append(html, plain ? "" : "&#39;");
        for (; *text; ++text) {
            char one[] = {*text, 0};
            if (*text == '\'') {
                evn__text_append(html, "&#39;\\&#39;&#39;");
            } else if ((unsigned char)*text < 0x80) {
                evn__html_text(html, one);
            } else {
                evn__text_append(html, "%c", *text);
            }
        }
        evn__text_append(html, plain ? "</span>" : "&#39;</span>");
    }
    evn__text_append(html, "</pre>\n");
}

static void put_device(const evn__reported *run, evn__text *html) {
    const json_t *device = json_object_get(run->run, "device");
    static const char *const keys[] = {"name", "type", "vendor", "version", "driver", "platform"};
    evn__text_append(html, "<p class=\"faint\">");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); ++i) {
        const char *text = text_of(json_object_get(device, keys[i]));
        evn__text_append(html, i && text[0] ? "; " : "");
        evn__html_text(html, text);
    }
    evn__text_append(html, "; evonode ");
    evn__html_text(html, text_of(member(run->run, "versions", "evonode")));
    evn__text_append(html, "</p>\n");
}

void evn__tables_put_settings(const evn__reported *runs, int count, evn__text *html) {
    json_t *options = find_options(runs, count);
    evn__text_append(html, "<h2>Command and device</h2>\n");
    for (int i = 0; i < count; ++i) {
        put_command(&runs[i], html);
        put_device(&runs[i], html);
    }
    if (count > 1) {
        evn__text_append(html, "<h2>Options that differ</h2>\n");
        put_options(runs, count, options, true, html);
    }
    evn__text_append(html, "<details id=\"options\"><summary>%s</summary>\n",
                     count > 1 ? "Options that are the same" : "Options");
    put_options(runs, count, options, false, html);
    evn__text_append(html, "</details>\n");
    json_decref(options);
}
