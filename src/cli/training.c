// SPDX-License-Identifier: Apache-2.0
#include "cli/training.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/number.h"
#include "cli/console.h"
#include "cli/interruption.h"
#include "cli/launch_limit.h"
#include "cli/memory_limit.h"
#include "cli/tensorboard.h"
#include "cli/trust.h"
#include "exchange/weights.h"
#include "study/paper.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 20 };                     // shown of iterations, a phase
enum { RUN_DIGITS = 15 };                // of numbers in run.json: what is read prints the same
static const double SAVING_SHARE = 0.02; // of the time, at most, for checkpoints

// What the trainer calls --------------------------------------------------------------------------

static void on_progress(void *user, const evn_progress *progress) {
    const evn__training *t = user;
    char text[EVN__PROGRESS];
    evn__console_progress_text(t->session->phases, progress, text);
    evn__console_activity(text);
    evn__watch_tell(t->watch, text);
}

/// Every epoch; of iterations, which are many, LINES a phase.
static bool is_shown(evn__training *t, const evn_epoch *epoch) {
    const evn_phase *phases = t->session->phases;
    int done = epoch->epoch + 1;
    for (int i = 0; i < epoch->phase; ++i) {
        done -= phases[i].epochs;
    }
    int lines = epoch->phase * LINES + done * LINES / phases[epoch->phase].epochs;
    bool shown = !t->session->row->iterates || lines > t->lines;
    t->lines = lines;
    return shown;
}

/// Keep the newest checkpoint as the best of those that were written, if it is.
static evn_status keep_best(evn__training *t) {
    bool has;
    EVN_TRY(evn__run_has_best(t->folder, &has));
    if (has && t->best_loss <= t->so_far.loss) {
        return EVN_OK;
    }
    EVN_TRY(evn__run_checkpoint_keep(t->folder, EVN__CHECKPOINT_BEST));
    t->best_loss = t->so_far.loss;
    return EVN_OK;
}

/// What counts epochs, before what stands for them is written.
static evn_status flush(const evn__training *t) {
    EVN_TRY(evn__run_directory_flush(t->directory));
    return t->events ? evn__events_flush(t->events) : EVN_OK;
}

/// Training goes on without a checkpoint where none can be written: the next one may succeed.
static void save(evn__training *t) {
    char path[EVN__FOLDER_SIZE];
    double begun = evn__now();
    evn_status status = evn__run_checkpoint(t->folder, EVN__CHECKPOINT_NEWEST, path, sizeof(path));
    if (status == EVN_OK) {
        status = flush(t);
    }
    if (status == EVN_OK) {
        status = evn__run_checkpoint_keep(t->folder, EVN__CHECKPOINT_BEFORE);
    }
    if (status == EVN_OK) {
        status = evn__run_lines_hash(t->folder, t->mark.lines);
    }
    if (status == EVN_OK) {
        status = evn__trainer_save(t->session->trainer, path, &t->mark);
    }
    if (status == EVN_OK) {
        status = keep_best(t);
    }
    if (status != EVN_OK && t->unsaved == EVN_OK) {
        evn__console_unsaved(evn_error_message());
    }
    t->unsaved = status;
    t->saved_at = evn__now();
    t->saving = t->saved_at - begun;
}

static const char *switch_name(evn_switch ended) {
    static const char *const names[] = {NULL, "apart", "stalled", "held-out"};
    return names[ended];
}

static evn_status write_epoch(evn__training *t, const evn_epoch *epoch) {
    const evn__run_line line = {.epoch = epoch->epoch,
                                .phase = epoch->phase,
                                .phase_name = t->session->phases[epoch->phase].name,
                                .ended = switch_name(epoch->ended),
                                .metrics = &epoch->metrics};
    EVN_TRY(evn__run_directory_epoch(t->directory, &line));
    return t->events ? evn__events_write(t->events, epoch->epoch + 1, &epoch->metrics) : EVN_OK;
}

