// SPDX-License-Identifier: Apache-2.0
#include "evonode/trainer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "task/evaluate.h"
#include "train/checkpoint.h"
#include "train/fallback.h"
#include "train/gradient.h"
#include "train/pause.h"
#include "train/phases.h"
#include <math.h>
#include <stdlib.h>

enum { REPORTS = 20, REPORT_ITERATIONS = 10 }; // of a phase, at least; of a report, at most
enum { BATCHES_AHEAD = 16 };                   // on which two phases' solvers are compared
enum { BATCHES_HELD_OUT = 16 };                // of what is held out, looked at with a report
static const double PROGRESS_SECONDS = 0.25;   // between progress reports

struct evn_trainer {
    evn_device *device;
    evn_task task; ///< borrowed
    evn_trainer_options options;
    evn_phase *phases;
    evn_parameters *parameters; ///< the task's
    evn_optimizer *optimizer;
    evn__gradient_mean *mean;
    void *training, *testing;          ///< programs
    void *ahead;                       ///< automatic phase: with the next phase's solver
    int training_phase, testing_phase; ///< what they were compiled for
    evn__fallback training_fallback;   ///< as it was then
    double *losses;                    ///< [epochs]
    float *best; ///< the parameters at the least loss of what is held out; NULL: no phase asks
    evn__position at;
    char digest[EVN__HASH_TEXT]; ///< of the options
    bool within;                 ///< an epoch is under way: parameters are not those of `at`
    evn__arena arena;
};

/// An epoch, or some iterations, under way.
typedef struct report {
    evn_epoch result;
    evn_tally sum, shown; ///< of it, what progress has already shown
    double nfe_forward, nfe_backward, rate;
    double loading; ///< seconds for batches that the device had to wait for
    bool drained;   ///< nothing is enqueued: the device waits for the next batch
    int64_t batches;
    int epochs; ///< that are complete
    double started, progressed;
} report;

// Life --------------------------------------------------------------------------------------------

static void release(const evn_trainer *t, void **program) {
    if (*program) {
        t->task.methods->release(*program);
    }
    *program = NULL;
}

/// What a compile that fails leaves in its result is no program.
static evn_status compile_with(evn_trainer *t, const evn_solver_options *solver, bool train,
                               void **program) {
    void *made = NULL;
    release(t, program);
    EVN_TRY_TASK(&t->task, compile, t->task.self, solver, train, &made);
    *program = made;
    return EVN_OK;
}

static bool fell_back(evn__fallback state) {
    return state == EVN__FALLBACK_TAKEN;
}

static evn_status compile(evn_trainer *t, int phase, bool train) {
    void **program = train ? &t->training : &t->testing;
    int *compiled = train ? &t->training_phase : &t->testing_phase;
    const evn_phase *own = &t->phases[phase];
    if (*program && *compiled == phase &&
        (!train || fell_back(t->training_fallback) == fell_back(t->at.fallback))) {
        return EVN_OK;
    }
    const evn_solver_options solver = train ? evn__fallback_solver(own, &t->task, t->at.fallback)
                                            : evn_solver_options_forward(&own->solver);
    *compiled = phase;
    t->training_fallback = train ? t->at.fallback : t->training_fallback;
    evn_status status = compile_with(t, &solver, train, program);
    return status == EVN_ERR_ARGUMENT
               ? evn__prepend(status, "phase %d (%s)", phase + 1, t->phases[phase].name)
               : status;
}

static evn_status compile_ahead(evn_trainer *t, int phase) {
    if (!t->phases[phase].automatic) {
        release(t, &t->ahead);
        return EVN_OK;
    }
    const evn_solver_options solver = evn_solver_options_forward(&t->phases[phase + 1].solver);
    return compile_with(t, &solver, false, &t->ahead);
}

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
    return compile(t, 0, true);
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
    release(t, &t->training);
    release(t, &t->testing);
    release(t, &t->ahead);
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

static const char *unit_of(const evn_trainer *t) {
    return t->task.methods->iterates ? "iteration" : "epoch";
}

// Measuring ---------------------------------------------------------------------------------------

/// The last epoch that is done.
static int last_epoch(const evn_trainer *t) {
    return t->at.epoch > 0 ? t->at.epoch - 1 : 0;
}

evn_status evn_trainer_evaluate(evn_trainer *trainer, int phase, evn_part part,
                                evn_metrics *metrics) {
    evn_trainer *t = trainer;
    EVN_REQUIRE(trainer);
    EVN_REQUIRE(metrics);
    EVN_CHECK(phase >= 0 && phase < t->options.phase_count, EVN_ERR_ARGUMENT, "no phase %d", phase);
    if (t->task.methods->evaluate) {
        return evn_task_evaluate(&t->task, &t->phases[phase].solver, part, last_epoch(t), metrics);
    }
    EVN_TRY(compile(t, phase, false));
    return evn__task_measure(&t->task, t->testing, part, last_epoch(t), metrics);
}

