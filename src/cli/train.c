// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "base/names.h"
#include "cli/kept_network.h"
#include "cli/launch_limit.h"
#include "cli/made_with.h"
#include "cli/memory_limit.h"
#include "cli/training.h"
#include "cli/verb.h"

#include <string.h>

// The run folder ----------------------------------------------------------------------------------

evn_status evn__training_words(const evn__command *command, json_t **words) {
    for (int i = 0; i < command->count; ++i) {
        EVN_CHECK(
            evn__is_utf8(command->words[i]), EVN_ERR_USAGE,
            "a word of the command line is not UTF-8, which run.json needs; name another path");
    }
    *words = json_array();
    for (int i = 0; i < command->count; ++i) {
        evn__json_append(*words, json_string(command->words[i]));
    }
    return EVN_OK;
}

static json_t *show_shape(evn_shape shape) {
    json_t *extents = json_array();
    for (int i = 0; i < shape.rank; ++i) {
        evn__json_append(extents, json_integer(shape.dim[i]));
    }
    return extents;
}

/// What the model takes, for those who have no data of the training.
static void show_source(const evn_source *source, json_t *run) {
    evn_source_info info = source->methods->info(source->self);
    evn__json_put(run, "sample", show_shape(info.sample));
    if (info.has_target) {
        evn__json_put(run, "target", show_shape(info.target));
    }
}

/// The contents of run.json.
static evn_status describe(const evn__command *command, const evn__settings *settings,
                           const evn__training *t, json_t **run) {
    json_t *words;
    EVN_TRY(evn__training_words(command, &words));
    *run = json_pack("{s:i, s:o, s:s, s:o}", "format", 1, "command", words, "task",
                     t->session->row->name, "options", evn__settings_show(settings));
    EVN_CHECK(*run, EVN_ERR_MEMORY, "no memory for the description of the run");
    EVN_TRY(evn__made_with_show(t->session, *run));
    const char *note = settings->preset ? NULL : t->session->row->note;
    if (note) {
        evn__json_put(*run, "note", json_string(note));
    }
    if (t->session->classes) {
        evn__json_put(*run, "classes", evn__class_names(t->session->classes));
    }
    if (t->session->digest[0]) { // figures of other data are no comparison
        evn__json_put(*run, "data_digest", json_string(t->session->digest));
    }
    evn__kept_network_show(t->session->network, *run);
    evn__json_put(*run, "selftest", json_string(t->session->selftest));
    show_source(&t->session->source, *run);
    if (t->session->row->describe) {
        t->session->row->describe(t->session, *run);
    }
    return EVN_OK;
}

/// The run directory, when nothing can be refused any more.
static evn_status claim(const evn__command *command, evn__settings *settings, evn__training *t) {
    bool numbered = !settings->out;
    if (numbered) {
        EVN_TRY(
            evn__run_directory_number("runs", t->session->row->name, t->folder, sizeof(t->folder)));
        settings->out = t->folder;
    }
    json_t *run = NULL;
    evn_status status = describe(command, settings, t, &run);
    if (status == EVN_OK) {
        status = evn__training_mark(t, run);
    }
    if (status == EVN_OK) {
        status = evn__training_claim(t, settings->out);
    }
    if (status == EVN_OK) {
        status = evn__run_directory_begin(t->directory, run);
    }
    json_decref(run);
    return status == EVN_OK || !numbered ? status : evn__training_take_back(t, status);
}

// The verb ----------------------------------------------------------------------------------------

/// What can be said before anything takes long.
static evn_status check(const evn__settings *settings, evn__training *t) {
    for (int i = 0; i < settings->phase_count; ++i) {
        EVN_TRY(evn__phase_check(&settings->phases[i]));
    }
    EVN_TRY(evn__memory_limit_check(settings->memory_limit, false));
    EVN_TRY(evn__launch_limit_check(settings->launch_limit));
    if (!settings->out) {
        return EVN_OK;
    }
    EVN_CHECK(strlen(settings->out) < sizeof(t->folder), EVN_ERR_OUTPUT,
              "the path of the run directory is too long: %.80s…", settings->out);
    memcpy(t->folder, settings->out, strlen(settings->out) + 1);
    return evn__run_directory_check(t->folder);
}

/// From an open session on.
/// @param[in] filters, layers  as they were given
static evn_status start(const evn__command *command, int64_t filters, int64_t layers,
                        evn__training *t) {
    evn__settings *settings = command->settings;
    EVN_TRY(evn__session_check_sizes(filters, layers, t->session->network));
    EVN_TRY(evn__training_fit(t, settings));
    if (settings->dry_run) {
        return EVN_OK;
    }
    EVN_TRY(evn__training_create(t, settings));
    EVN_TRY(claim(command, settings, t));
    return evn__training_run(t, settings);
}

static evn_status run(const evn__command *command) {
    evn__settings *settings = command->settings;
    const evn__task_row *row;
    evn__session session = {0};
    evn__training t = {.session = &session};
    EVN_TRY(evn__task_find(settings->subject, EVN_ERR_USAGE, &row));
    row = evn__task_for(row, settings);
    int64_t filters = settings->filters, layers = settings->layers; // tasks fill them in
    EVN_TRY(evn__settings_complete(settings, row));
    EVN_TRY(check(settings, &t));
    evn_status status = evn__session_open(&session, row, settings);
    if (status == EVN_OK) {
        status = start(command, filters, layers, &t);
    }
    evn__training_close(&t);
    evn__session_close(&session);
    return status;
}

const evn__verb evn__verb_train = {
    "train",
    "TASK",
    "train a model, phase by phase",
    EVN__VERB_TRAIN,
    run,
    "\nA phase is NAME:KEY=VALUE,...; NAME is\n"
    "  backprop                  through the steps taken; memory grows with their number\n"
    "  checkpointed              the same gradient; only states are kept, all or N checkpoints\n"
    "  adjoint                   solved backwards; memory does not grow; not for all dynamics\n"
    "  reversible                steps that can be undone, on top of the solver; exact, and\n"
    "                            memory does not grow; twice the evaluations; not for what decays\n"
    "  adjoint-quadrature        the adjoint along the kept steps of an adaptive solve; for all\n"
    "                            dynamics; memory grows with the steps\n"
    "A key that a phase lacks is taken from the option of that name, then from the task; rate\n"
    "and schedule from the task's phase of that name. Two phases, one after the other:\n"
    "  --phase backprop:steps=10,epochs=15,lr=0.05 --phase adjoint:epochs=2,lr=0.01\n"};