/// Short epochs have no progress within.
static void tell_epoch(evn__training *t, const evn_epoch *epoch) {
    char text[EVN__PROGRESS];
    snprintf(text, sizeof(text), "epoch %d of %d", epoch->epoch + 1, t->epochs);
    evn__watch_tell(t->watch, text);
    evn__watch_renew(t->watch);
}

static void on_epoch(void *user, const evn_epoch *epoch) {
    evn__training *t = user;
    const evn_phase *phases = t->session->phases;
    if (is_shown(t, epoch) || epoch->ended != EVN_SWITCH_NONE) {
        evn__console_epoch(t->session->row, phases, t->epochs, epoch);
    }
    if (evn__console_fallback(phases, epoch) ||
        (t->warned <= epoch->phase && evn__console_reconstruction(phases, epoch))) {
        t->warned = epoch->phase + 1;
    }
    evn__run_totals_add(&t->so_far, epoch->phase, epoch->epoch, &epoch->metrics);
    t->session->phase = epoch->phase;
    if (t->status == EVN_OK) {
        t->status = write_epoch(t, epoch);
        snprintf(t->message, sizeof(t->message), "%s", evn_error_message());
    }
    tell_epoch(t, epoch);
    if (t->status == EVN_OK && evn__now() - t->saved_at >= t->saving / SAVING_SHARE) {
        save(t);
    }
}

static bool on_stop(void *user) {
    const evn__training *t = user;
    return evn__interruption_asked() || t->status != EVN_OK;
}

// Training ----------------------------------------------------------------------------------------

static evn_parameters *parameters_of(const evn__training *t) {
    return t->session->task.methods->parameters(t->session->task.self);
}

evn_status evn__training_claim(evn__training *training, const char *folder) {
    const evn__session *session = training->session;
    const evn_network *own = session->network;
    EVN_TRY(evn__run_directory_create(folder, &training->directory));
    EVN_TRY(own ? evn__run_directory_network(training->directory, evn_network_text(own)) : EVN_OK);
    return session->row->keep ? session->row->keep(session, training->folder) : EVN_OK;
}

/// Options by which no bit of a run changes; the data are known by their digest.
static const char *const indifferent[] = {
    "device",       "force", "data",    "out",         "memory-limit", "launch-limit", "pause",
    "low-priority", "spin",  "dry-run", "tensorboard", "watch",        "watch-address"};

evn_status evn__training_mark(evn__training *training, const json_t *run) {
    static const char *const others[] = {"task", "data_digest"};
    json_t *all = json_deep_copy(json_object_get(run, "options"));
    for (size_t i = 0; i < sizeof(indifferent) / sizeof(indifferent[0]); ++i) {
        json_object_del(all, indifferent[i]);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); ++i) {
        json_t *value = json_object_get(run, others[i]);
        evn__json_put(all, others[i], value ? json_incref(value) : json_null());
    }
    // Apart: whoever changes the network file deletes its hash (kept_network.c).
    evn__json_put(all, "network_hash", json_null());
    const char *network = json_string_value(json_object_get(run, "network_hash"));
    snprintf(training->mark.network, EVN__HASH_TEXT, "%s", network ? network : "");
    char *text;
    evn_status status = evn__json_print(all, JSON_COMPACT | JSON_SORT_KEYS, RUN_DIGITS, &text);
    json_decref(all);
    EVN_TRY(status);
    evn__hash_print(evn__hash_of(text, strlen(text)), training->mark.run);
    free(text);
    return EVN_OK;
}

evn_status evn__training_take_back(evn__training *training, evn_status status) {
    char message[EVN__MESSAGE_SIZE];
    snprintf(message, sizeof(message), "%s", evn_error_message());
    evn__run_directory_destroy(&training->directory);
    evn__run_directory_discard(training->folder);
    EVN_FAIL(status, "%s", message);
}

