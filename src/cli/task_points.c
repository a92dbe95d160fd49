// SPDX-License-Identifier: Apache-2.0
// Flows on points of the user's: the columns of a CSV file.
#include "base/files.h"
#include "cli/choices.h"
#include "cli/console.h"
#include "cli/flow.h"
#include "study/flow_pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, WIDTH = 64, WIDE = 128, WIDE_FROM = 17 };
static const double HOLDOUT = 0.1, SPAN = 1;

// Data --------------------------------------------------------------------------------------------

static double holdout_of(const evn__settings *settings) {
    return isnan(settings->holdout) ? HOLDOUT : settings->holdout;
}

/// A name that is neither a density's nor a file's was probably meant to be one of the former.
static evn_status check_file(const char *path) {
    char list[256];
    EVN_CHECK(evn__is_regular_file(path) || strpbrk(path, "./"), EVN_ERR_USAGE,
              "there is no density '%s', and no file of that name; --data should be a CSV file, or "
              "%s",
              path, evn__choice_text(evn_density_name, list, sizeof(list)));
    return EVN_OK;
}

/// The columns that are not taken, and why that may be.
static void report_columns(const evn__data_table *table, const evn__points *points) {
    char text[512] = "";
    size_t used = 0;
    for (int i = 0; i < table->column_count && used + 64 < sizeof(text); ++i) {
        bool taken = false;
        for (int k = 0; k < points->dimensions; ++k) {
            taken = taken || strcmp(points->names[k], table->columns[i].name) == 0;
        }
        if (!taken) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.40s",
                                     used ? ", " : "columns left out: ", table->columns[i].name);
        }
    }
    if (used) {
        evn__console_note(text);
    }
}

static evn_status report_points(const evn__points *points, double holdout) {
    char text[256];
    int64_t repeated, test = (int64_t)llround(holdout * (double)points->count);
    EVN_TRY(evn__points_repeated(points, &repeated));
    snprintf(text, sizeof(text), "%lld rows of %d %s, %lld of them held out",
             (long long)points->count, points->dimensions,
             points->dimensions == 1 ? "column" : "columns", (long long)(test < 1 ? 1 : test));
    evn__console_note(text);
    if (points->left_out > 0) {
        snprintf(text, sizeof(text), "%lld %s left out for want of a number",
                 (long long)points->left_out, points->left_out == 1 ? "row" : "rows");
        evn__console_note(text);
    }
    if (repeated * 10 > points->count) {
        snprintf(text, sizeof(text),
                 "%lld %s the same as others: where values repeat, log p has no bound",
                 (long long)repeated, repeated == 1 ? "row is" : "rows are");
        evn__console_note(text);
    }
    return EVN_OK;
}

/// The points of the file, in the units of the run where there is one already.
static evn_status take_points(evn__session *session, const evn__settings *settings,
                              const evn__data_table *table, evn__points *known,
                              evn__points **points) {
    int64_t skip = settings->skip_bad == INT64_MIN ? 0 : settings->skip_bad;
    if (!known) {
        EVN_TRY(evn__points_take(table, settings->columns, skip, EVN__FLOW_DIMENSIONS_MAX, points));
        report_columns(table, *points);
        EVN_TRY(report_points(*points, holdout_of(settings)));
        return evn__points_fit(*points, holdout_of(settings), (uint64_t)settings->seed);
    }
    (void)session;
    EVN_TRY(evn__points_take_like(table, known, skip, points));
    (*points)->standard = known->standard;
    known->standard = (evn__standardisation){0};
    return EVN_OK;
}

static evn_status make_source(evn__session *session, evn__settings *settings,
                              const evn__points *points) {
    float *rows;
    int64_t train = points->count - (int64_t)llround(holdout_of(settings) * (double)points->count);
    if (settings->batch == INT64_MIN) {
        settings->batch = train < BATCH ? (train < 1 ? 1 : train) : BATCH;
    }
    EVN_TRY(evn__points_standardise(points, &rows));
    evn_status status =
        evn_source_points(rows, points->count, points->dimensions, settings->batch,
                          holdout_of(settings), (uint64_t)settings->seed, &session->source);
    free(rows);
    return status;
}

static evn_status open_table(evn__session *session, evn__settings *settings, evn__points *known) {
    evn__data_table *table;
    evn__points *points = NULL;
    EVN_TRY(evn__data_table_read(settings->data, &table));
    evn_status status = take_points(session, settings, table, known, &points);
    evn__data_table_destroy(&table);
    session->data = points;
    session->points = points;
    EVN_TRY(status);
    evn__hash_print((evn__hash){evn__points_checksum(points), (uint64_t)points->count},
                    session->digest);
    return make_source(session, settings, points);
}

