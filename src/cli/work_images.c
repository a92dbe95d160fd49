// SPDX-License-Identifier: Apache-2.0
// Classifying images: digits and mnist.
#include "cli/report.h"
#include "cli/work.h"

#include <math.h>
#include <string.h>

static evn_model_kind model_kind(const char *name) {
    if (strcmp(name, "resnet") == 0) {
        return EVN_MODEL_RESNET;
    }
    return strcmp(name, "node") == 0 ? EVN_MODEL_NODE : EVN_MODEL_NODE_EW;
}

static evn_model_options make_model(const evn_dataset *dataset, evn__settings *settings) {
    evn_dataset_info info = evn_dataset_get_info(dataset);
    evn_model_options model =
        evn_model_options_default(info.height, info.width, info.channels, info.classes);
    model.kind = model_kind(settings->model);
    model.weights = settings->weights;
    model.layers = (int)settings->layers;
    model.batch = settings->batch;
    if (settings->filters == INT64_MIN) {
        settings->filters = model.filters;
    }
    model.filters = (int)settings->filters;
    return model;
}

static evn_status open_data(evn__session *session, const char *task, evn__settings *settings) {
    EVN_CHECK(strcmp(settings->model, "hypernet") != 0, EVN_ERR_USAGE,
              "the model hypernet is a flow's; for images it should be node-ew, node or resnet");
    EVN_TRY(evn_dataset_open(task, settings->data, &session->dataset));
    if (settings->limit != INT64_MIN) {
        EVN_TRY(evn_dataset_limit(session->dataset, EVN_TRAIN, settings->limit));
    }
    session->options.augmentation = (evn_augmentation){.crop = (int)settings->crop,
                                                       .rotate = settings->rotate,
                                                       .scale = settings->scale,
                                                       .elastic = settings->elastic};
    session->options.model = make_model(session->dataset, settings);
    return EVN_OK;
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    (void)settings; // the model's options came from them
    return evn_trainer_create(session->device, session->dataset, &session->options,
                              &session->trainer);
}

static evn_status run(evn__session *session) {
    return evn_trainer_run(session->trainer);
}

static evn_status save(evn__session *session, const char *path) {
    return evn_trainer_save(session->trainer, path);
}

static evn_status restore(evn__session *session, const char *path, int *epochs) {
    return evn_trainer_restore(session->trainer, path, epochs);
}

static evn_parameters *parameters(const evn__session *session) {
    return evn_trainer_parameters(session->trainer);
}

static evn_status summarize(evn__session *session, const evn_epoch *last, evn__summary *summary) {
    bool solves = evn_model_dynamics(evn_trainer_model(session->trainer)) != NULL;
    evn_epoch train;
    evn__report_activity("measuring the accuracy on the training part");
    EVN_TRY(evn_trainer_evaluate(session->trainer, last->phase, EVN_TRAIN, &train));
    evn__report_clear();
    summary->test_accuracy = last->test_accuracy;
    summary->train_accuracy = train.test_accuracy;
    summary->test_errors = last->test_errors;
    summary->loss = last->test_loss;
    summary->nfe_forward = solves ? last->nfe_forward : NAN;
    summary->nfe_backward = solves ? last->nfe_backward : NAN;
    return EVN_OK;
}

static evn_status draw(const evn__session *session, const char *folder) {
    (void)session;
    (void)folder; // a classifier has no pictures
    return EVN_OK;
}

static evn_status evaluate(evn__session *session, const char *folder) {
    evn_epoch result;
    EVN_TRY(evn_trainer_evaluate(session->trainer, session->phase, EVN_TEST, &result));
    evn__report_evaluation(folder, session->device, &session->phases[session->phase].solver,
                           &result, NAN);
    return EVN_OK;
}

const evn__work evn__work_images = {
    EVN__IMAGES, open_data, create, run, save, restore, parameters, summarize, draw, evaluate,
};