json_t *evn__class_names(const evn_dataset *dataset) {
    json_t *names = json_array();
    for (int i = 0; i < evn_dataset_get_info(dataset).classes; ++i) {
        evn__json_append(names, json_string(evn_dataset_class_name(dataset, i)));
    }
    return names;
}

/// The names of the classes as JSON, for the metadata of the parameters; NULL where there are none.
static evn_status print_classes(const evn__training *t, char **text) {
    *text = NULL;
    if (!t->session->classes) {
        return EVN_OK;
    }
    json_t *names = evn__class_names(t->session->classes);
    evn_status status = evn__json_print(names, JSON_COMPACT, 17, text);
    json_decref(names);
    return status;
}

evn_status evn__training_keep(evn__training *training, const evn__settings *settings) {
    evn__training *t = training;
    char *classes;
    EVN_TRY(print_classes(t, &classes));
    evn__key_value metadata[] = {{"format", "evonode 1"},
                                 {"task", t->session->row->name},
                                 {"model", settings->network ? "own"
                                           : settings->model ? settings->model
                                                             : "node"},
                                 {"classes", classes}}; // last: it may be missing
    int count = classes ? 4 : 3;
    evn_status status =
        evn__run_directory_parameters(t->directory, parameters_of(t), metadata, count);
    free(classes);
    return status;
}

static evn_status add(evn_metrics *metrics, const char *name, const char *unit, double value) {
    return isnan(value) ? EVN_OK : evn_metrics_set(metrics, name, unit, EVN_BETTER_LOWER, value);
}

/// The task's own results, with the solver of the last phase: of the test part, then of a training
/// part as it is.
static evn_status measure(evn__training *t, evn_metrics *metrics) {
    const evn_task *task = &t->session->task;
    evn__console_activity("measuring the results");
    evn__watch_tell(t->watch, "measuring the results");
    evn_status status =
        evn_trainer_evaluate(t->session->trainer, t->session->phase, EVN_TEST, metrics);
    if (status == EVN_OK && task->methods->batches(task->self, EVN_TRAIN) > 0) {
        status = evn_trainer_evaluate(t->session->trainer, t->session->phase, EVN_TRAIN, metrics);
    }
    evn__console_clear();
    return status;
}

static evn_status summarize(evn__training *t, double seconds, evn_metrics *metrics) {
    const evn__run_totals *so_far = &t->so_far;
    EVN_TRY(measure(t, metrics));
    EVN_TRY(add(metrics, "seconds_per_epoch", "s", so_far->seconds / so_far->timed));
    EVN_TRY(add(metrics, "seconds_total", "s", t->earlier + seconds));
    EVN_TRY(add(metrics, "nfe_forward", "", so_far->nfe_forward)); // in training
    EVN_TRY(add(metrics, "nfe_backward", "", so_far->nfe_backward));
    EVN_TRY(add(metrics, "peak_device_bytes", "bytes",
                so_far->epochs > 0 ? so_far->peak_device_bytes : NAN));
    EVN_TRY(add(metrics, "longest_launch", "s",
                t->session->longest.seconds > 0 ? t->session->longest.seconds : NAN));
    return add(metrics, "parameters", EVN_UNIT_COUNT,
               (double)evn_parameters_scalar_count(parameters_of(t)));
}

static const char *what_is_kept(bool epochs, bool parameters) {
    static const char *const texts[2][2] = {
        {"has no epoch yet", "has the parameters, but no whole epoch yet"},
        {"has the epochs so far", "has the epochs so far and the parameters"}};
    return texts[epochs][parameters];
}

/// What a resumed run has to be given, where a limit was too little for this one.
static const char *more_memory(const evn__training *t, evn_status status) {
    bool limited = status == EVN_ERR_DEVICE_MEMORY && t->session->memory_limit > 0;
    return limited ? " --memory-limit SIZE, with more than so far, or off" : "";
}

