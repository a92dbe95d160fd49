// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "cli/work.h"
#include "host/tuning.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { FOLDER_SIZE = 4096, MESSAGE_SIZE = 4096, LINES = 20 };

/// A training run, from claiming its folder to its summary.
typedef struct training {
    const char *task, *note; ///< note: on its results, or NULL
    const evn__work *work;
    evn__session *session;
    evn__record *record;
    char folder[FOLDER_SIZE];
    int epochs;                 ///< of all phases
    double seconds;             ///< of the epochs so far, training alone
    uint64_t peak_bytes;        ///< of the epochs so far
    evn_epoch last;             ///< the last epoch that was finished
    int lines;                  ///< shown of iterations so far, LINES a phase
    int warned;                 ///< number of the last phase warned about, from 1
    evn_status status;          ///< of writing an epoch
    char message[MESSAGE_SIZE]; ///< of that failure
} training;

// Interruption ------------------------------------------------------------------------------------

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

/// The first signal ends the run in order, the second at once.
static void catch_signals(void) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

// What the trainer calls --------------------------------------------------------------------------

static void on_progress(void *user, const evn_progress *progress) {
    const training *t = user;
    evn__report_progress(t->session->phases, progress);
}

/// Every epoch on images; of iterations, which are many, LINES a phase.
static bool is_shown(training *t, const evn_epoch *epoch) {
    const evn_phase *phases = t->session->phases;
    int done = epoch->epoch + 1;
    for (int i = 0; i < epoch->phase; ++i) {
        done -= phases[i].epochs;
    }
    int lines = epoch->phase * LINES + done * LINES / phases[epoch->phase].epochs;
    bool shown = t->work->kind == EVN__IMAGES || lines > t->lines;
    t->lines = lines;
    return shown;
}

static void on_epoch(void *user, const evn_epoch *epoch) {
    training *t = user;
    const evn_phase *phases = t->session->phases;
    if (is_shown(t, epoch)) {
        evn__report_epoch(phases, t->epochs, epoch);
    }
    if (t->warned <= epoch->phase && evn__report_reconstruction(phases, epoch)) {
        t->warned = epoch->phase + 1;
    }
    t->seconds += epoch->seconds;
    t->peak_bytes =
        epoch->peak_device_bytes > t->peak_bytes ? epoch->peak_device_bytes : t->peak_bytes;
    t->last = *epoch;
    t->session->phase = epoch->phase;
    if (t->status == EVN_OK) {
        t->status = evn__record_epoch(t->record, phases[epoch->phase].name, epoch);
        snprintf(t->message, sizeof(t->message), "%s", evn_error_message());
    }
}

static bool on_stop(void *user) {
    const training *t = user;
    return interrupted || t->status != EVN_OK;
}

// The run folder ----------------------------------------------------------------------------------

static json_t *describe_device(const evn_device_info *info) {
    char selector[32];
    snprintf(selector, sizeof(selector), "%d:%d", info->platform, info->device);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "selector", selector,
                     "name", info->name, "type", evn_device_type_name(info->type), "vendor",
                     info->vendor, "driver", info->driver, "version", info->version, "platform",
                     info->platform_name, "platform_version", info->platform_version,
                     "compute_units", info->compute_units, "global_bytes",
                     (json_int_t)info->global_bytes);
}

/// The contents of run.json.
static evn_status describe(const evn__command *command, const evn__settings *settings,
                           const training *t, json_t **run) {
    json_t *words = json_array();
    for (int i = 0; i < command->count; ++i) {
        json_array_append_new(words, json_string(command->words[i]));
    }
    *run =
        json_pack("{s:i, s:{s:s, s:s, s:s}, s:o, s:s, s:o, s:o}", "format", 1, "versions",
                  "evonode", EVN_VERSION, "jansson", jansson_version_str(), "compiler", __VERSION__,
                  "command", words, "task", t->task, "options", evn__settings_show(settings),
                  "device", describe_device(evn_device_get_info(t->session->device)));
    if (*run && t->note) {
        json_object_set_new(*run, "note", json_string(t->note));
    }
    char tuning[33];
    EVN_TRY(evn__tuning_digest(t->session->device, tuning));
    if (*run && tuning[0]) { // results depend on it in the last bits
        json_object_set_new(*run, "tuning", json_string(tuning));
    }
    EVN_CHECK(*run, EVN_ERR_USAGE,
              "the run cannot be described: a word of the command line, or the device's name, is "
              "not UTF-8");
    return EVN_OK;
}

