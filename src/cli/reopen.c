// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"

#include "cli/work.h"
#include "train/record.h"

static evn_status read_settings(const json_t *run, const evn__settings *given, bool solve,
                                const char **task, evn__settings *settings) {
    *task = json_string_value(json_object_get(run, "task"));
    EVN_CHECK(*task, EVN_ERR_FORMAT, "it names no task");
    EVN_TRY(evn__settings_read(settings, json_object_get(run, "options")));
    if (solve) {
        EVN_TRY(evn__settings_override(settings, given));
    }
    settings->device = given->device || solve ? given->device : settings->device;
    settings->data = given->data ? given->data : settings->data;
    return evn__settings_complete(settings, *task);
}

evn_status evn__reopen_settings(const char *folder, const evn__settings *given, bool solve,
                                json_t **run, const char **task, evn__settings *settings) {
    evn__settings_clear(settings);
    *run = NULL;
    EVN_TRY(evn__run_read(folder, run));
    evn_status status = read_settings(*run, given, solve, task, settings);
    return status == EVN_ERR_FORMAT ? evn__prepend(status, "%s/run.json", folder) : status;
}

static evn_status open_run(evn__session *session, const char *folder, const char *task,
                           evn__settings *settings) {
    const evn__work *work = evn__task_work(task);
    EVN_TRY(evn__session_open(session, task, settings));
    session->phases[0].solver.gradient = EVN_GRADIENT_NONE;
    EVN_TRY(work->create(session, settings));
    return evn__run_parameters(folder, work->parameters(session));
}

evn_status evn__reopen(const evn__command *command,
                       evn_status (*use)(evn__session *session, const char *task,
                                         const evn__command *command)) {
    const char *folder = command->settings->subject, *task;
    json_t *description;
    evn__settings settings;
    evn__session session = {0};
    evn_status status =
        evn__reopen_settings(folder, command->settings, true, &description, &task, &settings);
    settings.limit = INT64_MIN; // the test part is never limited
    if (status == EVN_OK) {
        status = open_run(&session, folder, task, &settings);
    }
    if (status == EVN_OK) {
        status = use(&session, task, command);
    }
    evn__session_close(&session);
    evn__settings_free(&settings);
    json_decref(description);
    return status;
}
