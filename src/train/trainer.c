// SPDX-License-Identifier: Apache-2.0
#include "evonode/trainer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "train/checkpoint.h"
#include "train/classifier.h"
#include "train/phases.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double REPORT_SECONDS = 0.25; // between progress reports

struct evn_trainer {
    evn_device *device;
    evn_trainer_options options;
    evn_phase *phases;
    evn_model *model;
    evn_optimizer *optimizer;
    evn_batches *drawn;      ///< the training part as an epoch draws it, augmented
    evn_batches *batches[2]; ///< the parts as they are measured, images as they are
    evn__classifier *training, *testing;
    evn__classifier *ahead;            ///< automatic phase: with the next phase's solver
    int training_phase, testing_phase; ///< what they were compiled for; −1: nothing
    float *images, *weights;           ///< one batch
    float *kept_labels;                ///< of the batches whose results are on the device
    int kept_samples[EVN__CLASSIFIER_SLOTS];
    double *logits;
    int64_t batch, test_samples;
    int classes;
    evn__position at;
    bool within; ///< an epoch is under way: parameters are not those of `at`
};

/// Sums over samples.
typedef struct tally {
    double loss;
    int64_t correct, count;
} tally;

// Life --------------------------------------------------------------------------------------------

static evn_status make_batches(evn_trainer *t, const evn_dataset *dataset) {
    evn_batches_options options = {
        .part = EVN_TRAIN, .size = (int)t->batch, .shuffle = true, .seed = t->options.seed};
    EVN_TRY(evn_batches_create(dataset, &options, &t->batches[EVN_TRAIN]));
    options.augmentation = t->options.augmentation;
    EVN_TRY(evn_batches_create(dataset, &options, &t->drawn));
    options = (evn_batches_options){.part = EVN_TEST, .size = (int)t->batch};
    EVN_TRY(evn_batches_create(dataset, &options, &t->batches[EVN_TEST]));
    evn_dataset_info info = evn_dataset_get_info(dataset);
    size_t pixels = (size_t)(t->batch * info.height * info.width * info.channels);
    size_t labels = (size_t)t->batch * (size_t)info.classes;
    EVN_TRY(EVN_NEW(&t->images, pixels));
    EVN_TRY(EVN_NEW(&t->weights, t->batch));
    EVN_TRY(EVN_NEW(&t->kept_labels, labels * EVN__CLASSIFIER_SLOTS));
    return EVN_NEW(&t->logits, labels * EVN__CLASSIFIER_SLOTS);
}

static evn_status make_model(evn_trainer *t, const evn_dataset *dataset) {
    evn_dataset_info info = evn_dataset_get_info(dataset);
    evn_model_options *model = &t->options.model;
    model->height = info.height;
    model->width = info.width;
    model->channels = info.channels;
    model->classes = info.classes;
    t->batch = model->batch;
    t->classes = info.classes;
    t->test_samples = info.count[EVN_TEST];
    EVN_TRY(evn_model_create(model, &t->model));
    evn_parameters *parameters = evn_model_parameters(t->model);
    EVN_TRY(evn_parameters_allocate(parameters, t->device, false, t->options.seed));
    return evn_optimizer_create(t->device, &t->options.optimizer,
                                evn_parameters_element_count(parameters), &t->optimizer);
}

static evn_status compile_ahead(evn_trainer *t, int phase) {
    evn__classifier_destroy(&t->ahead);
    if (!t->phases[phase].automatic) {
        return EVN_OK;
    }
    evn_solver_options solver = t->phases[phase + 1].solver;
    solver.gradient = EVN_GRADIENT_NONE;
    return evn__classifier_create(t->device, t->model, &solver, &t->ahead);
}

