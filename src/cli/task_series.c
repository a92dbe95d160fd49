// SPDX-License-Identifier: Apache-2.0
// Series of one's own: a Neural ODE, or a NODE-EW, that follows them and goes on behind them.
#include "base/hash.h"
#include "base/number.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/series_run.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "data/csv_writer.h"
#include "data/table.h"
#include "study/curve_pictures.h"
#include "study/series_pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 16, TIMES = 100 };

// f -----------------------------------------------------------------------------------------------

/// "mlp:64,64" or "mlp:64,64:relu".
typedef struct layers {
    int widths[LAYERS_MAX], count;
    char activation[32];
} layers;

static evn_status fail_f(const char *text) {
    char list[128];
    EVN_FAIL(EVN_ERR_USAGE,
             "--f is '%s', but should be mlp:N,N with the units of up to %d hidden layers, such as "
             "mlp:64,64, and for another activation than tanh its name behind it (mlp:64,64:silu): "
             "%s; --network FILE has other layers",
             text, LAYERS_MAX, evn__choice_text(evn_activation_name, list, sizeof(list)));
}

static bool has_activation(const char *name) {
    for (int i = 0; evn_activation_name(i); ++i) {
        if (strcmp(evn_activation_name(i), name) == 0) {
            return true;
        }
    }
    return false;
}

static evn_status read_f(const char *text, layers *f) {
    const int most = 1 << 14;
    const char *at = text + strlen("mlp:");
    *f = (layers){.activation = "tanh"};
    if (strncmp(text, "mlp:", strlen("mlp:")) != 0) {
        return fail_f(text);
    }
    for (bool more = true; more;) {
        char *end;
        long width = *at >= '0' && *at <= '9' ? strtol(at, &end, 10) : 0;
        if (width < 1 || width > most || f->count == LAYERS_MAX) {
            return fail_f(text);
        }
        f->widths[f->count++] = (int)width;
        more = *end == ',';
        at = more ? end + 1 : end;
    }
    if (*at == ':') {
        snprintf(f->activation, sizeof(f->activation), "%.31s", at + 1);
    }
    return (*at && *at != ':') || !has_activation(f->activation) ? fail_f(text) : EVN_OK;
}

// Data --------------------------------------------------------------------------------------------

static void close_data(evn__session *session) {
    evn__time_series *series = session->data;
    evn__series_destroy(&series);
    session->data = NULL;
}

static evn_status check_settings(const evn__settings *settings) {
    layers f;
    EVN_CHECK(settings->data, EVN_ERR_USAGE,
              "series needs --data FILE.csv, with a column of times and one for each quantity");
    EVN_CHECK(settings->network || strcmp(settings->model, "node") == 0 ||
                  strcmp(settings->model, "node-ew") == 0,
              EVN_ERR_USAGE, "a series has no model '%s'; it should be node or node-ew",
              settings->model);
    for (int i = 0; i < settings->phase_count; ++i) {
        EVN_CHECK(strcmp(settings->phases[i].until, "held-out") != 0, EVN_ERR_USAGE,
                  "a phase of a series cannot end by until=held-out: what is held out of it is "
                  "measured once training is over");
    }
    return settings->network ? EVN_OK : read_f(settings->f, &f);
}

/// Of all that the file gives, and how it is cut.
static void make_digest(const evn__time_series *s, char digest[EVN__HASH_TEXT]) {
    evn__hash parts[] = {
        evn__hash_of(s->t, sizeof(*s->t) * (size_t)s->rows),
        evn__hash_of(s->values, sizeof(*s->values) * (size_t)(s->rows * s->dimensions)),
        evn__hash_of(s->times, sizeof(*s->times) * (size_t)s->time_count),
        evn__hash_of(s->mean, sizeof(*s->mean) * (size_t)s->dimensions),
        evn__hash_of(s->continues, sizeof(*s->continues) * (size_t)s->window_count)};
    evn__hash_print(evn__hash_of(parts, sizeof(parts)), digest);
}

