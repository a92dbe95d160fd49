// SPDX-License-Identifier: Apache-2.0
// The manual pages, as mdoc(7), from the tables that the program itself parses by.
#include "base/files.h"
#include "cli/choices.h"
#include "cli/task.h"
#include "cli/verb.h"
#include "evonode/model.h"
#include "exchange/weight_map.h"
#include "nn/layer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Text --------------------------------------------------------------------------------------------

/// Code point at *text, UTF-8, which moves behind it; a byte that is none stands for itself.
static unsigned next_point(const char **text) {
    const unsigned char *at = (const unsigned char *)*text;
    unsigned extra = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc0 ? 1 : 0;
    unsigned point = extra ? at[0] & (0x3fu >> extra) : at[0];
    for (unsigned i = 1; i <= extra && (at[i] & 0xc0) == 0x80; ++i) {
        point = point << 6 | (at[i] & 0x3f);
    }
    *text += 1 + extra;
    return point;
}

/// `length` bytes of text without meaning to roff: escapes are written out, and no line begins with
/// a control character.
static void put(evn__text *page, const char *text, size_t length) {
    const char *end = text + length;
    if (length > 0 && (*text == '.' || *text == '\'')) {
        evn__text_append(page, "\\&");
    }
    while (text < end) {
        unsigned point = next_point(&text);
        if (point == '\\') {
            evn__text_append(page, "\\e");
        } else if (point == '-') {
            evn__text_append(page, "\\-"); // else a hyphen, which cannot be copied to a shell
        } else if (point > 126) {
            evn__text_append(page, "\\[u%04X]", point);
        } else {
            evn__text_append(page, "%c", (int)point);
        }
    }
}

