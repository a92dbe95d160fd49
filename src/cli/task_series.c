// SPDX-License-Identifier: Apache-2.0
// Series of one's own: a Neural ODE, or a NODE-EW, that follows them and goes on behind them.
#include "base/hash.h"
#include "base/json.h"
#include "cli/choices.h"
#include "cli/console.h"
#include "cli/series.h"
#include "cli/series_run.h"
#include "study/curve_pictures.h"
#include "study/series_pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 16 };

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
    return evn_activation_name(evn__choice_find(evn_activation_name, name));
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

/// The series that is built in has a row of its own.
static const evn__task_row *stand_in(const evn__settings *settings) {
    bool built_in = settings->data && strcmp(settings->data, evn__task_curve.name) == 0;
    return built_in ? &evn__task_curve : &evn__task_series;
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
    evn__console_note(line);
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
    EVN_TRY(evn__series_take(session, series));
    if (settings->extra == INT64_MIN) { // one quantity alone could not come back to a value
        settings->extra = series->dimensions == 1;
    }
    make_digest(series, session->digest);
    if (!settings->solves) {
        report(series);
    }
    return EVN_OK;
}

static evn_status open_learnt(evn__session *session, evn__settings *settings, const json_t *run) {
    evn__time_series *series = NULL;
    (void)run;
    EVN_TRY(evn__series_read_kept(session->run, settings->window, &series));
    return evn__series_take(session, series);
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
        options.evolution = strcmp(settings->model, "node-ew") == 0 ? settings->evolution : NULL;
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
        evn__json_append(columns, json_pack("{s:s, s:f, s:f}", "name", s->names[k], "mean",
                                            s->mean[k], "deviation", s->deviation[k]));
    }
    evn__json_put(run, "series",
                  json_pack("{s:s, s:f, s:i, s:o}", "time", s->time_name, "unit_of_time", s->unit,
                            "windows", s->window_count, "columns", columns));
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

// The row -----------------------------------------------------------------------------------------

static const char *const options[] = {"data",       "model",  "network",    "weights", "basis",
                                      "f",          "time",   "columns",    "group",   "holdout",
                                      "holdout-by", "window", "continuity", "extra",   NULL};

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
    evn__series_unroll};

static const evn__column none[] = {{0}};

static const evn__column results[] = {
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
    .stand_in = stand_in,
    .steps = 32,
    .iterates = true,
    .renew = true,
    .options = options,
    .defaults = defaults,
    .progress = none,
    .results = results,
    .compared = compared,
    .style = {NULL, "%s: training loss, mean over the seeds", "loss  (no unit)", 1, true},
    .open = open_data,
    .open_learnt = open_learnt,
    .keep = keep,
    .create = create,
    .ode = evn__series_ode,
    .draw = draw,
    .export = &exportation,
    .predict = &evn__predict_series,
    .sample = evn__series_sample,
    .describe = describe,
    .bound = true};
