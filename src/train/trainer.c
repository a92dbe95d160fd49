// SPDX-License-Identifier: Apache-2.0
#include "train/trainer_state.h"

#include "base/clock.h"
#include "task/evaluate.h"
#include "train/early_stop.h"
#include "train/pause.h"
#include "train/phases.h"
#include "train/summary.h"
#include <math.h>
#include <stdlib.h>

enum { SUMMARIES = 20, ITERATIONS = 10 }; // of a phase, at least; of a summary, at most

// What the files share ----------------------------------------------------------------------------

const evn_phase *evn__trainer_phase(const evn_trainer *t) {
    return &t->phases[t->at.phase];
}

const char *evn__trainer_unit(const evn_trainer *t) {
    return t->task.methods->iterates ? "iteration" : "epoch";
}

int evn__trainer_last_epoch(const evn_trainer *t) {
    return t->at.epoch > 0 ? t->at.epoch - 1 : 0;
}

int64_t evn__trainer_batches(const evn_trainer *t) {
    return t->task.methods->iterates ? t->options.accumulate
                                     : t->task.methods->batches(t->task.self, EVN_TRAIN);
}

/// Epochs in a summary.
static int summary_length(const evn_trainer *t) {
    int epochs = evn__trainer_phase(t)->epochs, each = (epochs + SUMMARIES - 1) / SUMMARIES;
    if (!t->task.methods->iterates) {
        return 1;
    }
    return each < ITERATIONS ? each : ITERATIONS;
}

bool evn__trainer_summary_is_due(const evn_trainer *t) {
    return t->at.in_phase % summary_length(t) == 0 ||
           t->at.in_phase == evn__trainer_phase(t)->epochs;
}

int evn__trainer_summary_count(const evn_trainer *t) {
    return evn__trainer_phase(t)->epochs / summary_length(t);
}

/// Compile what trains in the phase that is under way, again where it fell back.
static evn_status compile(evn_trainer *t) {
    return evn__programs_train(&t->programs, t->at.phase, t->at.fallback);
}

// Life --------------------------------------------------------------------------------------------

static evn_status renew_optimizer(evn_trainer *t) {
    evn_optimizer_destroy(&t->optimizer);
    return evn_optimizer_create(t->device, &t->options.optimizer,
                                evn_parameters_element_count(t->parameters), &t->optimizer);
}

/// Whether there is something to learn, and something to learn it from.
static evn_status check_task(const evn_trainer *t) {
    const evn_task_methods *m = t->task.methods;
    evn_buffer *values = evn_parameters_values(t->parameters).buffer;
    size_t bytes = evn_parameters_element_count(t->parameters) * sizeof(float);
    EVN_CHECK(values, EVN_ERR_ARGUMENT,
              "the task %s has no parameters, or they are not allocated; call "
              "evn_parameters_allocate",
              m->name);
    EVN_CHECK(evn_buffer_bytes(values) == bytes && !t->options.optimizer.fp64, EVN_ERR_ARGUMENT,
              "training is in floats: allocate the parameters of the task %s without fp64, and "
              "give the optimizer none",
              m->name);
    EVN_CHECK(m->iterates || m->batches(t->task.self, EVN_TRAIN) >= 1, EVN_ERR_ARGUMENT,
              "the task %s has no training part, and does not iterate", m->name);
    return EVN_OK;
}

static evn_status make(evn_trainer *t) {
    EVN_TRY(evn__phases_copy(&t->options, &t->task, &t->arena, &t->phases));
    t->options.phases = t->phases;
    t->programs = (evn__programs){.task = &t->task, .phases = t->phases};
    t->options.accumulate += t->options.accumulate == 0;
    t->options.micro_batches += t->options.micro_batches == 0;
    t->options.accumulate *= t->options.micro_batches; // from here on of the task's own batches
    EVN_TRY(evn__phases_digest(&t->options, t->digest));
    t->parameters = t->task.methods->parameters(t->task.self);
    EVN_TRY(check_task(t));
    EVN_TRY(evn__pause_check(&t->options));
    EVN_TRY(evn__phases_check_solvers(&t->options, &t->task));
    EVN_TRY(EVN_NEW(&t->losses, evn__phases_epochs(t->phases, t->options.phase_count)));
    for (int i = 0; i < t->options.phase_count && !t->best; ++i) {
        EVN_TRY(t->phases[i].held_out
                    ? EVN_NEW(&t->best, evn_parameters_element_count(t->parameters))
                    : EVN_OK);
    }
    EVN_TRY(renew_optimizer(t));
    EVN_TRY(evn__gradient_mean_create(t->device, t->parameters, t->options.accumulate, &t->mean));
    return compile(t);
}