static void report(const evn__time_series *s) {
    char line[256];
    int64_t held = s->rows;
    for (int i = 0; i < s->track_count; ++i) {
        held -= s->tracks[i].trained;
    }
    snprintf(line, sizeof(line),
             "%lld rows of %d %s in %d %s, %lld of them held out; %d %s, solved at %lld times",
             (long long)s->rows, s->dimensions, s->dimensions == 1 ? "quantity" : "quantities",
             s->track_count, s->track_count == 1 ? "trajectory" : "trajectories", (long long)held,
             s->window_count, s->window_count == 1 ? "window" : "windows",
             (long long)s->time_count);
    evn__report_note(line);
}

static evn_status open_data(evn__session *session, evn__settings *settings) {
    EVN_TRY(check_settings(settings));
    const evn__series_options options = {
        .time = settings->time,
        .columns = settings->columns,
        .group = settings->group,
        .holdout = settings->holdout,
        .by_group = strcmp(settings->holdout_by, "group") == 0,
        .seed = (uint64_t)settings->seed,
        .window = settings->window,
    };
    evn__time_series *series = NULL;
    EVN_TRY(evn__series_read(settings->data, &options, &series));
    session->data = series;
    session->close = close_data;
    if (settings->extra == INT64_MIN) { // one quantity alone could not come back to a value
        settings->extra = series->dimensions == 1;
    }
    make_digest(series, session->digest);
    if (!settings->solves) {
        report(series);
    }
    return evn__source_series(series, &session->source);
}

static evn_status open_learnt(evn__session *session, evn__settings *settings, const json_t *run) {
    evn__time_series *series = NULL;
    (void)run;
    EVN_TRY(evn__series_read_kept(session->run, settings->window, &series));
    session->data = series;
    session->close = close_data;
    return evn__source_series(series, &session->source);
}

static evn_status keep(const evn__session *session, const char *folder) {
    return evn__series_keep(session->data, folder);
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    layers f = {0};
    evn_trajectory_options options = evn_trajectory_options_default();
    options.network = session->network;
    if (!session->network) {
        EVN_TRY(read_f(settings->f, &f));
        options.widths = f.widths;
        options.layers = f.count;
        options.activation = f.activation;
        options.evolution = strcmp(settings->model, "node-ew") == 0 ? settings->weights : NULL;
    }
    options.extra = (int)settings->extra;
    options.continuity = settings->continuity;
    options.seed = (uint64_t)settings->seed;
    return evn__series_task(session->device, &session->source, session->data, &options,
                            &session->task);
}

/// The scale that values and times have inside.
static void describe(const evn__session *session, json_t *run) {
    const evn__time_series *s = session->data;
    json_t *columns = json_array();
    for (int k = 0; k < s->dimensions; ++k) {
        json_array_append_new(columns, json_pack("{s:s, s:f, s:f}", "name", s->names[k], "mean",
                                                 s->mean[k], "deviation", s->deviation[k]));
    }
    json_object_set_new(run, "series",
                        json_pack("{s:s, s:f, s:i, s:o}", "time", s->time_name, "unit_of_time",
                                  s->unit, "windows", s->window_count, "columns", columns));
}

static evn_status draw(const evn__session *session, const evn__settings *settings,
                       const char *folder) {
    int count;
    (void)settings;
    const double *losses = evn_trainer_losses(session->trainer, &count);
    const evn__series_model model = evn__series_get_model(&session->task);
    EVN_TRY(evn__curve_draw_losses(losses, count, session->phases, session->options.phase_count,
                                   "loss, sum over the windows  (no unit)", folder));
    return evn__series_pictures(&model, evn__session_solver(session), folder);
}

