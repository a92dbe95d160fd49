// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/report.h"
#include "cli/training.h"
#include "cli/verb.h"

#include <string.h>
#include <unistd.h>

static evn_status check_checkpoint(const char *folder) {
    char path[EVN__FOLDER_SIZE];
    EVN_TRY(evn__run_checkpoint(folder, path, sizeof(path)));
    EVN_CHECK(access(path, F_OK) == 0, EVN_ERR_FILE,
              "%s is missing: the run ended before its first checkpoint, so there is nothing to "
              "resume; train again",
              path);
    return EVN_OK;
}

static evn_status claim(const char *folder, evn__training *t) {
    EVN_CHECK(strlen(folder) < sizeof(t->folder), EVN_ERR_OUTPUT,
              "the path of the run directory is too long: %.80s…", folder);
    memcpy(t->folder, folder, strlen(folder) + 1);
    EVN_TRY(evn__run_directory_reopen(folder, &t->directory));
    return check_checkpoint(folder);
}

/// Other data would make it the run of neither.
static evn_status check_data(const json_t *run, const evn__session *session) {
    const char *begun = json_string_value(json_object_get(run, "data_digest"));
    EVN_CHECK(!begun || strcmp(begun, session->digest) == 0, EVN_ERR_DATA,
              "the data are not those that the run began with; --data names their directory where "
              "they have moved, else train again");
    return EVN_OK;
}

static evn_status resume(const char *folder, const evn__task_row *row, const json_t *run,
                         evn__settings *settings) {
    evn__session session = {.run = folder};
    evn__training t = {.session = &session, .resumes = true};
    evn_status status = claim(folder, &t);
    if (status == EVN_OK) {
        status = evn__session_open(&session, row, settings);
    }
    if (status == EVN_OK) {
        status = evn__reopen_check(run, &session);
    }
    if (status == EVN_OK) {
        status = check_data(run, &session);
    }
    if (status == EVN_OK) {
        status = evn__training_fit(&t, settings);
    }
    if (status == EVN_OK) {
        status = evn__training_create(&t, settings);
    }
    if (status == EVN_OK) {
        status = evn__training_run(&t, settings);
    }
    evn__training_close(&t);
    evn__session_close(&session);
    return status;
}

/// A finished run is where resuming ends, however often it is asked for.
static evn_status resume_unfinished(const char *folder, const evn__task_row *row, const json_t *run,
                                    evn__settings *settings) {
    json_t *summary;
    EVN_TRY(evn__run_summary(folder, &summary));
    if (!summary) {
        return resume(folder, row, run, settings);
    }
    json_decref(summary);
    evn__report_finished(folder);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    const char *folder = command->settings->subject;
    const evn__task_row *row;
    json_t *description;
    evn__settings settings;
    evn_status status =
        evn__reopen_settings(folder, command->settings, false, &description, &row, &settings);
    if (status == EVN_OK) {
        status = resume_unfinished(folder, row, description, &settings);
    }
    evn__settings_free(&settings);
    json_decref(description);
    return status;
}

const evn__verb evn__verb_resume = {
    "resume",
    "RUN",
    "continue an interrupted run",
    EVN__VERB_RESUME,
    run,
    "\nA checkpoint is written after each epoch; where epochs are short, as often as takes a\n"
    "fiftieth of the time. A resumed run gives the same bits as one that was not interrupted, on\n"
    "the same device.\n"};