/// What helps after a failure: nothing, where the same bits would come to the same end.
static void advise(const evn__training *t, evn_status status, char *text, size_t size) {
    bool ends_again = status == EVN_ERR_NOT_FINITE || status == EVN_ERR_SOLVER, has = false;
    text[0] = 0;
    if (ends_again) {
        return;
    }
    if (!evn__run_directory_goes_on(t->directory)) {
        evn__print(text, size, "; its run.json is missing: bring it back, or train again");
        return;
    }
    bool known = evn__run_has_checkpoint(t->folder, &has) == EVN_OK;
    evn__print(text, size, "%s: evonode resume %s%s",
               known && !has ? "; it has no checkpoint yet; to begin again" : "; to continue",
               t->folder, more_memory(t, status));
}

/// Keep what a failed run has learnt, where that is of use; its failure stays the one reported.
static evn_status give_up(evn__training *t, const evn__settings *settings, evn_status status) {
    char message[EVN__MESSAGE_SIZE], advice[EVN__FOLDER_SIZE + 128];
    bool unwritten = t->status != EVN_OK;
    snprintf(message, sizeof(message), "%s", unwritten ? t->message : evn_error_message());
    EVN_CHECK(evn__run_directory_is_there(t->directory), unwritten ? t->status : status,
              "%s (the run directory %s was removed or moved meanwhile)", message, t->folder);
    EVN_CHECK(!evn__run_directory_is_finished(t->directory), unwritten ? t->status : status,
              "%s (the run is finished all the same; what is left over goes with: evonode resume "
              "%s)",
              message, t->folder);
    bool kept = evn__training_keep(t, settings) == EVN_OK;
    if (status == EVN_ERR_INTERRUPTED && t->session->row->iterates) {
        save(t); // elsewhere the last checkpoint is of the last whole epoch
    }
    advise(t, status, advice, sizeof(advice));
    EVN_FAIL(unwritten ? t->status : status, "%s (%s %s%s)", message, t->folder,
             what_is_kept(t->so_far.epochs > 0, kept), advice);
}

static evn_status restore(evn__training *t, evn__generation generation, int *epochs) {
    char path[EVN__FOLDER_SIZE];
    EVN_TRY(evn__run_checkpoint(t->folder, generation, path, sizeof(path)));
    return evn__trainer_restore(t->session->trainer, path, &t->mark, epochs);
}

/// Where neither the newest checkpoint nor the one before can be read.
static evn_status fail_restore(const evn__training *t, evn_status status, const char *reason) {
    char best[EVN__FOLDER_SIZE];
    int epochs;
    EVN_TRY(evn__run_checkpoint(t->folder, EVN__CHECKPOINT_BEST, best, sizeof(best)));
    EVN_CHECK(evn__checkpoint_epochs(best, &epochs) != EVN_OK, status,
              "%s; the one before is no better; to go back to the best: evonode resume %s --best",
              reason, t->folder);
    EVN_FAIL(
        status,
        "%s; there is no other to go on from; to begin again, remove %s/checkpoint*.safetensors "
        "and resume",
        reason, t->folder);
}

/// From the newest checkpoint, and where that is damaged, from the one before.
static evn_status restore_newest(evn__training *t, int *epochs) {
    char reason[EVN__MESSAGE_SIZE];
    evn_status status = restore(t, EVN__CHECKPOINT_NEWEST, epochs);
    if (status != EVN_ERR_FORMAT && status != EVN_ERR_FILE) {
        return status;
    }
    snprintf(reason, sizeof(reason), "%s", evn_error_message());
    if (restore(t, EVN__CHECKPOINT_BEFORE, epochs) != EVN_OK) {
        return fail_restore(t, status, reason);
    }
    evn__console_older(reason);
    return evn__run_checkpoint_return(t->folder, EVN__CHECKPOINT_BEFORE); // else it is lost next
}

