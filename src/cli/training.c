// SPDX-License-Identifier: Apache-2.0
#include "cli/training.h"

#include "base/clock.h"
#include "cli/report.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { LINES = 20 };                     // shown of iterations, a phase
static const double SAVING_SHARE = 0.02; // of the time, at most, for checkpoints

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
    const evn__training *t = user;
    evn__report_progress(t->session->phases, progress);
}

/// Every epoch on images; of iterations, which are many, LINES a phase.
static bool is_shown(evn__training *t, const evn_epoch *epoch) {
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

/// Training goes on without a checkpoint where none can be written: the next one may succeed.
static void save(evn__training *t) {
    char path[EVN__FOLDER_SIZE];
    double begun = evn__now();
    evn_status status = evn__run_checkpoint(t->folder, path, sizeof(path));
    if (status == EVN_OK) {
        status = evn__record_flush(t->record);
    }
    if (status == EVN_OK) {
        status = t->work->save(t->session, path);
    }
    if (status != EVN_OK && t->unsaved == EVN_OK) {
        evn__report_unsaved(evn_error_message());
    }
    t->has_checkpoint = t->has_checkpoint || status == EVN_OK;
    t->unsaved = status;
    t->saved_at = evn__now();
    t->saving = t->saved_at - begun;
}

static void on_epoch(void *user, const evn_epoch *epoch) {
    evn__training *t = user;
    const evn_phase *phases = t->session->phases;
    if (is_shown(t, epoch)) {
        evn__report_epoch(phases, t->epochs, epoch);
    }
    if (t->warned <= epoch->phase && evn__report_reconstruction(phases, epoch)) {
        t->warned = epoch->phase + 1;
    }
    evn__totals_add(&t->so_far, epoch);
    t->session->phase = epoch->phase;
    if (t->status == EVN_OK) {
        t->status = evn__record_epoch(t->record, phases[epoch->phase].name, epoch);
        snprintf(t->message, sizeof(t->message), "%s", evn_error_message());
    }
    if (t->status == EVN_OK && evn__now() - t->saved_at >= t->saving / SAVING_SHARE) {
        save(t);
    }
}

static bool on_stop(void *user) {
    const evn__training *t = user;
    return interrupted || t->status != EVN_OK;
}

// Training ----------------------------------------------------------------------------------------

static evn_status write_parameters(evn__training *t, const evn__settings *settings) {
    evn__pair metadata[] = {{"format", "evonode 1"},
                            {"task", t->task},
                            {"model", settings->model ? settings->model : "node"}};
    return evn__record_parameters(t->record, t->work->parameters(t->session), metadata,
                                  sizeof(metadata) / sizeof(metadata[0]));
}

static evn_status summarize(evn__training *t, double seconds, evn__summary *summary) {
    *summary = evn__summary_empty();
    summary->seconds_per_epoch =
        t->so_far.seconds / (t->so_far.last.epoch + 1); // a phase may have ended early
    summary->seconds_total = t->earlier + seconds;
    summary->peak_device_bytes = (int64_t)t->so_far.peak_device_bytes;
    summary->parameters = evn_parameters_scalar_count(t->work->parameters(t->session));
    return t->work->summarize(t->session, &t->so_far.last, summary);
}

/// Keep what a failed run has learnt, where that is of use; its failure stays the one reported.
static evn_status give_up(evn__training *t, const evn__settings *settings, evn_status status) {
    char message[EVN__MESSAGE_SIZE];
    bool unwritten = t->status != EVN_OK;
    snprintf(message, sizeof(message), "%s", unwritten ? t->message : evn_error_message());
    bool kept = write_parameters(t, settings) == EVN_OK;
    if (status == EVN_ERR_INTERRUPTED && t->work->kind != EVN__IMAGES) {
        save(t); // images: the last checkpoint is of the last whole epoch
    }
    bool goes_on = t->has_checkpoint && status != EVN_ERR_NOT_FINITE; // it would end there again
    EVN_FAIL(unwritten ? t->status : status, "%s (%s has the epochs so far%s%s%s)", message,
             t->folder, kept ? " and the parameters" : "",
             goes_on ? "; to go on: evonode resume " : "", goes_on ? t->folder : "");
}

/// To where the checkpoint is.
static evn_status go_back(evn__training *t) {
    char path[EVN__FOLDER_SIZE];
    int epochs;
    EVN_TRY(evn__run_checkpoint(t->folder, path, sizeof(path)));
    EVN_TRY(t->work->restore(t->session, path, &epochs));
    EVN_TRY(evn__record_rewind(t->record, epochs, &t->so_far));
    int phase = t->so_far.last.phase;
    t->session->phase = phase < t->session->options.phase_count ? phase : 0;
    t->earlier = t->so_far.seconds;
    t->has_checkpoint = true;
    evn__report_resumed(t->work->kind == EVN__IMAGES ? "epoch" : "iteration", epochs, t->epochs);
    return EVN_OK;
}

static evn_status train(evn__training *t, const evn__settings *settings) {
    evn__session *session = t->session;
    double started = evn__now();
    evn__report_activity("compiling");
    evn_status status = t->work->create(session, settings);
    evn__report_clear();
    EVN_TRY(status);
    if (t->resumes) {
        EVN_TRY(go_back(t));
    }
    t->saved_at = evn__now();
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

static void set_callbacks(evn__training *t) {
    evn_trainer_options *options = &t->session->options;
    options->progress = on_progress;
    options->epoch_done = on_epoch;
    options->stop = on_stop;
    options->user = t;
    for (int i = 0; i < options->phase_count; ++i) {
        t->epochs += options->phases[i].epochs;
    }
}

evn_status evn__training_run(evn__training *training, const evn__settings *settings) {
    catch_signals();
    set_callbacks(training);
    return train(training, settings);
}
