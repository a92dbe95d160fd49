// SPDX-License-Identifier: Apache-2.0
// Rows that are a training step of the MNIST model, and the first step of a run.
#include "bench/rows.h"

#include "base/random.h"
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "task/classifier.h"
#include <stdlib.h>

enum {
    SIDE = 28,
    CLASSES = 10,
    BATCH = 128,
    PIXELS = BATCH * SIDE * SIDE,
    LABELS = BATCH * CLASSES
};

typedef struct classifier_job {
    evn_model *model;
    evn__classifier *classifier;
    double images[PIXELS], labels[LABELS]; ///< [B, H, W, 1], [B, N] one-hot
} classifier_job;

static evn_status run(void *user) {
    classifier_job *j = user;
    evn_solution solution;
    EVN_TRY(evn__classifier_forward(j->classifier, 0, &solution));
    return evn__classifier_gradient(j->classifier, &solution);
}

static evn_status read_inputs(void *user, evn__bench_tensors *tensors) {
    classifier_job *j = user;
    evn_shape images = EVN_SHAPE(BATCH, SIDE, SIDE, 1), labels = EVN_SHAPE(BATCH, CLASSES);
    EVN_TRY(evn__bench_tensors_add(tensors, "images", images, j->images));
    EVN_TRY(evn__bench_tensors_add(tensors, "labels", labels, j->labels));
    return evn__bench_tensors_parameters(tensors, evn_model_parameters(j->model));
}

static evn_status read_outputs(void *user, evn__bench_tensors *tensors) {
    classifier_job *j = user;
    double loss, logits[LABELS];
    EVN_TRY(evn__classifier_read(j->classifier, 0, 1, &loss, logits));
    EVN_TRY(evn__bench_tensors_add(tensors, "loss", EVN_SCALAR, &loss));
    EVN_TRY(evn__bench_tensors_add(tensors, "logits", EVN_SHAPE(BATCH, CLASSES), logits));
    return evn__bench_tensors_gradients(tensors, evn_model_parameters(j->model));
}

static void destroy(void *user) {
    classifier_job *j = user;
    evn__classifier_destroy(&j->classifier);
    evn_model_destroy(&j->model);
    free(j);
}

/// Noise as images, with every class equally often.
static evn_status load(classifier_job *j) {
    float *labels = NULL, *images;
    EVN_TRY(evn__classifier_open(j->classifier, &images));
    EVN_TRY(EVN_NEW(&labels, LABELS + BATCH));
    float *weights = labels + LABELS;
    for (int i = 0; i < PIXELS; ++i) {
        images[i] = (float)evn__random_uniform(1, 0, (uint64_t)i);
        j->images[i] = images[i];
    }
    for (int i = 0; i < BATCH; ++i) {
        labels[i * CLASSES + i % CLASSES] = 1;
        j->labels[i * CLASSES + i % CLASSES] = 1;
        weights[i] = 1;
    }
    evn_status status = evn__classifier_load(j->classifier, labels, weights);
    free(labels);
    return status;
}

evn_status evn__bench_classifier(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_classifier_options *o = options;
    evn_model_options model = evn_model_options_default(SIDE, SIDE, 1, CLASSES);
    evn_solver_options solver = evn_solver_options_default();
    classifier_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){
        .work = run, .user = j, .inputs = read_inputs, .outputs = read_outputs, .destroy = destroy};
    model.kind = o->kind;
    solver.gradient = o->adjoint ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    solver.method = o->steps > 0 ? "euler" : "dopri5";
    solver.steps = o->steps;
    EVN_TRY(evn_model_create(&model, &j->model));
    EVN_TRY(evn_parameters_allocate(evn_model_parameters(j->model), device, false, 1));
    EVN_TRY(evn__classifier_create(device, j->model, &solver, true, &j->classifier));
    return load(j);
}

// The first step ----------------------------------------------------------------------------------

static bool stop_at_once(void *user) {
    (void)user;
    return true;
}

/// Batches of 128, ten Euler steps; without rehearsal and self-test.
static evn_status train_one_step(evn_device *device, const evn_source *source, evn_task *task) {
    evn_source_info info = source->methods->info(source->self);
    evn_model_options model = evn_model_options_default(
        info.sample.dim[0], info.sample.dim[1], info.sample.dim[2], (int)info.target.dim[0]);
    evn_phase phase = {.name = "backprop",
                       .solver = evn_solver_options_default(),
                       .epochs = 1,
                       .schedule = evn_schedule_default(0.05)};
    phase.solver.method = "euler";
    phase.solver.steps = 10;
    phase.solver.gradient = EVN_GRADIENT_BACKPROP;
    evn_trainer_options options = {.phases = &phase,
                                   .phase_count = 1,
                                   .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                                   .stop = stop_at_once};
    evn_trainer *trainer = NULL;
    EVN_TRY(evn_task_images(device, source, &model, 0, task));
    EVN_TRY(evn_trainer_create(device, task, &options, &trainer));
    evn_status status = evn_trainer_run(trainer);
    evn_trainer_destroy(&trainer);
    return status == EVN_ERR_INTERRUPTED ? evn_device_finish(device) : status;
}

evn_status evn__bench_first_step(evn_device *device) {
    evn_dataset *dataset = NULL;
    evn_source source = {0};
    evn_task task = {0};
    EVN_TRY(evn_dataset_open("digits", NULL, &dataset));
    evn_status status = evn_source_images(dataset, BATCH, NULL, 0, &source);
    if (status == EVN_OK) {
        status = train_one_step(device, &source, &task);
    }
    evn_task_destroy(&task);
    evn_source_destroy(&source);
    evn_dataset_destroy(&dataset);
    return status;
}
