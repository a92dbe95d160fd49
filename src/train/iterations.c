// SPDX-License-Identifier: Apache-2.0
#include "train/iterations.h"

#include "base/clock.h"
#include "base/status.h"
#include "plan/real.h"

#include <math.h>

enum { REPORTS = 20, REPORT_ITERATIONS = 10 }; // of a phase, at least; of a report, at most
static const double PROGRESS_SECONDS = 0.25;   // between progress reports

/// Iterations between two reports.
typedef struct block {
    evn_epoch result;
    int count;
    double started, progressed; ///< times: of the block, of the last progress report
} block;

/// Waits for the loss of the iteration.
static evn_status read_loss(const evn__iterations *t, int phase, double rate) {
    double *loss = &t->losses[t->at->epoch];
    EVN_TRY(evn__real_read(t->loss, false, loss, 1));
    EVN_CHECK(isfinite(*loss), EVN_ERR_NOT_FINITE,
              "the loss is not finite in iteration %d (phase %s); lower the learning rate (it was "
              "%g), give the phase more steps or use another seed",
              t->at->epoch + 1, t->phases[phase].name, rate);
    return EVN_OK;
}

static evn_status iterate(evn__iterations *t, int phase, block *b) {
    evn_binding x0_bar;
    evn_solution ahead, back;
    double rate = evn_schedule_rate(&t->phases[phase].schedule, t->at->in_phase);
    // The adjoint would fail where the loss is not finite; along a grid, the device need not wait.
    bool loss_first = t->phases[phase].solver.gradient == EVN_GRADIENT_ADJOINT;
    b->result.learning_rate = rate;
    EVN_TRY(t->forward(t->task, &ahead));
    EVN_TRY(loss_first ? read_loss(t, phase, rate) : EVN_OK);
    EVN_TRY(
        evn_solve_gradient(t->learnt->solver, t->x_bar, &x0_bar, t->learnt->weights_bar, &back));
    EVN_TRY(loss_first ? EVN_OK : read_loss(t, phase, rate));
    EVN_TRY(evn_optimizer_step(*t->optimizer, evn_parameters_values(t->parameters),
                               evn_parameters_gradients(t->parameters), rate));
    b->result.train_loss += t->losses[t->at->epoch];
    b->result.nfe_forward += ahead.nfe;
    b->result.nfe_backward += back.nfe;
    ++b->count;
    ++t->at->epoch;
    ++t->at->in_phase;
    return EVN_OK;
}

static bool is_stopped(const evn__iterations *t) {
    return t->options->stop && t->options->stop(t->options->user);
}

static void show_progress(const evn__iterations *t, int phase, block *b) {
    double time = evn__now(), each = (time - b->started) / b->count;
    if (!t->options->progress || time - b->progressed < PROGRESS_SECONDS) {
        return;
    }
    int all = evn__phases_epochs(t->phases, t->options->phase_count);
    evn_progress progress = {.phase = phase,
                             .phases = t->options->phase_count,
                             .epoch = t->at->epoch - 1,
                             .epochs = all,
                             .loss = t->losses[t->at->epoch - 1],
                             .images_per_second = NAN,
                             .seconds_left = each * (all - t->at->epoch)};
    t->options->progress(t->options->user, &progress);
    b->progressed = time;
}

static void start_block(evn__iterations *t, int phase, block *b) {
    double time = evn__now();
    evn_device_reset_peak(t->device);
    *b = (block){.result = {.phase = phase,
                            .train_accuracy = NAN,
                            .test_loss = NAN,
                            .test_accuracy = NAN,
                            .test_errors = -1,
                            .test_count = -1},
                 .started = time,
                 .progressed = time};
}

static evn_status end_block(evn__iterations *t, int phase, block *b) {
    b->result.seconds = evn__now() - b->started;
    b->result.epoch = t->at->epoch - 1;
    b->result.train_loss /= b->count;
    b->result.nfe_forward /= b->count;
    b->result.nfe_backward /= b->count;
    b->result.peak_device_bytes = evn_device_get_stats(t->device).bytes_peak;
    if (t->phases[phase].solver.gradient == EVN_GRADIENT_ADJOINT) {
        EVN_TRY(evn_solver_reconstruction(t->learnt->solver, &b->result.x_reconstruction,
                                          &b->result.theta_reconstruction));
    }
    if (t->options->epoch_done) {
        t->options->epoch_done(t->options->user, &b->result);
    }
    return EVN_OK;
}

/// Where the solver changes the gradients can grow: moments that remember the small ones before
/// would make the first steps far too long.
static evn_status renew_optimizer(evn__iterations *t) {
    evn_optimizer_destroy(t->optimizer);
    return evn_optimizer_create(t->device, &t->options->optimizer,
                                evn_parameters_element_count(t->parameters), t->optimizer);
}

static evn_status run_phase(evn__iterations *t) {
    int phase = t->at->phase, iterations = t->phases[phase].epochs;
    int each = (iterations + REPORTS - 1) / REPORTS;
    each = each < REPORT_ITERATIONS ? each : REPORT_ITERATIONS;
    block b;
    EVN_TRY(t->compile(t->task, phase));
    if (t->renew && t->at->in_phase == 0) {
        EVN_TRY(renew_optimizer(t));
    }
    start_block(t, phase, &b);
    while (t->at->in_phase < iterations) {
        EVN_TRY(iterate(t, phase, &b));
        show_progress(t, phase, &b);
        bool stopped = is_stopped(t);
        if (stopped || t->at->in_phase % each == 0 || t->at->in_phase == iterations) {
            EVN_TRY(end_block(t, phase, &b));
            start_block(t, phase, &b);
        }
        EVN_CHECK(!stopped, EVN_ERR_INTERRUPTED, "stopped after iteration %d", t->at->epoch);
    }
    *t->at = (evn__position){.phase = phase + 1, .epoch = t->at->epoch};
    return EVN_OK;
}

evn_status evn__iterations_run(evn__iterations *training) {
    while (training->at->phase < training->options->phase_count) {
        EVN_TRY(run_phase(training));
    }
    return EVN_OK;
}

// Checkpoints -------------------------------------------------------------------------------------

static evn__checkpoint checkpoint_of(const evn__iterations *t) {
    return (evn__checkpoint){.position = t->at,
                             .phases = t->phases,
                             .phase_count = t->options->phase_count,
                             .parameters = t->parameters,
                             .optimizer = *t->optimizer,
                             .losses = t->losses};
}

evn_status evn__iterations_save(const evn__iterations *training, const char *path) {
    EVN_CHECK(*training->optimizer && training->at->phase < training->options->phase_count,
              EVN_ERR_ARGUMENT, "a checkpoint is written while training is under way");
    evn__checkpoint checkpoint = checkpoint_of(training);
    return evn__checkpoint_write(path, &checkpoint);
}

evn_status evn__iterations_restore(evn__iterations *training, const char *path) {
    if (!*training->optimizer) {
        EVN_TRY(renew_optimizer(training));
    }
    evn__checkpoint checkpoint = checkpoint_of(training);
    return evn__checkpoint_read(path, &checkpoint);
}
