// SPDX-License-Identifier: Apache-2.0
#include "train/comparison.h"

#include "base/files.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/work.h"
#include "plot/plot.h"
#include "train/paper.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_MODE = 0777 };
static const double MIB = 1024.0 * 1024.0;

/// Numbers of summary.json that a task's runs have, as columns.
typedef struct column {
    unsigned kinds; ///< of tasks
    const char *field, *title;
    double scale, shift; ///< what is shown is scale · number + shift
    const char *format;  ///< of one number
    bool spread;         ///< whether least and largest are shown
} column;

static const column columns[] = {
    {EVN__IMAGES, "test_accuracy", "test error, %", -100, 100, "%.2f", true},
    {EVN__IMAGES, "test_errors", "errors", 1, 0, "%.4g", true},
    {EVN__CURVE, "loss", "loss", 1, 0, "%.3g", true},
    {EVN__CURVE, "max_error", "max error", 1, 0, "%.3g", true},
    {EVN__FLOW, "test_nll", "test NLL, nats", 1, 0, "%.3f", false},
    {EVN__FLOW, "gap_nats", "gap, nats", 1, 0, "%.4f", true},
    {EVN__IMAGES | EVN__CURVE | EVN__FLOW, "parameters", "parameters", 1, 0, "%.0f", false},
    {EVN__IMAGES | EVN__CURVE | EVN__FLOW, "nfe_forward", "NFE forward", 1, 0, "%.1f", false},
    {EVN__IMAGES | EVN__CURVE | EVN__FLOW, "nfe_backward", "backward", 1, 0, "%.1f", false},
    {EVN__IMAGES, "seconds_per_epoch", "s/epoch", 1, 0, "%.4g", false},
    {EVN__CURVE | EVN__FLOW, "seconds_per_epoch", "s/iteration", 1, 0, "%.3g", false},
    {EVN__CURVE | EVN__FLOW, "seconds_total", "s in all", 1, 0, "%.4g", false},
    {EVN__IMAGES | EVN__CURVE | EVN__FLOW, "peak_device_bytes", "peak MiB", 1 / MIB, 0, "%.4g",
     false},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

// Final losses ------------------------------------------------------------------------------------

/// A group and what its loss is measured by: the first group that learns the same data.
typedef struct race {
    const evn__group *first;
    double level; ///< the final loss of `first`
    int at;       ///< entry of the group's history that reaches it, −1: none
} race;

static race run_race(const evn__comparison *c, const evn__group *group) {
    race r = {.first = c->groups, .level = NAN, .at = -1};
    while (!evn__group_comparable(r.first, group)) {
        ++r.first;
    }
    if (r.first->mean.count > 0) {
        r.level = evn__history_loss(&r.first->mean, r.first->mean.count - 1);
        r.at = evn__history_reaches(&group->mean, r.level);
    }
    return r;
}

// Table -------------------------------------------------------------------------------------------

static void add_number(evn__table *table, const column *col, const evn__group *group) {
    evn__statistic s = evn__group_statistic(group, col->field);
    char mean[32], low[32], high[32];
    double a = col->scale * s.low + col->shift, b = col->scale * s.high + col->shift;
    snprintf(mean, sizeof(mean), col->format, col->scale * s.mean + col->shift);
    snprintf(low, sizeof(low), col->format, fmin(a, b));
    snprintf(high, sizeof(high), col->format, fmax(a, b));
    if (s.count == 0) {
        evn__table_add(table, "-");
    } else if (col->spread && s.count > 1) {
        evn__table_add(table, "%s (%s .. %s)", mean, low, high);
    } else {
        evn__table_add(table, "%s", mean);
    }
}

static void add_header(evn__table *table, unsigned kind) {
    evn__table_add(table, "model");
    evn__table_add(table, "seeds");
    for (int i = 0; i < COLUMNS; ++i) {
        if (columns[i].kinds & kind) {
            evn__table_add(table, "%s", columns[i].title);
        }
    }
    if (kind != EVN__IMAGES) {
        evn__table_add(table, "iterations to *");
        evn__table_add(table, "s to *");
    }
    table->columns = table->cell_count;
}

static void add_group(evn__table *table, const evn__comparison *c, unsigned kind,
                      const evn__group *group) {
    evn__table_add(table, "%s", group->label);
    evn__table_add(table, "%d", group->count);
    for (int i = 0; i < COLUMNS; ++i) {
        if (columns[i].kinds & kind) {
            add_number(table, &columns[i], group);
        }
    }
    if (kind == EVN__IMAGES) {
        return;
    }
    race r = run_race(c, group);
    if (r.at >= 0) {
        evn__table_add(table, "%.0f", group->mean.epochs[r.at]);
        evn__table_add(table, "%.4g", group->mean.seconds[r.at]);
    } else {
        evn__table_add(table, "never");
        evn__table_add(table, "never");
    }
}

/// The paper's figure in its column, dashes in the others.
static void add_paper(evn__table *table, unsigned kind, const evn__paper_figure *figure) {
    evn__table_add(table, "paper: %s", figure->name);
    evn__table_add(table, "-");
    for (int i = 0; i < COLUMNS; ++i) {
        double value = i == 0 ? figure->test_error
                       : strcmp(columns[i].field, "seconds_per_epoch") == 0
                           ? figure->seconds_per_epoch
                           : NAN;
        if (columns[i].kinds & kind && isnan(value)) {
            evn__table_add(table, "-");
        } else if (columns[i].kinds & kind) {
            evn__table_add(table, columns[i].format, value);
        }
    }
}

/// What the paper says that has no column.
static void print_paper(const char *task) {
    const evn__paper_figure *figure;
    for (int i = 0; (figure = evn__paper_figure_at(task, i)); ++i) {
        printf("  paper: %s: %s", figure->name, figure->source);
        if (figure->text) {
            printf(", %s", figure->text);
        }
        if (!isnan(figure->speedup)) {
            printf(", %.0f times as fast as the adjoint alone", figure->speedup);
        }
        printf("\n");
    }
}

static void print_levels(const evn__comparison *c) {
    for (int i = 0; i < c->group_count; ++i) {
        race r = run_race(c, &c->groups[i]);
        if (r.first == &c->groups[i]) {
            printf("  * %.4g, the final loss of %s (mean of the last %d iterations)\n", r.level,
                   r.first->label, EVN__LOSS_WINDOW);
        }
    }
}

static evn_status print_table(const evn__comparison *c) {
    unsigned kind = evn__task_work(c->task)->kind;
    const evn__paper_figure *figure;
    evn__table table = {0};
    add_header(&table, kind);
    for (int i = 0; i < c->group_count; ++i) {
        add_group(&table, c, kind, &c->groups[i]);
    }
    for (int i = 0; kind == EVN__IMAGES && (figure = evn__paper_figure_at(c->task, i)); ++i) {
        add_paper(&table, kind, figure);
    }
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    printf("\n");
    if (kind != EVN__IMAGES) {
        print_levels(c);
    }
    print_paper(c->task);
    return status;
}

// JSON --------------------------------------------------------------------------------------------

static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *show_statistic(const evn__statistic *s) {
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "count", s->count, "mean", real_or_null(s->mean),
                     "low", real_or_null(s->low), "high", real_or_null(s->high), "deviation",
                     real_or_null(s->deviation));
}

