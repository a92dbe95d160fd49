// SPDX-License-Identifier: Apache-2.0
#include "train/summary.h"

#include "base/clock.h"
#include "task/evaluate.h"
#include "train/early_stop.h"
#include "train/phases.h"
#include "train/trainer_state.h"
#include <math.h>

static const double PROGRESS_SECONDS = 0.25; // between two tellings

void evn__summary_begin(evn_trainer *t, evn__summary *s) {
    double time = evn__now();
    evn_device_reset_peak(t->device);
    *s = (evn__summary){
        .epoch.phase = t->at.phase, .started = time, .progressed = time, .drained = true};
}

void evn__summary_show_progress(const evn_trainer *t, int64_t done, evn__summary *s) {
    double time = evn__now(), per_batch = (time - s->started) / (double)s->batches;
    if (!t->options.progress || time - s->progressed < PROGRESS_SECONDS) {
        return;
    }
    bool iterates = t->task.methods->iterates;
    int64_t batches = evn__trainer_batches(t);
    int all = evn__phases_epochs(t->phases, t->options.phase_count);
    int left = evn__phases_epochs(t->phases + t->at.phase, t->options.phase_count - t->at.phase) -
               t->at.in_phase;
    evn_progress progress = {
        .phase = t->at.phase,
        .phases = t->options.phase_count,
        .epoch = t->at.epoch,
        .epochs = all,
        .step = iterates ? 0 : done,
        .steps = iterates ? 0 : batches,
        .loss = (s->sum.loss - s->shown.loss) / (s->sum.weight - s->shown.weight),
        .samples_per_second = iterates ? NAN : (double)s->sum.samples / (time - s->started),
        .seconds_left = per_batch * (left * (double)batches - (double)done)};
    t->options.progress(t->options.user, &progress);
    s->progressed = time;
    s->shown = s->sum;
}

evn_status evn__summary_look_back(evn_trainer *t, bool take, evn__summary *s) {
    return evn__fallback_look(evn__trainer_phase(t), &t->task, t->programs.training, take,
                              &t->at.fallback, &s->epoch.metrics);
}

// The end -----------------------------------------------------------------------------------------

static evn_status set_real(evn_metrics *metrics, const char *name, const char *unit, double value) {
    return evn_metrics_set(metrics, name, unit, EVN_BETTER_LOWER, value);
}

/// What tells whether the last gradient is to be trusted.
static evn_status list_trust(const evn_trainer *t, evn_metrics *metrics) {
    const evn_task_methods *methods = t->task.methods;
    evn_gradient gradient = evn__trainer_phase(t)->solver.gradient;
    double x, theta;
    if (gradient == EVN_GRADIENT_ADJOINT && methods->reconstruction && !t->at.fallback) {
        EVN_TRY_TASK(&t->task, reconstruction, t->programs.training, &x, &theta);
        EVN_TRY(set_real(metrics, "x_reconstruction", "", x));
        EVN_TRY(set_real(metrics, "theta_reconstruction", "", theta));
    }
    if (gradient == EVN_GRADIENT_REVERSIBLE && methods->apart) {
        EVN_TRY_TASK(&t->task, apart, t->programs.training, &x, &theta);
        EVN_TRY(set_real(metrics, "states_apart", "", fmax(x, theta)));
    }
    return EVN_OK;
}

/// What training itself gave.
static evn_status list_training(const evn_trainer *t, const evn__summary *s, double seconds,
                                evn_metrics *metrics) {
    EVN_TRY(evn__task_metrics(&t->task, "train", &s->sum, metrics));
    EVN_TRY(evn_metrics_set(metrics, "learning_rate", "", EVN_BETTER_NEITHER, s->rate));
    EVN_TRY(set_real(metrics, "seconds", "s", seconds));
    EVN_TRY(set_real(metrics, "data_wait_seconds", "s", s->loading));
    if (s->nfe_forward > 0) {
        EVN_TRY(set_real(metrics, "nfe_forward", "", s->nfe_forward / (double)s->batches));
        EVN_TRY(set_real(metrics, "nfe_backward", "", s->nfe_backward / (double)s->batches));
    }
    EVN_TRY(s->decay > 0 ? set_real(metrics, "decay_forward", "", s->decay) : EVN_OK);
    return s->nfe_forward > 0 ? list_trust(t, metrics) : EVN_OK;
}

/// The test after an epoch. Its evaluations are not those of training.
static evn_status list_test(evn_trainer *t, evn_metrics *metrics) {
    evn_metrics test = {0};
    if (t->task.methods->iterates || t->task.methods->batches(t->task.self, EVN_TEST) == 0) {
        return EVN_OK;
    }
    EVN_TRY(evn_trainer_evaluate(t, t->at.phase, EVN_TEST, &test));
    for (int i = 0; i < test.count; ++i) {
        const evn_metric *m = &test.items[i];
        if (!evn_metrics_find(metrics, m->name)) {
            EVN_TRY(evn_metrics_set(metrics, m->name, m->unit, m->better, m->value));
        }
    }
    return EVN_OK;
}

evn_status evn__summary_end(evn_trainer *t, evn__summary *s) {
    double seconds = evn__now() - s->started;
    evn_metrics *metrics = &s->epoch.metrics;
    s->epoch.epoch = evn__trainer_last_epoch(t);
    EVN_TRY(list_training(t, s, seconds, metrics));
    // Taken only where it would be without a stop: what goes on from there is the same.
    EVN_TRY(evn__summary_look_back(t, evn__trainer_summary_is_due(t), s));
    EVN_TRY(list_test(t, metrics));
    EVN_TRY(set_real(metrics, "peak_device_bytes", "bytes",
                     (double)evn_device_get_stats(t->device).bytes_peak));
    EVN_TRY(evn__early_stop_look(t, &s->epoch));
    if (t->options.epoch_done) {
        t->options.epoch_done(t->options.user, &s->epoch);
    }
    return EVN_OK;
}
