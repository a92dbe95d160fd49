// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"
#include "cli/task.h"
#include "evonode/model.h"
#include "tune/tuner.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Tables ------------------------------------------------------------------------------------------

/// What an option is for any task, where the task's own defaults say nothing.
static const evn__default common_defaults[] = {
    {NULL, "model", "node-ew"},     {NULL, "weights", "rda"},
    {NULL, "layers", "10"},         {NULL, "optimizer", "sgd"},
    {NULL, "momentum", "0.9"},      {NULL, "weight-decay", "0"},
    {NULL, "accumulate", "1"},      {NULL, "seed", "1"},
    {NULL, "epochs", "1"},          {NULL, "lr", "0.01"},
    {NULL, "rtol", "1e-3"},         {NULL, "atol", "1e-3"},
    {NULL, "schedule", "constant"}, {NULL, "until", "epochs"},
    {NULL, "warmup", "0"},          {NULL, "checkpoints", "0"},
    {NULL, "coupling", "0"},        {NULL, "factor", "0.1"},
    {NULL, "final", "0.01"},        {0},
};

static const char *model_name(int index) {
    static const char *const names[] = {"resnet", "node", "node-ew", "hypernet", NULL};
    return names[index];
}

static const char *optimizer_name(int index) {
    static const char *const names[] = {"sgd", "adam", "lbfgs", NULL};
    return names[index];
}

static const char *preset_name(int index) {
    static const char *const names[] = {"paper", "long", NULL};
    return names[index];
}

static const char *trace_name(int index) {
    static const char *const names[] = {"exact", "rademacher", "gaussian", NULL};
    return names[index];
}

static const char *holdout_by_name(int index) {
    static const char *const names[] = {"time", "group", NULL};
    return names[index];
}

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
    {"out", "FILE", "file for the points (standard output)", SAMPLE, &evn__option_text, AT(out), 0,
     0, NULL},
    {"out", "FILE", "file for the answers (standard output)", DENSITY, &evn__option_text, AT(out),
     0, 0, NULL},
    {"out", "FILE.html", "the page; - prints it (RUN/report.html; of several runs report.html)",
     EVN__VERB_REPORT, &evn__option_text, AT(out), 0, 0, NULL},
    {"out", "DIR", "directory for the pictures (none are drawn)", EVN__VERB_COMPARE,
     &evn__option_text, AT(out), 0, 0, NULL},
    {"onnx", "FILE", "write the network as an ONNX model", EVN__VERB_EXPORT, &evn__option_text,
     AT(onnx), 0, 0, NULL},
    {"safetensors", "FILE", "write the parameters, by the names and layout of --map",
     EVN__VERB_EXPORT, &evn__option_text, AT(safetensors), 0, 0, NULL},
    {"weights-from", "FILE", "begin with the parameters of a safetensors file", TRAIN,
     &evn__option_text, AT(weights_from), 0, 0, NULL},
    {"map", "NAME | FILE",
     "names and layout of a safetensors file: a shipped map, or a JSON file (evonode: as "
     "model.safetensors of a run)",
     TRAIN | EVN__VERB_EXPORT, &evn__option_text, AT(map), 0, 0, NULL},
    {"preset", "NAME", "settings of a publication, or for a better result", TRAIN,
     &evn__option_text, AT(preset), 0, 0, preset_name},
    {"model", "KIND", "model to train", TRAIN, &evn__option_text, AT(model), 0, 0, model_name},
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
     &evn__option_text, AT(optimizer), 0, 0, optimizer_name},
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
    {"micro-batches", "N", "parts in which a batch is computed (as --memory-limit needs)", TRAIN,
     &evn__option_integer, AT(micro_batches), 1, 65536, NULL},
    {"launch-limit", "SECONDS | off",
     "longest time that the device may be busy with one launch, so that a display goes on (0.1 on "
     "GPUs, else off); batches that take longer are computed in parts",
     TRAIN, &evn__option_text, AT(launch_limit), 0, 0, NULL},
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
     AT(trace), 0, 0, trace_name},
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
     &evn__option_text, AT(json_file), 0, 0, NULL},
    {"submit", "[DIR]", "write it as results/VENDOR/DEVICE-DRIVER-DATE.json in DIR (here)", BENCH,
     &evn__option_text, AT(submit), 0, 0, NULL},
    {"markdown", NULL, "compare: print the table as Markdown", BENCH, &evn__option_flag,
     AT(markdown), 0, 0, NULL},
    {"html", "FILE", "compare: write a page with charts, one file that loads nothing", BENCH,
     &evn__option_text, AT(html), 0, 0, NULL},
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
    {"svg", "FILE", "draw the network into that file", DESCRIBE, &evn__option_text, AT(svg), 0, 0,
     NULL},
    {0},
};

