// SPDX-License-Identifier: Apache-2.0
#include "task/images.h"

#include "base/memory.h"
#include "dynamics/system.h"
#include "task/classifier.h"
#include "task/evaluate.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include <stdlib.h>
#include <string.h>

enum { ACCURACY, ERRORS, SCORES };

static const evn_score scores[SCORES] = {{"accuracy", "fraction", EVN_BETTER_HIGHER, true},
                                         {"errors", EVN_UNIT_COUNT, EVN_BETTER_LOWER, false}};

typedef struct images {
    evn_device *device;
    evn_source source;
    evn_source_info info;
    evn_model *model;
    int classes;
    size_t label_count; ///< floats of a batch
} images;

/// A classifier, and on the host a batch and the labels of those whose results are on the device.
typedef struct program {
    images *task;
    evn__classifier *classifier;
    float *weights;
    float *labels; ///< [slots, B, classes]
    int64_t filled[EVN__CLASSIFIER_SLOTS];
    double *logits;      ///< [slots, B, classes]
    double *kept_logits; ///< where those of all samples go, one after the other; NULL: nowhere
} program;

// The program -------------------------------------------------------------------------------------

static void release(void *self) {
    program *p = self;
    if (!p) {
        return;
    }
    evn__classifier_destroy(&p->classifier);
    free(p->weights);
    free(p->labels);
    free(p->logits);
    free(p);
}

static evn_status allocate(program *p) {
    size_t labels = p->task->label_count * EVN__CLASSIFIER_SLOTS;
    EVN_TRY(EVN_NEW(&p->weights, p->task->info.batch));
    EVN_TRY(EVN_NEW(&p->labels, labels));
    return EVN_NEW(&p->logits, labels);
}

static evn_status compile(void *self, const evn_solver_options *solver, bool trains,
                          void **compiled) {
    images *t = self;
    program *p = NULL;
    EVN_TRY(EVN_NEW(&p, 1));
    p->task = t;
    evn_status status = allocate(p);
    if (status == EVN_OK) {
        status = evn__classifier_create(t->device, t->model, solver, trains, &p->classifier);
    }
    if (status != EVN_OK) {
        release(p);
        return status;
    }
    *compiled = p;
    return EVN_OK;
}

/// A ResNet solves nothing.
static evn_status check(void *self, const evn_solver_options *solver, bool trains) {
    bool solves = evn_model_dynamics(((images *)self)->model) != NULL;
    return solves ? evn__learnt_solver_check(solver, trains) : EVN_OK;
}

static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    images *t = p->task;
    float *labels = p->labels + (size_t)slot * t->label_count, *samples;
    EVN_TRY(evn__classifier_open(p->classifier, &samples));
    EVN_TRY(evn__source_fill(&t->source, batch, 1, samples, labels, p->weights, &p->filled[slot]));
    return evn__classifier_load(p->classifier, labels, p->weights);
}

static evn_status forward(void *self, int slot, evn_solution *solution) {
    return evn__classifier_forward(((program *)self)->classifier, slot, solution);
}

static evn_status gradient(void *self, evn_solution *solution) {
    return evn__classifier_gradient(((program *)self)->classifier, solution);
}

/// Correct predictions of a slot; samples without weight have no label and come last.
static int64_t count_correct(const program *p, int slot, const double *logits) {
    int classes = p->task->classes;
    const float *truth = p->labels + (size_t)slot * p->task->label_count;
    int64_t correct = 0;
    for (int64_t i = 0; i < p->filled[slot]; ++i) {
        int64_t row = i * classes;
        correct += truth[row + evn__classifier_choice(logits + row, classes)] > 0;
    }
    return correct;
}

static evn_status read(void *self, int first, int count, evn_tally *tally) {
    program *p = self;
    double losses[EVN__CLASSIFIER_SLOTS];
    EVN_TRY(evn__classifier_read(p->classifier, first, count, losses, p->logits));
    for (int i = 0; i < count; ++i) {
        const double *logits = p->logits + (size_t)i * p->task->label_count;
        int64_t samples = p->filled[first + i], correct = count_correct(p, first + i, logits);
        tally->loss += losses[i] * (double)p->task->info.batch; // a mean over the whole batch
        tally->scores[ACCURACY] += (double)correct;
        tally->scores[ERRORS] += (double)(samples - correct);
        tally->weight += (double)samples;
        tally->samples += samples;
        if (p->kept_logits) {
            size_t values = (size_t)(samples * p->task->classes);
            memcpy(p->kept_logits, logits, values * sizeof(*logits));
            p->kept_logits += values;
        }
    }
    return EVN_OK;
}

static evn_status reconstruction(void *self, double *x_error, double *theta_error) {
    return evn__classifier_reconstruction(((program *)self)->classifier, x_error, theta_error);
}

static evn_status apart(void *self, double *x_apart, double *theta_apart) {
    return evn__classifier_apart(((program *)self)->classifier, x_apart, theta_apart);
}

static evn_status watched(void *self, double *worst) {
    return evn__classifier_watched(((program *)self)->classifier, worst);
}

// The task ----------------------------------------------------------------------------------------