/// Text that is filled: lines of at most COLUMNS, and each sentence begins one, so that it is
/// spaced right.
static void put_text(evn__text *page, const char *text, size_t length) {
    enum { COLUMNS = 72 }; // escapes make it longer
    size_t column = 0;
    for (const char *end = text + length; text < end;) {
        size_t word = 0;
        while (text + word < end && text[word] != ' ') {
            ++word;
        }
        bool sentence = column > 0 && text[-2] == '.';
        if (column > 0) {
            bool breaks = sentence || column + 1 + word > COLUMNS;
            evn__text_append(page, breaks ? "\n" : " ");
            column = breaks ? 0 : column + 1;
        }
        put(page, text, word);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    evn__text_append(page, "\n");
}

static void put_line(evn__text *page, const char *text) {
    put_text(page, text, strlen(text));
}

/// A line of help as a sentence.
static void put_sentence(evn__text *page, const char *text) {
    char sentence[512];
    int size = snprintf(sentence, sizeof(sentence), "%s.", text);
    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    put_text(page, sentence, size < (int)sizeof(sentence) ? (size_t)size : sizeof(sentence) - 1);
}

/// An argument of a macro, as one word whatever it has inside.
static void put_argument(evn__text *page, const char *text) {
    evn__text_append(page, " \"");
    put(page, text, strlen(text));
    evn__text_append(page, "\"");
}

/// A verb's notes: paragraphs, and lines indented by two spaces, which stay as they are.
static void put_notes(evn__text *page, const char *notes) {
    bool literal = false;
    while (*notes) {
        size_t length = strcspn(notes, "\n");
        bool indented = strncmp(notes, "  ", 2) == 0;
        if (indented != literal) {
            evn__text_append(page, indented ? ".Bd -literal -offset indent\n" : ".Ed\n.Pp\n");
            literal = indented;
        }
        if (length == 0) {
            evn__text_append(page, ".Pp\n");
        } else if (indented) {
            put(page, notes + 2, length - 2);
            evn__text_append(page, "\n");
        } else {
            put_text(page, notes, length);
        }
        notes += length + (notes[length] == '\n');
    }
    if (literal) {
        evn__text_append(page, ".Ed\n");
    }
}

// Tables ------------------------------------------------------------------------------------------

/// Everything that is read from the environment.
static const struct {
    const char *name, *text;
} variables[] = {
    {"EVONODE_DEVICE", "The device, where --device is not given."},
    {"EVONODE_DATA", "Folder that holds the data sets' folders (mnist/)."},
    {"EVONODE_CACHE_DIR", "Folder of compiled kernels and of tuning files; 0, off or none: "
                          "neither. By default evonode in "
                          "$XDG_CACHE_HOME or ~/.cache, and there cl-cache for kernels."},
    {"EVONODE_CACHE",
     "force: keep compiled kernels also where the OpenCL implementation has a cache of its own "
     "(PoCL, NVIDIA)."},
    {"EVONODE_KERNEL_DIR",
     "Folder whose .cl files replace the built-in ones, to edit kernels without building."},
    {"EVONODE_BUILD_OPTIONS",
     "Further options for the OpenCL compiler, such as -cl-opt-disable where its optimiser is "
     "suspected."},
    {"EVONODE_TUNE", "off, 0 or none: tuned variants are neither read nor written."},
    {"EVONODE_SELFTEST", "off, 0 or none: no self-test at the first use, and no probes."},
    {"EVONODE_DRIVER_SECONDS", "Seconds that devices gives the drivers to answer (20)."},
    {"EVONODE_DEADLINE",
     "seconds that a call of OpenCL may last (3600), or off; a picture at most 300."},
    {"EVONODE_GUARD", "1: guard zones around all buffers, filled with NaN at first; for tests."},
    {"POCL_AFFINITY",
     "PoCL's: 1 keeps each of its threads on one processor. Set to 1 by evonode where it is not "
     "set and the process may run on all processors; 0 leaves the threads to the scheduler."},
    {"OCL_ICD_VENDORS", "The OpenCL loader's: folder of the .icd files to use."},
};

/// What a verb reads or writes. Folders and cache are those by default.
static const struct {
    unsigned verbs;
    const char *name, *text;
} files[] = {
    {EVN__VERB_TRAIN, "runs/TASK-N",
     "The run directory, where --out does not name it. A finished run is never overwritten."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME, "run.json",
     "In the run directory: all options with their defaults, device, driver, platform, versions "
     "and the command line. Where its \"hash\" does not fit it is refused as damaged; who changes "
     "it by hand deletes that."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME | EVN__VERB_COMPARE, "metrics.jsonl",
     "In the run directory: a line for each epoch; of a series, a curve or a flow for every ten "
     "iterations."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME, "metrics.csv",
     "In the run directory: the same lines as a table, a column for each metric."},
    {EVN__VERB_TRAIN | EVN__VERB_SAMPLE | EVN__VERB_DENSITY, "points.safetensors",
     "In the run directory of a flow on a CSV file: names and units of its columns."},
    {EVN__VERB_TRAIN | EVN__VERB_SAMPLE | EVN__VERB_EXPORT, "series.safetensors",
     "In the run directory of a series: its times, the first values, names and units of its "
     "columns."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME | EVN__VERB_EVAL | EVN__VERB_SAMPLE | EVN__VERB_DENSITY |
         EVN__VERB_INVERT | EVN__VERB_DEPTH | EVN__VERB_PREDICT,
     "model.safetensors", "In the run directory: every parameter by name."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME, "events.out.tfevents.*",
     "In the run directory with --tensorboard: the metrics for TensorBoard, a file for each "
     "process "
     "that trained."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME | EVN__VERB_DESCRIBE, "network.json",
     "In the run directory of a --network: the network file, as it was when the run began, which "
     "\"network_hash\" in run.json has to fit."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME, "checkpoint.safetensors",
     "In the run directory until the run is finished: parameters, the optimiser's state and how "
     "many epochs are done."},
    {EVN__VERB_TRAIN | EVN__VERB_RESUME | EVN__VERB_COMPARE, "summary.json",
     "In the run directory of a finished run: the final measurements. Accuracies are fractions; "
     "what does not apply to the task is absent. It has a \"hash\" of itself and, as "
     "\"metrics_hash\", of metrics.jsonl, by which damaged files are refused."},
    {EVN__VERB_REPORT, "report.html", "In the run directory, or in the current one: the page."},
    {EVN__VERB_EVAL, "evaluation.json",
     "In the run directory: what eval says, its tables included, and a \"hash\" of it."},
    {EVN__VERB_BENCH, "results/VENDOR/DEVICE-DRIVER-DATE.json",
     "With --submit: the result, named after what was measured."},
    {EVN__VERB_DEVICES | EVN__VERB_TUNE, "~/.cache/evonode/tune-DEVICE.json",
     "The variants chosen for a device. A file for another platform, driver or kernel version is "
     "ignored."},
};

static const struct {
    const char *verb, *command, *text;
} examples[] = {
    {"devices", "evonode devices --json", "The devices as JSON, for a bug report:"},
    {"train", "evonode train digits", "NODE-EW on the built-in digits:"},
    {"train",
     "evonode train mnist --phase backprop:steps=10,epochs=2,lr=0.05 "
     "--phase adjoint:epochs=1,lr=0.005",
     "MNIST in two phases, with the rates given:"},
    {"train", "evonode train flow --data checkerboard --preset long", "A density in the plane:"},
    {"train", "evonode train series --data lynx_hare.csv --time year --holdout 0.24",
     "A series of one's own, of which the last rows are held out:"},
    {"train", "evonode train mnist --watch 8080", "With a page at http://127.0.0.1:8080/:"},
    {"resume", "evonode resume runs/mnist-1", "Go on with an interrupted run:"},
    {"eval", "evonode eval runs/digits-1 --solver rk4 --steps 20",
     "The accuracy of a trained model with another solver:"},
    {"predict", "evonode predict runs/pets cat.jpg --top 3", "The three most probable classes:"},
    {"predict",
     "find photos -name '*.jpg' -print0 | evonode predict runs/pets --files-from - --json",
     "Many files, a line of JSON for each:"},
    {"predict", "evonode predict runs/series-1 times.csv",
     "The quantities of a trained series at the times in a file:"},
    {"predict", "evonode predict runs/flow-1 flowers.csv",
     "How likely a trained flow thinks each row of a file:"},
    {"depth", "evonode depth runs/digits-1", "From 5 Euler steps to the limit:"},
    {"invert", "evonode invert runs/digits-1", "Images from their features:"},
    {"train", "evonode train flow --data flowers.csv --columns length,width",
     "The density of two columns of a file:"},
    {"density", "evonode density runs/flow-1 flowers.csv --json",
     "How likely the rows of a file are:"},
    {"sample", "evonode sample runs/flow-1 --count 5000 --seed 7 --out points.csv",
     "5,000 points of a trained flow:"},
    {"sample", "evonode sample runs/series-1 --until 1930 --count 40 --out ahead.csv",
     "A trained series, on to 1930:"},
    {"export", "evonode export runs/digits-1 --onnx digits.onnx --solver rk4 --steps 10",
     "The network at 10 steps, for onnxruntime:"},
    {"export", "evonode export runs/digits-1 --safetensors digits.safetensors --map torch",
     "Its parameters in PyTorch's layout:"},
    {"compare", "evonode compare runs/digits-1 runs/digits-2 --out comparison",
     "Two runs side by side, with pictures:"},
    {"report", "evonode report runs/digits-1 runs/digits-2 --out report.html",
     "Two runs on one page:"},
    {"describe", "evonode describe node-ew --size 32x32x3 --batch 64 --svg node-ew.svg",
     "What a shipped network needs for colour images, with a drawing:"},
    {"tune", "evonode tune --quick", "A first tuning in 15 seconds:"},
    {"selftest", "evonode selftest --device gpu", "Check the kernels on a GPU:"},
    {"bench", "evonode bench --json mine.json", "Measure the best device:"},
    {"bench", "evonode bench compare before.json after.json --html compared.html",
     "Two results side by side:"},
    {"bench", "evonode bench compare after.json --baseline before.json --tolerance 0.05",
     "Whether anything became slower by more than 5 %:"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

// Sections ----------------------------------------------------------------------------------------

/// What stands on every page.
typedef struct release {
    const char *version, *date;
} release;

static void put_head(evn__text *page, const char *verb, const char *text, release of) {
    char title[64];
    snprintf(title, sizeof(title), "evonode%s%s", verb ? "-" : "", verb ? verb : "");
    evn__text_append(page, ".\\\" Generated by evonode --manual.\n.Dd %s\n.Dt ", of.date);
    for (const char *at = title; *at; ++at) {
        evn__text_append(page, "%c", toupper((unsigned char)*at));
    }
    evn__text_append(page, " 1\n.Os evonode %s\n.Sh NAME\n.Nm %s\n.Nd ", of.version, title);
    put_line(page, text);
}

static void put_option(evn__text *page, const evn__option *option, bool defaults) {
    evn__text_append(page, ".It Fl Fl %s", option->name);
    if (option->argument) {
        evn__text_append(page, " Ar");
        put_argument(page, option->argument);
    }
    evn__text_append(page, "\n");
    char help[512];
    snprintf(help, sizeof(help), "%s%s", option->help, option->kind->note);
    put_line(page, help);
    const char *value = evn__settings_default(option->name);
    char list[EVN__CHOICE_TEXT];
    if (option->choice) {
        evn__text_append(page, ".br\nOne of:\n");
        put_line(page, evn__choice_text(option->choice, list, sizeof(list)));
    }
    if (value && defaults) {
        evn__text_append(page, ".br\nDefault: ");
        put_line(page, value);
    }
}

static void put_options(evn__text *page, const evn__option *table, const evn__verb *verb) {
    bool defaults = verb->bit == EVN__VERB_TRAIN;
    for (const evn__option *row = table; row->name; ++row) {
        if (row->verbs & verb->bit) {
            put_option(page, row, defaults);
        }
    }
}

static void put_defaults(evn__text *page, const evn__task_row *task, const evn__option *table) {
    for (const evn__option *row = table; row->name; ++row) {
        const char *value;
        for (int i = 0; (value = evn__task_default(task, row->name, i)) != NULL; ++i) {
            evn__text_append(page, "\\-\\-");
            put(page, row->name, strlen(row->name));
            evn__text_append(page, " ");
            put(page, value, strlen(value));
            evn__text_append(page, "\n");
        }
    }
}

/// What can be trained, with the options that each task starts from, and the kinds of g.
static void put_tasks(evn__text *page) {
    evn__text_append(page, ".Sh TASKS\n.Bl -tag -width Ds\n");
    const evn__task_row *task;
    for (int i = 0; (task = evn__task_at(i)) != NULL; ++i) {
        evn__text_append(page, ".It Cm %s\n", task->name);
        put_line(page, task->text);
        evn__text_append(page, ".Pp\nBy default:\n.Bd -literal\n");
        put_defaults(page, task, evn__settings_options);
        put_defaults(page, task, evn__phase_options);
        evn__text_append(page, ".Ed\n");
    }
    evn__text_append(page, ".El\n.Sh KINDS OF WEIGHT EVOLUTION\nValues of\n.Fl Fl weights :\n"
                           ".Bl -tag -width rda\\-waves\n");
    for (int i = 0; evn_evolution_name(i); ++i) {
        evn__text_append(page, ".It Cm %s\n", evn_evolution_name(i));
        put_line(page, evn_evolution_text(i));
    }
    evn__text_append(page, ".El\n");
}

/// What --map may name.
static void put_maps(evn__text *page) {
    evn__text_append(page, ".Sh MAPS\nValues of\n.Fl Fl map ,\nbesides JSON files:\n"
                           ".Bl -tag -width odenet\\-mnist\n");
    for (int i = 0; evn__weight_map_name(i); ++i) {
        evn__text_append(page, ".It Cm ");
        put(page, evn__weight_map_name(i), strlen(evn__weight_map_name(i)));
        evn__text_append(page, "\n");
        put_line(page, evn__weight_map_text(i));
    }
    evn__text_append(page, ".El\n");
}

/// What network files may say.
static void put_layers(evn__text *page) {
    const evn__layer_kind *kind;
    evn__text_append(page, ".Sh LAYERS\n.Bl -tag -width Ds\n");
    for (int i = 0; (kind = evn__layer_kind_at(i)) != NULL; ++i) {
        evn__text_append(page, ".It Cm %s\n", kind->name);
        put_line(page, kind->text);
        for (int k = 0; evn__layer_key_at(kind, k); ++k) {
            const evn__layer_key *key = evn__layer_key_at(kind, k);
            char line[256], takes[128];
            snprintf(line, sizeof(line), "%s: %s; %s", key->name, key->text,
                     evn__layer_key_text(key, takes, sizeof(takes)));
            evn__text_append(page, ".br\n");
            put_line(page, line);
        }
    }
    evn__text_append(page, ".El\n");
}

static void put_files(evn__text *page, const evn__verb *verb) {
    bool any = false;
    for (size_t i = 0; i < COUNT(files); ++i) {
        if (files[i].verbs & verb->bit) {
            evn__text_append(page, any ? "" : ".Sh FILES\n.Bl -tag -width Ds\n");
            evn__text_append(page, ".It Pa %s\n", files[i].name);
            put_line(page, files[i].text);
            any = true;
        }
    }
    evn__text_append(page, any ? ".El\n" : "");
}

static void put_examples(evn__text *page, const evn__verb *verb) {
    bool any = false;
    for (size_t i = 0; i < COUNT(examples); ++i) {
        if (strcmp(examples[i].verb, verb->name) == 0) {
            evn__text_append(page, any ? ".Pp\n" : ".Sh EXAMPLES\n");
            put_line(page, examples[i].text);
            evn__text_append(page, ".Pp\n.Dl ");
            put(page, examples[i].command, strlen(examples[i].command));
            evn__text_append(page, "\n");
            any = true;
        }
    }
}

// Pages -------------------------------------------------------------------------------------------

static void put_verb(evn__text *page, const evn__verb *verb, release of) {
    put_head(page, verb->name, verb->text, of);
    evn__text_append(page, ".Sh SYNOPSIS\n.Nm evonode Cm %s\n", verb->name);
    if (verb->subject && verb->subject[0] == '[') {
        bool word = islower((unsigned char)verb->subject[1]); // else a placeholder
        evn__text_append(page, ".Op %s %.*s\n", word ? "Cm" : "Ar",
                         (int)strcspn(verb->subject + 1, "]"), verb->subject + 1);
    } else if (verb->subject) {
        bool several = strstr(verb->subject, "...") != NULL;
        evn__text_append(page, ".Ar %.*s%s\n", (int)strcspn(verb->subject, "."), verb->subject,
                         several ? " ..." : "");
    }
    evn__text_append(page, ".Op Ar options\n.Sh DESCRIPTION\n");
    put_sentence(page, verb->text);
    evn__text_append(page, ".Pp\nOptions are written as\n.Fl Fl name Ar value\nor\n"
                           ".Fl Fl name Ns = Ns Ar value .\n");
    put_notes(page, verb->notes);
    if (verb->bit == EVN__VERB_TRAIN) {
        put_tasks(page);
    }
    if (verb->bit == EVN__VERB_DESCRIBE) {
        put_layers(page);
    }
    if (verb->bit == EVN__VERB_TRAIN || verb->bit == EVN__VERB_EXPORT) {
        put_maps(page);
    }
    evn__text_append(page, ".Sh OPTIONS\n.Bl -tag -width Ds\n");
    put_options(page, evn__settings_options, verb);
    evn__text_append(page, ".It Fl Fl help\nPrint the options.\n.El\n");
    if (evn__options_any(evn__phase_options, verb->bit)) {
        evn__text_append(page, ".Ss %s\n.Bl -tag -width Ds\n",
                         verb->bit == EVN__VERB_TRAIN ? "For all phases, and keys of a phase"
                                                      : "Solver");
        put_options(page, evn__phase_options, verb);
        evn__text_append(page, ".El\n");
    }
    put_files(page, verb);
    evn__text_append(page, ".Sh EXIT STATUS\n0 on success;\n.Xr evonode 1\nlists the other codes "
                           "and the environment.\n");
    put_examples(page, verb);
    evn__text_append(page, ".Sh SEE ALSO\n.Xr evonode 1\n");
}

static void put_environment(evn__text *page) {
    evn__text_append(page, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < COUNT(variables); ++i) {
        evn__text_append(page, ".It Ev %s\n", variables[i].name);
        put_line(page, variables[i].text);
    }
    evn__text_append(page, ".El\n");
}

/// The pages of the verbs, in the order of the alphabet.
static void put_references(evn__text *page, const evn__verb *const *verbs) {
    const char *last = "";
    const char *next;
    evn__text_append(page, ".Sh SEE ALSO\n");
    do {
        next = NULL;
        for (int i = 0; verbs[i]; ++i) {
            const char *name = verbs[i]->name;
            if (strcmp(name, last) > 0 && (!next || strcmp(name, next) < 0)) {
                next = name;
            }
        }
        if (next) {
            evn__text_append(page, "%s.Xr evonode-%s 1", last[0] ? " ,\n" : "", next);
            last = next;
        }
    } while (next);
    evn__text_append(page, "\n");
}

static void put_program(evn__text *page, const evn__verb *const *verbs, release of) {
    put_head(page, NULL, "neural ODEs with evolving weights, on any OpenCL device", of);
    evn__text_append(page, ".Sh SYNOPSIS\n.Nm\n.Ar verb\n.Op Ar subject\n.Op Ar options\n"
                           ".Sh DESCRIPTION\nTrains and runs ResNets, Neural ODEs and Neural ODEs "
                           "with evolving weights.\nEach verb has a page of its own, such as\n"
                           ".Xr evonode-train 1 .\n.Bl -tag -width Ds\n");
    for (int i = 0; verbs[i]; ++i) {
        evn__text_append(page, ".It Cm %s", verbs[i]->name);
        if (verbs[i]->subject) {
            evn__text_append(page, " Ar");
            put_argument(page, verbs[i]->subject);
        }
        evn__text_append(page, "\n");
        put_line(page, verbs[i]->text);
    }
    evn__text_append(page, ".It Ar verb Fl Fl help\nThe options of a verb.\n.It Fl Fl version\n"
                           "Print the version.\n.El\n");
    put_environment(page);
    evn__text_append(page, ".Sh EXIT STATUS\nErrors go to standard error, with what, where and "
                           "what to do.\nThe codes keep their meaning between versions.\n"
                           ".Pp\n.Bl -tag -width 17xx -compact\n");
#define EVN_STATUS(name, value, text) evn__text_append(page, ".It %d\n%s\n", value, text);
#include "base/status.def"
#undef EVN_STATUS
    evn__text_append(page, ".El\n");
    put_references(page, verbs);
}

static evn_status write_page(evn__text *page, const char *folder, const char *verb) {
    char path[4096];
    int size =
        snprintf(path, sizeof(path), "%s/evonode%s%s.1", folder, verb ? "-" : "", verb ? verb : "");
    evn_status status = page->status;
    if (status == EVN_OK && size >= (int)sizeof(path)) {
        status =
            evn__fail(__FILE__, __LINE__, EVN_ERR_OUTPUT, "the path is too long: %.80s…", folder);
    }
    if (status == EVN_OK) {
        status = evn__file_write(path, page->data, page->size);
    }
    free(page->data);
    return status;
}

evn_status evn__manual_write(const evn__verb *const *verbs, const char *folder, const char *version,
                             const char *date) {
    const release of = {version, date};
    evn__text program = {0};
    put_program(&program, verbs, of);
    EVN_TRY(write_page(&program, folder, NULL));
    for (int i = 0; verbs[i]; ++i) {
        evn__text page = {0};
        put_verb(&page, verbs[i], of);
        EVN_TRY(write_page(&page, folder, verbs[i]->name));
    }
    return EVN_OK;
}
