// SPDX-License-Identifier: Apache-2.0
#include "study/comparison.h"

#include "base/files.h"
#include "base/json.h"
#include "base/names.h"
#include "base/number.h"
#include "cli/table.h"
#include "cli/task.h"
#include "cli/verb.h"
#include "plot/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_MODE = 0777 };

/// The task's columns, then those of all tasks like it.
static const evn__column *const *columns_of(const evn__task_row *row, const evn__column *lists[3]) {
    lists[0] = row->compared;
    lists[1] = row->iterates ? evn__compared_iteration_columns : evn__compared_columns;
    lists[2] = NULL;
    return lists;
}

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

static void add_number(evn__table *table, const evn__column *col, const evn__group *group) {
    evn__statistic s = evn__group_statistic(group, col->metric);
    char mean[32], low[32], high[32];
    double a = evn__column_value(col, s.low), b = evn__column_value(col, s.high);
    evn__print(mean, sizeof(mean), col->format, evn__column_value(col, s.mean));
    evn__print(low, sizeof(low), col->format, fmin(a, b));
    evn__print(high, sizeof(high), col->format, fmax(a, b));
    if (s.count == 0) {
        evn__table_add(table, "-");
    } else if (col->spread && s.count > 1) {
        evn__table_add(table, "%s (%s .. %s)", mean, low, high);
    } else {
        evn__table_add(table, "%s", mean);
    }
}

static void add_header(evn__table *table, const evn__task_row *row) {
    const evn__column *lists[3];
    evn__table_add(table, "model");
    evn__table_add(table, "seeds");
    for (const evn__column *const *list = columns_of(row, lists); *list; ++list) {
        for (const evn__column *col = *list; col->metric; ++col) {
            evn__table_add(table, "%s", col->title);
        }
    }
    if (row->iterates) {
        evn__table_add(table, "iterations to *");
        evn__table_add(table, "s to *");
    }
    table->columns = table->cell_count;
}

