// SPDX-License-Identifier: Apache-2.0
#include "study/comparison.h"

#include "base/json.h"
#include "base/number.h"
#include "io/run_directory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const not_compared[] = {"seed", "out", "device", "phase", "tensorboard"};

// Reading -----------------------------------------------------------------------------------------

static double number(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static evn_status make_history(evn__arena *arena, int count, evn__history *history) {
    double *memory = evn__arena_alloc(arena, (size_t)count * 4 * sizeof(*memory) + 1);
    EVN_CHECK(memory, EVN_ERR_MEMORY, "no memory for %d epochs", count);
    *history =
        (evn__history){count, memory, memory + count, memory + 2 * count, memory + 3 * count};
    return EVN_OK;
}

static evn_status read_history(evn__arena *arena, const char *metric, evn__run *run) {
    json_t *lines;
    double seconds = 0;
    EVN_TRY(evn__run_metrics(run->folder, &lines));
    evn__history *h = &run->history;
    evn_status status = make_history(arena, (int)json_array_size(lines), h);
    for (int i = 0; i < h->count && status == EVN_OK; ++i) {
        const json_t *line = json_array_get(lines, (size_t)i);
        seconds += number(line, "seconds");
        h->epochs[i] = number(line, "epoch") + 1;
        h->seconds[i] = seconds;
        h->loss[i] = number(line, "train_loss");
        h->metric[i] = metric ? number(line, metric) : NAN;
    }
    json_decref(lines);
    return status;
}

static void set_text(json_t *flat, const char *name, const json_t *value) {
    char text[64];
    if (json_is_string(value)) {
        evn__json_put(flat, name, json_string(json_string_value(value)));
    } else if (json_is_number(value)) {
        evn__print(text, sizeof(text), "%.10g", json_number_value(value));
        evn__json_put(flat, name, json_string(text));
    } // null: not given
}

static bool is_compared(const json_t *options, const char *name) {
    const char *model = json_string_value(json_object_get(options, "model"));
    bool evolves = model && strcmp(model, "node-ew") == 0;
    bool layered = model && strcmp(model, "resnet") == 0;
    for (size_t i = 0; i < sizeof(not_compared) / sizeof(not_compared[0]); ++i) {
        if (strcmp(name, not_compared[i]) == 0) {
            return false;
        }
    }
    return (evolves || (strcmp(name, "weights") != 0 && strcmp(name, "basis") != 0)) &&
           (layered || strcmp(name, "layers") != 0);
}

/// Options that matter as texts, those of phases numbered, and the device.
static json_t *flatten(const json_t *description) {
    json_t *options = json_object_get(description, "options"), *flat = json_object(), *value;
    const json_t *phases = json_object_get(options, "phase");
    const char *name;
    char key[128];
    json_object_foreach(options, name, value) {
        if (is_compared(options, name)) {
            set_text(flat, name, value);
        }
    }
    if (json_is_string(json_object_get(options, "network"))) { // it takes the model's place
        set_text(flat, "model", json_object_get(options, "network"));
        json_object_del(flat, "network");
    }
    for (size_t i = 0; i < json_array_size(phases); ++i) {
        json_object_foreach(json_array_get(phases, i), name, value) {
            snprintf(key, sizeof(key), "phase%zu.%s", i + 1, name);
            set_text(flat, key, value);
        }
    }
    set_text(flat, "device", json_object_get(json_object_get(description, "device"), "name"));
    return flat;
}

static void run_free(evn__run *run) {
    json_decref(run->description);
    json_decref(run->summary);
    json_decref(run->options);
    *run = (evn__run){0};
}

typedef evn_status find_style(const char *task, const evn__comparison_style **style);

/// Whether what the paper measured can stand beside all of the runs.
static bool is_of_paper(const evn__comparison *c, const evn__run *run) {
    return evn__paper_is_on(c->task,
                            json_string_value(json_object_get(run->description, "data_digest")));
}

/// The folder as the next run, or among the unfinished ones.
static evn_status read_run(evn__comparison *c, find_style *find, const char *folder) {
    evn__run *run = &c->runs[c->run_count];
    run->folder = folder;
    EVN_TRY(evn__run_read(folder, &run->description));
    EVN_TRY(evn__run_summary(folder, &run->summary));
    const char *task = json_string_value(json_object_get(run->description, "task"));
    EVN_CHECK(task, EVN_ERR_FORMAT, "%s/run.json names no task", folder);
    EVN_CHECK(!c->task || strcmp(c->task, task) == 0, EVN_ERR_DATA,
              "%s is a run of the task %s, the ones before are of %s; compare one task at a time",
              folder, task, c->task);
    evn_status status = find(task, &c->style);
    EVN_TRY(status == EVN_OK ? status : evn__prepend(status, "%s/run.json", folder));
    c->task = c->task ? c->task : evn__arena_string(&c->arena, task);
    EVN_CHECK(c->task, EVN_ERR_MEMORY, "no memory for a name");
    if (!run->summary) {
        run_free(run);
        c->unfinished[c->unfinished_count++] = folder;
        return EVN_OK;
    }
    run->options = flatten(run->description);
    c->other_data = c->other_data || !is_of_paper(c, run);
    ++c->run_count;
    return read_history(&c->arena, c->style->metric, run);
}

// Groups ------------------------------------------------------------------------------------------

static evn__group *find_group(evn__comparison *c, const evn__run *run) {
    for (int i = 0; i < c->group_count; ++i) {
        if (json_equal(c->groups[i].options, run->options)) {
            return &c->groups[i];
        }
    }
    evn__group *group = &c->groups[c->group_count++];
    group->options = run->options;
    return group;
}

static evn_status average(evn__arena *arena, evn__group *g) {
    int count = g->runs[0]->history.count;
    for (int r = 1; r < g->count; ++r) {
        count = g->runs[r]->history.count < count ? g->runs[r]->history.count : count;
    }
    EVN_TRY(make_history(arena, count, &g->mean));
    for (int i = 0; i < count; ++i) {
        for (int r = 0; r < g->count; ++r) {
            const evn__history *h = &g->runs[r]->history;
            g->mean.epochs[i] = h->epochs[i];
            g->mean.seconds[i] += h->seconds[i] / g->count;
            g->mean.loss[i] += h->loss[i] / g->count;
            g->mean.metric[i] += h->metric[i] / g->count;
        }
    }
    return EVN_OK;
}

static evn_status make_groups(evn__comparison *c) {
    for (int i = 0; i < c->run_count; ++i) {
        evn__group *g = find_group(c, &c->runs[i]);
        if (!g->runs) {
            g->runs = evn__arena_alloc(&c->arena, (size_t)c->run_count * sizeof(evn__run *));
            EVN_CHECK(g->runs, EVN_ERR_MEMORY, "no memory for %d runs", c->run_count);
        }
        g->runs[g->count++] = &c->runs[i];
    }
    for (int i = 0; i < c->group_count; ++i) {
        EVN_TRY(average(&c->arena, &c->groups[i]));
    }
    return EVN_OK;
}

const char *evn__group_option(const evn__group *group, const char *name) {
    const char *text = json_string_value(json_object_get(group->options, name));
    return text ? text : "";
}

bool evn__group_comparable(const evn__group *a, const evn__group *b) {
    return strcmp(evn__group_option(a, "data"), evn__group_option(b, "data")) == 0;
}

// Labels ------------------------------------------------------------------------------------------

/// What its phases are called, "backprop+adjoint".
static void append_phases(const evn__group *g, evn__text *text) {
    char key[32];
    for (int i = 1;; ++i) {
        snprintf(key, sizeof(key), "phase%d.name", i);
        const char *name = evn__group_option(g, key);
        if (!*name) {
            return;
        }
        evn__text_append(text, "%s%s", i > 1 ? "+" : "", name);
    }
}

static void append_model(const evn__group *g, evn__text *text) {
    const char *model = evn__group_option(g, "model"), *weights = evn__group_option(g, "weights");
    evn__text_append(text, "%s%s%s", *model ? model : "node", *weights ? " " : "", weights);
}

static void append_data(const evn__group *g, evn__text *text) {
    evn__text_append(text, "%s", evn__group_option(g, "data"));
}

/// Append what a part of a label says, where it is not the same for all groups.
static void append_part(const evn__comparison *c, int index,
                        void (*append)(const evn__group *, evn__text *), evn__text *label) {
    evn__text own = {0};
    bool differs = false;
    append(&c->groups[index], &own);
    for (int i = 0; i < c->group_count; ++i) {
        evn__text other = {0};
        append(&c->groups[i], &other);
        differs = differs || strcmp(own.data ? own.data : "", other.data ? other.data : "") != 0;
        evn__text_need(label, &other);
        free(other.data);
    }
    evn__text_need(label, &own);
    if (differs && own.data) {
        evn__text_append(label, "%s%s", label->size ? " " : "", own.data);
    }
    free(own.data);
}

static bool in_label(const char *option) {
    size_t length = strlen(option);
    return strcmp(option, "model") == 0 || strcmp(option, "weights") == 0 ||
           strcmp(option, "data") == 0 || (length > 5 && strcmp(option + length - 5, ".name") == 0);
}

/// Append the options in which the group differs from one whose label is the same so far.
static void append_rest(const evn__comparison *c, const char *const *labels, int index,
                        evn__text *label) {
    const evn__group *own = &c->groups[index];
    json_t *all = json_object(), *value;
    const char *name;
    for (int i = 0; i < c->group_count; ++i) {
        const evn__group *other = &c->groups[i];
        if (strcmp(labels[i], labels[index]) != 0) {
            continue;
        }
        evn__json_put_all(all, json_incref((json_t *)own->options));
        evn__json_put_all(all, json_incref((json_t *)other->options));
        json_object_foreach(all, name, value) {
            const char *text = evn__group_option(own, name);
            if (!in_label(name) && strcmp(text, evn__group_option(other, name)) != 0 &&
                !(label->data && strstr(label->data, name))) {
                evn__text_append(label, " %s=%s", name, *text ? text : "-");
            }
        }
    }
    json_decref(all);
}

static evn_status keep(evn__arena *arena, evn__text *text, const char **kept) {
    *kept = text->status == EVN_OK ? evn__arena_string(arena, text->data) : NULL;
    free(text->data);
    EVN_CHECK(*kept, EVN_ERR_MEMORY, "no memory for a label");
    return EVN_OK;
}

static evn_status make_labels(evn__comparison *c) {
    size_t size = (size_t)c->group_count * sizeof(char *);
    const char **labels = evn__arena_alloc(&c->arena, size);
    EVN_CHECK(labels, EVN_ERR_MEMORY, "no memory for %d labels", c->group_count);
    for (int i = 0; i < c->group_count; ++i) {
        evn__text label = {0};
        append_part(c, i, append_data, &label);
        append_part(c, i, append_model, &label);
        append_part(c, i, append_phases, &label);
        if (label.size == 0) {
            append_model(&c->groups[i], &label);
        }
        EVN_TRY(keep(&c->arena, &label, &labels[i]));
    }
    for (int i = 0; i < c->group_count; ++i) {
        evn__text label = {0};
        evn__text_append(&label, "%s", labels[i]);
        append_rest(c, labels, i, &label);
        EVN_TRY(keep(&c->arena, &label, &c->groups[i].label));
    }
    return EVN_OK;
}

// Life --------------------------------------------------------------------------------------------

static evn_status read_all(evn__comparison *c, find_style *find, const char *const *folders,
                           int count) {
    EVN_TRY(evn__run_check_different(folders, count));
    EVN_TRY(EVN_NEW(&c->runs, count + 1)); // the last one stays empty
    EVN_TRY(EVN_NEW(&c->groups, count));
    EVN_TRY(EVN_NEW(&c->unfinished, count));
    for (int i = 0; i < count; ++i) {
        EVN_TRY(read_run(c, find, folders[i]));
    }
    EVN_CHECK(c->run_count > 0, EVN_ERR_DATA,
              "no run is finished: %s has no summary.json; wait for its end", folders[0]);
    EVN_TRY(make_groups(c));
    return make_labels(c);
}

evn_status evn__comparison_read(const char *const *folders, int count, find_style *style,
                                evn__comparison **comparison) {
    EVN_TRY(EVN_NEW(comparison, 1));
    evn_status status = read_all(*comparison, style, folders, count);
    if (status != EVN_OK) {
        evn__comparison_destroy(comparison);
    }
    return status;
}

void evn__comparison_destroy(evn__comparison **comparison) {
    evn__comparison *c = *comparison;
    if (!c) {
        return;
    }
    for (int i = 0; c->runs && c->runs[i].description; ++i) {
        run_free(&c->runs[i]);
    }
    free(c->runs);
    free(c->groups);
    free(c->unfinished);
    evn__arena_free(&c->arena);
    free(c);
    *comparison = NULL;
}

const evn__paper_figure *evn__comparison_figure(const evn__comparison *comparison, int index) {
    return comparison->other_data ? NULL : evn__paper_figure_at(comparison->task, index);
}

// Numbers -----------------------------------------------------------------------------------------

evn__statistic evn__group_statistic(const evn__group *group, const char *field) {
    evn__statistic s = {0, NAN, NAN, NAN, NAN};
    double sum = 0, squares = 0;
    for (int i = 0; i < group->count; ++i) {
        double value = number(group->runs[i]->summary, field);
        if (!isnan(value)) {
            ++s.count;
            sum += value;
            s.low = fmin(s.low, value);
            s.high = fmax(s.high, value);
        }
    }
    s.mean = s.count > 0 ? sum / s.count : NAN;
    for (int i = 0; i < group->count && s.count > 1; ++i) {
        double value = number(group->runs[i]->summary, field);
        squares += isnan(value) ? 0 : (value - s.mean) * (value - s.mean);
    }
    s.deviation = s.count > 1 ? sqrt(squares / (s.count - 1)) : NAN;
    return s;
}

double evn__history_loss(const evn__history *history, int index) {
    double sum = 0, weight = 0, end = history->epochs[index];
    for (int i = index; i >= 0 && history->epochs[i] > end - EVN__LOSS_WINDOW; --i) {
        double length = history->epochs[i] - (i > 0 ? history->epochs[i - 1] : 0);
        sum += length * history->loss[i];
        weight += length;
    }
    return sum / weight;
}

int evn__history_reaches(const evn__history *history, double level) {
    for (int i = 0; i < history->count; ++i) {
        if (history->epochs[i] >= EVN__LOSS_WINDOW && evn__history_loss(history, i) <= level) {
            return i;
        }
    }
    return -1;
}