void evn__settings_clear(evn__settings *settings) {
    *settings = (evn__settings){0};
    evn__options_clear(evn__settings_options, settings);
    evn__options_clear(evn__phase_options, &settings->common);
}

void evn__settings_free(evn__settings *settings) {
    evn__arena_free(&settings->arena);
    free(settings->subjects);
    settings->subjects = NULL;
}

// Parsing -----------------------------------------------------------------------------------------

/// An option and the structure that has its field.
typedef struct place {
    const evn__option *option;
    void *target;
} place;

static place find(evn__settings *settings, unsigned verbs, const char *name, size_t length) {
    place found = {evn__option_find(evn__settings_options, verbs, name, length), settings};
    if (!found.option) {
        found.option = evn__option_find(evn__phase_options, verbs, name, length);
        found.target = &settings->common;
    }
    return found;
}

unsigned evn__settings_verbs(const char *option) {
    const evn__option *tables[] = {evn__settings_options, evn__phase_options};
    unsigned verbs = 0;
    for (int i = 0; i < 2; ++i) {
        for (const evn__option *row = tables[i]; row->name; ++row) {
            verbs |= strcmp(row->name, option) == 0 ? row->verbs : 0;
        }
    }
    return verbs;
}

static evn_status fail_unknown(unsigned verb, const char *name) {
    enum { NAMES_MAX = 256 };
    const char *names[NAMES_MAX + 1] = {0};
    const evn__option *tables[] = {evn__settings_options, evn__phase_options};
    int count = 0;
    for (int i = 0; i < 2; ++i) {
        for (const evn__option *row = tables[i]; row->name && count < NAMES_MAX; ++row) {
            if (row->verbs & verb) {
                names[count++] = row->name;
            }
        }
    }
    const char *near = evn__nearest(name, names);
    EVN_CHECK(!near, EVN_ERR_USAGE, "unknown option --%s; did you mean --%s?", name, near);
    EVN_FAIL(EVN_ERR_USAGE, "unknown option --%s", name);
}

/// The option in words[*at], and its value in the same word or the next; *at moves to the last.
static evn_status parse_option(evn__settings *settings, unsigned verb, int count,
                               char *const *words, int *at) {
    const char *name = words[*at] + 2;
    const char *value = strchr(name, '=');
    size_t length = value ? (size_t)(value++ - name) : strlen(name);
    place found = find(settings, verb, name, length);
    if (!found.option) {
        char *copy = evn__arena_string(&settings->arena, name);
        EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for the option --%s", name);
        copy[length] = 0;
        settings->unknown = copy;
        return fail_unknown(verb, copy);
    }
    if (!found.option->argument) {
        EVN_CHECK(!value, EVN_ERR_USAGE, "--%s takes no value", found.option->name);
    } else if (!value && found.option->argument[0] == '[') {
        const char *next = *at + 1 < count ? words[*at + 1] : "";
        bool text = found.option->kind == &evn__option_text;
        bool follows = next[0] && (text ? next[0] != '-' : !next[strspn(next, "0123456789")]);
        value = follows ? words[++*at] : text ? "." : "0";
    } else if (!value) {
        EVN_CHECK(*at + 1 < count, EVN_ERR_USAGE, "--%s needs a value: --%s %s", name, name,
                  found.option->argument);
        value = words[++*at];
    }
    return evn__option_apply(found.option, found.target, value);
}

static evn_status add_subject(evn__settings *settings, unsigned verb, const char *word) {
    const unsigned without = EVN__VERB_DEVICES | EVN__VERB_TUNE | EVN__VERB_SELFTEST;
    const unsigned several = EVN__VERB_COMPARE | EVN__VERB_REPORT | PREDICT | DENSITY | BENCH;
    int most = verb & without ? 0 : verb & several ? INT_MAX : 1;
    EVN_CHECK(settings->subject_count < most, EVN_ERR_USAGE, "unexpected argument '%s'", word);
    EVN_TRY(
        EVN_RESERVE(settings->subjects, settings->subject_capacity, settings->subject_count + 1));
    settings->subjects[settings->subject_count++] = word;
    settings->subject = settings->subjects[0];
    return EVN_OK;
}