static void add_group(evn__table *table, const evn__comparison *c, const evn__task_row *row,
                      const evn__group *group) {
    const evn__column *lists[3];
    evn__table_add(table, "%s", group->label);
    evn__table_add(table, "%d", group->count);
    for (const evn__column *const *list = columns_of(row, lists); *list; ++list) {
        for (const evn__column *col = *list; col->metric; ++col) {
            add_number(table, col, group);
        }
    }
    if (!row->iterates) {
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

/// What the paper has for a column: its test errors are per cent, as the column of the accuracy.
static double figure_of(const evn__paper_figure *figure, const evn__column *col) {
    if (strcmp(col->metric, "test_accuracy") == 0) {
        return figure->test_error;
    }
    return strcmp(col->metric, "seconds_per_epoch") == 0 ? figure->seconds_per_epoch : NAN;
}

/// The paper's figures in their columns, dashes in the others.
static void add_paper(evn__table *table, const evn__task_row *row,
                      const evn__paper_figure *figure) {
    const evn__column *lists[3];
    evn__table_add(table, "paper: %s", figure->name);
    evn__table_add(table, "-");
    for (const evn__column *const *list = columns_of(row, lists); *list; ++list) {
        for (const evn__column *col = *list; col->metric; ++col) {
            double value = figure_of(figure, col);
            if (isnan(value)) {
                evn__table_add(table, "-");
            } else {
                evn__table_add(table, col->format, value);
            }
        }
    }
}

/// What the paper says that has no column.
static void print_paper(const evn__comparison *c) {
    const evn__paper_figure *figure;
    for (int i = 0; (figure = evn__comparison_figure(c, i)); ++i) {
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

/// Whether the paper has a figure for one of the task's columns.
static bool has_column(const evn__task_row *row, const evn__paper_figure *figure) {
    return !row->iterates && !isnan(figure->test_error);
}

static evn_status print_table(const evn__comparison *c, const evn__task_row *row) {
    const evn__paper_figure *figure;
    evn__table table = {0};
    add_header(&table, row);
    for (int i = 0; i < c->group_count; ++i) {
        add_group(&table, c, row, &c->groups[i]);
    }
    for (int i = 0; (figure = evn__comparison_figure(c, i)); ++i) {
        if (has_column(row, figure)) {
            add_paper(&table, row, figure);
        }
    }
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    printf("\n");
    if (row->iterates) {
        print_levels(c);
    }
    print_paper(c);
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

/// Unit and direction of a metric, as the first run has them that measured it.
static void add_meaning(json_t *statistic, const evn__group *group, const char *metric) {
    json_t *own = NULL;
    for (int i = 0; i < group->count && !own; ++i) {
        own = json_object_get(json_object_get(group->runs[i]->summary, "metrics"), metric);
    }
    if (own) {
        evn__json_put_all(statistic, json_incref(own));
    }
}

static json_t *show_group(const evn__comparison *c, const evn__task_row *row,
                          const evn__group *group) {
    const evn__column *lists[3];
    json_t *runs = json_array(), *object;
    for (int i = 0; i < group->count; ++i) {
        evn__json_append(runs, json_string(group->runs[i]->folder));
    }
    object = json_pack("{s:s, s:o, s:O}", "label", group->label, "runs", runs, "options",
                       (json_t *)group->options);
    for (const evn__column *const *list = columns_of(row, lists); *list; ++list) {
        for (const evn__column *col = *list; col->metric; ++col) {
            evn__statistic s = evn__group_statistic(group, col->metric);
            json_t *statistic = show_statistic(&s);
            add_meaning(statistic, group, col->metric);
            evn__json_put(object, col->metric, statistic);
        }
    }
    if (row->iterates) {
        race r = run_race(c, group);
        evn__json_put(object, "race",
                      json_pack("{s:s, s:o, s:o, s:o}", "against", r.first->label, "loss",
                                real_or_null(r.level), "iterations",
                                real_or_null(r.at < 0 ? NAN : group->mean.epochs[r.at]), "seconds",
                                real_or_null(r.at < 0 ? NAN : group->mean.seconds[r.at])));
    }
    return object;
}

static json_t *show_paper(const evn__comparison *c) {
    json_t *list = json_array();
    const evn__paper_figure *figure;
    for (int i = 0; (figure = evn__comparison_figure(c, i)); ++i) {
        json_t *object = json_pack(
            "{s:s, s:s, s:o, s:o, s:o}", "name", figure->name, "source", figure->source,
            "test_error_percent", real_or_null(figure->test_error), "seconds_per_epoch",
            real_or_null(figure->seconds_per_epoch), "speedup", real_or_null(figure->speedup));
        evn__json_put(object, "text", figure->text ? json_string(figure->text) : json_null());
        evn__json_append(list, object);
    }
    return list;
}

/// JSON has no text that is not UTF-8.
static evn_status check_folders(const evn__comparison *c) {
    for (int i = 0; i < c->run_count; ++i) {
        EVN_CHECK(evn__is_utf8(c->runs[i].folder), EVN_ERR_USAGE,
                  "the path %s is not UTF-8, which JSON needs; name the run by another",
                  c->runs[i].folder);
    }
    return EVN_OK;
}

static evn_status print_json(const evn__comparison *c, const evn__task_row *row) {
    EVN_TRY(check_folders(c));
    json_t *groups = json_array();
    for (int i = 0; i < c->group_count; ++i) {
        evn__json_append(groups, show_group(c, row, &c->groups[i]));
    }
    json_t *all =
        json_pack("{s:s, s:o, s:o}", "task", c->task, "groups", groups, "paper", show_paper(c));
    char *text;
    evn_status status = evn__json_print(all, JSON_INDENT(2), 9, &text);
    json_decref(all);
    EVN_TRY(status);
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
    const evn__task_row *row;
    EVN_TRY(evn__task_find(c->task, EVN_ERR_FORMAT, &row));
    EVN_TRY(settings->json ? print_json(c, row) : print_table(c, row));
    return settings->out ? draw(c, settings->out) : EVN_OK;
}

static evn_status find_style(const char *task, const evn__comparison_style **style) {
    const evn__task_row *row;
    EVN_TRY(evn__task_find(task, EVN_ERR_FORMAT, &row));
    *style = &row->style;
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    const evn__settings *settings = command->settings;
    evn__comparison *comparison;
    EVN_TRY(
        evn__comparison_read(settings->subjects, settings->subject_count, find_style, &comparison));
    evn_status status = compare(comparison, settings);
    evn__comparison_destroy(&comparison);
    return status;
}

const evn__verb evn__verb_compare = {
    "compare",
    "RUN...",
    "compare finished runs of one task, with the paper's figures",
    EVN__VERB_COMPARE,
    run,
    "\nRuns that differ only in --seed and --out form a group: a row, with the mean over the "
    "seeds\n"
    "and (min .. max). Of a curve or a flow the last columns say after how many iterations,\n"
    "and seconds of training, the mean loss of 50 iterations reaches the final one of the first\n"
    "group (for flows: of the first with the same --data).\n"
    "--out PATH draws there (png and svg): for images accuracy-epoch and accuracy-time, else "
    "the\n"
    "losses. A run that is not finished is left out, with a warning.\n"};