static json_t *show_group(const evn__comparison *c, const evn__group *group) {
    unsigned kind = evn__task_work(c->task)->kind;
    json_t *runs = json_array(), *object;
    for (int i = 0; i < group->count; ++i) {
        json_array_append_new(runs, json_string(group->runs[i]->folder));
    }
    object = json_pack("{s:s, s:o, s:O}", "label", group->label, "runs", runs, "options",
                       (json_t *)group->options);
    for (int i = 0; i < COLUMNS; ++i) {
        if (columns[i].kinds & kind) {
            evn__statistic s = evn__group_statistic(group, columns[i].field);
            json_object_set_new(object, columns[i].field, show_statistic(&s));
        }
    }
    if (kind != EVN__IMAGES) {
        race r = run_race(c, group);
        json_object_set_new(object, "race",
                            json_pack("{s:s, s:o, s:o, s:o}", "against", r.first->label, "loss",
                                      real_or_null(r.level), "iterations",
                                      real_or_null(r.at < 0 ? NAN : group->mean.epochs[r.at]),
                                      "seconds",
                                      real_or_null(r.at < 0 ? NAN : group->mean.seconds[r.at])));
    }
    return object;
}

static json_t *show_paper(const char *task) {
    json_t *list = json_array();
    const evn__paper_figure *figure;
    for (int i = 0; (figure = evn__paper_figure_at(task, i)); ++i) {
        json_t *object = json_pack(
            "{s:s, s:s, s:o, s:o, s:o}", "name", figure->name, "source", figure->source,
            "test_error_percent", real_or_null(figure->test_error), "seconds_per_epoch",
            real_or_null(figure->seconds_per_epoch), "speedup", real_or_null(figure->speedup));
        json_object_set_new(object, "text", figure->text ? json_string(figure->text) : json_null());
        json_array_append_new(list, object);
    }
    return list;
}

static evn_status print_json(const evn__comparison *c) {
    json_t *groups = json_array();
    for (int i = 0; i < c->group_count; ++i) {
        json_array_append_new(groups, show_group(c, &c->groups[i]));
    }
    json_t *all = json_pack("{s:s, s:o, s:o}", "task", c->task, "groups", groups, "paper",
                            show_paper(c->task));
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(all);
    EVN_CHECK(text, EVN_ERR_MEMORY, "no memory for the comparison");
    printf("%s\n", text);
    free(text);
    return EVN_OK;
}

// The verb ----------------------------------------------------------------------------------------

static evn_status draw(const evn__comparison *c, const char *folder) {
    EVN_TRY(evn__folder_make(folder, FOLDER_MODE));
    return evn__comparison_draw(c, folder);
}

static evn_status compare(const evn__comparison *c, const evn__settings *settings) {
    for (int i = 0; i < c->unfinished_count; ++i) {
        fprintf(stderr, "evonode: warning: %s is left out: it has no summary.json yet\n",
                c->unfinished[i]);
    }
    EVN_TRY(settings->json ? print_json(c) : print_table(c));
    return settings->out ? draw(c, settings->out) : EVN_OK;
}

static evn_status run(const evn__command *command) {
    const evn__settings *settings = command->settings;
    evn__comparison *comparison;
    EVN_TRY(evn__comparison_read(settings->subjects, settings->subject_count, &comparison));
    evn_status status = compare(comparison, settings);
    evn__comparison_destroy(&comparison);
    return status;
}

const evn__verb evn__verb_compare = {
    "compare",
    "RUN...",
    "finished runs of one task side by side, with the paper's figures",
    EVN__VERB_COMPARE,
    run,
    "\nRuns that differ in --seed and --out alone are a group: a row, with the mean over the "
    "seeds\n"
    "and (least .. largest). Of a curve or a flow the last columns say after how many iterations,\n"
    "and seconds of training, the mean loss of 50 iterations reaches the final one of the first\n"
    "group (for flows: of the first with the same --data).\n"
    "--out FOLDER draws there (png and svg): for images accuracy-epoch and accuracy-time, else "
    "the\n"
    "losses. A run that is not finished is left out, with a warning.\n"};