static evn_status compile(evn_trainer *t, int phase, bool train) {
    evn__classifier **classifier = train ? &t->training : &t->testing;
    int *compiled = train ? &t->training_phase : &t->testing_phase;
    if (*classifier && *compiled == phase) {
        return EVN_OK;
    }
    evn_solver_options solver = t->phases[phase].solver;
    if (!train) {
        solver.gradient = EVN_GRADIENT_NONE;
    }
    evn__classifier_destroy(classifier);
    *compiled = phase;
    return evn__classifier_create(t->device, t->model, &solver, classifier);
}

static evn_status make(evn_trainer *t, const evn_dataset *dataset) {
    EVN_TRY(evn__phases_copy(&t->options, &t->phases));
    EVN_TRY(make_model(t, dataset));
    EVN_TRY(make_batches(t, dataset));
    return compile(t, 0, true);
}

evn_status evn_trainer_create(evn_device *device, const evn_dataset *dataset,
                              const evn_trainer_options *options, evn_trainer **trainer) {
    EVN_TRY(EVN_NEW(trainer, 1));
    (*trainer)->device = device;
    (*trainer)->options = *options;
    evn_status status = make(*trainer, dataset);
    if (status != EVN_OK) {
        evn_trainer_destroy(trainer);
    }
    return status;
}

void evn_trainer_destroy(evn_trainer **trainer) {
    evn_trainer *t = *trainer;
    if (!t) {
        return;
    }
    evn__classifier_destroy(&t->training);
    evn__classifier_destroy(&t->testing);
    evn__classifier_destroy(&t->ahead);
    evn_optimizer_destroy(&t->optimizer);
    evn_batches_destroy(&t->drawn);
    evn_batches_destroy(&t->batches[EVN_TRAIN]);
    evn_batches_destroy(&t->batches[EVN_TEST]);
    evn_model_destroy(&t->model);
    free(t->phases);
    free(t->images);
    free(t->weights);
    free(t->kept_labels);
    free(t->logits);
    free(t);
    *trainer = NULL;
}

const evn_model *evn_trainer_model(const evn_trainer *trainer) {
    return trainer->model;
}

evn_parameters *evn_trainer_parameters(const evn_trainer *trainer) {
    return evn_model_parameters(trainer->model);
}

// Results -----------------------------------------------------------------------------------------

/// Put batch `index` on the device; its labels are kept until the results of `slot` are read.
static evn_status load_batch(evn_trainer *t, evn__classifier *classifier,
                             const evn_batches *batches, int64_t index, int slot) {
    size_t labels = (size_t)t->batch * (size_t)t->classes;
    float *kept = t->kept_labels + (size_t)slot * labels;
    t->kept_samples[slot] = evn_batches_fill(batches, index, t->images, kept, t->weights);
    return evn__classifier_load(classifier, t->images, kept, t->weights);
}

/// Correct predictions of a slot; samples without weight have no label and come last.
static int64_t count_correct(const evn_trainer *t, int slot) {
    size_t labels = (size_t)t->batch * (size_t)t->classes;
    const float *truth = t->kept_labels + (size_t)slot * labels;
    const double *logits = t->logits + (size_t)slot * labels;
    int64_t correct = 0;
    for (int i = 0; i < t->kept_samples[slot]; ++i) {
        size_t row = (size_t)i * (size_t)t->classes;
        correct += truth[row + (size_t)evn__classifier_choice(logits + row, t->classes)] > 0;
    }
    return correct;
}

/// Read the results of the first `count` slots into the tally.
static evn_status collect(evn_trainer *t, evn__classifier *classifier, int count, tally *sum) {
    double losses[EVN__CLASSIFIER_SLOTS];
    EVN_TRY(evn__classifier_read(classifier, count, losses, t->logits));
    for (int slot = 0; slot < count; ++slot) {
        sum->loss += losses[slot] * (double)t->batch;
        sum->correct += count_correct(t, slot);
        sum->count += t->kept_samples[slot];
    }
    return EVN_OK;
}

