// SPDX-License-Identifier: Apache-2.0
// Rows that are a training step of the MNIST model, and the first step of a run.
#include "bench/reference.h"
#include "bench/rows.h"

#include "base/random.h"
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "exchange/unrolled.h"
#include "nn/network.h"
#include "task/classifier.h"
#include <math.h>
#include <stdlib.h>

enum {
    SIDE = 28,
    CLASSES = 10,
    BATCH = 128,
    PIXELS = BATCH * SIDE * SIDE,
    LABELS = BATCH * CLASSES
};

typedef struct classifier_job {
    const evn__bench_classifier_options *options;
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
static void draw(classifier_job *j) {
    for (int i = 0; i < PIXELS; ++i) {
        j->images[i] = (float)evn__random_uniform(1, 0, (uint64_t)i);
    }
    for (int i = 0; i < BATCH; ++i) {
        j->labels[i * CLASSES + i % CLASSES] = 1;
    }
}

/// @param[in] some  samples that count, as if there were no others
static evn_status load(classifier_job *j, int some) {
    float *labels = NULL, *images;
    EVN_TRY(evn__classifier_open(j->classifier, &images));
    EVN_TRY(EVN_NEW(&labels, LABELS + BATCH));
    float *weights = labels + LABELS;
    for (int i = 0; i < PIXELS; ++i) {
        images[i] = (float)j->images[i];
    }
    for (int i = 0; i < LABELS; ++i) {
        labels[i] = (float)j->labels[i];
    }
    for (int i = 0; i < some; ++i) {
        weights[evn__bench_sample(i, some, BATCH)] = (float)BATCH / (float)some;
    }
    evn_status status = evn__classifier_load(j->classifier, labels, weights);
    free(labels);
    return status;
}

// Against the reference ---------------------------------------------------------------------------

enum { CHECKED = 4, FINE_STEPS = 16 };
/// Of gradients by the adjoint: what it solves has kinks, where ReLUs have them.
static const double ADJOINT = 0.2;

/// The whole model with loss and gradient, of the samples that are checked. An adaptive solve has
/// finer steps of the same order there.
static evn_status build_reference(const classifier_job *j, evn__bench_reference *r) {
    const evn__bench_classifier_options *o = j->options;
    evn__unroll_options steps = {"euler", o->steps, CHECKED};
    evn__unrolled unrolled = {0};
    if (o->steps == 0 || o->adjoint) {
        steps = (evn__unroll_options){"rk4", FINE_STEPS, CHECKED};
    }
    evn_status status = evn__unrolled_images(j->model, &steps, &unrolled);
    r->graph = evn__unrolled_take(&unrolled);
    EVN_TRY(status);
    evn_graph *g = r->graph;
    evn_value logits = evn_graph_output(g, evn_graph_find_output(g, "logits"));
    evn_value labels = evn_input(g, "labels", EVN_SHAPE(CHECKED, CLASSES));
    evn_value loss = evn__loss_cross_entropy(g, logits, labels, evn_full(g, EVN_SHAPE(CHECKED), 1));
    evn_output(g, "loss", loss);
    return evn__bench_reference_gradients(g, loss, evn_constant(g, 1),
                                          evn_model_parameters(j->model));
}

static evn_status run_reference(const classifier_job *j, evn__bench_reference *r) {
    EVN_TRY(build_reference(j, r));
    EVN_TRY(evn__bench_reference_make(r, evn_model_parameters(j->model)));
    evn__bench_gather(j->images, BATCH, CHECKED, SIDE * SIDE,
                      evn__bench_reference_input(r, "images"));
    evn__bench_gather(j->labels, BATCH, CHECKED, CLASSES, evn__bench_reference_input(r, "labels"));
    return evn__bench_reference_run(r);
}

static evn_status compare(const classifier_job *j, const evn__bench_reference *r,
                          double *difference) {
    double loss, logits[LABELS], some[CHECKED * CLASSES];
    evn__bench_agreement values = {0}, gradients = {0};
    EVN_TRY(evn__classifier_read(j->classifier, 0, 1, &loss, logits));
    evn__bench_gather(logits, BATCH, CHECKED, CLASSES, some);
    evn__bench_agree(&values, some, evn__bench_reference_output(r, "logits"), CHECKED * CLASSES);
    evn__bench_agree(&values, &loss, evn__bench_reference_output(r, "loss"), 1);
    EVN_TRY(evn__bench_agree_gradients(&gradients, r, evn_model_parameters(j->model)));
    *difference = fmax(evn__bench_difference(&values), evn__bench_difference(&gradients));
    return EVN_OK;
}

/// A step with all images, of which some alone count.
static evn_status check(void *user, double *difference) {
    classifier_job *j = user;
    evn__bench_reference r = {0};
    EVN_TRY(load(j, CHECKED));
    EVN_TRY(run(j));
    evn_status status = run_reference(j, &r);
    status = status == EVN_OK ? compare(j, &r, difference) : status;
    evn__bench_reference_free(&r);
    return status;
}

evn_status evn__bench_classifier(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_classifier_options *o = options;
    evn_model_options model = evn_model_options_default(SIDE, SIDE, 1, CLASSES);
    evn_solver_options solver = evn_solver_options_default();
    classifier_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    j->options = o;
    *job = (evn__bench_job){.work = run,
                            .user = j,
                            .inputs = read_inputs,
                            .outputs = read_outputs,
                            .check = check,
                            .tolerance = o->adjoint ? ADJOINT : 1e-4,
                            .destroy = destroy};
    model.kind = o->kind;
    solver.gradient = o->adjoint ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    solver.method = o->steps > 0 ? "euler" : "dopri5";
    solver.steps = o->steps;
    EVN_TRY(evn_model_create(&model, &j->model));
    EVN_TRY(evn_parameters_allocate(evn_model_parameters(j->model), device, false, 1));
    EVN_TRY(evn__classifier_create(device, j->model, &solver, true, &j->classifier));
    draw(j);
    return load(j, BATCH);
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
