// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"
#include "cli/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define TRAIN EVN__VERB_TRAIN

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

static evn_status add_subject(evn__settings *settings, const char *word) {
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
            EVN_TRY(add_subject(settings, word));
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
        bool fixed = phase->steps > 0; // which a sample takes whatever the others do
        if (settings->solves && fixed && phase->per_sample) {
            phase->per_sample = false;
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

/// Of the two solves that weights may have of their own the one that is given takes the place of
/// the other.
static void choose_path(evn__phase_settings *phase, const evn__phase_settings *given) {
    bool terms = given->weight_terms != INT64_MIN, steps = given->weight_steps != INT64_MIN;
    if (terms != steps) {
        phase->weight_terms = phase->weight_steps = INT64_MIN;
    }
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
    choose_path(phase, &given->common);
    for (const evn__option *row = evn__phase_options; row->name; ++row) {
        if (evn__option_given(row, &given->common)) {
            evn__option_copy(row, phase, &given->common);
        }
    }
    phase->name = phase->steps > 0 ? phase->name : "adjoint";
    return EVN_OK;
}