/// The loss of the first training batches with the phase's solver and with the next one's.
static evn_status look_ahead(evn_trainer *t, double *own, double *next) {
    evn_tally sums[2] = {0};
    double nfe = 0;
    const evn_batch first = {.part = EVN_TRAIN, .epoch = last_epoch(t)};
    int64_t batches = t->task.methods->batches(t->task.self, EVN_TRAIN);
    int64_t most = (int64_t)BATCHES_AHEAD * t->options.micro_batches;
    batches = batches < most ? batches : most;
    EVN_TRY(compile(t, t->at.phase, false));
    EVN_TRY(evn__task_run(&t->task, t->testing, &first, batches, &sums[0], &nfe));
    EVN_TRY(evn__task_run(&t->task, t->ahead, &first, batches, &sums[1], &nfe));
    *own = sums[0].loss / sums[0].weight;
    *next = sums[1].loss / sums[1].weight;
    return EVN_OK;
}

/// Epochs in a report.
static int report_length(const evn_trainer *t) {
    int epochs = t->phases[t->at.phase].epochs, each = (epochs + REPORTS - 1) / REPORTS;
    if (!t->task.methods->iterates) {
        return 1;
    }
    return each < REPORT_ITERATIONS ? each : REPORT_ITERATIONS;
}

/// Whether what is done ends a report, be training stopped or not.
static bool is_report_due(const evn_trainer *t) {
    return t->at.in_phase % report_length(t) == 0 ||
           t->at.in_phase == t->phases[t->at.phase].epochs;
}

/// The parameters to or from t->best; waits.
static evn_status copy_best(evn_trainer *t, bool keep) {
    evn_binding values = evn_parameters_values(t->parameters);
    size_t bytes = evn_parameters_element_count(t->parameters) * sizeof(*t->best);
    size_t offset = values.offset * sizeof(*t->best);
    return keep ? evn_buffer_read(values.buffer, offset, bytes, t->best)
                : evn_buffer_write(values.buffer, offset, bytes, t->best);
}

/// The loss of what is held out; the parameters are kept where it is the least.
static evn_status look_at_held_out(evn_trainer *t, double *loss, evn_switch *ended) {
    const evn_batch first = {.part = EVN_TEST, .epoch = last_epoch(t)};
    int64_t batches = t->task.methods->batches(t->task.self, EVN_TEST);
    evn_tally sum = {0};
    double nfe = 0;
    EVN_TRY(compile(t, t->at.phase, false));
    int64_t most = (int64_t)BATCHES_HELD_OUT * t->options.micro_batches;
    EVN_TRY(
        evn__task_run(&t->task, t->testing, &first, batches < most ? batches : most, &sum, &nfe));
    *loss = sum.loss / sum.weight;
    EVN_CHECK(isfinite(*loss), EVN_ERR_NOT_FINITE,
              "the loss of the held-out part is not finite after %s %d (phase %s); lower the "
              "learning rate, or give the phase more steps",
              unit_of(t), t->at.epoch, t->phases[t->at.phase].name);
    *ended = evn__switch_held_out(&t->at.automatic, *loss,
                                  t->phases[t->at.phase].epochs / report_length(t));
    return t->at.automatic.stalled == 0 ? copy_best(t, true) : EVN_OK;
}

// Reports -----------------------------------------------------------------------------------------

/// Batches in an epoch.
static int64_t steps_of(const evn_trainer *t) {
    return t->task.methods->iterates ? t->options.accumulate
                                     : t->task.methods->batches(t->task.self, EVN_TRAIN);
}

static void begin_report(evn_trainer *t, report *r) {
    double time = evn__now();
    evn_device_reset_peak(t->device);
    *r =
        (report){.result.phase = t->at.phase, .started = time, .progressed = time, .drained = true};
}

