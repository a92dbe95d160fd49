// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"

#include "cli/kept_network.h"
#include "cli/launch_limit.h"
#include "cli/open_device.h"
#include "cli/training.h"
#include "cli/trust.h"
#include "train/checkpoint.h"

#include <string.h>

/// What is wrong with options that the run kept is no fault of the command line.
static evn_status as_kept(evn_status status) {
    return status == EVN_ERR_USAGE ? EVN_ERR_FORMAT : status;
}

/// Of memory, from here on; NULL: as it was.
static void take_limit(const char *given, evn__settings *settings) {
    if (given) {
        settings->memory_limit = strcmp(given, "off") == 0 ? NULL : given;
    }
}

static evn_status read_settings(const char *folder, const json_t *run, const evn__settings *given,
                                bool solve, const evn__task_row **task, evn__settings *settings) {
    const char *name = json_string_value(json_object_get(run, "task"));
    EVN_CHECK(name, EVN_ERR_FORMAT, "it names no task");
    EVN_TRY(evn__task_find(name, EVN_ERR_FORMAT, task));
    EVN_TRY(evn__settings_read(settings, json_object_get(run, "options")));
    EVN_TRY(settings->network ? evn__kept_network_take(folder, run, settings) : EVN_OK);
    settings->device = given->device || solve ? given->device : settings->device;
    settings->data = given->data ? given->data : settings->data;
    settings->launch_limit = solve ? given->launch_limit : settings->launch_limit;
    take_limit(given->memory_limit, settings);
    settings->watch = given->watch;
    settings->force = given->force;
    settings->watch_address = given->watch_address;
    *task = evn__task_for(*task, settings);
    EVN_TRY(as_kept(evn__settings_check(settings, *task)));
    if (solve) {
        EVN_TRY(evn__settings_override(settings, given));
    }
    evn_status status = evn__settings_complete(settings, *task);
    return solve ? status : as_kept(status);
}

evn_status evn__reopen_settings(const char *folder, const evn__settings *given, bool solve,
                                json_t **run, const evn__task_row **task, evn__settings *settings) {
    evn__settings_clear(settings);
    *run = NULL;
    EVN_TRY(evn__run_read(folder, run));
    evn_status status = read_settings(folder, *run, given, solve, task, settings);
    return status == EVN_ERR_FORMAT ? evn__prepend(status, "%s/run.json", folder) : status;
}

evn_status evn__reopen_check(const json_t *run, const evn__session *session) {
    const json_t *trained = json_object_get(run, "classes");
    const char *digest = json_string_value(json_object_get(run, "data_digest"));
    EVN_CHECK(!session->row->bound || !digest || strcmp(digest, session->digest) == 0, EVN_ERR_DATA,
              "the data are not those that the run was trained on (\"data_digest\" in its "
              "run.json); train again, or give those by --data");
    if (!session->classes || !trained) {
        return EVN_OK;
    }
    json_t *there = evn__class_names(session->classes);
    bool equal = json_equal(trained, there);
    json_decref(there);
    EVN_CHECK(equal, EVN_ERR_DATA,
              "the classes of the data are not those that the run was trained on (\"classes\" in "
              "its run.json)");
    return EVN_OK;
}

/// The data that it was trained on.
static evn_status open_own(evn__session *session, const evn__task_row *row, const json_t *run,
                           evn__settings *settings, const evn__command *command) {
    (void)command;
    EVN_TRY(evn__session_open(session, row, settings));
    return evn__reopen_check(run, session);
}

/// None, where the task can do without.
static evn_status open_learnt(evn__session *session, const evn__task_row *row, const json_t *run,
                              evn__settings *settings, const evn__command *command) {
    if (!row->open_learnt) {
        return open_own(session, row, run, settings, command);
    }
    EVN_TRY(evn__session_prepare(session, row, settings));
    EVN_TRY(row->open_learnt(session, settings, run));
    return evn__open_device(settings, &session->device);
}

