// SPDX-License-Identifier: Apache-2.0
#include "cli/flow.h"

#include "cli/choices.h"
#include "cli/verb.h"

#include <math.h>
#include <stdlib.h>

enum { DEFAULT_COUNT = 1000, DEFAULT_SEED = 1, DIGITS = 9 };

evn_status evn__flow_check_model(const char *name) {
    char list[256];
    EVN_CHECK(evn__flow_find(name), EVN_ERR_USAGE, "a flow has no model '%s'; it should be %s",
              name, evn__choice_text(evn_flow_model_name, list, sizeof(list)));
    return EVN_OK;
}

evn_status evn__flow_of(const evn__session *session, const char *folder, evn__flow_model *model) {
    *model = evn__flow_get_model(&session->task);
    EVN_CHECK(model->device, EVN_ERR_ARGUMENT,
              "%s is a run of the task %s; only a flow has samples and a density", folder,
              session->row->name);
    return EVN_OK;
}

evn_status evn__flow_unroll(const evn__session *session, const evn__unroll_options *options,
                            evn__unrolled *unrolled) {
    evn__flow_model model = evn__flow_get_model(&session->task);
    unrolled->columns = session->points->names;
    unrolled->column_count = session->points->dimensions;
    return evn__unrolled_flow(model.kind, &model.size, model.parameters, &session->points->standard,
                              options, unrolled);
}

// Rows --------------------------------------------------------------------------------------------

void evn__flow_put_columns(evn__answers *answers, const evn__points *points) {
    for (int i = 0; i < points->dimensions; ++i) {
        evn__answers_column(answers, points->names[i]);
    }
    evn__answers_column(answers, "log_p");
}

void evn__flow_put_point(evn__answers *answers, const evn__points *points, const double *x,
                         double log_p) {
    for (int i = 0; i < points->dimensions; ++i) {
        evn__answers_number(answers, x[i], DIGITS);
    }
    evn__answers_number(answers, log_p, DIGITS);
}

// Samples -----------------------------------------------------------------------------------------

/// Points [count, D + 1], with their log p, as lines of CSV.
static evn_status write_points(const evn__session *session, const evn__flow_model *model,
                               const double *points, int64_t count, const char *path) {
    evn__answers answers = {0};
    double x[EVN__FLOW_DIMENSIONS_MAX];
    int64_t dimensions = model->size.dimensions;
    evn__flow_put_columns(&answers, session->points);
    evn__answers_begin(&answers);
    for (int64_t i = 0; i < count; ++i) {
        const double *point = points + (dimensions + 1) * i;
        evn__standardisation_undo(&session->points->standard, point, x);
        evn__flow_put_point(&answers, session->points, x, point[dimensions] - model->log_volume);
        evn__answers_end_row(&answers);
    }
    return evn__answers_write(&answers, path);
}

evn_status evn__flow_sample_points(const evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
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