evn_status evn_trainer_create(evn_device *device, const evn_task *task,
                              const evn_trainer_options *options, evn_trainer **trainer) {
    EVN_REQUIRE(trainer);
    *trainer = NULL;
    EVN_REQUIRE(device);
    EVN_REQUIRE(options);
    EVN_TRY(evn__task_check(task));
    EVN_TRY(EVN_NEW(trainer, 1));
    (*trainer)->device = device;
    (*trainer)->task = *task;
    (*trainer)->options = *options;
    evn_status status = make(*trainer);
    if (status != EVN_OK) {
        evn_trainer_destroy(trainer);
    }
    return status;
}

void evn_trainer_destroy(evn_trainer **trainer) {
    evn_trainer *t = trainer ? *trainer : NULL;
    if (!t) {
        return;
    }
    evn__programs_release(&t->programs);
    evn__gradient_mean_destroy(&t->mean);
    evn_optimizer_destroy(&t->optimizer);
    evn__arena_free(&t->arena);
    free(t->losses);
    free(t->best);
    free(t);
    *trainer = NULL;
}

const double *evn_trainer_losses(const evn_trainer *trainer, int *count) {
    if (count) {
        *count = trainer ? trainer->at.epoch : 0;
    }
    return trainer ? trainer->losses : NULL;
}

evn_status evn_trainer_evaluate(evn_trainer *trainer, int phase, evn_part part,
                                evn_metrics *metrics) {
    evn_trainer *t = trainer;
    EVN_REQUIRE(trainer);
    EVN_REQUIRE(metrics);
    EVN_CHECK(phase >= 0 && phase < t->options.phase_count, EVN_ERR_ARGUMENT, "no phase %d", phase);
    int epoch = evn__trainer_last_epoch(t);
    if (t->task.methods->evaluate) {
        return evn_task_evaluate(&t->task, &t->phases[phase].solver, part, epoch, metrics);
    }
    EVN_TRY(evn__programs_test(&t->programs, phase));
    return evn__task_measure(&t->task, t->programs.testing, part, epoch, metrics);
}

// The loop ----------------------------------------------------------------------------------------

/// Read the results of the slots up to `slot`; waits.
static evn_status read_results(evn_trainer *t, int slot, evn__summary *s) {
    double before = s->sum.loss;
    s->drained = true;
    EVN_TRY_TASK(&t->task, read, t->programs.training, 0, slot + 1, &s->sum);
    EVN_TRY(evn__summary_look_back(t, false, s)); // what it finds may be why the loss is not finite
    EVN_CHECK(isfinite(s->sum.loss - before), EVN_ERR_NOT_FINITE,
              "the loss is not finite in %s %d (phase %s); lower the learning rate (it was %g), "
              "give the phase more steps or use another seed",
              evn__trainer_unit(t), t->at.epoch + 1, evn__trainer_phase(t)->name, s->rate);
    return EVN_OK;
}

static evn_status load(evn_trainer *t, const evn_batch *batch, int slot, evn__summary *s) {
    double begun = evn__now() - evn_device_get_stats(t->device).copy_wait_seconds;
    EVN_TRY_TASK(&t->task, load, t->programs.training, batch, slot);
    double seconds = evn__now() - evn_device_get_stats(t->device).copy_wait_seconds - begun;
    // A solver that chooses its steps waits for its end, so that little is ahead of it.
    bool adaptive = evn__trainer_phase(t)->solver.steps == 0;
    s->loading += s->drained || adaptive ? seconds : 0;
    s->drained = false;
    return EVN_OK;
}