/// Copy the logits of the samples of the first `count` slots behind those already there.
static void keep_logits(const evn_trainer *t, int count, int64_t samples, double *logits) {
    size_t rows = (size_t)t->batch * (size_t)t->classes, width = (size_t)t->classes;
    double *to = logits + (size_t)samples * width;
    for (int slot = 0; slot < count; ++slot) {
        size_t filled = (size_t)t->kept_samples[slot] * width;
        memcpy(to, t->logits + (size_t)slot * rows, filled * sizeof(*to));
        to += filled;
    }
}

/// The first `batches` batches of a part, in the order of the epoch.
static evn_status evaluate(evn_trainer *t, evn__classifier *classifier, evn_part part,
                           int64_t batches, double *logits, evn_epoch *result) {
    tally sum = {0};
    for (int64_t i = 0; i < batches; ++i) {
        int slot = (int)(i % EVN__CLASSIFIER_SLOTS);
        evn_solution forward;
        EVN_TRY(load_batch(t, classifier, t->batches[part], i, slot));
        EVN_TRY(evn__classifier_forward(classifier, slot, &forward));
        result->nfe_forward += (double)forward.nfe / (double)batches;
        if (slot == EVN__CLASSIFIER_SLOTS - 1 || i == batches - 1) {
            int64_t samples = sum.count;
            EVN_TRY(collect(t, classifier, slot + 1, &sum));
            if (logits) {
                keep_logits(t, slot + 1, samples, logits);
            }
        }
    }
    result->test_loss = sum.loss / (double)sum.count;
    result->test_accuracy = (double)sum.correct / (double)sum.count;
    result->test_errors = sum.count - sum.correct;
    result->test_count = sum.count;
    return EVN_OK;
}

evn_status evn_trainer_evaluate(evn_trainer *trainer, int phase, evn_part part, evn_epoch *result) {
    *result = (evn_epoch){.phase = phase};
    EVN_CHECK(phase >= 0 && phase < trainer->options.phase_count, EVN_ERR_ARGUMENT, "no phase %d",
              phase);
    EVN_TRY(compile(trainer, phase, false));
    return evaluate(trainer, trainer->testing, part,
                    evn_batches_batch_count(trainer->batches[part]), NULL, result);
}

int64_t evn_trainer_test_samples(const evn_trainer *trainer) {
    return trainer->test_samples;
}

evn_status evn_trainer_evaluate_with(evn_trainer *trainer, const evn_solver_options *solver,
                                     double *logits, evn_epoch *result) {
    evn__classifier *classifier = NULL;
    evn_solver_options forward = *solver;
    forward.gradient = EVN_GRADIENT_NONE;
    *result = (evn_epoch){0};
    EVN_TRY(evn__classifier_create(trainer->device, trainer->model, &forward, &classifier));
    evn_status status =
        evaluate(trainer, classifier, EVN_TEST, evn_batches_batch_count(trainer->batches[EVN_TEST]),
                 logits, result);
    evn__classifier_destroy(&classifier);
    return status;
}

// Training ----------------------------------------------------------------------------------------

/// One pass over the training part.
typedef struct pass {
    evn_trainer *trainer;
    int phase, epoch_in_phase;
    evn_epoch *result;
    int64_t steps;
    tally sum, reported; ///< of the epoch; of it, what progress has already shown
    double last_report;
} pass;

static int epochs_left(const pass *p) {
    const evn_trainer *t = p->trainer;
    return evn__phases_epochs(t->phases + p->phase, t->options.phase_count - p->phase) -
           p->epoch_in_phase;
}