/// What the command line gives.
static evn_status open_given(evn__session *session, const evn__task_row *row, const json_t *run,
                             evn__settings *settings, const evn__command *command) {
    EVN_TRY(row->predict->check ? row->predict->check(command->settings) : EVN_OK);
    if (!row->predict->open) {
        return open_learnt(session, row, run, settings, command);
    }
    EVN_TRY(evn__session_prepare(session, row, settings));
    EVN_TRY(row->predict->open(session, settings, run, command));
    return evn__open_device(settings, &session->device);
}

/// How a run comes to its data.
typedef evn_status (*opening)(evn__session *session, const evn__task_row *row, const json_t *run,
                              evn__settings *settings, const evn__command *command);

/// The model, or of a run that is not finished the checkpoint of the least loss.
static evn_status read_parameters(const char *folder, bool best, evn_parameters *parameters) {
    char path[4096];
    if (!best) {
        return evn__run_parameters(folder, parameters);
    }
    bool has;
    EVN_TRY(evn__run_checkpoint(folder, EVN__CHECKPOINT_BEST, path, sizeof(path)));
    EVN_TRY(evn__run_has_best(folder, &has));
    EVN_CHECK(has, EVN_ERR_FILE,
              "the run in %s has no best checkpoint, %s, as finished runs have none; leave --best "
              "out",
              folder, evn__run_checkpoint_name(EVN__CHECKPOINT_BEST));
    return evn__checkpoint_parameters(path, parameters);
}

static evn_status create(evn__session *session, const evn__settings *given,
                         const evn__settings *settings) {
    EVN_TRY(evn__trust_begin(session));
    EVN_TRY(session->row->create(session, settings));
    EVN_TRY(evn__trust_check(session, settings));
    return read_parameters(given->subject, given->best,
                           session->task.methods->parameters(session->task.self));
}

typedef evn_status using(evn__session *session, const evn__command *command);

/// With launches as short as they should be, where the verb has --launch-limit.
static evn_status use_session(evn__session *session, const evn__command *command,
                              evn__settings *settings, using *use) {
    bool limited = evn__settings_verbs("launch-limit") & command->verb;
    EVN_TRY(limited ? evn__launch_cut(session, settings) : EVN_OK);
    EVN_TRY(create(session, command->settings, settings));
    if (!limited) {
        return use(session, command);
    }
    evn__launch_begin(session);
    evn_status status = use(session, command);
    evn__launch_end(session, settings);
    return status;
}

static evn_status reopen(const evn__command *command, opening open, using *use) {
    const char *folder = command->settings->subject;
    const evn__task_row *row;
    json_t *description;
    evn__settings settings;
    evn__session session = {.run = folder};
    evn_status status =
        evn__reopen_settings(folder, command->settings, true, &description, &row, &settings);
    settings.limit = INT64_MIN; // the test part is never limited
    if (status == EVN_OK) {
        status = open(&session, row, description, &settings, command);
    }
    if (status == EVN_OK) {
        status = use_session(&session, command, &settings, use);
    }
    if (status == EVN_OK && session.device) { // its last errors are the command's
        status = evn_device_finish(session.device);
    }
    evn__session_close(&session);
    evn__settings_free(&settings);
    json_decref(description);
    return status;
}

evn_status evn__reopen(const evn__command *command,
                       evn_status (*use)(evn__session *session, const evn__command *command)) {
    evn__run_lock lock;
    EVN_TRY(evn__run_directory_share(command->settings->subject, &lock));
    evn_status status = reopen(command, open_own, use);
    evn__run_lock_release(&lock);
    return status;
}

evn_status evn__reopen_learnt(const evn__command *command,
                              evn_status (*use)(evn__session *session,
                                                const evn__command *command)) {
    return reopen(command, open_learnt, use);
}

static evn_status answer(evn__session *session, const evn__command *command) {
    return session->row->predict->answer(session, command);
}

evn_status evn__reopen_to_predict(const evn__command *command) {
    return reopen(command, open_given, answer);
}
