// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"
#include "cli/made_with.h"
#include "cli/memory_limit.h"
#include "cli/reopen.h"
#include "cli/training.h"
#include "cli/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_status go_back_to_best(const char *folder) {
    bool has;
    EVN_TRY(evn__run_has_best(folder, &has));
    EVN_CHECK(has, EVN_ERR_FILE, "the run in %s has no best checkpoint, %s; resume without --best",
              folder, evn__run_checkpoint_name(EVN__CHECKPOINT_BEST));
    return evn__run_checkpoint_return(folder, EVN__CHECKPOINT_BEST);
}

static evn_status claim(const char *folder, bool best, evn__training *t) {
    EVN_CHECK(strlen(folder) < sizeof(t->folder), EVN_ERR_OUTPUT,
              "the path of the run directory is too long: %.80s…", folder);
    memcpy(t->folder, folder, strlen(folder) + 1);
    EVN_TRY(evn__run_directory_reopen(folder, &t->directory));
    if (!t->directory) {
        return EVN_OK;
    }
    EVN_TRY(evn__run_has_checkpoint(folder, &t->has_checkpoint));
    return best ? go_back_to_best(folder) : EVN_OK;
}

/// Other data would make it the run of neither.
static evn_status check_data(const json_t *run, const evn__session *session) {
    const char *begun = json_string_value(json_object_get(run, "data_digest"));
    EVN_CHECK(!begun || strcmp(begun, session->digest) == 0, EVN_ERR_DATA,
              "the data are not those that the run began with; --data names their directory where "
              "they have moved, else train again");
    return EVN_OK;
}

/// The same bits come of the same device, driver and program alone.
static evn_status check_same(const json_t *run, const evn__settings *settings, evn__training *t) {
    char *text, warning[EVN__MESSAGE_SIZE];
    json_t *differs;
    EVN_TRY(evn__made_with_compare(t->session, run, &differs));
    if (json_array_size(differs) == 0) {
        json_decref(differs);
        return EVN_OK;
    }
    t->differs = differs;
    EVN_TRY(evn__made_with_text(differs, &text));
    snprintf(warning, sizeof(warning),
             "the run does not go on with what it began with, so that the last bits differ (%s)",
             text);
    free(text);
    EVN_CHECK(!settings->same, EVN_ERR_DATA, "%s; leave out --same, or resume where it was begun",
              warning);
    evn__console_warning(warning);
    return EVN_OK;
}

static evn_status resume(const evn__task_row *row, const json_t *run, evn__settings *settings,
                         evn__training *t) {
    EVN_CHECK(!json_object_get(run, "compressed"), EVN_ERR_FILE,
              "%s was cut off while evonode compress wrote it, and there is no training to go on "
              "with; compress again",
              t->folder);
    EVN_TRY(evn__session_open(t->session, row, settings));
    EVN_TRY(evn__reopen_check(run, t->session));
    EVN_TRY(check_data(run, t->session));
    EVN_TRY(check_same(run, settings, t));
    EVN_TRY(evn__training_mark(t, run));
    EVN_TRY(evn__training_fit(t, settings));
    EVN_TRY(evn__training_create(t, settings));
    return evn__training_run(t, settings);
}

/// With the folder claimed, unless it is finished, so that what is read is what will be there.
static evn_status resume_claimed(const evn__command *command, evn__training *t) {
    const evn__task_row *row;
    json_t *run;
    evn__settings settings;
    evn_status status =
        evn__reopen_settings(t->folder, command->settings, false, &run, &row, &settings);
    if (status == EVN_OK) {
        settings.same = command->settings->same;
        t->run = run;
        status = t->directory ? resume(row, run, &settings, t) : EVN_OK; // finished: only read
    }
    evn__training_close(t);
    evn__session_close(t->session);
    evn__settings_free(&settings);
    json_decref(run);
    return status;
}

/// A finished run is where resuming ends, however often it is asked for.
static evn_status run(const evn__command *command) {
    const char *folder = command->settings->subject;
    evn__session session = {.run = folder};
    evn__training t = {.session = &session, .resumes = true};
    EVN_TRY(evn__memory_limit_check(command->settings->memory_limit, true));
    evn_status status = claim(folder, command->settings->best, &t);
    bool finished = !t.directory;
    if (status == EVN_OK) {
        status = resume_claimed(command, &t);
    }
    evn__training_close(&t);
    EVN_TRY(status);
    if (finished) {
        evn__console_finished(folder);
    }
    return EVN_OK;
}

const evn__verb evn__verb_resume = {
    "resume",
    "RUN",
    "continue an interrupted run",
    EVN__VERB_RESUME,
    run,
    "\nA checkpoint is written after each epoch; where epochs are short, as often as takes a\n"
    "fiftieth of the time. The one before and the one of the least loss are kept too; a run that\n"
    "was ended before its first begins again. A resumed run gives the same bits as one that was\n"
    "not interrupted, on the same device with the same driver and program; what differs is said\n"
    "and kept in run.json.\n"};