static void report(pass *p, int64_t done, double started) {
    const evn_trainer *t = p->trainer;
    double time = evn__now(), per_step = (time - started) / (double)done;
    if (!t->options.progress || time - p->last_report < REPORT_SECONDS) {
        return;
    }
    int64_t samples = p->sum.count - p->reported.count;
    evn_progress progress = {.phase = p->phase,
                             .phases = t->options.phase_count,
                             .epoch = p->result->epoch,
                             .epochs = evn__phases_epochs(t->phases, t->options.phase_count),
                             .step = done,
                             .steps = p->steps,
                             .loss = (p->sum.loss - p->reported.loss) / (double)samples,
                             .images_per_second = (double)t->batch / per_step,
                             .seconds_left =
                                 per_step * (epochs_left(p) * (double)p->steps - (double)done)};
    t->options.progress(t->options.user, &progress);
    p->last_report = time;
    p->reported = p->sum;
}

static evn_status check_finite(const pass *p, int64_t done) {
    EVN_CHECK(isfinite(p->sum.loss), EVN_ERR_NOT_FINITE,
              "the loss is not finite in epoch %d, at or before step %lld of %lld (phase %s); "
              "lower the learning rate (it was %g) or use another seed",
              p->result->epoch + 1, (long long)done, (long long)p->steps,
              p->trainer->phases[p->phase].name, p->result->learning_rate);
    return EVN_OK;
}

static evn_status train_step(pass *p, int64_t index, int slot) {
    evn_trainer *t = p->trainer;
    evn_solution forward, backward;
    evn_parameters *parameters = evn_model_parameters(t->model);
    double epoch = p->epoch_in_phase + (double)index / (double)p->steps;
    EVN_TRY(load_batch(t, t->training, t->drawn, index, slot));
    EVN_TRY(evn__classifier_gradient(t->training, slot, &forward, &backward));
    p->result->learning_rate = evn_schedule_rate(&t->phases[p->phase].schedule, epoch);
    p->result->nfe_forward += (double)forward.nfe / (double)p->steps;
    p->result->nfe_backward += (double)backward.nfe / (double)p->steps;
    return evn_optimizer_step(t->optimizer, evn_parameters_values(parameters),
                              evn_parameters_gradients(parameters), p->result->learning_rate);
}

static evn_status train_steps(pass *p) {
    evn_trainer *t = p->trainer;
    double started = evn__now();
    p->last_report = started;
    for (int64_t i = 0; i < p->steps; ++i) {
        int slot = (int)(i % EVN__CLASSIFIER_SLOTS);
        EVN_TRY(train_step(p, i, slot));
        if (slot == EVN__CLASSIFIER_SLOTS - 1 || i == p->steps - 1) {
            EVN_TRY(collect(t, t->training, slot + 1, &p->sum));
            EVN_TRY(check_finite(p, i + 1));
            report(p, i + 1, started);
        }
        EVN_CHECK(!t->options.stop || !t->options.stop(t->options.user), EVN_ERR_INTERRUPTED,
                  "stopped in epoch %d after step %lld", p->result->epoch + 1, (long long)i + 1);
    }
    p->result->seconds = evn__now() - started;
    return EVN_OK;
}

static evn_status train_epoch(evn_trainer *t, int phase, int epoch_in_phase, evn_epoch *result) {
    pass p = {.trainer = t, .phase = phase, .epoch_in_phase = epoch_in_phase, .result = result};
    evn_device_reset_peak(t->device);
    evn_batches_set_epoch(t->batches[EVN_TRAIN], result->epoch);
    evn_batches_set_epoch(t->drawn, result->epoch);
    p.steps = evn_batches_batch_count(t->drawn);
    EVN_TRY(train_steps(&p));
    result->train_loss = p.sum.loss / (double)p.sum.count;
    result->train_accuracy = (double)p.sum.correct / (double)p.sum.count;
    if (t->phases[phase].solver.gradient == EVN_GRADIENT_ADJOINT) {
        EVN_TRY(evn__classifier_reconstruction(t->training, &result->x_reconstruction,
                                               &result->theta_reconstruction));
    }
    evn_epoch test;
    EVN_TRY(evn_trainer_evaluate(t, phase, EVN_TEST, &test));
    result->test_loss = test.test_loss;
    result->test_accuracy = test.test_accuracy;
    result->test_errors = test.test_errors;
    result->test_count = test.test_count;
    result->peak_device_bytes = evn_device_get_stats(t->device).bytes_peak;
    return EVN_OK;
}