evn_status evn__settings_parse(evn__settings *settings, unsigned verb, int count,
                               char *const *words) {
    for (int i = 0; i < count; ++i) {
        const char *word = words[i];
        if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            settings->help = true;
        } else if (strncmp(word, "--", 2) == 0) {
            EVN_TRY(parse_option(settings, verb, count, words, &i));
        } else {
            EVN_CHECK(word[0] != '-' || !word[1], EVN_ERR_USAGE,
                      "options begin with two dashes: '%s'", word);
            EVN_TRY(add_subject(settings, verb, word));
        }
    }
    return EVN_OK;
}

// Defaults ----------------------------------------------------------------------------------------

const char *evn__settings_default(const char *option) {
    for (const evn__default *d = common_defaults; d->option; ++d) {
        if (strcmp(d->option, option) == 0) {
            return d->value;
        }
    }
    return NULL;
}

static bool applies(const evn__default *d, const char *preset) {
    return !d->preset || (preset && strcmp(d->preset, preset) == 0);
}

static bool has_preset(const evn__task_row *task, const char *preset) {
    for (const evn__default *d = task->defaults; d->option; ++d) {
        if (d->preset && strcmp(d->preset, preset) == 0) {
            return true;
        }
    }
    return false;
}

/// Not every task is an experiment of the paper, or takes long.
static evn_status check_preset(const evn__task_row *task, const char *preset) {
    char list[128] = "";
    size_t used = 0;
    if (!preset || has_preset(task, preset)) {
        return EVN_OK;
    }
    for (int i = 0; evn__task_at(i) && used < sizeof(list); ++i) {
        if (has_preset(evn__task_at(i), preset)) {
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
                                     evn__task_at(i)->name);
        }
    }
    EVN_FAIL(EVN_ERR_USAGE,
             "the task %s has no preset %s (tasks that have it: %s); leave --preset out, or give "
             "the phases by --phase",
             task->name, preset, list);
}

static evn_status check_options(const evn__settings *settings, const evn__task_row *task) {
    for (const evn__option *row = evn__settings_options; row->name; ++row) {
        EVN_CHECK(!evn__option_given(row, settings) || evn__task_has_option(task, row->name),
                  EVN_ERR_USAGE, "--%s is not for the task %s", row->name, task->name);
    }
    return EVN_OK;
}

/// Set the phases by default; what holds for all phases then goes before what they say.
static evn_status default_phases(evn__settings *settings, const evn__task_row *task) {
    const evn__option *option = find(settings, TRAIN, "phase", strlen("phase")).option;
    bool of_preset = false;
    for (const evn__default *d = task->defaults; d->option; ++d) {
        if (strcmp(d->option, "phase") == 0 && applies(d, settings->preset) &&
            (settings->phase_count == 0 || of_preset == (d->preset != NULL))) {
            of_preset = d->preset != NULL;
            EVN_TRY(evn__option_apply(option, settings, d->value));
        }
    }
    for (int i = 0; i < settings->phase_count; ++i) {
        for (const evn__option *row = evn__phase_options; row->name; ++row) {
            if (evn__option_given(row, &settings->common)) {
                evn__option_copy(row, &settings->phases[i], &settings->common);
            }
        }
    }
    return EVN_OK;
}

/// Rate and schedule, whose text does not last.
static evn_status take_rate(evn__settings *settings, const evn__phase_settings *from,
                            evn__phase_settings *to) {
    to->lr = from->lr;
    if (from->schedule && !to->schedule && !settings->common.schedule) {
        to->schedule = evn__arena_string(&settings->arena, from->schedule);
        EVN_CHECK(to->schedule, EVN_ERR_MEMORY, "no memory for the schedule of a phase");
    }
    return EVN_OK;
}

/// A phase without a rate learns as the task's phase of its name, whose rate and schedule are for
/// the task's optimiser.
static evn_status default_rates(evn__settings *settings, const evn__task_row *task) {
    evn__settings own;
    if (settings->optimizer || !isnan(settings->common.lr)) {
        return EVN_OK;
    }
    evn__settings_clear(&own);
    own.preset = settings->preset;
    evn_status status = default_phases(&own, task);
    for (int i = 0; i < settings->phase_count; ++i) {
        evn__phase_settings *phase = &settings->phases[i];
        for (int k = 0; k < own.phase_count; ++k) {
            bool fits = isnan(phase->lr) && strcmp(own.phases[k].name, phase->name) == 0;
            if (fits && status == EVN_OK) {
                status = take_rate(settings, &own.phases[k], phase);
            }
        }
    }
    evn__settings_free(&own);
    return status;
}

