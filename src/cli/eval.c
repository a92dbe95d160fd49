// SPDX-License-Identifier: Apache-2.0
#include "cli/verb.h"
#include "cli/work.h"
#include "train/record.h"

#include <stdio.h>
#include <string.h>

/// What run.json says, with what is given on the command line in its place.
static evn_status read_settings(const json_t *run, const evn__settings *given, const char **task,
                                evn__settings *settings) {
    *task = json_string_value(json_object_get(run, "task"));
    EVN_CHECK(*task, EVN_ERR_FORMAT, "it names no task");
    EVN_TRY(evn__settings_read(settings, json_object_get(run, "options")));
    settings->limit = INT64_MIN; // the test part is never limited
    EVN_TRY(evn__settings_override(settings, given));
    return evn__settings_complete(settings, *task);
}

static evn_status evaluate(const char *folder, const char *task, evn__settings *settings) {
    evn__session session = {0};
    const evn__work *work = evn__task_work(task);
    evn_status status;
    EVN_TRY_GOTO(status, evn__session_open(&session, task, settings), done);
    session.phases[0].solver.gradient = EVN_GRADIENT_NONE;
    EVN_TRY_GOTO(status, work->create(&session, settings), done);
    EVN_TRY_GOTO(status, evn__run_parameters(folder, work->parameters(&session)), done);
    EVN_TRY_GOTO(status, work->evaluate(&session, folder), done);
done:
    evn__session_close(&session);
    return status;
}

static evn_status run(const evn__command *command) {
    const char *folder = command->settings->subject, *task;
    json_t *description;
    evn__settings settings;
    EVN_TRY(evn__run_read(folder, &description));
    evn__settings_clear(&settings);
    evn_status status = read_settings(description, command->settings, &task, &settings);
    if (status == EVN_OK) {
        status = evaluate(folder, task, &settings);
    } else if (status == EVN_ERR_FORMAT) {
        status = evn__prepend(status, "%s/run.json", folder);
    }
    evn__settings_free(&settings);
    json_decref(description);
    return status;
}

const evn__verb evn__verb_eval = {"eval",         "RUN", "test the model of a run folder",
                                  EVN__VERB_EVAL, run,   ""};
