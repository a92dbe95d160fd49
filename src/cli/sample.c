// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"
#include "cli/reopen.h"
#include "cli/verb.h"
#include "io/run_directory.h"
#include "task/flow.h"

#include <math.h>
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
    return evn__output_write(&text, path);
}

static evn_status sample(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    if (session->row->sample) {
        return session->row->sample(session, command);
    }
    EVN_CHECK(!given->times && isnan(given->until), EVN_ERR_USAGE,
              "--times and --until are for runs of the task series, not for one of %s",
              session->row->name);
    evn__flow_model model = evn__flow_get_model(&session->task);
    EVN_CHECK(model.device, EVN_ERR_ARGUMENT,
              "%s is a run of the task %s; only a flow or a series can be sampled", given->subject,
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
    "new points from a trained flow, values of a trained series",
    EVN__VERB_SAMPLE,
    run,
    "\nThe points are lines of CSV: x, y and the logarithm of the flow's density there.\n"};