/// The gradient of batch `index` of the epoch, one of `batches` of an optimiser's step. Results are
/// read, and the device is waited for, when the slots are full or the epoch ends.
static evn_status add_gradient(evn_trainer *t, int64_t index, int batches, evn__summary *s) {
    const evn_task_methods *m = t->task.methods;
    evn_solution ahead = {0}, back = {0};
    int64_t steps = evn__trainer_batches(t);
    int slot = (int)(index % m->slots);
    const evn_batch batch = {.part = EVN_TRAIN,
                             .training = true,
                             .epoch = t->at.epoch,
                             .index = index,
                             .number = t->at.epoch * steps + index};
    bool due = slot == m->slots - 1 || index == steps - 1;
    // The adjoint would fail where the loss is not finite; along a grid, the device need not wait.
    bool first = due && evn__trainer_phase(t)->solver.gradient == EVN_GRADIENT_ADJOINT;
    EVN_TRY(compile(t));
    EVN_TRY(load(t, &batch, slot, s));
    EVN_TRY_TASK(&t->task, forward, t->programs.training, slot, &ahead);
    EVN_TRY(first ? read_results(t, slot, s) : EVN_OK);
    EVN_TRY_TASK(&t->task, gradient, t->programs.training, &back);
    EVN_TRY(due && !first ? read_results(t, slot, s) : EVN_OK);
    s->nfe_forward += ahead.nfe;
    s->nfe_backward += back.nfe;
    s->decay = fmax(s->decay, ahead.decay);
    ++s->batches;
    EVN_TRY(evn__gradient_mean_add(t->mean, batches));
    return due && t->at.fallback == EVN__FALLBACK_DUE ? evn__summary_look_back(t, true, s) : EVN_OK;
}

/// One step of the optimiser, on the batches first … first + count − 1 of the epoch.
static evn_status train_step(evn_trainer *t, int64_t first, int count, evn__summary *s) {
    double part = (double)first / (double)evn__trainer_batches(t);
    evn__gradient_mean_take(t->mean); // what a step that failed has left
    s->rate = evn_schedule_rate(&evn__trainer_phase(t)->schedule, t->at.in_phase + part);
    for (int i = 0; i < count; ++i) {
        EVN_TRY(add_gradient(t, first + i, count, s));
    }
    return evn_optimizer_step(t->optimizer, evn_parameters_values(t->parameters),
                              evn__gradient_mean_take(t->mean), s->rate);
}

static bool is_stopped(const evn_trainer *t) {
    return t->options.stop && t->options.stop(t->options.user);
}

/// The mean loss of the epoch under way, of which nothing was read before `loss` and `weight`.
static evn_status keep_loss(evn_trainer *t, double loss, double weight, const evn__summary *s) {
    double weighed = s->sum.weight - weight;
    EVN_CHECK(
        weighed > 0 && isfinite(weighed), EVN_ERR_DATA,
        "the batches of %s %d weigh %g together; the task %s has to add the weight of what it "
        "measured (evn_tally)",
        evn__trainer_unit(t), t->at.epoch + 1, weighed, t->task.methods->name);
    t->losses[t->at.epoch] = (s->sum.loss - loss) / weighed;
    return EVN_OK;
}

/// One epoch; *stopped: it is complete, but the last one.
static evn_status train_epoch(evn_trainer *t, evn__summary *s, bool *stopped) {
    int64_t steps = evn__trainer_batches(t), done = 0;
    double loss = s->sum.loss, weight = s->sum.weight;
    t->within = true;
    while (done < steps) {
        int64_t left = steps - done;
        int count = left < t->options.accumulate ? (int)left : t->options.accumulate;
        double begun = evn__now();
        EVN_TRY(train_step(t, done, count, s));
        EVN_TRY(is_stopped(t) ? EVN_OK : evn__pause(t->device, &t->options, begun));
        done += count;
        if (s->sum.weight > s->shown.weight) { // something new was read
            evn__summary_show_progress(t, done, s);
        }
        *stopped = is_stopped(t);
        EVN_CHECK(!*stopped || done == steps, EVN_ERR_INTERRUPTED,
                  "stopped in %s %d after step %lld", evn__trainer_unit(t), t->at.epoch + 1,
                  (long long)done);
    }
    EVN_TRY(keep_loss(t, loss, weight, s));
    t->within = false;
    ++t->at.epoch;
    ++t->at.in_phase;
    return EVN_OK;
}