/// The loss of the best checkpoint, as metrics.jsonl has it; one that is damaged has none, and is
/// replaced by the next.
static evn_status recall_best(evn__training *t) {
    char path[EVN__FOLDER_SIZE];
    int epochs;
    bool has;
    t->best_loss = NAN;
    EVN_TRY(evn__run_checkpoint(t->folder, EVN__CHECKPOINT_BEST, path, sizeof(path)));
    EVN_TRY(evn__run_has_best(t->folder, &has));
    evn_status status = has ? evn__checkpoint_epochs(path, &epochs) : EVN_ERR_FORMAT;
    if (status == EVN_ERR_FORMAT || status == EVN_ERR_DATA) {
        return EVN_OK;
    }
    EVN_TRY(status);
    return evn__run_loss(t->folder, epochs, &t->best_loss);
}

/// What another device, driver or program goes on with is not what the first would have had.
static evn_status note_differences(const evn__training *t, int epochs) {
    if (!t->differs) {
        return EVN_OK;
    }
    json_t *run = json_deep_copy(t->run), *all = json_object_get(run, "resumed");
    EVN_CHECK(run, EVN_ERR_MEMORY, "no memory for the description of the run");
    if (!all) {
        all = json_array();
        evn__json_put(run, "resumed", all);
    }
    evn__json_append(all,
                     json_pack("{s:i, s:O}", "epoch", epochs, "differs", (json_t *)t->differs));
    evn_status status = evn__json_check();
    if (status == EVN_OK) {
        status = evn__run_directory_begin(t->directory, run);
    }
    json_decref(run);
    return status;
}

/// Whether metrics.jsonl is what the checkpoint was written behind. The training goes on with the
/// right bits all the same.
static evn_status check_lines(const evn__training *t, int epochs) {
    char now[EVN__HASH_TEXT], warning[EVN__FOLDER_SIZE + 256];
    EVN_TRY(evn__run_lines_hash(t->folder, now));
    bool all = t->so_far.epochs >= epochs; // else it is said that they are lost
    if (all && t->mark.lines[0] && strcmp(t->mark.lines, now) != 0) {
        snprintf(warning, sizeof(warning),
                 "%s/metrics.jsonl is not what the run wrote up to its checkpoint: it was changed "
                 "or damaged; the model is the right one all the same, the lines are not",
                 t->folder);
        evn__console_warning(warning);
    }
    return EVN_OK;
}

/// To where the checkpoint is, or where none was written yet, to the beginning.
static evn_status go_back(evn__training *t) {
    int epochs = 0;
    evn__session *session = t->session;
    EVN_TRY(t->has_checkpoint ? restore_newest(t, &epochs) : EVN_OK);
    EVN_TRY(note_differences(t, epochs));
    EVN_TRY(evn__run_directory_rewind(t->directory, epochs, &t->so_far));
    EVN_TRY(recall_best(t));
    evn__console_lost(t->folder, t->so_far.epochs, epochs);
    EVN_TRY(check_lines(t, epochs));
    t->so_far.epochs = epochs;
    int phase = t->so_far.phase;
    session->phase = phase >= 0 && phase < session->options.phase_count ? phase : 0;
    t->earlier = t->so_far.seconds;
    evn__console_resumed(session->row->iterates ? "iteration" : "epoch", epochs, t->epochs);
    return EVN_OK;
}

static evn_status finish(evn__training *t, const evn__settings *settings) {
    const evn__task_row *row = t->session->row;
    evn_metrics metrics = {0};
    EVN_TRY(evn_device_finish(t->session->device)); // its last errors are the run's
    EVN_TRY(flush(t));
    if (t->epochs == 0) { // nothing was trained: as it would be in the end
        t->session->phase = t->session->options.phase_count - 1;
    }
    EVN_TRY(summarize(t, evn__now() - t->started, &metrics));
    EVN_TRY(evn__training_keep(t, settings));
    EVN_TRY(row->draw ? row->draw(t->session, settings, t->folder) : EVN_OK);
    EVN_TRY(evn__run_directory_finish(t->directory, &metrics));
    evn__console_summary(row, t->folder, t->session->device, &metrics,
                         settings->preset ? NULL : row->note);
    if (!settings->network && evn__paper_is_on(row->name, t->session->digest)) {
        evn__console_paper(row->name, settings->model);
    }
    return EVN_OK;
}

