// SPDX-License-Identifier: Apache-2.0
// Classifying images: digits, mnist, and those of a folder.
#include "cli/choices.h"
#include "cli/console.h"
#include "cli/session.h"
#include "data/dataset.h"
#include "task/images.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_model_options make_model(const evn__session *session, const evn__settings *settings) {
    evn_source_info info = session->source.methods->info(session->source.self);
    evn_model_options model = evn_model_options_default(
        info.sample.dim[0], info.sample.dim[1], info.sample.dim[2], (int)info.target.dim[0]);
    if (settings->model) {
        model.kind = (evn_model_kind)evn__choice_find(evn__model_name, settings->model);
    }
    model.network = session->network;
    model.weights = settings->evolution;
    model.layers = (int)settings->layers;
    if (settings->filters != INT64_MIN) {
        model.filters = (int)settings->filters;
    }
    return model;
}

/// Whether the network fits the images, before there is a device or a run directory.
static evn_status check_network(const evn__session *session, const evn__settings *settings) {
    const evn_model_options options = make_model(session, settings);
    evn_model *model = NULL;
    EVN_TRY(evn_model_create(&options, &model));
    evn_model_destroy(&model);
    return EVN_OK;
}

/// The session's source of batches.
static evn_status make_source(evn__session *session, evn__settings *settings) {
    const evn_augmentation augmentation = {
        .crop = (int)settings->crop,
        .rotate = settings->rotate,
        .scale = settings->scale,
        .elastic = settings->elastic,
        .flip = settings->flip,
        .jitter = isnan(settings->jitter) ? 0 : settings->jitter,
    };
    EVN_TRY(evn_source_images(session->data, settings->batch, &augmentation,
                              (uint64_t)settings->seed, &session->source));
    evn__dataset_digest(session->data, session->digest);
    settings->filters = make_model(session, settings).filters;
    return session->network ? check_network(session, settings) : EVN_OK;
}

static evn_status check_model(const evn__settings *settings) {
    EVN_CHECK(!settings->model || strcmp(settings->model, "hypernet") != 0, EVN_ERR_USAGE,
              "the model hypernet is a flow's; for images it should be node-ew, node or resnet");
    return EVN_OK;
}

static evn_status open_data(evn__session *session, evn__settings *settings) {
    evn_dataset *dataset = NULL;
    EVN_TRY(check_model(settings));
    EVN_TRY(evn_dataset_open(session->row->name, settings->data, &dataset));
    session->data = dataset;
    if (settings->limit != INT64_MIN) {
        EVN_TRY(evn_dataset_limit(dataset, EVN_TRAIN, settings->limit));
    }
    return make_source(session, settings);
}

// A folder ----------------------------------------------------------------------------------------

/// "64x96" (height and width) or "64".
static evn_status read_size(const char *text, int64_t *height, int64_t *width) {
    char *end;
    *height = *width = strtol(text, &end, 10);
    if (end != text && *end == 'x' && end[1] >= '0' && end[1] <= '9') {
        *width = strtol(end + 1, &end, 10);
    }
    EVN_CHECK(*text >= '0' && *text <= '9' && *end == 0, EVN_ERR_USAGE,
              "--size is '%s', but should be HxW, height and width in pixels, such as 64x64", text);
    return EVN_OK;
}

static void show_progress(void *user, int64_t done, int64_t total) {
    char line[64];
    (void)user;
    snprintf(line, sizeof(line), "decoding images: %lld of %lld", (long long)done,
             (long long)total);
    evn__console_activity(line);
}

static void show_note(void *user, const char *text) {
    (void)user;
    evn__console_note(text);
}

static evn_status make_folder_options(const evn__settings *settings, evn_folder_options *options) {
    *options = evn_folder_options_default();
    if (settings->size) {
        EVN_TRY(read_size(settings->size, &options->height, &options->width));
    }
    options->fit = (evn_fit)evn__choice_find(evn__fit_name, settings->fit);
    options->holdout = isnan(settings->holdout) ? 0 : settings->holdout;
    options->seed = (uint64_t)settings->seed;
    options->limit = settings->limit == INT64_MIN ? 0 : settings->limit;
    options->skip_bad = settings->skip_bad;
    options->progress = show_progress;
    options->note = show_note;
    return EVN_OK;
}

/// The batch that is trained on where none was asked for: a small folder has few images.
static int64_t choose_batch(const evn_dataset_info *info) {
    enum { BATCH = 64 };
    return info->count[EVN_TRAIN] < BATCH ? info->count[EVN_TRAIN] : BATCH;
}