static evn_status begin_phase(evn_trainer *t) {
    EVN_TRY(compile(t));
    EVN_TRY(evn__early_stop_begin(t));
    return t->options.renew_optimizer && t->at.in_phase == 0 ? renew_optimizer(t) : EVN_OK;
}

static void enter_next_phase(evn_trainer *t) {
    t->at = (evn__position){.phase = t->at.phase + 1, .epoch = t->at.epoch};
}

static evn_status run_phase(evn_trainer *t) {
    bool stopped = false;
    evn__summary s;
    EVN_TRY(begin_phase(t));
    evn__summary_begin(t, &s);
    while (t->at.in_phase < evn__trainer_phase(t)->epochs) {
        EVN_TRY(train_epoch(t, &s, &stopped));
        if (stopped || evn__trainer_summary_is_due(t)) {
            EVN_TRY(evn__summary_end(t, &s));
            evn__summary_begin(t, &s);
        }
        EVN_CHECK(!stopped, EVN_ERR_INTERRUPTED, "stopped after %s %d", evn__trainer_unit(t),
                  t->at.epoch);
    }
    return evn__early_stop_finish(t);
}

evn_status evn_trainer_run(evn_trainer *trainer) {
    EVN_REQUIRE(trainer);
    EVN_CHECK(!trainer->within, EVN_ERR_ARGUMENT,
              "training was left within %s %d; restore a checkpoint", evn__trainer_unit(trainer),
              trainer->at.epoch + 1);
    while (trainer->at.phase < trainer->options.phase_count) {
        EVN_TRY(evn__trainer_phase(trainer)->epochs > 0 ? run_phase(trainer) : EVN_OK);
        enter_next_phase(trainer);
    }
    return EVN_OK;
}

// Checkpoints -------------------------------------------------------------------------------------

static evn__checkpoint checkpoint_of(const evn_trainer *t, evn__position *position,
                                     evn__mark *mark) {
    return (evn__checkpoint){.position = position,
                             .phases = t->phases,
                             .phase_count = t->options.phase_count,
                             .task = &t->task,
                             .optimizer = t->optimizer,
                             .training = t->digest,
                             .mark = mark,
                             .losses = t->losses,
                             .best = t->best};
}

evn_status evn__trainer_save(const evn_trainer *trainer, const char *path, const evn__mark *mark) {
    evn__position at = trainer->at;
    evn__mark of = mark ? *mark : (evn__mark){0};
    EVN_CHECK(at.phase < trainer->options.phase_count, EVN_ERR_ARGUMENT,
              "training is finished: there is nothing to go on with");
    EVN_CHECK(!trainer->within, EVN_ERR_ARGUMENT,
              "a checkpoint is written between two epochs, as in epoch_done");
    evn__checkpoint checkpoint = checkpoint_of(trainer, &at, &of);
    return evn__checkpoint_write(path, &checkpoint);
}

evn_status evn_trainer_save(const evn_trainer *trainer, const char *path) {
    EVN_REQUIRE(trainer);
    EVN_REQUIRE(path);
    return evn__trainer_save(trainer, path, NULL);
}

evn_status evn__trainer_restore(evn_trainer *trainer, const char *path, evn__mark *mark,
                                int *epochs) {
    evn_trainer *t = trainer;
    evn__checkpoint checkpoint = checkpoint_of(t, &t->at, mark);
    EVN_TRY(evn__checkpoint_read(path, &checkpoint));
    EVN_TRY(evn__programs_forget(&t->programs));
    t->within = false;
    *epochs = t->at.epoch;
    return EVN_OK;
}

evn_status evn_trainer_restore(evn_trainer *trainer, const char *path, int *epochs) {
    EVN_REQUIRE(trainer);
    EVN_REQUIRE(path);
    EVN_REQUIRE(epochs);
    return evn__trainer_restore(trainer, path, NULL, epochs);
}