static void show_progress(const evn_trainer *t, int64_t done, report *r) {
    double time = evn__now(), per_batch = (time - r->started) / (double)r->batches;
    if (!t->options.progress || time - r->progressed < PROGRESS_SECONDS) {
        return;
    }
    bool iterates = t->task.methods->iterates;
    int all = evn__phases_epochs(t->phases, t->options.phase_count);
    int left = evn__phases_epochs(t->phases + t->at.phase, t->options.phase_count - t->at.phase) -
               t->at.in_phase;
    evn_progress progress = {
        .phase = t->at.phase,
        .phases = t->options.phase_count,
        .epoch = t->at.epoch,
        .epochs = all,
        .step = iterates ? 0 : done,
        .steps = iterates ? 0 : steps_of(t),
        .loss = (r->sum.loss - r->shown.loss) / (r->sum.weight - r->shown.weight),
        .samples_per_second = iterates ? NAN : (double)r->sum.samples / (time - r->started),
        .seconds_left = per_batch * (left * (double)steps_of(t) - (double)done)};
    t->options.progress(t->options.user, &progress);
    r->progressed = time;
    r->shown = r->sum;
}

static evn_status set_real(evn_metrics *metrics, const char *name, const char *unit, double value) {
    return evn_metrics_set(metrics, name, unit, EVN_BETTER_LOWER, value);
}