/// The state's columns that nothing observes begin at 0 where their start is not known.
static evn_status unroll(const evn__session *session, const evn__unroll_options *options,
                         evn__unrolled *unrolled) {
    const evn__series_model model = evn__series_get_model(&session->task);
    unrolled->columns = model.series->names;
    unrolled->column_count = model.series->dimensions;
    unrolled->duration = model.series->unit;
    const evn__unrolled_states states = {.dimensions = model.trajectory.dimensions,
                                         .columns = model.trajectory.columns,
                                         .observations = options->steps,
                                         .mean = model.series->mean,
                                         .deviation = model.series->deviation};
    return evn__unrolled_trajectory(&model.trajectory.field, model.trajectory.parameters, &states,
                                    options, unrolled);
}

// Values at times ---------------------------------------------------------------------------------

/// Times of one trajectory.
typedef struct times {
    double *items;
    int64_t count;
} times;

/// The column of a file that is called as the times are, else the first one.
static evn_status read_times(const char *path, const char *name, times *t) {
    evn__data_table *table;
    EVN_TRY(evn__data_table_read(path, &table));
    int found = evn__data_table_find(table, name), column = found < 0 ? 0 : found;
    evn_status status = evn__data_table_check_numbers(table, column);
    status = status == EVN_OK ? EVN_NEW(&t->items, table->row_count) : status;
    for (int64_t i = 0; i < table->row_count && status == EVN_OK; ++i) {
        if (!isnan(table->columns[column].values[i])) {
            t->items[t->count++] = table->columns[column].values[i];
        }
    }
    evn__data_table_destroy(&table);
    return status;
}

/// Equally spaced ones, from the last row of the trajectory on.
static evn_status spread_times(const evn__time_series *s, const evn__track *track,
                               const evn__settings *given, times *t) {
    double last = s->t[track->first + track->count - 1];
    EVN_CHECK(given->until > last, EVN_ERR_USAGE,
              "--until is %.12g, but the series goes on to %.12g; give a later time, or --times",
              given->until, last);
    t->count = given->count == INT64_MIN ? TIMES : given->count;
    EVN_TRY(EVN_NEW(&t->items, t->count));
    for (int64_t i = 0; i < t->count; ++i) {
        t->items[i] = last + (given->until - last) * (double)(i + 1) / (double)t->count;
    }
    return EVN_OK;
}

static evn_status own_times(const evn__time_series *s, const evn__track *track, times *t) {
    t->count = track->count;
    EVN_TRY(EVN_NEW(&t->items, t->count));
    memcpy(t->items, s->t + track->first, sizeof(double) * (size_t)t->count);
    return EVN_OK;
}

static evn_status make_times(const evn__time_series *s, const evn__track *track,
                             const evn__settings *given, times *t) {
    EVN_CHECK(!given->times || isnan(given->until), EVN_ERR_USAGE,
              "--times and --until both say at which times; give one of them");
    if (given->times) {
        return read_times(given->times, s->time_name, t);
    }
    return isnan(given->until) ? own_times(s, track, t) : spread_times(s, track, given, t);
}

static void write_header(const evn__time_series *s, evn__csv_writer *csv) {
    if (s->group_name) {
        evn__csv_put_text(csv, s->group_name);
    }
    evn__csv_put_text(csv, s->time_name);
    for (int k = 0; k < s->dimensions; ++k) {
        evn__csv_put_text(csv, s->names[k]);
    }
    evn__csv_end_row(csv);
}

/// With all digits that a time may need: days of a long calendar, seconds since 1970.
static void put_time(evn__csv_writer *csv, double t) {
    char text[32];
    evn__print(text, sizeof(text), "%.15g", t);
    evn__csv_put_text(csv, text);
}

static void write_rows(const evn__time_series *s, const evn__track *track, const times *t,
                       const double *values, evn__csv_writer *csv) {
    for (int64_t i = 0; i < t->count; ++i) {
        if (s->group_name) {
            evn__csv_put_text(csv, track->name);
        }
        put_time(csv, t->items[i]);
        for (int k = 0; k < s->dimensions; ++k) {
            evn__csv_put_number(csv, values[i * s->dimensions + k]);
        }
        evn__csv_end_row(csv);
    }
}

