// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/training.h"
#include "cli/verb.h"

#include <string.h>
#include <unistd.h>

static evn_status check_checkpoint(const char *folder) {
    char path[EVN__FOLDER_SIZE];
    EVN_TRY(evn__run_checkpoint(folder, path, sizeof(path)));
    EVN_CHECK(access(path, F_OK) == 0, EVN_ERR_FILE,
              "%s is missing: the run was ended before its first checkpoint, so that there is "
              "nothing to go on from; train again",
              path);
    return EVN_OK;
}

static evn_status claim(const char *folder, evn__training *t) {
    EVN_CHECK(strlen(folder) < sizeof(t->folder), EVN_ERR_OUTPUT,
              "the path of the run folder is too long: %.80s…", folder);
    memcpy(t->folder, folder, strlen(folder) + 1);
    EVN_TRY(evn__run_directory_reopen(folder, &t->directory));
    return check_checkpoint(folder);
}

static evn_status resume(const char *folder, const evn__task_row *row, evn__settings *settings) {
    evn__session session = {0};
    evn__training t = {.session = &session, .resumes = true};
    evn_status status = claim(folder, &t);
    if (status == EVN_OK) {
        status = evn__session_open(&session, row, settings);
    }
    if (status == EVN_OK) {
        status = evn__training_run(&t, settings);
    }
    evn__run_directory_destroy(&t.directory);
    evn__session_close(&session);
    return status;
}

static evn_status run(const evn__command *command) {
    const char *folder = command->settings->subject;
    const evn__task_row *row;
    json_t *description;
    evn__settings settings;
    evn_status status =
        evn__reopen_settings(folder, command->settings, false, &description, &row, &settings);
    if (status == EVN_OK) {
        status = resume(folder, row, &settings);
    }
    evn__settings_free(&settings);
    json_decref(description);
    return status;
}

const evn__verb evn__verb_resume = {
    "resume",
    "RUN",
    "go on with a run that was ended before its time",
    EVN__VERB_RESUME,
    run,
    "\nA run has a checkpoint after each epoch, or of many short ones as often as a fiftieth of\n"
    "the time allows. What follows is what would have followed, bit by bit on the same device.\n"};