/// What training itself gave.
static evn_status list_training(evn_trainer *t, const report *r, double seconds,
                                evn_metrics *metrics) {
    EVN_TRY(evn__task_metrics(&t->task, "train", &r->sum, metrics));
    EVN_TRY(evn_metrics_set(metrics, "learning_rate", "", EVN_BETTER_NEITHER, r->rate));
    EVN_TRY(set_real(metrics, "seconds", "s", seconds));
    EVN_TRY(set_real(metrics, "data_wait_seconds", "s", r->loading));
    if (r->nfe_forward > 0) {
        EVN_TRY(set_real(metrics, "nfe_forward", "", r->nfe_forward / (double)r->batches));
        EVN_TRY(set_real(metrics, "nfe_backward", "", r->nfe_backward / (double)r->batches));
    }
    if (r->nfe_forward == 0 || !t->task.methods->reconstruction ||
        t->phases[t->at.phase].solver.gradient != EVN_GRADIENT_ADJOINT || t->at.fallback) {
        return EVN_OK;
    }
    double x, theta;
    EVN_TRY_TASK(&t->task, reconstruction, t->training, &x, &theta);
    EVN_TRY(set_real(metrics, "x_reconstruction", "", x));
    return set_real(metrics, "theta_reconstruction", "", theta);
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

/// A phase that has ended has all its epochs behind it.
static void end_phase(evn_trainer *t, evn_switch ended, report *r) {
    r->result.ended = ended;
    if (ended != EVN_SWITCH_NONE) {
        t->at.in_phase = t->phases[t->at.phase].epochs;
    }
}

static evn_status end_phase_early(evn_trainer *t, report *r) {
    double own, next;
    evn_metrics *metrics = &r->result.metrics;
    EVN_TRY(look_ahead(t, &own, &next));
    EVN_TRY(set_real(metrics, "own_loss", "", own));
    EVN_TRY(set_real(metrics, "next_loss", "", next));
    double train_loss = evn_metrics_value(metrics, "train_loss");
    end_phase(t, evn__switch_now(&t->at.automatic, train_loss, own, next), r);
    return EVN_OK;
}

static evn_status report_held_out(evn_trainer *t, report *r) {
    double loss;
    evn_switch ended;
    EVN_TRY(look_at_held_out(t, &loss, &ended));
    end_phase(t, t->at.in_phase < t->phases[t->at.phase].epochs ? ended : EVN_SWITCH_NONE, r);
    return set_real(&r->result.metrics, "held_out_loss", "", loss);
}

/// What is due is taken only where it would be without a stop: what goes on from there is the same.
static evn_status look_back(evn_trainer *t, bool take, report *r) {
    return evn__fallback_look(&t->phases[t->at.phase], &t->task, t->training, take, &t->at.fallback,
                              &r->result.metrics);
}

static evn_status end_report(evn_trainer *t, report *r) {
    double seconds = evn__now() - r->started;
    evn_metrics *metrics = &r->result.metrics;
    r->result.epoch = last_epoch(t);
    EVN_TRY(list_training(t, r, seconds, metrics));
    EVN_TRY(look_back(t, is_report_due(t), r));
    EVN_TRY(list_test(t, metrics));
    EVN_TRY(set_real(metrics, "peak_device_bytes", "bytes",
                     (double)evn_device_get_stats(t->device).bytes_peak));
    if (t->phases[t->at.phase].automatic) {
        EVN_TRY(end_phase_early(t, r));
    } else if (t->phases[t->at.phase].held_out && is_report_due(t)) {
        EVN_TRY(report_held_out(t, r));
    }
    if (t->options.epoch_done) {
        t->options.epoch_done(t->options.user, &r->result);
    }
    return EVN_OK;
}

// The loop ----------------------------------------------------------------------------------------

/// Read the results of the slots up to `slot`; waits.
static evn_status read_results(evn_trainer *t, int slot, report *r) {
    double before = r->sum.loss;
    r->drained = true;
    EVN_TRY_TASK(&t->task, read, t->training, 0, slot + 1, &r->sum);
    EVN_TRY(look_back(t, false, r)); // what it finds may be why the loss is not finite
    EVN_CHECK(isfinite(r->sum.loss - before), EVN_ERR_NOT_FINITE,
              "the loss is not finite in %s %d (phase %s); lower the learning rate (it was %g), "
              "give the phase more steps or use another seed",
              unit_of(t), t->at.epoch + 1, t->phases[t->at.phase].name, r->rate);
    return EVN_OK;
}

static evn_status load(evn_trainer *t, const evn_batch *batch, int slot, report *r) {
    double begun = evn__now() - evn_device_get_stats(t->device).copy_wait_seconds;
    EVN_TRY_TASK(&t->task, load, t->training, batch, slot);
    double seconds = evn__now() - evn_device_get_stats(t->device).copy_wait_seconds - begun;
    // A solver that chooses its steps waits for its end, so that little is ahead of it.
    bool adaptive = t->phases[t->at.phase].solver.steps == 0;
    r->loading += r->drained || adaptive ? seconds : 0;
    r->drained = false;
    return EVN_OK;
}

/// The gradient of batch `index` of the epoch, one of `batches` of an optimiser's step. Results are
/// read, and the device is waited for, when the slots are full or the epoch ends.
static evn_status add_gradient(evn_trainer *t, int64_t index, int batches, report *r) {
    const evn_task_methods *m = t->task.methods;
    evn_solution ahead = {0}, back = {0};
    int64_t steps = steps_of(t);
    int slot = (int)(index % m->slots);
    const evn_batch batch = {.part = EVN_TRAIN,
                             .training = true,
                             .epoch = t->at.epoch,
                             .index = index,
                             .number = t->at.epoch * steps + index};
    bool due = slot == m->slots - 1 || index == steps - 1;
    // The adjoint would fail where the loss is not finite; along a grid, the device need not wait.
    bool first = due && t->phases[t->at.phase].solver.gradient == EVN_GRADIENT_ADJOINT;
    EVN_TRY(compile(t, t->at.phase, true)); // again where it fell back
    EVN_TRY(load(t, &batch, slot, r));
    EVN_TRY_TASK(&t->task, forward, t->training, slot, &ahead);
    EVN_TRY(first ? read_results(t, slot, r) : EVN_OK);
    EVN_TRY_TASK(&t->task, gradient, t->training, &back);
    EVN_TRY(due && !first ? read_results(t, slot, r) : EVN_OK);
    r->nfe_forward += ahead.nfe;
    r->nfe_backward += back.nfe;
    ++r->batches;
    EVN_TRY(evn__gradient_mean_add(t->mean, batches));
    return due && t->at.fallback == EVN__FALLBACK_DUE ? look_back(t, true, r) : EVN_OK;
}

/// One step of the optimiser, on the batches first … first + count − 1 of the epoch.
static evn_status train_step(evn_trainer *t, int64_t first, int count, report *r) {
    double part = (double)first / (double)steps_of(t);
    evn__gradient_mean_take(t->mean); // what a step that failed has left
    r->rate = evn_schedule_rate(&t->phases[t->at.phase].schedule, t->at.in_phase + part);
    for (int i = 0; i < count; ++i) {
        EVN_TRY(add_gradient(t, first + i, count, r));
    }
    return evn_optimizer_step(t->optimizer, evn_parameters_values(t->parameters),
                              evn__gradient_mean_take(t->mean), r->rate);
}

static bool is_stopped(const evn_trainer *t) {
    return t->options.stop && t->options.stop(t->options.user);
}

/// The mean loss of the epoch under way, of which nothing was read before `loss` and `weight`.
static evn_status keep_loss(evn_trainer *t, double loss, double weight, const report *r) {
    double weighed = r->sum.weight - weight;
    EVN_CHECK(
        weighed > 0 && isfinite(weighed), EVN_ERR_DATA,
        "the batches of %s %d weigh %g together; the task %s has to add the weight of what it "
        "measured (evn_tally)",
        unit_of(t), t->at.epoch + 1, weighed, t->task.methods->name);
    t->losses[t->at.epoch] = (r->sum.loss - loss) / weighed;
    return EVN_OK;
}

/// One epoch; *stopped: it is complete, but the last one.
static evn_status train_epoch(evn_trainer *t, report *r, bool *stopped) {
    int64_t steps = steps_of(t), done = 0;
    double loss = r->sum.loss, weight = r->sum.weight;
    t->within = true;
    while (done < steps) {
        int64_t left = steps - done;
        int count = left < t->options.accumulate ? (int)left : t->options.accumulate;
        double begun = evn__now();
        EVN_TRY(train_step(t, done, count, r));
        EVN_TRY(is_stopped(t) ? EVN_OK : evn__pause(t->device, &t->options, begun));
        done += count;
        if (r->sum.weight > r->shown.weight) { // something new was read
            show_progress(t, done, r);
        }
        *stopped = is_stopped(t);
        EVN_CHECK(!*stopped || done == steps, EVN_ERR_INTERRUPTED,
                  "stopped in %s %d after step %lld", unit_of(t), t->at.epoch + 1, (long long)done);
    }
    EVN_TRY(keep_loss(t, loss, weight, r));
    t->within = false;
    ++t->at.epoch;
    ++t->at.in_phase;
    ++r->epochs;
    return EVN_OK;
}

static evn_status begin_phase(evn_trainer *t) {
    double loss;
    evn_switch ended;
    EVN_TRY(compile(t, t->at.phase, true));
    EVN_TRY(compile_ahead(t, t->at.phase));
    if (t->phases[t->at.phase].held_out && t->at.in_phase == 0) {
        EVN_TRY(look_at_held_out(t, &loss, &ended));
    }
    return t->options.renew_optimizer && t->at.in_phase == 0 ? renew_optimizer(t) : EVN_OK;
}

static evn_status run_phase(evn_trainer *t) {
    const evn_phase *phase = &t->phases[t->at.phase];
    bool stopped = false;
    report r;
    EVN_TRY(begin_phase(t));
    begin_report(t, &r);
    while (t->at.in_phase < phase->epochs) {
        EVN_TRY(train_epoch(t, &r, &stopped));
        if (stopped || is_report_due(t)) {
            EVN_TRY(end_report(t, &r));
            begin_report(t, &r);
        }
        EVN_CHECK(!stopped, EVN_ERR_INTERRUPTED, "stopped after %s %d", unit_of(t), t->at.epoch);
    }
    EVN_TRY(phase->held_out ? copy_best(t, false) : EVN_OK);
    t->at = (evn__position){.phase = t->at.phase + 1, .epoch = t->at.epoch};
    return EVN_OK;
}

evn_status evn_trainer_run(evn_trainer *trainer) {
    EVN_REQUIRE(trainer);
    EVN_CHECK(!trainer->within, EVN_ERR_ARGUMENT,
              "training was left within %s %d; restore a checkpoint", unit_of(trainer),
              trainer->at.epoch + 1);
    while (trainer->at.phase < trainer->options.phase_count) {
        if (trainer->phases[trainer->at.phase].epochs > 0) {
            EVN_TRY(run_phase(trainer));
        } else {
            trainer->at =
                (evn__position){.phase = trainer->at.phase + 1, .epoch = trainer->at.epoch};
        }
    }
    return EVN_OK;
}

// Checkpoints -------------------------------------------------------------------------------------

static evn__checkpoint checkpoint_of(const evn_trainer *t, evn__position *position) {
    return (evn__checkpoint){.position = position,
                             .phases = t->phases,
                             .phase_count = t->options.phase_count,
                             .task = &t->task,
                             .optimizer = t->optimizer,
                             .training = t->digest,
                             .losses = t->losses,
                             .best = t->best};
}

evn_status evn_trainer_save(const evn_trainer *trainer, const char *path) {
    EVN_REQUIRE(trainer);
    EVN_REQUIRE(path);
    evn__position at = trainer->at;
    EVN_CHECK(at.phase < trainer->options.phase_count, EVN_ERR_ARGUMENT,
              "training is finished: there is nothing to go on with");
    EVN_CHECK(!trainer->within, EVN_ERR_ARGUMENT,
              "a checkpoint is written between two epochs, as in epoch_done");
    evn__checkpoint checkpoint = checkpoint_of(trainer, &at);
    return evn__checkpoint_write(path, &checkpoint);
}

evn_status evn_trainer_restore(evn_trainer *trainer, const char *path, int *epochs) {
    evn_trainer *t = trainer;
    EVN_REQUIRE(trainer);
    EVN_REQUIRE(path);
    EVN_REQUIRE(epochs);
    evn__checkpoint checkpoint = checkpoint_of(t, &t->at);
    EVN_TRY(evn__checkpoint_read(path, &checkpoint));
    EVN_TRY(evn__fallback_forget(&t->phases[t->training_phase], &t->task, t->training,
                                 t->training_fallback));
    t->within = false;
    *epochs = t->at.epoch;
    return EVN_OK;
}