static evn_status open_data(evn__session *session, evn__settings *settings) {
    evn__points *known = NULL;
    EVN_TRY(check_file(settings->data));
    EVN_CHECK(holdout_of(settings) > 0, EVN_ERR_USAGE,
              "--holdout is 0, but a flow on a file needs rows to test on");
    EVN_TRY(evn__flow_check_model(settings->model));
    EVN_TRY(session->run ? evn__flow_read_points(session->run, &known) : EVN_OK);
    evn_status status = open_table(session, settings, known);
    evn__points_destroy(&known);
    return status;
}

static void close_data(evn__session *session) {
    evn__points *points = session->data;
    evn__points_destroy(&points);
    session->data = NULL;
}

/// A source of one point, which nobody asks for.
static evn_status open_learnt(evn__session *session, evn__settings *settings, const json_t *run) {
    const float origin[EVN__FLOW_DIMENSIONS_MAX] = {0};
    evn__points *points;
    (void)settings;
    (void)run;
    session->close = close_data;
    EVN_TRY(evn__flow_read_points(session->run, &points));
    session->data = points;
    session->points = points;
    return evn_source_points(origin, 1, points->dimensions, 1, 0, 0, &session->source);
}

static evn_status keep(const evn__session *session, const char *folder) {
    return evn__flow_keep_points(session->points, folder);
}

// The task ----------------------------------------------------------------------------------------

static evn_status create(evn__session *session, const evn__settings *settings) {
    const evn_flow_options options = {
        .model = settings->model,
        .trace = (evn_trace)evn__choice_find(evn__trace_name, settings->trace),
        .entropy = NAN,
        .weights = settings->evolution,
        .seed = (uint64_t)settings->seed,
        .width = session->points->dimensions < WIDE_FROM ? WIDTH : WIDE,
        .span = SPAN,
        .log_volume = session->points->standard.log_volume};
    return evn_task_flow(session->device, &session->source, &options, &session->task);
}

static evn_status draw(const evn__session *session, const evn__settings *settings,
                       const char *folder) {
    int count;
    const double *losses = evn_trainer_losses(session->trainer, &count);
    evn__flow_model model = evn__flow_get_model(&session->task);
    (void)settings;
    EVN_TRY(evn__flow_draw_losses(losses, count, NAN, folder));
    return evn__flow_draw_points(&model, evn__session_solver(session), session->points, folder);
}

static const evn__exportation exportation = {
    "x: float32 [batch, D], points in the units of their file", evn__flow_unroll};

static const char *const options[] = {"model", "weights",       "basis",   "batch",   "data",
                                      "trace", "micro-batches", "columns", "holdout", "skip-bad",
                                      NULL};

static const evn__default defaults[] = {
    {NULL, "phase",
     "backprop:solver=rk4,steps=8,epochs=1000,lr=0.02,schedule=cosine,until=held-out"},
    {NULL, "weights", NULL}, // in the flow's own way
    {NULL, "optimizer", "adam"},
    {NULL, "rtol", "1e-5"},
    {NULL, "atol", "1e-5"},
    {NULL, "trace", "exact"},
    {NULL, "skip-bad", "0"},
    {0},
};

static const evn__column none[] = {{0}};

static const evn__column results[] = {
    {"test_nll", "test NLL", "%.4g nats", 1, 0, false},
    {"test_bits", "test NLL, a dimension", "%.4g bits", 1, 0, false},
    {"train_nll", "train NLL", "%.4g nats", 1, 0, false},
    {0}};

static const evn__column compared[] = {{"test_nll", "test NLL, nats", "%.3f", 1, 0, true}, {0}};

const evn__task_row evn__task_points = {
    .name = "flow",
    .text = "a density of points of your own (--data FILE.csv), 1 to 128 columns",
    .steps = 8,
    .iterates = true,
    .options = options,
    .defaults = defaults,
    .progress = none,
    .results = results,
    .compared = compared,
    .style = {NULL, "%s: training loss, mean over the seeds", "−log p  (nats)", 1, false},
    .open = open_data,
    .open_learnt = open_learnt,
    .keep = keep,
    .create = create,
    .ode = evn__flow_ode,
    .draw = draw,
    .predict = &evn__predict_points,
    .sample = evn__flow_sample_points,
    .close = close_data,
    .export = &exportation};
