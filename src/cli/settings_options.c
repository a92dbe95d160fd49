// SPDX-License-Identifier: Apache-2.0
// The options of the command line, a row each; those of a phase are in phase.c.
#include "cli/choices.h"
#include "cli/task.h"
#include "evonode/model.h"
#include "tune/tuner.h"

#include <stddef.h>

// Choices -----------------------------------------------------------------------------------------

static const char *preset_name(int index) {
    static const char *const names[] = {"paper", "long", NULL};
    return names[index];
}

static const char *holdout_by_name(int index) {
    static const char *const names[] = {"time", "group", NULL};
    return names[index];
}

// The table ---------------------------------------------------------------------------------------

#define TRAIN     EVN__VERB_TRAIN
#define SAMPLE    EVN__VERB_SAMPLE
#define DESCRIBE  EVN__VERB_DESCRIBE
#define PREDICT   EVN__VERB_PREDICT
#define DENSITY   EVN__VERB_DENSITY
#define BENCH     EVN__VERB_BENCH
#define COMPRESS  EVN__VERB_COMPRESS
#define ALL       (BOTH | SAMPLE | PREDICT | DENSITY)
#define BOTH      (EVN__VERB_TRAIN | EVN__VERB_EVAL | EVN__VERB_DEPTH)
#define WATCHED   (TRAIN | EVN__VERB_RESUME | EVN__OPTION_PASSING)
#define AT(field) offsetof(evn__settings, field)
#define SEED_MAX  9007199254740991 // whole numbers are exact up to here, in JSON too