static evn_status claim(const evn__command *command, evn__settings *settings, training *t) {
    if (settings->out) {
        EVN_CHECK(strlen(settings->out) < sizeof(t->folder), EVN_ERR_OUTPUT,
                  "the path of the run folder is too long: %.80s…", settings->out);
        memcpy(t->folder, settings->out, strlen(settings->out) + 1);
    } else {
        EVN_TRY(evn__record_number("runs", t->task, t->folder, sizeof(t->folder)));
        settings->out = t->folder;
    }
    json_t *run;
    EVN_TRY(describe(command, settings, t, &run));
    evn_status status = evn__record_create(settings->out, run, &t->record);
    json_decref(run);
    return status;
}

static evn_status write_parameters(training *t, const evn__settings *settings) {
    evn__pair metadata[] = {{"format", "evonode 1"},
                            {"task", t->task},
                            {"model", settings->model ? settings->model : "node"}};
    return evn__record_parameters(t->record, t->work->parameters(t->session), metadata,
                                  sizeof(metadata) / sizeof(metadata[0]));
}

// Training ----------------------------------------------------------------------------------------

static evn_status summarize(training *t, double seconds, evn__summary *summary) {
    *summary = evn__summary_empty();
    summary->seconds_per_epoch = t->seconds / (t->last.epoch + 1); // a phase may have ended early
    summary->seconds_total = seconds;
    summary->peak_device_bytes = (int64_t)t->peak_bytes;
    summary->parameters = evn_parameters_learnt(t->work->parameters(t->session));
    return t->work->summarize(t->session, &t->last, summary);
}

/// Keep what a failed run has learnt, where that is of use; its failure stays the one reported.
static evn_status give_up(training *t, const evn__settings *settings, evn_status status) {
    char message[MESSAGE_SIZE];
    bool unwritten = t->status != EVN_OK;
    snprintf(message, sizeof(message), "%s", unwritten ? t->message : evn_error_message());
    bool kept = write_parameters(t, settings) == EVN_OK;
    EVN_FAIL(unwritten ? t->status : status, "%s (%s has the epochs so far%s)", message, t->folder,
             kept ? " and the parameters" : "");
}

static evn_status train(training *t, const evn__settings *settings) {
    evn__session *session = t->session;
    double started = evn__now();
    evn__report_activity("compiling");
    evn_status status = t->work->create(session, settings);
    evn__report_clear();
    EVN_TRY(status);
    status = t->work->run(session);
    evn__report_clear();
    if (status != EVN_OK || t->status != EVN_OK) {
        return give_up(t, settings, status);
    }
    evn__summary summary;
    EVN_TRY(summarize(t, evn__now() - started, &summary));
    EVN_TRY(write_parameters(t, settings));
    EVN_TRY(t->work->draw(session, t->folder));
    EVN_TRY(evn__record_finish(t->record, &summary));
    evn__report_summary(t->folder, session->device, &summary, t->note);
    evn__report_paper(t->task, settings->model);
    return EVN_OK;
}

static void set_callbacks(training *t) {
    evn_trainer_options *options = &t->session->options;
    options->progress = on_progress;
    options->epoch_done = on_epoch;
    options->stop = on_stop;
    options->user = t;
    for (int i = 0; i < options->phase_count; ++i) {
        t->epochs += options->phases[i].epochs;
    }
}

static evn_status run(const evn__command *command) {
    evn__settings *settings = command->settings;
    evn__session session = {0};
    training t = {.task = settings->subject, .session = &session};
    evn_status status = evn__settings_complete(settings, t.task);
    if (status == EVN_OK) {
        t.work = evn__task_work(t.task);
        t.note = evn__task_note(t.task, settings->preset);
    }
    if (status == EVN_OK) {
        status = evn__session_open(&session, t.task, settings);
    }
    if (status == EVN_OK) {
        status = claim(command, settings, &t);
    }
    if (status == EVN_OK) {
        catch_signals();
        set_callbacks(&t);
        status = train(&t, settings);
    }
    evn__record_destroy(&t.record);
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
    "  backprop                  through equal steps; memory grows with their number\n"
    "  checkpointed              the same gradient, with the states of the steps kept alone\n"
    "  adjoint                   solved backwards; memory does not grow, steps may be adaptive\n"
    "as in --phase backprop:steps=10,epochs=15,lr=0.05 --phase adjoint:epochs=2,lr=0.01\n"
    "What a phase does not say is taken from the option of that name, then from the task.\n"};