static evn_status predict(const evn__session *session, int track, const times *t,
                          evn__csv_writer *csv) {
    const evn__series_model model = evn__series_get_model(&session->task);
    const evn__time_series *s = model.series;
    evn__request *requests = NULL;
    double *values = NULL;
    evn_status status = EVN_NEW(&requests, t->count);
    status = status == EVN_OK ? EVN_NEW(&values, t->count * s->dimensions) : status;
    for (int64_t i = 0; i < t->count && status == EVN_OK; ++i) {
        requests[i] = (evn__request){track, t->items[i]};
    }
    if (status == EVN_OK) {
        status =
            evn__series_predict(&model, evn__session_solver(session), requests, t->count, values);
    }
    if (status == EVN_OK) {
        write_rows(s, &s->tracks[track], t, values, csv);
    }
    free(requests);
    free(values);
    return status;
}

static evn_status sample(const evn__session *session, const evn__command *command) {
    const evn__time_series *s = session->data;
    evn__csv_writer csv = {0};
    evn_status status = EVN_OK;
    write_header(s, &csv);
    for (int i = 0; i < s->track_count && status == EVN_OK; ++i) {
        times t = {0};
        status = make_times(s, &s->tracks[i], command->settings, &t);
        status = status == EVN_OK ? predict(session, i, &t, &csv) : status;
        free(t.items);
    }
    if (status != EVN_OK) {
        free(csv.text.data);
        return status;
    }
    return evn__output_write(&csv.text, command->settings->out);
}

// The row -----------------------------------------------------------------------------------------

static const char *const options[] = {"data",   "model",      "network", "weights", "f",
                                      "time",   "columns",    "group",   "holdout", "holdout-by",
                                      "window", "continuity", "extra",   NULL};

static const evn__default defaults[] = {
    {NULL, "f", "mlp:32,32"},
    {NULL, "holdout", "0.2"},
    {NULL, "holdout-by", "time"},
    {NULL, "window", "8"},
    {NULL, "continuity", "1"},
    {NULL, "phase", "backprop:solver=rk4,epochs=1500,lr=0.02,schedule=cosine"},
    {NULL, "optimizer", "adam"},
    {NULL, "rtol", "1e-5"},
    {NULL, "atol", "1e-6"},
    {0},
};

static const evn__exportation exportation = {
    "x0: float32 [batch, columns], quantities as in the file, then what nothing "
    "observes (0); x is after each step of a window",
    unroll};

static const evn__column none[] = {{0}};

static const evn__column reported[] = {
    {"train_rmse.*", "train RMSE", "%.4g", 1, 0, false},
    {"test_rmse.*", "test RMSE", "%.4g", 1, 0, false},
    {"train_error", "train error", "%.4g deviations", 1, 0, false},
    {"test_error", "test error", "%.4g deviations", 1, 0, false},
    {"loss", "loss", "%.4g", 1, 0, false},
    {0}};

static const evn__column compared[] = {{"train_error", "train error", "%.3g", 1, 0, true},
                                       {"test_error", "test error", "%.3g", 1, 0, true},
                                       {0}};

const evn__task_row evn__task_series = {
    .name = "series",
    .text = "your own: --data FILE.csv, a column of times and one for each quantity, one "
            "trajectory or several",
    .steps = 32,
    .iterates = true,
    .renew = true,
    .options = options,
    .defaults = defaults,
    .progress = none,
    .report = reported,
    .compared = compared,
    .style = {NULL, "%s: training loss, mean over the seeds", "loss  (no unit)", 1, true},
    .open = open_data,
    .open_learnt = open_learnt,
    .keep = keep,
    .create = create,
    .draw = draw,
    .export = &exportation,
    .sample = sample,
    .describe = describe,
    .bound = true};