/// The loss of the same batches with the phase's solver and with the next one's.
static evn_status look_ahead(evn_trainer *t, int phase, evn_epoch *result) {
    evn_epoch own = {0}, next = {0};
    int64_t all = evn_batches_batch_count(t->batches[EVN_TRAIN]);
    int64_t batches = all < EVN__CLASSIFIER_SLOTS ? all : EVN__CLASSIFIER_SLOTS;
    EVN_TRY(compile(t, phase, false));
    EVN_TRY(evaluate(t, t->testing, EVN_TRAIN, batches, NULL, &own));
    EVN_TRY(evaluate(t, t->ahead, EVN_TRAIN, batches, NULL, &next));
    result->own_loss = own.test_loss;
    result->next_loss = next.test_loss;
    return EVN_OK;
}

static evn_status run_epoch(evn_trainer *t) {
    evn__position *at = &t->at;
    const evn_phase *phase = &t->phases[at->phase];
    evn_epoch result = {.phase = at->phase, .epoch = at->epoch};
    t->within = true;
    EVN_TRY(train_epoch(t, at->phase, at->in_phase, &result));
    if (phase->automatic) {
        EVN_TRY(look_ahead(t, at->phase, &result));
        result.ended =
            evn__switch_now(&at->automatic, result.train_loss, result.own_loss, result.next_loss);
    }
    t->within = false;
    ++at->epoch;
    at->in_phase = result.ended == EVN_SWITCH_NONE ? at->in_phase + 1 : phase->epochs;
    if (t->options.epoch_done) {
        t->options.epoch_done(t->options.user, &result);
    }
    return EVN_OK;
}

static evn_status run_phase(evn_trainer *t) {
    evn__position *at = &t->at;
    EVN_TRY(compile(t, at->phase, true));
    EVN_TRY(compile_ahead(t, at->phase));
    while (at->in_phase < t->phases[at->phase].epochs) {
        EVN_TRY(run_epoch(t));
    }
    *at = (evn__position){.phase = at->phase + 1, .epoch = at->epoch};
    return EVN_OK;
}

evn_status evn_trainer_run(evn_trainer *trainer) {
    while (trainer->at.phase < trainer->options.phase_count) {
        EVN_TRY(run_phase(trainer));
    }
    return EVN_OK;
}

// Checkpoints -------------------------------------------------------------------------------------

static evn__checkpoint checkpoint_of(const evn_trainer *t, evn__position *position) {
    return (evn__checkpoint){.position = position,
                             .phases = t->phases,
                             .phase_count = t->options.phase_count,
                             .parameters = evn_model_parameters(t->model),
                             .optimizer = t->optimizer};
}

evn_status evn_trainer_save(const evn_trainer *trainer, const char *path) {
    evn__position at = trainer->at;
    EVN_CHECK(!trainer->within && at.phase < trainer->options.phase_count, EVN_ERR_ARGUMENT,
              "a checkpoint is written between two epochs, as in epoch_done");
    evn__checkpoint checkpoint = checkpoint_of(trainer, &at);
    return evn__checkpoint_write(path, &checkpoint);
}

evn_status evn_trainer_restore(evn_trainer *trainer, const char *path, int *epochs) {
    evn__checkpoint checkpoint = checkpoint_of(trainer, &trainer->at);
    EVN_TRY(evn__checkpoint_read(path, &checkpoint));
    *epochs = trainer->at.epoch;
    // Measured on whole batches, the training part's accuracy depends on the order of the last
    // epoch.
    evn_batches_set_epoch(trainer->batches[EVN_TRAIN], *epochs > 0 ? *epochs - 1 : 0);
    return EVN_OK;
}