static void set_callbacks(evn__training *t) {
    evn_trainer_options *options = &t->session->options;
    options->progress = on_progress;
    options->epoch_done = on_epoch;
    options->stop = on_stop;
    options->user = t;
    t->so_far = evn__run_totals_none();
    t->best_loss = NAN;
    for (int i = 0; i < options->phase_count; ++i) {
        t->epochs += options->phases[i].epochs;
    }
}

/// Begin with another program's parameters. A checkpoint has its own.
static evn_status load_weights(const evn__training *t, const evn__settings *settings) {
    evn__weight_map *map;
    if (!settings->weights_from || t->has_checkpoint) {
        return EVN_OK;
    }
    EVN_TRY(evn__weight_map_read(settings->map ? settings->map : "evonode", &map));
    evn_status status = evn__weights_load(settings->weights_from, map, parameters_of(t));
    evn__weight_map_destroy(&map);
    return status;
}

static evn_status create(evn__training *t, const evn__settings *settings) {
    evn__session *session = t->session;
    EVN_TRY(session->row->create(session, settings));
    EVN_TRY(load_weights(t, settings));
    EVN_TRY(evn__trust_later_phases(session, settings));
    return evn_trainer_create(session->device, &session->task, &session->options,
                              &session->trainer);
}

evn_status evn__training_fit(evn__training *training, evn__settings *settings) {
    evn__session *session = training->session;
    evn__needs needs;
    char text[512];
    EVN_TRY(evn__trust_begin(session));
    EVN_TRY(evn__memory_fit(session, settings, training->resumes, &needs));
    evn__console_memory(evn__needs_text(&needs, text, sizeof(text)), session->options.micro_batches,
                        settings->dry_run);
    return settings->dry_run ? EVN_OK : evn__launch_fit(session, settings, training->resumes);
}

evn_status evn__training_create(evn__training *training, const evn__settings *settings) {
    training->started = evn__now();
    EVN_CHECK(!settings->map || settings->weights_from, EVN_ERR_USAGE,
              "--map is for --weights-from FILE, which is not given");
    EVN_TRY(settings->tensorboard ? evn__events_check() : EVN_OK);
    set_callbacks(training);
    evn__console_device(training->session->device);
    evn__console_activity("compiling");
    evn_status status = evn__trust_begin(training->session);
    if (status == EVN_OK) {
        status = create(training, settings);
    }
    evn__console_clear();
    if (status == EVN_OK) {
        status = evn__trust_check(training->session, settings);
    }
    if (status == EVN_OK) {
        status = evn__watch_begin(training->folder, settings, &training->watch);
    }
    evn__interruption_defer(); // from here on there is something to keep
    return status;
}

void evn__training_close(evn__training *training) {
    evn__watch_end(&training->watch);
    evn__run_directory_destroy(&training->directory);
    json_decref(training->differs);
    training->differs = NULL;
}

evn_status evn__training_run(evn__training *training, const evn__settings *settings) {
    evn__training *t = training;
    evn__watch_renew(t->watch); // the directory is there
    if (t->resumes) {
        EVN_TRY(go_back(t));
    }
    EVN_TRY(evn__tensorboard_begin(t, settings, &t->events));
    t->saved_at = evn__now();
    evn_device_reset_peak(t->session->device); // what was checked at the first use is no training
    evn__device_limit(t->session->device, t->session->memory_limit);
    evn_status status = evn_trainer_run(t->session->trainer);
    evn__device_limit(t->session->device, 0);
    evn__console_clear();
    if (status == EVN_OK && t->status == EVN_OK) {
        status = finish(t, settings);
    }
    status = status == EVN_OK && t->status == EVN_OK ? EVN_OK : give_up(t, settings, status);
    evn__events_destroy(&t->events);
    return status;
}
