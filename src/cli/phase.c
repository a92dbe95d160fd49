// SPDX-License-Identifier: Apache-2.0
// Phases of training: --phase NAME:key=value,... and the options that hold for all phases.
#include "cli/settings.h"

#include "base/json.h"
#include "base/nearest.h"
#include "cli/choices.h"
#include "graph/krylov.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    evn_gradient gradient;
    const char *solver; ///< where none is given
    bool adapts;        ///< steps are adaptive where the solver can choose them
} kinds[] = {
    {"backprop", EVN_GRADIENT_BACKPROP, "euler", false},
    {"checkpointed", EVN_GRADIENT_CHECKPOINTED, "euler", false},
    {"adjoint", EVN_GRADIENT_ADJOINT, "dopri5", true},
    {"reversible", EVN_GRADIENT_REVERSIBLE, "midpoint", false},
    {"adjoint-quadrature", EVN_GRADIENT_ADJOINT_QUADRATURE, "dopri5", true},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *evn__phase_name(int index) {
    return index < KINDS ? kinds[index].name : NULL;
}

static int find(const char *name) {
    int index = 0;
    while (index < KINDS - 1 && strcmp(kinds[index].name, name) != 0) {
        ++index;
    }
    return index;
}

evn_gradient evn__phase_gradient(const char *name) {
    return kinds[find(name)].gradient;
}

static const char *fallback_name(int index) {
    static const char *const names[] = {"none", "checkpointed", NULL};
    return names[index];
}

static const char *until_name(int index) {
    static const char *const names[] = {"epochs", "automatic", "held-out", NULL};
    return names[index];
}

#define TRAIN EVN__VERB_TRAIN
#define ALL                                                                                        \
    (TRAIN | EVN__VERB_EVAL | EVN__VERB_DEPTH | EVN__VERB_SAMPLE | EVN__VERB_PREDICT |             \
     EVN__VERB_DENSITY | EVN__VERB_GRADCHECK)
#define SOLVED    (ALL | EVN__VERB_EXPORT)
#define OWN       (TRAIN | EVN__VERB_EVAL | EVN__VERB_SAMPLE | EVN__VERB_PREDICT | EVN__VERB_DENSITY)
#define AT(field) offsetof(evn__phase_settings, field)

const evn__option evn__phase_options[] = {
    {"solver", "METHOD", "method that takes the steps", SOLVED, &evn__option_text, AT(solver), 0, 0,
     evn_method_name},
    {"steps", "N", "number of equal steps; 0: adaptive", SOLVED, &evn__option_integer, AT(steps), 0,
     1e6, NULL},
    {"rtol", "X", "adaptive: relative tolerance", ALL, &evn__option_real, AT(rtol), 0, 1, NULL},
    {"atol", "X", "adaptive: absolute tolerance", ALL, &evn__option_real, AT(atol), 0, 1, NULL},
    {"controller", "KIND", "adaptive: how the next step follows from the errors; i by default", ALL,
     &evn__option_text, AT(controller), 0, 0, evn_controller_name},
    {"norm", "KIND", "adaptive: norm of the error; state by default", ALL, &evn__option_text,
     AT(norm), 0, 0, evn_norm_name},
    {"safety", "X", "adaptive: factor of each step that is chosen; 0.9 by default", ALL,
     &evn__option_real, AT(safety), 1e-3, 1, NULL},
    {"min-factor", "X",
     "adaptive: no step is shorter than so much of the one before; 0.2 by default", ALL,
     &evn__option_real, AT(min_factor), 1e-3, 0.999, NULL},
    {"max-factor", "X", "adaptive: nor longer than so much of it; 10 by default", ALL,
     &evn__option_real, AT(max_factor), 1.001, 1e6, NULL},
    {"dt-first", "X", "adaptive: first step; 0, the default: chosen", ALL, &evn__option_real,
     AT(dt_first), 0, 1e30, NULL},
    {"dt-min", "X", "adaptive: shorter steps end a solve; 0 by default", ALL, &evn__option_real,
     AT(dt_min), 0, 1e30, NULL},
    {"dt-max", "X", "adaptive: longest step; 0, the default: the whole way", ALL, &evn__option_real,
     AT(dt_max), 0, 1e30, NULL},
    {"max-steps", "N", "adaptive: more steps than this end a solve; 10000 by default", ALL,
     &evn__option_integer, AT(max_steps), 1, 1e8, NULL},
    {"per-sample", NULL,
     "adaptive: each sample of a batch has steps of its own; by backprop and checkpointed", OWN,
     &evn__option_flag, AT(per_sample), 0, 0, NULL},
    {"weight-terms", "N",
     "weights that evolve are solved by themselves, to the tolerances: terms of their series in t; "
     "0, the default: together with x, or with per-sample by the tolerances",
     OWN, &evn__option_integer, AT(weight_terms), 0, 64, NULL},
    {"weight-steps", "N",
     "weights that evolve are solved by themselves, on so many equal steps; 0, the default: none",
     OWN, &evn__option_integer, AT(weight_steps), 0, 10000, NULL},
    {"krylov", "N",
     "implicit: vectors of GMRES in each linear system; 0: a matrix up to 32 unknowns, 12 vectors "
     "beyond",
     ALL, &evn__option_integer, AT(krylov), 0, EVN__KRYLOV_MAX_VECTORS, NULL},
    {"checkpoints", "N",
     "checkpointed, or what an adjoint falls back on: states that are kept, or memory for them, "
     "such as 64MB; the others are computed again; 0: one a step",
     TRAIN, &evn__option_amount, AT(checkpoints), 0, 1e6, NULL},
    {"coupling", "X", "reversible: how its two states are held together; 0: by the steps", TRAIN,
     &evn__option_real, AT(coupling), 0, 1, NULL},
    {"reconstruction", "X",
     "adjoint: how far from the true start solving backwards may end, relative to it; beyond it "
     "the training ends, or falls back; 0: an epoch ends with a warning where it is beyond 0.05. "
     "By default it is 0.05, looked at without a wait, and the phase goes on from checkpoints, or, "
     "where solving backwards did not stay finite, ends the training",
     TRAIN, &evn__option_real, AT(reconstruction), 0, 1e6, NULL},
    {"fallback", "KIND",
     "adjoint: the gradient where it ends further away, or does not get there; none: the training "
     "ends",
     TRAIN, &evn__option_text, AT(fallback), 0, 0, fallback_name},
    {"epochs", "N", "passes over the training images; iterations of a curve or flow; 0: none",
     TRAIN, &evn__option_integer, AT(epochs), 0, 1e6, NULL},
    {"lr", "X", "learning rate, the highest of the schedule; lbfgs: 1 by default", TRAIN,
     &evn__option_real, AT(lr), 1e-30, 1e38, NULL},
    {"until", "WHEN",
     "when a phase ends; automatic (images only): also where the next phase's solver disagrees; "
     "held-out: also where the loss of the test part no longer falls, and with the best parameters",
     TRAIN, &evn__option_text, AT(until), 0, 0, until_name},
    {"schedule", "KIND", "course of the learning rate over the epochs of a phase", TRAIN,
     &evn__option_text, AT(schedule), 0, 0, evn__schedule_name},
    {"warmup", "X", "epochs of a linear rise at the beginning", TRAIN, &evn__option_real,
     AT(warmup), 0, 1e6, NULL},
    {"milestones", "N/N/...", "step: epochs after which the rate falls", TRAIN, &evn__option_text,
     AT(milestones), 0, 0, NULL},
    {"factor", "X", "step: factor of the rate at each milestone", TRAIN, &evn__option_real,
     AT(factor), 1e-30, 1, NULL},
    {"final", "X", "cosine: fraction of the rate at the end", TRAIN, &evn__option_real, AT(final),
     0, 1, NULL},
    {0},
};

// --phase -----------------------------------------------------------------------------------------

static evn_status add(evn__settings *settings, const char *name, evn__phase_settings **phase) {
    static const evn__option row = {.name = "phase", .argument = "NAME", .choice = evn__phase_name};
    EVN_CHECK(settings->phase_count < EVN__PHASES_MAX, EVN_ERR_USAGE,
              "there are more than %d phases", EVN__PHASES_MAX);
    *phase = &settings->phases[settings->phase_count++];
    evn__options_clear(evn__phase_options, *phase);
    return evn__option_text.apply(&row, &(*phase)->name, name);
}

static evn_status fail_unknown_key(const char *name) {
    enum { KEYS_MAX = 64 };
    const char *names[KEYS_MAX + 1] = {0};
    int count = 0;
    for (const evn__option *row = evn__phase_options; row->name && count < KEYS_MAX; ++row) {
        names[count++] = row->name;
    }
    const char *near = evn__nearest(name, names);
    EVN_CHECK(!near, EVN_ERR_USAGE, "a phase has no key '%s'; did you mean %s?", name, near);
    EVN_FAIL(EVN_ERR_USAGE, "a phase has no key '%s'; evonode train --help lists the keys", name);
}

static const evn__option *find_key(const char *name) {
    return evn__option_find(evn__phase_options, TRAIN, name, strlen(name));
}

/// One without a value.
static bool is_flag(const evn__option *option) {
    return option && !option->argument;
}

/// What is wrong with a key that has no value and needs one, or has one and needs none.
static evn_status check_value(const evn__phase_settings *phase, const char *text,
                              const char *value) {
    bool milestone = phase->milestones && text[strspn(text, "0123456789.")] == 0;
    EVN_CHECK(value || !milestone, EVN_ERR_USAGE,
              "'%s' is not key=value; milestones are parted by '/', as in milestones=30/60", text);
    EVN_CHECK(value, EVN_ERR_USAGE, "'%s' is not key=value, as in %s:steps=10", text, phase->name);
    return EVN_OK;
}

static evn_status apply_key(evn__phase_settings *phase, char *text) {
    char *value = strchr(text, '=');
    EVN_TRY(is_flag(find_key(text)) ? EVN_OK : check_value(phase, text, value));
    if (value) {
        *value++ = 0;
    }
    const evn__option *option = find_key(text);
    if (!option) {
        return fail_unknown_key(text);
    }
    EVN_CHECK(!value || !is_flag(option), EVN_ERR_USAGE, "%s takes no value; leave '=%s' out", text,
              value);
    EVN_CHECK(!evn__option_given(option, phase), EVN_ERR_USAGE, "it gives %s twice", text);
    return evn__option_apply(option, phase, value);
}

static evn_status apply_keys(evn__settings *settings, char *text) {
    char *keys = strchr(text, ':');
    if (keys) {
        *keys++ = 0;
    }
    evn__phase_settings *phase;
    EVN_TRY(add(settings, text, &phase));
    while (keys && keys[0]) {
        char *next = strchr(keys, ',');
        if (next) {
            *next++ = 0;
        }
        EVN_TRY(apply_key(phase, keys));
        keys = next;
    }
    return EVN_OK;
}

static evn_status apply_phase(const evn__option *option, void *field, const char *value) {
    (void)option;
    evn__settings *settings = field;
    char *text = evn__arena_string(&settings->arena, value);
    EVN_CHECK(text, EVN_ERR_MEMORY, "no memory for the phase %s", value);
    evn_status status = apply_keys(settings, text);
    return status == EVN_OK ? status : evn__prepend(status, "--phase %s", value);
}

static evn_status read_phases(const evn__option *option, void *field, const json_t *value) {
    EVN_CHECK(json_is_array(value), EVN_ERR_FORMAT, "%s is not an array", option->name);
    evn__settings *settings = field;
    for (size_t i = 0; i < json_array_size(value); ++i) {
        const json_t *entry = json_array_get(value, i);
        const char *name = json_string_value(json_object_get(entry, "name"));
        EVN_CHECK(name, EVN_ERR_FORMAT, "phase %zu has no name", i);
        evn__phase_settings *phase;
        EVN_TRY(add(settings, name, &phase));
        EVN_TRY(evn__options_read(evn__phase_options, TRAIN, phase, entry));
    }
    return EVN_OK;
}

static json_t *show_phases(const void *field) {
    const evn__settings *settings = field;
    json_t *array = json_array();
    for (int i = 0; i < settings->phase_count; ++i) {
        json_t *entry = json_object();
        evn__json_put(entry, "name", json_string(settings->phases[i].name));
        evn__options_show(evn__phase_options, TRAIN, &settings->phases[i], entry);
        evn__json_append(array, entry);
    }
    return array;
}

static void clear_phases(void *field) {
    ((evn__settings *)field)->phase_count = 0;
}

static bool phases_given(const void *field) {
    return ((const evn__settings *)field)->phase_count > 0;
}

const evn__option_kind evn__option_phase = {0,           clear_phases, phases_given, apply_phase,
                                            read_phases, show_phases,  NULL,         ""};

// Defaults ----------------------------------------------------------------------------------------

evn_status evn__phase_complete(evn__phase_settings *phase, int64_t steps) {
    int kind = find(phase->name);
    if (!phase->solver) {
        phase->solver = kinds[kind].solver;
    }
    int method = evn__choice_find(evn_method_name, phase->solver);
    bool adaptive = evn_method_is_adaptive(method), fixed = evn_method_takes_steps(method);
    if (phase->steps == INT64_MIN) {
        phase->steps = (kinds[kind].adapts && adaptive) || !fixed ? 0 : steps;
    }
    EVN_CHECK(phase->steps == 0 || fixed, EVN_ERR_USAGE,
              "%s chooses its steps; leave their number out, or take the solver abm5",
              phase->solver);
    EVN_CHECK(
        phase->steps > 0 || kinds[kind].gradient != EVN_GRADIENT_REVERSIBLE, EVN_ERR_USAGE,
        "it needs equal steps; give a number of steps, such as %lld, or make it an adjoint phase",
        (long long)steps);
    EVN_CHECK((phase->steps == 0 && adaptive) ||
                  kinds[kind].gradient != EVN_GRADIENT_ADJOINT_QUADRATURE,
              EVN_ERR_USAGE,
              "it goes along adaptive steps; leave steps out and take a solver that chooses them, "
              "such as dopri5, or make it an adjoint phase");
    EVN_CHECK(
        phase->steps > 0 || adaptive, EVN_ERR_USAGE,
        "%s cannot choose its steps; give a number of steps, such as %lld, or the solver dopri5",
        phase->solver, (long long)steps);
    EVN_CHECK(phase->steps > 0 || phase->atol > 0, EVN_ERR_USAGE,
              "atol is 0, so that no step is small enough where the state is 0; give it a small "
              "number, such as 1e-6");
    return EVN_OK;
}

evn_status evn__phase_check(const evn__phase_settings *phase) {
    bool falls = strcmp(phase->schedule, "step") == 0;
    EVN_CHECK(
        !falls || phase->milestones, EVN_ERR_USAGE,
        "phase %s: the schedule step needs milestones, the epochs after which the rate falls, "
        "as in milestones=30/60",
        phase->name);
    EVN_CHECK(falls || !phase->milestones, EVN_ERR_USAGE,
              "phase %s: milestones are for the schedule step, and this is %s; add schedule=step, "
              "or leave them out",
              phase->name, phase->schedule);
    return EVN_OK;
}
