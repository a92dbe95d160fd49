// SPDX-License-Identifier: Apache-2.0
// Classifying images: digits and mnist.
#include "cli/session.h"

#include <string.h>

static evn_model_kind model_kind(const char *name) {
    if (strcmp(name, "resnet") == 0) {
        return EVN_MODEL_RESNET;
    }
    return strcmp(name, "node") == 0 ? EVN_MODEL_NODE : EVN_MODEL_NODE_EW;
}

static evn_model_options make_model(const evn_source *source, const evn__settings *settings) {
    evn_source_info info = source->methods->info(source->self);
    evn_model_options model = evn_model_options_default(
        info.sample.dim[0], info.sample.dim[1], info.sample.dim[2], (int)info.target.dim[0]);
    model.kind = model_kind(settings->model);
    model.weights = settings->weights;
    model.layers = (int)settings->layers;
    if (settings->filters != INT64_MIN) {
        model.filters = (int)settings->filters;
    }
    return model;
}

static evn_status open_data(evn__session *session, evn__settings *settings) {
    evn_dataset *dataset = NULL;
    EVN_CHECK(strcmp(settings->model, "hypernet") != 0, EVN_ERR_USAGE,
              "the model hypernet is a flow's; for images it should be node-ew, node or resnet");
    EVN_TRY(evn_dataset_open(session->row->name, settings->data, &dataset));
    session->data = dataset;
    if (settings->limit != INT64_MIN) {
        EVN_TRY(evn_dataset_limit(dataset, EVN_TRAIN, settings->limit));
    }
    const evn_augmentation augmentation = {.crop = (int)settings->crop,
                                           .rotate = settings->rotate,
                                           .scale = settings->scale,
                                           .elastic = settings->elastic};
    EVN_TRY(evn_source_images(dataset, settings->batch, &augmentation, (uint64_t)settings->seed,
                              &session->source));
    settings->filters = make_model(&session->source, settings).filters;
    return EVN_OK;
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    evn_model_options model = make_model(&session->source, settings);
    return evn_task_images(session->device, &session->source, &model, (uint64_t)settings->seed,
                           &session->task);
}

static void close_data(evn__session *session) {
    evn_dataset *dataset = session->data;
    evn_dataset_destroy(&dataset);
    session->data = NULL;
}

static const char *const options[] = {"model", "weights", "filters", "layers",  "batch", "limit",
                                      "crop",  "rotate",  "scale",   "elastic", "data",  NULL};

#define NO_AUGMENTATION                                                                            \
    {NULL, "crop", "0"}, {NULL, "rotate", "0"}, {NULL, "scale", "0"}, {                            \
        NULL, "elastic", "0"                                                                       \
    }

static const evn__default digits_defaults[] = {
    {NULL, "batch", "32"},
    {NULL, "phase", "backprop:epochs=15,lr=0.1,schedule=cosine"},
    {NULL, "phase", "adjoint:epochs=3,lr=0.01"},
    NO_AUGMENTATION,
    {0},
};

static const evn__default mnist_defaults[] = {
    {"paper", "phase", "backprop:solver=euler,steps=10,epochs=80,lr=0.01"},
    {"paper", "phase", "adjoint:solver=dopri5,epochs=80,lr=0.001"},
    {NULL, "batch", "128"},
    {NULL, "phase", "backprop:epochs=1,lr=0.1,schedule=cosine"},
    {NULL, "phase", "adjoint:epochs=1,lr=0.005"},
    NO_AUGMENTATION,
    {0},
};

static const evn__column progress[] = {
    {"train_accuracy", NULL, "train %.2f %%", 100, 0, false},
    {"test_accuracy", NULL, "test %.2f %%", 100, 0, false},
    {"test_errors", NULL, "(%.0f errors)", 1, 0, false},
    {0},
};

static const evn__column report[] = {
    {"test_accuracy", "test accuracy", "%.2f %%", 100, 0, false},
    {"test_errors", "test errors", "%.0f", 1, 0, false},
    {"test_count", "test images", "%.0f", 1, 0, false},
    {"test_loss", "test loss", "%.4g", 1, 0, false},
    {"train_accuracy", "train accuracy", "%.2f %%", 100, 0, false},
    {0},
};

static const evn__column compared[] = {
    {"test_accuracy", "test error, %", "%.2f", -100, 100, true},
    {"test_errors", "errors", "%.4g", 1, 0, true},
    {0},
};

#define IMAGES                                                                                     \
    .steps = 10, .options = options, .progress = progress, .report = report, .compared = compared, \
    .style = {"test_accuracy", "Accuracy on the test images, mean over the seeds",                 \
              "test accuracy  (%)", 100, false},                                                   \
    .open = open_data, .create = create, .close = close_data

const evn__task_row evn__task_digits = {.name = "digits",
                                        .text = "1,797 digits of 8x8 pixels, built in",
                                        .defaults = digits_defaults,
                                        IMAGES};

const evn__task_row evn__task_mnist = {
    .name = "mnist",
    .text = "70,000 digits of 28x28 pixels; sh datasets/fetch_mnist.sh fetches them",
    .defaults = mnist_defaults,
    IMAGES};