const evn__option evn__settings_options[] = {
    {"device", "P:D | N | NAME | PLATFORM | cpu | gpu | igpu | auto",
     "where to compute (EVONODE_DEVICE)",
     ALL | EVN__VERB_RESUME | EVN__VERB_INVERT | EVN__VERB_TUNE | EVN__VERB_SELFTEST |
         EVN__VERB_EXPORT | COMPRESS | BENCH | EVN__VERB_GRADCHECK,
     &evn__option_text, AT(device), 0, 0, NULL},
    {"force", NULL, "use the device though its results were found wrong",
     ALL | EVN__VERB_RESUME | EVN__VERB_INVERT | EVN__VERB_EXPORT | COMPRESS | EVN__VERB_GRADCHECK |
         EVN__OPTION_PASSING,
     &evn__option_flag, AT(force), 0, 0, NULL},
    {"best", NULL,
     "resume: go on from the checkpoint of the least loss instead of the last one; eval: test it",
     EVN__VERB_RESUME | EVN__VERB_EVAL, &evn__option_flag, AT(best), 0, 0, NULL},
    {"same", NULL, "refuse to go on where device, driver or program are not those of before",
     EVN__VERB_RESUME, &evn__option_flag, AT(same), 0, 0, NULL},
    {"data", "DIR",
     "directory of the data set's files; a series' CSV file, or curve; for a flow, a density's "
     "name "
     "or a CSV file",
     BOTH | EVN__VERB_RESUME | EVN__VERB_INVERT | EVN__VERB_EXPORT | COMPRESS, &evn__option_text,
     AT(data), 0, 0, NULL},
    {"out", "DIR", "run directory (runs/TASK-N)", TRAIN | COMPRESS, &evn__option_text, AT(out), 0,
     0, NULL},
    {"out", "FILE", "file for the points (-)", SAMPLE, &evn__option_output, AT(out), 0, 0, NULL},
    {"out", "FILE", "file for the answers (-)", DENSITY, &evn__option_output, AT(out), 0, 0, NULL},
    {"out", "FILE.html", "the page (RUN/report.html; of several runs report.html)",
     EVN__VERB_REPORT, &evn__option_output, AT(out), 0, 0, NULL},
    {"out", "DIR", "directory for the pictures (none are drawn)", EVN__VERB_COMPARE,
     &evn__option_folder, AT(out), 0, 0, NULL},
    {"onnx", "FILE", "write the network as an ONNX model", EVN__VERB_EXPORT, &evn__option_output,
     AT(onnx), 0, 0, NULL},
    {"safetensors", "FILE", "write the parameters, by the names and layout of --map",
     EVN__VERB_EXPORT, &evn__option_output, AT(safetensors), 0, 0, NULL},
    {"weights-from", "FILE", "begin with the parameters of a safetensors file", TRAIN,
     &evn__option_text, AT(weights_from), 0, 0, NULL},
    {"map", "NAME | FILE",
     "names and layout of a safetensors file: a shipped map, or a JSON file (evonode: as "
     "model.safetensors of a run)",
     TRAIN | EVN__VERB_EXPORT, &evn__option_text, AT(map), 0, 0, NULL},
    {"preset", "NAME", "settings of a publication, or for a better result", TRAIN,
     &evn__option_text, AT(preset), 0, 0, preset_name},
    {"model", "KIND", "model to train", TRAIN, &evn__option_text, AT(model), 0, 0, evn__model_name},
    {"network", "FILE",
     "network of one's own instead of a --model (series: and --f): a file of layers", TRAIN,
     &evn__option_text, AT(network), 0, 0, NULL},
    {"weights", "KIND", "how the weights of node-ew evolve", TRAIN | DESCRIBE | COMPRESS,
     &evn__option_text, AT(weights), 0, 0, evn_evolution_name},
    {"basis", "N",
     "functions of t of which weights are a sum, where --weights names such (8; steps: as many as "
     "there are)",
     TRAIN | DESCRIBE | COMPRESS, &evn__option_integer, AT(basis), 1, 64, NULL},
    {"filters", "N", "channels of the state (default: by image size)", TRAIN | DESCRIBE,
     &evn__option_integer, AT(filters), 1, 4096, NULL},
    {"layers", "N", "layers of resnet", TRAIN | DESCRIBE, &evn__option_integer, AT(layers), 1, 1000,
     NULL},
    {"width", "N", "curve: units of each of the two hidden layers", TRAIN, &evn__option_integer,
     AT(width), 1, 16384, NULL},
    {"batch", "N", "images or points in a batch", TRAIN | DESCRIBE, &evn__option_integer, AT(batch),
     1, 65536, NULL},
    {"batch", "N", "the only batch that the model takes (of any size)", EVN__VERB_EXPORT,
     &evn__option_integer, AT(batch), 1, 65536, NULL},
    {"limit", "N", "train on the first N images only", TRAIN, &evn__option_integer, AT(limit), 1,
     1e9, NULL},
    {"optimizer", "KIND", "how the parameters are updated; lbfgs is for curves", TRAIN,
     &evn__option_text, AT(optimizer), 0, 0, evn__optimizer_name},
    {"momentum", "X", "momentum of sgd", TRAIN, &evn__option_real, AT(momentum), 0, 1, NULL},
    {"crop", "N", "shift training images at random by up to N pixels", TRAIN, &evn__option_integer,
     AT(crop), 0, 4096, NULL},
    {"rotate", "DEGREES", "rotate training images at random by up to that angle either way", TRAIN,
     &evn__option_real, AT(rotate), 0, 180, NULL},
    {"scale", "X", "scale training images at random by up to a factor of 1 + X either way", TRAIN,
     &evn__option_real, AT(scale), 0, 1, NULL},
    {"elastic", "PIXELS", "distort training images at random and smoothly, by that much on average",
     TRAIN, &evn__option_real, AT(elastic), 0, 4096, NULL},
    {"flip", NULL, "images: mirror the training images, left and right, half of the time", TRAIN,
     &evn__option_flag, AT(flip), 0, 0, NULL},
    {"jitter", "X",
     "images: change brightness, contrast and saturation of colour images by up to a factor of "
     "1 - X to 1 + X, at random in each epoch",
     TRAIN, &evn__option_real, AT(jitter), 0, 1, NULL},
    {"size", "HxW",
     "images: height and width in pixels to which all are brought (their own, where they have one)",
     TRAIN, &evn__option_text, AT(size), 0, 0, NULL},
    {"size", "HxWxC", "height, width and channels of the images (28x28x1)", DESCRIBE,
     &evn__option_text, AT(size), 0, 0, NULL},
    {"fit", "HOW", "images: how one of another shape comes to that size", TRAIN, &evn__option_text,
     AT(fit), 0, 0, evn__fit_name},
    {"holdout", "X",
     "images: fraction of each class to test on, where the folder has no test part (0.1); series: "
     "part that is not trained on; flow on a CSV file: fraction of the rows (0.1)",
     TRAIN, &evn__option_real, AT(holdout), 0, 0.999999, NULL},
    {"holdout-by", "WHAT",
     "series: what is held out, the last rows of each trajectory or whole groups", TRAIN,
     &evn__option_text, AT(holdout_by), 0, 0, holdout_by_name},
    {"time", "NAME",
     "series: column of the times (t or time, else the first one but for the group)", TRAIN,
     &evn__option_text, AT(time), 0, 0, NULL},
    {"columns", "A,B,...",
     "series: columns of the quantities (all others); flow on a CSV file: columns of the points "
     "(all "
     "of numbers)",
     TRAIN, &evn__option_text, AT(columns), 0, 0, NULL},
    {"group", "NAME", "series: column whose values tell trajectories apart (there is one)", TRAIN,
     &evn__option_text, AT(group), 0, 0, NULL},
    {"f", "mlp:N,N,...",
     "series: hidden layers of f and their units; mlp:N,N:relu has relu, not tanh", TRAIN,
     &evn__option_text, AT(f), 0, 0, NULL},
    {"window", "N",
     "series: intervals between rows that are solved in one go; 0: a whole trajectory", TRAIN,
     &evn__option_integer, AT(window), 0, 1e9, NULL},
    {"continuity", "X", "series: how firmly the windows' ends and beginnings are tied", TRAIN,
     &evn__option_real, AT(continuity), 0, 1e9, NULL},
    {"extra", "N",
     "series: columns of the state that are not observed (1 for a single quantity, else 0)", TRAIN,
     &evn__option_integer, AT(extra), 0, 4096, NULL},
    {"until", "T", "series: values up to that time, from the last row on", SAMPLE,
     &evn__option_real, AT(until), -1e300, 1e300, NULL},
    {"times", "FILE",
     "series: values at the times in a CSV file: its column of that name, or its only one", SAMPLE,
     &evn__option_text, AT(times), 0, 0, NULL},
    {"skip-bad", "N",
     "leave out up to N images that are not good; of the points of a CSV file, rows that lack a "
     "number",
     TRAIN, &evn__option_integer, AT(skip_bad), 0, 1e9, NULL},
    {"skip-bad", "N", "images: leave out up to N files that are no good images", PREDICT,
     &evn__option_integer, AT(skip_bad), 0, 1e9, NULL},
    {"weight-decay", "X", "L2 penalty", TRAIN, &evn__option_real, AT(weight_decay), 0, 1e38, NULL},
    {"accumulate", "N", "batches whose gradients are averaged for a step of the optimiser", TRAIN,
     &evn__option_integer, AT(accumulate), 1, 65536, NULL},
    {"memory-limit", "SIZE | auto",
     "device memory to make do with, such as 512M; auto: what the device has. Batches that need "
     "more are computed in parts",
     TRAIN, &evn__option_text, AT(memory_limit), 0, 0, NULL},
    {"memory-limit", "SIZE | auto | off",
     "device memory to make do with from here on (as before); off: no limit. It changes no bits",
     EVN__VERB_RESUME, &evn__option_text, AT(memory_limit), 0, 0, NULL},
    {"micro-batches", "N", "parts in which a batch is computed (as --memory-limit needs)", TRAIN,
     &evn__option_integer, AT(micro_batches), 1, 65536, NULL},
    {"launch-limit", "SECONDS | off",
     "longest time that the device may be busy with one launch, so that a display goes on (0.1 on "
     "GPUs, else off); batches that take longer are computed in parts",
     ALL | EVN__VERB_INVERT, &evn__option_text, AT(launch_limit), 0, 0, NULL},
    {"pause", "SECONDS | SHARE%",
     "leave the device alone after each step: for a time, or for a share of the whole time", TRAIN,
     &evn__option_text, AT(pause), 0, 0, NULL},
    {"low-priority", NULL, "work behind other programs, where the platform has such hints", TRAIN,
     &evn__option_flag, AT(low_priority), 0, 0, NULL},
    {"spin", NULL, "wait as the driver does, even if it burns a processor (for benchmarks)", TRAIN,
     &evn__option_flag, AT(spin), 0, 0, NULL},
    {"dry-run", NULL, "print the device memory that training needs, and end", TRAIN,
     &evn__option_flag, AT(dry_run), 0, 0, NULL},
    {"seed", "N", "seed of initial values, order of the data and augmentation", TRAIN,
     &evn__option_integer, AT(seed), 0, SEED_MAX, NULL},
    {"seed", "N", "seed of the points (1)", SAMPLE, &evn__option_integer, AT(seed), 0, SEED_MAX,
     NULL},
    {"tensorboard", NULL, "write the metrics for TensorBoard too, into the run directory", TRAIN,
     &evn__option_flag, AT(tensorboard), 0, 0, NULL},
    {"trace", "KIND", "flow: how training computes the divergence", TRAIN, &evn__option_text,
     AT(trace), 0, 0, evn__trace_name},
    {"count", "N", "number of points to draw (1000); of times up to --until (100)", SAMPLE,
     &evn__option_integer, AT(count), 1, 1e7, NULL},
    {"watch", "[PORT]", "serve the run's page at 127.0.0.1 while it is trained (any free port)",
     WATCHED, &evn__option_integer, AT(watch), 0, 65535, NULL},
    {"watch-address", "ADDRESS",
     "serve it at another address of this machine, where others can read it", WATCHED,
     &evn__option_text, AT(watch_address), 0, 0, NULL},
    {"top", "N", "images: the N most probable classes of each (5)", PREDICT, &evn__option_integer,
     AT(top), 1, 256, NULL},
    {"files-from", "FILE",
     "answer the files whose names are the lines of FILE; - is standard input", PREDICT,
     &evn__option_text, AT(files_from), 0, 0, NULL},
    {"phase", "NAME:KEY=VALUE,...", "a phase of training; repeat it for several, in order", TRAIN,
     &evn__option_phase, 0, 0, 0, NULL},
    {"family", "NAME", "kernels to tune (all)", EVN__VERB_TUNE, &evn__option_text, AT(family), 0, 0,
     evn__tuner_family},
    {"quick", NULL, "few shapes, 15 seconds instead of 180", EVN__VERB_TUNE, &evn__option_flag,
     AT(quick), 0, 0, NULL},
    {"rows", "PATTERN", "the rows of these keys or groups, as in conv2d*,flow_100 (all)", BENCH,
     &evn__option_text, AT(rows), 0, 0, NULL},
    {"quick", NULL, "shorter samples, one whole run instead of three", BENCH, &evn__option_flag,
     AT(quick), 0, 0, NULL},
    {"json", "FILE", "write the result, with all about device, driver and self-test", BENCH,
     &evn__option_output, AT(json_file), 0, 0, NULL},
    {"submit", "[DIR]", "write it as results/VENDOR/DEVICE-DRIVER-DATE.json in DIR (here)", BENCH,
     &evn__option_text, AT(submit), 0, 0, NULL},
    {"markdown", NULL, "compare: print the table as Markdown", BENCH, &evn__option_flag,
     AT(markdown), 0, 0, NULL},
    {"html", "FILE", "compare: write a page with charts, one file that loads nothing", BENCH,
     &evn__option_output, AT(html), 0, 0, NULL},
    {"baseline", "FILE", "compare: the result that the others must not be slower than", BENCH,
     &evn__option_text, AT(baseline), 0, 0, NULL},
    {"tolerance", "X", "compare: fraction that a time may be longer than the baseline's (0.1)",
     BENCH, &evn__option_real, AT(tolerance), 0, 100, NULL},
    {"seconds", "N", "time limit of tuning, in seconds", EVN__VERB_TUNE, &evn__option_integer,
     AT(seconds), 1, 86400, NULL},
    {"json", NULL, "print JSON; predict: a line of it for each answer",
     EVN__VERB_DEVICES | EVN__VERB_COMPARE | EVN__VERB_EVAL | EVN__VERB_GRADCHECK | PREDICT |
         DENSITY | DESCRIBE,
     &evn__option_flag, AT(json), 0, 0, NULL},
    {"classes", "N", "classes of images (10)", DESCRIBE, &evn__option_integer, AT(classes), 2, 1e6,
     NULL},
    {"svg", "FILE", "draw the network into that file", DESCRIBE, &evn__option_output, AT(svg), 0, 0,
     NULL},
    {0},
};
