// SPDX-License-Identifier: Apache-2.0
// What the options of the command line say, and what they default to.
#ifndef EVN_CLI_SETTINGS_H
#define EVN_CLI_SETTINGS_H

#include "base/memory.h"
#include "cli/amount.h"
#include "evonode/trainer.h"

enum {
    EVN__VERB_DEVICES = 1,
    EVN__VERB_TRAIN = 2,
    EVN__VERB_EVAL = 4,
    EVN__VERB_SAMPLE = 8,
    EVN__VERB_COMPARE = 16,
    EVN__VERB_TUNE = 32,
    EVN__VERB_SELFTEST = 64,
    EVN__VERB_INVERT = 128,
    EVN__VERB_RESUME = 256,
    EVN__VERB_PREDICT = 512,
    EVN__VERB_DEPTH = 1024,
    EVN__VERB_REPORT = 2048,
    EVN__VERB_EXPORT = 4096,
    EVN__VERB_DENSITY = 8192,
    EVN__VERB_DESCRIBE = 16384,
    EVN__VERB_BENCH = 32768,
    EVN__VERB_COMPRESS = 65536,
    EVN__VERB_GRADCHECK = 131072,
    EVN__PHASES_MAX = 16,
};

/// A phase of training: what follows --phase NAME:, and what the options of the same names say for
/// all phases. The fields are named like their options.
typedef struct evn__phase_settings {
    const char *name, *solver, *schedule, *milestones, *until, *fallback;
    const char *controller, *norm;
    int64_t steps, epochs, max_steps, weight_terms, weight_steps, krylov;
    evn__amount checkpoints;
    bool per_sample;
    double rtol, atol, lr, warmup, factor, final;
    double safety, min_factor, max_factor, dt_first, dt_min, dt_max, coupling, reconstruction;
} evn__phase_settings;

typedef struct evn__task_row evn__task_row; // task.h

typedef struct evn__settings {
    const char *subject; ///< what the verb works on: the task, or the run folder; NULL: none given
    const char **subjects; ///< [subject_count] all words that are no options, `subject` first
    int subject_count, subject_capacity;
    const char *device, *data, *out, *model, *weights, *optimizer, *preset, *trace, *family, *size,
        *fit, *files_from, *f, *time, *columns, *group, *holdout_by, *times, *network,
        *watch_address, *onnx, *safetensors, *weights_from, *map, *svg, *memory_limit, *rows,
        *launch_limit, *pause, *json_file, *submit, *html, *baseline;
    const char *network_hash; ///< that the text of `network` has; NULL: any (kept_network.h)
    const char *evolution;    ///< weights and basis as one word; evn__settings_evolve
    int64_t basis, seed, batch, accumulate, limit, crop, filters, layers, width, count, seconds,
        skip_bad, top, window, extra, watch, classes, micro_batches;
    double momentum, weight_decay, rotate, scale, elastic, jitter, holdout, continuity, until,
        tolerance;
    bool json, quick, help, flip, tensorboard, dry_run, markdown, force, spin, low_priority, best,
        same;
    bool solves;                ///< the one phase is there to solve with; nothing is trained
    evn__phase_settings common; ///< for all phases
    evn__phase_settings phases[EVN__PHASES_MAX];
    int phase_count;
    const char *unknown; ///< an option that was given and that the verb does not have; NULL: none
    evn__arena arena;    ///< of text that is made; other text is borrowed
} evn__settings;

/// The options of evn__settings, and those of a phase, which are in `common` for all phases.
extern const evn__option evn__settings_options[];
extern const evn__option evn__phase_options[];
extern const evn__option_kind evn__option_phase; ///< the field is the whole evn__settings

/// What the option is by default for any task; NULL when there is none.
const char *evn__settings_default(const char *option);

/// Nothing given.
void evn__settings_clear(evn__settings *settings);
void evn__settings_free(evn__settings *settings);

/// Read the words after the verb. Text is borrowed from them.
/// @return EVN_ERR_USAGE, with the nearest name for an unknown one
evn_status evn__settings_parse(evn__settings *settings, unsigned verb, int count,
                               char *const *words);

/// Whether preset and options are for the task, and for each other.
/// @return EVN_ERR_USAGE
evn_status evn__settings_check(const evn__settings *settings, const evn__task_row *task);

/// The bits of the verbs that have an option of this name; 0: none has.
unsigned evn__settings_verbs(const char *option);

/// Fill in what was not given: from the preset, then from the task.
/// @return EVN_ERR_USAGE for a preset or an option that is not for it
evn_status evn__settings_complete(evn__settings *settings, const evn__task_row *task);

/// Check and fill in --basis, and make of it and --weights the word that models take, "fourier:8".
/// evn__settings_complete does, once there are phases.
/// @return EVN_ERR_USAGE
evn_status evn__settings_evolve(evn__settings *settings);

/// All options as an object, phases as objects in an array; and back (borrowing text from it).
json_t *evn__settings_show(const evn__settings *settings);
evn_status evn__settings_read(evn__settings *settings, const json_t *object);

/// Leave of a run's phases the last one alone, with what `given` says of a phase in its place: for
/// solving without training.
evn_status evn__settings_override(evn__settings *settings, const evn__settings *given);

/// Fill in what a phase of its name does where nothing else was said: solver and, where they must
/// be equal, `steps`.
/// @return EVN_ERR_USAGE when solver, steps and gradient do not go together
evn_status evn__phase_complete(evn__phase_settings *phase, int64_t steps);

/// Whether all that a complete phase says is of use: what training would ignore is a mistake.
/// @return EVN_ERR_USAGE
evn_status evn__phase_check(const evn__phase_settings *phase);

/// The gradient that a phase of that name takes, and the names; NULL past the last.
evn_gradient evn__phase_gradient(const char *name);
const char *evn__phase_name(int index);

#endif