static evn_status open_folder(evn__session *session, evn__settings *settings) {
    evn_folder_options options;
    evn_dataset *dataset = NULL;
    EVN_TRY(check_model(settings));
    EVN_CHECK(settings->data, EVN_ERR_USAGE,
              "images needs --data FOLDER, with a sub-folder of images for each class");
    EVN_CHECK(settings->holdout != 0, EVN_ERR_USAGE,
              "--holdout is 0, but should be a fraction of the images to test on");
    EVN_TRY(make_folder_options(settings, &options));
    evn_status status = evn_dataset_open_folder(settings->data, &options, &dataset);
    evn__console_clear();
    EVN_TRY(status);
    session->data = dataset;
    session->classes = dataset;
    evn_dataset_info info = evn_dataset_get_info(dataset);
    if (settings->batch == INT64_MIN) {
        settings->batch = choose_batch(&info);
    }
    evn__console_dataset(dataset);
    return make_source(session, settings);
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    evn_model_options model = make_model(session, settings);
    return evn_task_images(session->device, &session->source, &model, (uint64_t)settings->seed,
                           &session->task);
}

static evn_status unroll(const evn__session *session, const evn__unroll_options *options,
                         evn__unrolled *unrolled) {
    return evn__unrolled_images(evn__images_model(&session->task), options, unrolled);
}

static const evn__exportation exportation = {
    "images: float32 [batch, height, width, channels], byte / 255", unroll};

static void close_data(evn__session *session) {
    evn_dataset *dataset = session->data;
    evn_dataset_destroy(&dataset);
    session->data = NULL;
}

static const char *const options[] = {"model",  "network", "weights", "basis",         "filters",
                                      "layers", "batch",   "limit",   "crop",          "rotate",
                                      "scale",  "elastic", "data",    "micro-batches", NULL};

static const char *const folder_options[] = {
    "model", "network", "weights", "basis",    "filters", "layers",        "batch",
    "limit", "crop",    "rotate",  "scale",    "elastic", "flip",          "jitter",
    "size",  "fit",     "holdout", "skip-bad", "data",    "micro-batches", NULL};

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

static const evn__default folder_defaults[] = {
    {NULL, "phase", "backprop:epochs=8,lr=0.05,schedule=cosine"},
    {NULL, "phase", "adjoint:epochs=2,lr=0.005"},
    {NULL, "fit", "crop"},
    {NULL, "skip-bad", "0"},
    NO_AUGMENTATION,
    {0},
};

static const evn__column progress[] = {
    {"train_accuracy", NULL, "train %.2f %%", 100, 0, false},
    {"test_accuracy", NULL, "test %.2f %%", 100, 0, false},
    {"test_errors", NULL, "(%.0f errors)", 1, 0, false},
    {0},
};

static const evn__column results[] = {
    {"test_accuracy", "test accuracy", "%.2f %%", 100, 0, false},
    {"test_errors", "test errors", "%.0f", 1, 0, false},
    {"test_count", "test images", "%.0f", 1, 0, false},
    {"test_loss", "test loss", "%.4g", 1, 0, false},
    {"train_accuracy", "train accuracy", "%.2f %%", 100, 0, false},
    {"test_macro_f1", "mean F1 of the classes", "%.2f %%", 100, 0, false},
    {"test_calibration_error", "calibration error", "%.4f", 1, 0, false},
    {"test_brier", "Brier score", "%.4f", 1, 0, false},
    {0},
};

static const evn__column compared[] = {
    {"test_accuracy", "test error, %", "%.2f", -100, 100, true},
    {"test_errors", "errors", "%.4g", 1, 0, true},
    {0},
};

#define IMAGES                                                                                     \
    .steps = 10, .progress = progress, .results = results, .compared = compared,                   \
    .style = {"test_accuracy", "Accuracy on the test images, mean over the seeds",                 \
              "test accuracy  (%)", 100, false},                                                   \
    .create = create, .ode = evn__images_ode, .close = close_data,                                 \
    .predict = &evn__predict_images, .evaluate = &evn__evaluate_images, .export = &exportation,    \
    .open_learnt = evn__images_open_none

const evn__task_row evn__task_digits = {.name = "digits",
                                        .text = "1,797 digits of 8x8 pixels, built in",
                                        .options = options,
                                        .defaults = digits_defaults,
                                        .open = open_data,
                                        IMAGES};

const evn__task_row evn__task_mnist = {
    .name = "mnist",
    .text = "70,000 digits of 28x28 pixels; sh datasets/fetch_mnist.sh fetches them",
    .options = options,
    .defaults = mnist_defaults,
    .open = open_data,
    IMAGES};

const evn__task_row evn__task_folder = {
    .name = "images",
    .text =
        "your own: --data FOLDER, a sub-folder for each class (PNG, JPEG, BMP, TGA, PNM; alpha is "
        "laid on white), IDX files or CIFAR batches",
    .options = folder_options,
    .defaults = folder_defaults,
    .open = open_folder,
    IMAGES};
