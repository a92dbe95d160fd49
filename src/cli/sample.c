// SPDX-License-Identifier: Apache-2.0
#include "cli/flow.h"
#include "cli/output.h"
#include "cli/reopen.h"
#include "cli/verb.h"
#include "io/run_directory.h"

#include <math.h>
#include <stdlib.h>

enum { DEFAULT_COUNT = 1000, DEFAULT_SEED = 1 };

/// Points [count, D + 1], with their log p, as lines of CSV.
static evn_status write_points(const evn__session *session, const evn__flow_model *model,
                               const double *points, int64_t count, const char *path) {
    evn__csv_writer writer = {0};
    double x[EVN__FLOW_DIMENSIONS_MAX];
    int64_t dimensions = model->size.dimensions;
    evn__flow_put_head(&writer, session->points);
    for (int64_t i = 0; i < count; ++i) {
        const double *point = points + (dimensions + 1) * i;
        evn__standardisation_undo(&session->points->standard, point, x);
        evn__flow_put_row(&writer, session->points, x, point[dimensions] - model->log_volume);
    }
    return evn__output_write(&writer.text, path);
}

static evn_status sample(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    if (session->row->sample) {
        return session->row->sample(session, command);
    }
    EVN_CHECK(!given->times && isnan(given->until), EVN_ERR_USAGE,
              "--times and --until are for runs of the task series, not for one of %s",
              session->row->name);
    evn__flow_model model;
    EVN_TRY(evn__flow_of(session, given->subject, &model));
    int64_t count = given->count == INT64_MIN ? DEFAULT_COUNT : given->count;
    int64_t size = count * (model.size.dimensions + 1);
    uint64_t seed = given->seed == INT64_MIN ? DEFAULT_SEED : (uint64_t)given->seed;
    double *points; // at t = 1, then at t = 0
    EVN_TRY(EVN_NEW(&points, 2 * size));
    evn_status status =
        evn__flow_sample(&model, evn__session_solver(session), seed, count, 1, points);
    if (status == EVN_OK) {
        status = write_points(session, &model, points + size, count, given->out);
    }
    free(points);
    return status;
}

static evn_status run(const evn__command *command) {
    const char *out = command->settings->out;
    EVN_TRY(out ? evn__run_check_output(out) : EVN_OK);
    return evn__reopen_learnt(command, sample);
}

const evn__verb evn__verb_sample = {
    "sample",
    "RUN",
    "new points from a trained flow, values of a trained series",
    EVN__VERB_SAMPLE,
    run,
    "\nOf a flow these are lines of CSV with the columns that it was trained on (x and y of a\n"
    "density in the plane) and the logarithm of its density there, log_p. Of a series they are\n"
    "its quantities at the times of its file, at those of --times, or at --count times from its\n"
    "last row up to --until; beyond the data, what the model makes of them.\n"};