static evn_parameters *parameters(void *self) {
    return evn_model_parameters(((images *)self)->model);
}

static int64_t batches(void *self, evn_part part) {
    return ((images *)self)->info.batches[part];
}

static void destroy(void *self) {
    images *t = self;
    evn_model_destroy(&t->model);
    free(t);
}

/// The ODEs among the stages of the model.
static const evn_dynamics *dynamics_at(void *self, int index) {
    const evn_model *model = ((const images *)self)->model;
    for (int i = 0; i < evn_model_stage_count(model); ++i) {
        const evn_dynamics *dynamics = evn_model_stage(model, i).dynamics;
        if (dynamics && index-- == 0) {
            return dynamics;
        }
    }
    return NULL;
}

static const evn_task_methods methods = {.name = "images",
                                         .slots = EVN__CLASSIFIER_SLOTS,
                                         .scores = scores,
                                         .score_count = SCORES,
                                         .parameters = parameters,
                                         .batches = batches,
                                         .check = check,
                                         .compile = compile,
                                         .release = release,
                                         .load = load,
                                         .forward = forward,
                                         .gradient = gradient,
                                         .read = read,
                                         .reconstruction = reconstruction,
                                         .apart = apart,
                                         .watched = watched,
                                         .dynamics = dynamics_at,
                                         .destroy = destroy};

static evn_status check_source(const evn_source_info *info) {
    EVN_CHECK(info->sample.rank == 3 && info->has_target && info->target.rank == 1, EVN_ERR_SHAPE,
              "the source's samples have rank %d%s; images need samples [H, W, C] and targets "
              "[classes]",
              info->sample.rank, info->has_target ? "" : " and no targets");
    EVN_CHECK(info->batches[EVN_TRAIN] > 0 && info->batches[EVN_TEST] > 0, EVN_ERR_DATA,
              "the source of images has no %s part",
              info->batches[EVN_TRAIN] > 0 ? "test" : "training");
    return EVN_OK;
}

static evn_status make(images *t, const evn_model_options *options, uint64_t seed) {
    evn_model_options model = *options;
    EVN_TRY(check_source(&t->info));
    model.height = t->info.sample.dim[0];
    model.width = t->info.sample.dim[1];
    model.channels = t->info.sample.dim[2];
    model.classes = t->classes = (int)t->info.target.dim[0];
    model.batch = t->info.batch;
    t->label_count = (size_t)(t->info.batch * t->classes);
    EVN_TRY(evn_model_create(&model, &t->model));
    return evn_parameters_allocate(evn_model_parameters(t->model), t->device, false, seed);
}

evn_status evn_task_images(evn_device *device, const evn_source *source,
                           const evn_model_options *model, uint64_t seed, evn_task *task) {
    images *t = NULL;
    EVN_REQUIRE(task);
    *task = (evn_task){0};
    EVN_REQUIRE(device);
    EVN_TRY(evn__source_check(source));
    EVN_REQUIRE(model);
    EVN_TRY(EVN_NEW(&t, 1));
    t->device = device;
    t->source = *source;
    t->info = source->methods->info(source->self);
    evn_status status = make(t, model, seed);
    if (status != EVN_OK) {
        destroy(t);
        return status;
    }
    *task = (evn_task){&methods, t};
    return EVN_OK;
}

// What looks inside -------------------------------------------------------------------------------

const evn_model *evn__images_model(const evn_task *task) {
    return task->methods == &methods ? ((images *)task->self)->model : NULL;
}

evn_status evn__images_ode(const evn_task *task, int64_t samples, evn_dynamics **dynamics) {
    evn_model *model = NULL;
    evn_model_options options = *evn_model_get_options(evn__images_model(task));
    options.batch = samples;
    *dynamics = NULL;
    EVN_TRY(evn_model_create(&options, &model));
    const evn_dynamics *own = evn_model_dynamics(model);
    evn_status status = own ? evn__dynamics_copy(own, dynamics) : EVN_OK;
    evn_model_destroy(&model);
    return status;
}

int64_t evn__images_test_capacity(const evn_task *task) {
    const evn_source_info *info = &((images *)task->self)->info;
    return info->batches[EVN_TEST] * info->batch;
}

evn_status evn__images_logits(const evn_task *task, const evn_solver_options *solver,
                              double *logits, evn_metrics *metrics) {
    void *compiled = NULL;
    const evn_solver_options forward_only = evn_solver_options_forward(solver);
    EVN_TRY(compile(task->self, &forward_only, false, &compiled));
    ((program *)compiled)->kept_logits = logits;
    evn_status status = evn__task_measure(task, compiled, EVN_TEST, 0, metrics);
    release(compiled);
    return status;
}

evn_status evn__images_answer(const evn_task *task, void *compiled, int64_t batches,
                              double *logits) {
    program *p = compiled;
    evn_tally tally = {0};
    double nfe = 0;
    const evn_batch first = {.part = EVN_TEST};
    p->kept_logits = logits;
    evn_status status = evn__task_run(task, compiled, &first, batches, &tally, &nfe);
    p->kept_logits = NULL;
    return status;
}
