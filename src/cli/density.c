// SPDX-License-Identifier: Apache-2.0
#include "cli/flow.h"
#include "cli/output.h"
#include "cli/reopen.h"
#include "cli/verb.h"

static evn_status put_table(const evn__flow_rows *rows, const char *out) {
    evn__answers answers = {0};
    evn__flow_put_columns(&answers, rows->points);
    evn__answers_begin(&answers);
    for (int64_t i = 0; i < rows->count; ++i) {
        evn__flow_put_point(&answers, rows->points, rows->x + i * rows->points->dimensions,
                            rows->log_p[i]);
        evn__answers_end_row(&answers);
    }
    return evn__answers_write(&answers, out);
}

static evn_status put_json(const evn__flow_rows *rows, const char *out) {
    evn__text text = {0};
    double sum = 0;
    evn__text_append(&text, "{\"log_p\": [");
    for (int64_t i = 0; i < rows->count; ++i) {
        evn__text_append(&text, "%s%.9g", i > 0 ? ", " : "", rows->log_p[i]);
        sum += rows->log_p[i];
    }
    double mean = sum / (double)rows->count;
    evn__text_append(&text,
                     "], \"count\": %lld, \"nll_nats\": %.9g, \"bits_per_dimension\": %.9g}\n",
                     (long long)rows->count, -mean, -evn__flow_bits(rows->points, mean));
    return evn__output_write(&text, out);
}

static evn_status density(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    evn__flow_rows rows = {0};
    evn_status status = evn__flow_ask(session, given, &rows);
    if (status == EVN_OK) {
        status = given->json ? put_json(&rows, given->out) : put_table(&rows, given->out);
    }
    evn__flow_rows_free(&rows);
    return status;
}

static evn_status run(const evn__command *command) {
    const evn__settings *given = command->settings;
    EVN_CHECK(given->subject_count == 2, EVN_ERR_USAGE,
              "density needs a run and one file: evonode density RUN FILE.csv (- is standard "
              "input)");
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