/// The value of a default; a quasi-Newton step is tried at its full length.
static const char *default_value(const evn__settings *settings, const evn__default *d) {
    bool lbfgs = settings->optimizer && strcmp(settings->optimizer, "lbfgs") == 0;
    return lbfgs && strcmp(d->option, "lr") == 0 ? "1" : d->value;
}

/// Whether the task has no value for an option that has one for others.
static bool does_without(const evn__task_row *task, const char *option) {
    for (const evn__default *d = task->defaults; d->option; ++d) {
        if (!d->value && strcmp(d->option, option) == 0) {
            return true;
        }
    }
    return false;
}

static evn_status default_options(evn__settings *settings, const evn__task_row *task,
                                  const evn__default *defaults) {
    for (const evn__default *d = defaults; d->option; ++d) {
        place found = find(settings, TRAIN, d->option, strlen(d->option));
        bool network = strcmp(d->option, "model") == 0 || strcmp(d->option, "f") == 0;
        if ((network && settings->network) || does_without(task, d->option)) {
            continue; // it takes their place
        }
        if (applies(d, settings->preset) && evn__task_has_option(task, d->option) &&
            !evn__option_given(found.option, found.target)) {
            EVN_TRY(evn__option_apply(found.option, found.target, default_value(settings, d)));
        }
    }
    return EVN_OK;
}

static evn_status complete_phases(evn__settings *settings, const evn__task_row *task) {
    for (int i = 0; i < settings->phase_count; ++i) {
        evn__phase_settings *phase = &settings->phases[i];
        for (const evn__option *row = evn__phase_options; row->name; ++row) {
            if (!evn__option_given(row, phase)) {
                evn__option_copy(row, phase, &settings->common);
            }
        }
        evn_status status = evn__phase_complete(phase, task->steps);
        if (status != EVN_OK) {
            return settings->solves ? status : evn__prepend(status, "phase %s", phase->name);
        }
        if (settings->solves && phase->steps > 0) { // which a sample takes whatever the others do
            phase->per_sample = false;
            phase->weight_terms = 0;
        }
    }
    return EVN_OK;
}

evn_status evn__settings_check(const evn__settings *settings, const evn__task_row *task) {
    EVN_TRY(check_preset(task, settings->preset));
    EVN_TRY(check_options(settings, task));
    EVN_CHECK(!settings->network || (!settings->model && !settings->f), EVN_ERR_USAGE,
              "--network takes the place of --model and --f; give one of them");
    return EVN_OK;
}

evn_status evn__settings_complete(evn__settings *settings, const evn__task_row *task) {
    EVN_TRY(evn__settings_check(settings, task));
    if (settings->phase_count == 0) {
        EVN_TRY(default_phases(settings, task));
    }
    EVN_TRY(default_rates(settings, task));
    EVN_TRY(default_options(settings, task, task->defaults));
    EVN_TRY(default_options(settings, task, common_defaults));
    EVN_TRY(complete_phases(settings, task));
    return evn__settings_evolve(settings);
}

// run.json ----------------------------------------------------------------------------------------

json_t *evn__settings_show(const evn__settings *settings) {
    json_t *object = json_object();
    evn__options_show(evn__settings_options, TRAIN, settings, object);
    return object;
}

evn_status evn__settings_read(evn__settings *settings, const json_t *object) {
    return evn__options_read(evn__settings_options, TRAIN, settings, object);
}

evn_status evn__settings_override(evn__settings *settings, const evn__settings *given) {
    EVN_CHECK(settings->phase_count > 0, EVN_ERR_FORMAT, "there is no phase");
    evn__phase_settings *phase = &settings->phases[0];
    *phase = settings->phases[settings->phase_count - 1];
    settings->phase_count = 1;
    settings->solves = true;
    bool adaptive = !isnan(given->common.rtol) || !isnan(given->common.atol);
    if (given->common.solver || adaptive) {
        phase->steps = INT64_MIN; // chosen again, unless given
    }
    for (const evn__option *row = evn__phase_options; row->name; ++row) {
        if (evn__option_given(row, &given->common)) {
            evn__option_copy(row, phase, &given->common);
        }
    }
    phase->name = phase->steps > 0 ? phase->name : "adjoint";
    return EVN_OK;
}
