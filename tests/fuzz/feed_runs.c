// SPDX-License-Identifier: Apache-2.0
// What reads the files of a run directory.
#include "base/json.h"
#include "cli/reopen.h"
#include "cli/task.h"
#include "evonode/parameters.h"
#include "feeds.h"
#include "io/run_directory.h"
#include "place.h"
#include "report/page.h"
#include "study/comparison.h"
#include "train/checkpoint.h"

#include <string.h>

// JSON --------------------------------------------------------------------------------------------

static const char
    RUN[] = "{\"format\": 1, \"task\": \"curve\", \"options\": {\"width\": 8, \"seed\": 1, "
            "\"phase\": [{\"name\": \"backprop\", \"epochs\": 2}]}, \"classes\": [\"a\", \"b\"]}",
    SUMMARY[] = "{\"train_loss\": 0.5, \"seconds_per_epoch\": 1, \"parameters\": 8}",
    LINES[] = "{\"epoch\": 0, \"phase\": \"backprop\", \"train_loss\": 1, \"seconds\": 1}\n"
              "{\"epoch\": 1, \"phase\": \"backprop\", \"train_loss\": 0.5, \"seconds\": 1}\n";

static evn_status find_style(const char *task, const evn__comparison_style **style) {
    const evn__task_row *row;
    EVN_TRY(evn__task_find(task, EVN_ERR_FORMAT, &row));
    *style = &row->style;
    return EVN_OK;
}

/// As report and compare do.
static void show_run(const char *folder) {
    evn__page *page;
    evn__comparison *comparison;
    if (evn__page_read(&folder, 1, evn__task_iterates, &page) == EVN_OK) {
        evn__text html = {0};
        evn__page_put(page, false, &html);
        touch(html.data, html.size);
        free(html.data);
        evn__page_destroy(&page);
    }
    if (evn__comparison_read(&folder, 1, find_style, &comparison) == EVN_OK) {
        PROMISE(comparison->group_count == 1);
        evn__statistic statistic = evn__group_statistic(comparison->groups, "train_loss");
        PROMISE(statistic.count == 0 || statistic.low <= statistic.high);
        evn__comparison_destroy(&comparison);
    }
}

static void put_text(place *p, const char *name, const char *text) {
    put_file(p, name, text, strlen(text));
}

/// Beside a run that is whole, `name` has other contents.
static void open_run(place *p, const char *name, const uint8_t *data, size_t size) {
    open_place(p);
    put_text(p, "run.json", RUN);
    put_text(p, "summary.json", SUMMARY);
    put_text(p, "metrics.jsonl", LINES);
    put_file(p, name, data, size);
}

/// run.json, as what opens a run again reads it, to go on and to solve with.
void feed_run(const uint8_t *data, size_t size) {
    place p;
    open_run(&p, "run.json", data, size);
    for (int solve = 0; solve < 2; ++solve) {
        evn__settings given, settings;
        const evn__task_row *row;
        json_t *run;
        evn__settings_clear(&given);
        if (evn__reopen_settings(p.folder, &given, solve, &run, &row, &settings) == EVN_OK) {
            PROMISE(row && settings.phase_count >= 1);
            PROMISE(!solve || settings.phase_count == 1);
        }
        evn__settings_free(&settings);
        json_decref(run);
    }
    show_run(p.folder);
    close_place(&p);
}

void feed_summary(const uint8_t *data, size_t size) {
    json_t *summary;
    place p;
    open_run(&p, "summary.json", data, size);
    if (evn__run_summary(p.folder, &summary) == EVN_OK) {
        PROMISE(json_is_object(summary));
        json_decref(summary);
    }
    show_run(p.folder);
    close_place(&p);
}

void feed_evaluation(const uint8_t *data, size_t size) {
    json_t *evaluation;
    place p;
    open_run(&p, "evaluation.json", data, size);
    if (evn__run_evaluation(p.folder, &evaluation) == EVN_OK) {
        PROMISE(json_is_object(evaluation));
        json_decref(evaluation);
    }
    show_run(p.folder);
    close_place(&p);
}

/// metrics.jsonl of a run that is resumed.
void feed_metrics(const uint8_t *data, size_t size) {
    place p;
    evn__run_directory *directory = NULL;
    evn__run_totals totals;
    json_t *lines;
    open_place(&p);
    if (evn__run_directory_create(p.folder, &directory) == EVN_OK) {
        put_file(&p, "metrics.jsonl", data, size);
        if (evn__run_metrics(p.folder, &lines) == EVN_OK) {
            json_decref(lines);
        }
        if (evn__run_directory_rewind(directory, 1000, &totals) == EVN_OK) {
            PROMISE(totals.epochs >= 0 && totals.epochs <= 1000);
        }
        evn__run_directory_destroy(&directory);
    }
    close_place(&p);
}

// Checkpoints -------------------------------------------------------------------------------------

enum { PHASES = 2, EPOCHS = 5 };

/// Parameters, optimiser and task need a device; what stands before them in a checkpoint does not.
static evn_parameters *no_parameters(void *self) {
    static evn_parameters *none;
    (void)self;
    if (!none) {
        PROMISE(evn_parameters_create(&none) == EVN_OK);
    }
    return none;
}

/// A file as a checkpoint of a small training. It has no state for an optimiser, which needs a
/// device: all rules stand before that.
static void read_checkpoint(const char *path) {
    static const evn_task_methods methods = {.name = "small", .parameters = no_parameters};
    static const evn_phase phases[PHASES] = {{.name = "a", .epochs = 3},
                                             {.name = "b", .epochs = 2}};
    evn_task task = {&methods, NULL};
    evn__position position = {0};
    evn__mark mark = {.run = "r", .network = "n"};
    double losses[EPOCHS] = {0};
    const evn__checkpoint checkpoint = {&position, phases, PHASES, &task, NULL,
                                        "1",       &mark,  losses, NULL};
    int epochs;
    if (evn__checkpoint_epochs(path, &epochs) == EVN_OK) {
        PROMISE(epochs >= 0);
    }
    PROMISE(evn__checkpoint_read(path, &checkpoint) != EVN_OK);
    PROMISE(position.epoch == 0 && mark.lines[0] == 0);
    evn__checkpoint_parameters(path, no_parameters(NULL));
}

/// The metadata of a checkpoint, a JSON object of texts, in a file that is otherwise whole.
void feed_checkpoint(const uint8_t *data, size_t size) {
    const evn__tensor tensor = {
        .name = "losses", .dtype = EVN__F64, .rank = 1, .extent = {0}, .data = ""};
    evn__key_value pairs[16];
    int count = 0;
    json_t *metadata, *value;
    const char *key;
    place p;
    if (evn__json_parse((const char *)data, size, &metadata) != EVN_OK) {
        return;
    }
    json_object_foreach(metadata, key, value) {
        if (json_is_string(value) && count < 16) {
            pairs[count++] = (evn__key_value){key, json_string_value(value)};
        }
    }
    open_place(&p);
    const char *path = in_place(&p, "checkpoint");
    if (evn__safetensors_write(path, &tensor, 1, pairs, count) == EVN_OK) {
        read_checkpoint(path);
    }
    close_place(&p);
    json_decref(metadata);
}

/// All of the file.
void feed_training(const uint8_t *data, size_t size) {
    place p;
    open_place(&p);
    read_checkpoint(put_file(&p, "checkpoint", data, size));
    close_place(&p);
}
