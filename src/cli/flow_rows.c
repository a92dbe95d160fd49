// SPDX-License-Identifier: Apache-2.0
// How likely a flow thinks rows that the user gives.
#include "cli/flow.h"
#include "cli/verb.h"

#include <math.h>
#include <stdlib.h>

enum { DIGITS = 9 };

static evn_status read_rows(const char *path, evn__flow_rows *rows) {
    evn__data_table *table;
    EVN_TRY(evn__question_read(path, &table));
    rows->count = table->row_count;
    evn_status status = evn__points_match(rows->points, table, &rows->x);
    evn__data_table_destroy(&table);
    return status;
}

static evn_status find_log_p(const evn__session *session, const evn__flow_model *model,
                             evn__flow_rows *rows) {
    double *z = NULL; // as the flow has them
    int64_t dimensions = rows->points->dimensions;
    EVN_TRY(EVN_NEW(&rows->log_p, rows->count));
    EVN_TRY(EVN_NEW(&z, rows->count * dimensions));
    for (int64_t i = 0; i < rows->count; ++i) {
        evn__standardisation_apply(&rows->points->standard, rows->x + i * dimensions,
                                   z + i * dimensions);
    }
    evn_status status = evn__flow_log_density(model, evn__session_solver(session), 0, z,
                                              rows->count, rows->log_p, NULL);
    free(z);
    return status;
}

evn_status evn__flow_ask(const evn__session *session, const evn__settings *given,
                         evn__flow_rows *rows) {
    evn__flow_model model;
    EVN_TRY(evn__flow_of(session, given->subject, &model));
    rows->points = session->points;
    EVN_TRY(read_rows(given->subjects[1], rows));
    EVN_TRY(find_log_p(session, &model, rows));
    for (int64_t i = 0; i < rows->count; ++i) {
        rows->log_p[i] -= model.log_volume;
        EVN_CHECK(isfinite(rows->log_p[i]), EVN_ERR_NOT_FINITE,
                  "log p of row %lld is not finite: the point is too far from those that the run "
                  "was trained on",
                  (long long)(i + 1));
    }
    return EVN_OK;
}

void evn__flow_rows_free(evn__flow_rows *rows) {
    free(rows->x);
    free(rows->log_p);
    *rows = (evn__flow_rows){0};
}

double evn__flow_bits(const evn__points *points, double log_p) {
    return log_p / (log(2) * points->dimensions);
}

// Predictions -------------------------------------------------------------------------------------

static evn_status put_rows(const evn__flow_rows *rows, const evn__settings *given) {
    const evn__points *points = rows->points;
    evn__answers answers = {.json = given->json};
    evn__flow_put_columns(&answers, points);
    evn__answers_column(&answers, "bits_per_dimension");
    evn__answers_begin(&answers);
    for (int64_t i = 0; i < rows->count; ++i) {
        evn__flow_put_point(&answers, points, rows->x + i * points->dimensions, rows->log_p[i]);
        evn__answers_number(&answers, -evn__flow_bits(points, rows->log_p[i]), DIGITS);
        evn__answers_end_row(&answers);
    }
    return evn__answers_write(&answers, NULL);
}

static evn_status predict(evn__session *session, const evn__command *command) {
    evn__flow_rows rows = {0};
    evn_status status = evn__flow_ask(session, command->settings, &rows);
    status = status == EVN_OK ? put_rows(&rows, command->settings) : status;
    evn__flow_rows_free(&rows);
    return status;
}

const evn__prediction evn__predict_points = {evn__question_check, NULL, predict};
