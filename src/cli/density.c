// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"
#include "cli/flow.h"
#include "cli/output.h"
#include "cli/reopen.h"
#include "cli/verb.h"
#include "io/run_directory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The rows that are asked about.
typedef struct question {
    const evn__points *points;
    int64_t count;
    double *x;     ///< [count, D] in the user's units
    double *z;     ///< [count, D] as the flow has them
    double *log_p; ///< [count] in the user's units
} question;

static evn_status read_table(const char *path, evn__data_table **table) {
    unsigned char *data;
    size_t size;
    if (strcmp(path, "-") != 0) {
        return evn__data_table_read(path, table);
    }
    EVN_TRY(evn__stream_read(stdin, "standard input", EVN__FILE_BYTES_MAX, &data, &size));
    evn_status status = evn__data_table_parse("standard input", data, size, table);
    free(data);
    return status;
}

static evn_status read_question(const char *path, question *q) {
    evn__data_table *table;
    EVN_TRY(read_table(path, &table));
    q->count = table->row_count;
    evn_status status = evn__points_match(q->points, table, &q->x);
    evn__data_table_destroy(&table);
    EVN_TRY(status);
    EVN_TRY(EVN_NEW(&q->z, q->count * q->points->dimensions));
    for (int64_t i = 0; i < q->count; ++i) {
        int64_t at = i * q->points->dimensions;
        evn__standardisation_apply(&q->points->standard, q->x + at, q->z + at);
    }
    return EVN_NEW(&q->log_p, q->count);
}

static evn_status put_table(const question *q, const char *out) {
    evn__csv_writer writer = {0};
    evn__flow_put_head(&writer, q->points);
    for (int64_t i = 0; i < q->count; ++i) {
        evn__flow_put_row(&writer, q->points, q->x + i * q->points->dimensions, q->log_p[i]);
    }
    return evn__output_write(&writer.text, out);
}

static evn_status put_json(const question *q, const char *out) {
    evn__text text = {0};
    double sum = 0;
    evn__text_append(&text, "{\"log_p\": [");
    for (int64_t i = 0; i < q->count; ++i) {
        evn__text_append(&text, "%s%.9g", i > 0 ? ", " : "", q->log_p[i]);
        sum -= q->log_p[i];
    }
    double nll = sum / (double)q->count;
    evn__text_append(&text,
                     "], \"count\": %lld, \"nll_nats\": %.9g, \"bits_per_dimension\": %.9g}\n",
                     (long long)q->count, nll, nll / (log(2) * q->points->dimensions));
    return evn__output_write(&text, out);
}

static evn_status answer(const evn__session *session, const evn__settings *given,
                         const evn__flow_model *model, question *q) {
    EVN_TRY(read_question(given->subjects[1], q));
    EVN_TRY(evn__flow_log_density(model, evn__session_solver(session), 0, q->z, q->count, q->log_p,
                                  NULL));
    for (int64_t i = 0; i < q->count; ++i) {
        q->log_p[i] -= model->log_volume;
        EVN_CHECK(isfinite(q->log_p[i]), EVN_ERR_NOT_FINITE,
                  "log p of row %lld is not finite: the point is too far from those that the run "
                  "was trained on",
                  (long long)(i + 1));
    }
    return given->json ? put_json(q, given->out) : put_table(q, given->out);
}

static evn_status density(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    evn__flow_model model;
    EVN_TRY(evn__flow_of(session, given->subject, &model));
    question q = {.points = session->points};
    evn_status status = answer(session, given, &model, &q);
    free(q.x);
    free(q.z);
    free(q.log_p);
    return status;
}

static evn_status run(const evn__command *command) {
    const evn__settings *given = command->settings;
    EVN_CHECK(given->subject_count == 2, EVN_ERR_USAGE,
              "density needs a run and one file: evonode density RUN FILE.csv (- is standard "
              "input)");
    EVN_TRY(given->out ? evn__run_check_output(given->out) : EVN_OK);
    return evn__reopen_learnt(command, density);
}

const evn__verb evn__verb_density = {
    "density",
    "RUN FILE",
    "the density of a trained flow at given points",
    EVN__VERB_DENSITY,
    run,
    "\nFILE is a CSV file, or - for standard input. It has the columns that the flow was trained\n"
    "on (x and y of a density in the plane) by their names, among others where it likes; without "
    "a\n"
    "header it has these columns alone, in their order. The answer has them with log_p, the "
    "natural\n"
    "logarithm of the density in the columns' units, in the order of the rows. --json prints "
    "log_p\n"
    "alone, with the mean of -log_p in nats and in bits a dimension.\n"};
