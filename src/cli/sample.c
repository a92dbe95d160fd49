// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"
#include "cli/reopen.h"
#include "cli/verb.h"
#include "io/run_directory.h"
#include "task/flow.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_COUNT = 1000, DEFAULT_SEED = 1 };

/// Points as lines of CSV, to the file or to standard output.
static evn_status write_points(const double *points, int64_t count, const char *path) {
    evn__text text = {0};
    evn__text_append(&text, "x,y,log_p\n");
    for (int64_t i = 0; i < count; ++i) {
        evn__text_append(&text, "%.7g,%.7g,%.7g\n", points[3 * i], points[3 * i + 1],
                         points[3 * i + 2]);
    }
    evn_status status = text.status;
    if (status == EVN_OK && path) {
        status = evn__file_write(path, text.data, text.size);
    } else if (status == EVN_OK) {
        fwrite(text.data, 1, text.size, stdout);
    }
    free(text.data);
    return status;
}

static evn_status sample(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    evn__flow_model model = evn__flow_get_model(&session->task);
    EVN_CHECK(model.device, EVN_ERR_ARGUMENT,
              "%s is a run of the task %s; only a flow can be sampled", given->subject,
              session->row->name);
    int64_t count = given->count == INT64_MIN ? DEFAULT_COUNT : given->count;
    uint64_t seed = given->seed == INT64_MIN ? DEFAULT_SEED : (uint64_t)given->seed;
    double *points; // at t = 1, then at t = 0
    EVN_TRY(EVN_NEW(&points, 2 * 3 * count));
    evn_status status =
        evn__flow_sample(&model, evn__session_solver(session), seed, count, 1, points);
    if (status == EVN_OK) {
        status = write_points(points + 3 * count, count, given->out);
    }
    free(points);
    return status;
}

static evn_status run(const evn__command *command) {
    const char *out = command->settings->out;
    EVN_TRY(out ? evn__run_check_output(out) : EVN_OK);
    return evn__reopen(command, sample);
}

const evn__verb evn__verb_sample = {
    "sample",
    "RUN",
    "draw new points from a trained flow",
    EVN__VERB_SAMPLE,
    run,
    "\nThe points are lines of CSV: x, y and the logarithm of the flow's density there.\n"};
