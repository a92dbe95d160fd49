// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "cli/console.h"
#include "cli/kept_network.h"
#include "cli/made_with.h"
#include "cli/reopen.h"
#include "cli/training.h"
#include "nn/evolution.h"
#include "nn/projection.h"
#include "task/moved_weight.h"

#include "base/number.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/// Before and after: the run's task, and the one that it becomes.
typedef struct compression {
    evn__session *from;
    evn__session to; ///< of the same device, data and solver; owns its task alone
    evn__settings settings;
    json_t *run;
    char words[2][64]; ///< how weights evolve
    evn__projection projection;
    evn_metrics metrics[2];
} compression;

static evn_parameters *parameters_of(const evn__session *session) {
    return session->task.methods->parameters(session->task.self);
}

// What it becomes ---------------------------------------------------------------------------------

static bool has_basis(const evn_parameters *parameters) {
    bool has = false;
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        has = has || evn__parameters_basis(parameters, i);
    }
    return has;
}

/// As the run has it, with the command line's kind and number in their place.
static evn_status choose(const evn__settings *given, compression *c) {
    evn__settings *s = &c->settings;
    const char *folder = given->subject;
    bool moves = evn__task_moves_weights(&c->from->task);
    const char *before = s->evolution ? s->evolution : "waves of its own";
    EVN_CHECK(moves || has_basis(parameters_of(c->from)), EVN_ERR_ARGUMENT,
              "the weights of %s are constant: there is nothing to compress; take a run of "
              "--model node-ew",
              folder);
    EVN_CHECK(given->weights || given->basis != INT64_MIN, EVN_ERR_USAGE,
              "compress to what? Give the number of functions, --basis N, or another kind, "
              "--weights KIND, or both, as in: evonode compress %s --basis 4",
              folder);
    EVN_CHECK(given->weights || !moves, EVN_ERR_USAGE,
              "the weights of %s are moved by a g (%s); say of which functions of t they are to be "
              "a sum, as in: --weights splines --basis 4",
              folder, before);
    snprintf(c->words[0], sizeof(c->words[0]), "%s", before);
    s->weights = given->weights ? given->weights : s->weights;
    s->basis = given->basis;
    const evn__evolution_kind *kind = evn__evolution_find(s->weights);
    EVN_CHECK(!kind || !kind->slope, EVN_ERR_USAGE,
              "--weights is %s, a g, by which a θ(t) that is given cannot be had; it should be a "
              "function of t, such as splines",
              s->weights);
    EVN_TRY(evn__settings_evolve(s));
    snprintf(c->words[1], sizeof(c->words[1]), "%s", s->evolution);
    return EVN_OK;
}

/// Where a g moves weights they are solved.
static evn_status sample(const void *self, const char *name, int count, bool *moves,
                         double *theta) {
    const evn__session *session = self;
    return evn__moved_weight_sample(session->device, &session->task, name, count, moves, theta);
}

/// Where no weight evolves any more none has a solve of its own.
static void leave_paths(compression *c) {
    evn_solver_options *solver = &c->to.phases[c->to.phase].solver;
    solver->weight_terms = solver->weight_steps = 0;
    for (int i = 0; i < c->settings.phase_count; ++i) {
        c->settings.phases[i].weight_terms = c->settings.phases[i].weight_steps = INT64_MIN;
    }
}

static evn_status make(compression *c) {
    const evn__sampler sampler = {c->from, sample};
    c->to = *c->from;
    c->to.task = (evn_task){0};
    EVN_TRY(c->to.row->create(&c->to, &c->settings));
    EVN_TRY(evn__parameters_project(parameters_of(c->from), &sampler, parameters_of(&c->to),
                                    &c->projection));
    EVN_CHECK(c->projection.projected > 0, EVN_ERR_ARGUMENT,
              "no weight is in another basis, or of another number of functions, than before (%s); "
              "give another --basis or --weights; in a network file those are compressed that say "
              "\"evolve\": \"fit\"",
              c->words[0]);
    if (!evn__task_moves_weights(&c->to.task)) {
        leave_paths(c);
    }
    const evn__session *both[] = {c->from, &c->to};
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn_task_evaluate(&both[i]->task, evn__session_solver(both[i]), EVN_TEST, 0,
                                  &c->metrics[i]));
        EVN_TRY(evn_metrics_set(&c->metrics[i], "parameters", EVN_UNIT_COUNT, EVN_BETTER_LOWER,
                                (double)evn_parameters_scalar_count(parameters_of(both[i]))));
    }
    return EVN_OK;
}

// The new run -------------------------------------------------------------------------------------

/// run.json of the run, from which the settings have their texts, with what is different.
static evn_status describe(const evn__command *command, const compression *c, json_t **run) {
    json_t *words;
    EVN_TRY(evn__training_words(command, &words));
    *run = json_copy(c->run);
    if (!*run) {
        json_decref(words);
        EVN_FAIL(EVN_ERR_MEMORY, "no memory for the description of the run");
    }
    json_object_del(*run, "tuning"); // there may be none now
    json_object_del(*run, "resumed");
    evn__json_put(*run, "command", words);
    evn__json_put(*run, "options", evn__settings_show(&c->settings));
    evn__json_put(*run, "compressed",
                  json_pack("{s:s, s:s, s:s, s:f}", "run", command->settings->subject, "from",
                            c->words[0], "to", c->words[1], "distance", c->projection.distance));
    evn__kept_network_show(c->to.network, *run); // earlier versions have none
    return evn__made_with_show(&c->to, *run);
}

static evn_status begin(const evn__command *command, compression *c, evn__training *t) {
    json_t *run = NULL;
    EVN_TRY(evn__training_claim(t, t->folder));
    EVN_TRY(evn__training_keep(t, &c->settings));
    evn_status status = describe(command, c, &run);
    if (status == EVN_OK) { // behind the model: from here on it is one that can be used
        status = evn__run_directory_begin(t->directory, run);
    }
    json_decref(run);
    return status;
}

static evn_status write(const evn__command *command, compression *c, evn__training *t) {
    const char *out = command->settings->out;
    EVN_CHECK(!out || strlen(out) < sizeof(t->folder), EVN_ERR_OUTPUT,
              "the path of the run directory is too long: %.80s…", out);
    if (out) {
        memcpy(t->folder, out, strlen(out) + 1);
    } else {
        EVN_TRY(evn__run_directory_number("runs", c->to.row->name, t->folder, sizeof(t->folder)));
    }
    c->settings.out = t->folder;
    evn_status status = begin(command, c, t);
    if (status != EVN_OK) {
        return out ? status : evn__training_take_back(t, status);
    }
    return evn__run_directory_finish(t->directory, &c->metrics[1]);
}

// Saying so ---------------------------------------------------------------------------------------

static double value_of(const evn__column *column, const evn_metrics *metrics) {
    return evn__column_value(column, evn_metrics_value(metrics, column->metric));
}

static void print_columns(const evn__column *columns, const compression *c) {
    for (; columns->metric; ++columns) {
        char texts[2][64];
        for (int i = 0; i < 2; ++i) {
            evn__print(texts[i], sizeof(texts[i]), columns->format,
                       value_of(columns, &c->metrics[i]));
        }
        if (!isnan(value_of(columns, &c->metrics[1]))) {
            printf("  %-24s %-16s %s\n", columns->title, texts[0], texts[1]);
        }
    }
}

static void print(const compression *c, const char *folder) {
    char distance[32];
    printf("  %-24s %-16s %s\n", "weights", c->words[0], c->words[1]);
    print_columns(c->to.row->results, c);
    print_columns(evn__console_columns, c);
    evn__print(distance, sizeof(distance), "%.3g", c->projection.distance);
    printf("  %-24s %-16s %s\n", "distance of weights", "", distance);
    printf("  %-24s %s\n", "run directory", folder);
}

// The verb ----------------------------------------------------------------------------------------

static evn_status compress(evn__session *session, const evn__command *command) {
    compression c = {.from = session};
    evn__training t = {.session = &c.to};
    const evn__task_row *row;
    evn_status status = evn__reopen_settings(command->settings->subject, command->settings, false,
                                             &c.run, &row, &c.settings);
    if (status == EVN_OK) {
        status = choose(command->settings, &c);
    }
    if (status == EVN_OK) {
        status = make(&c);
    }
    if (status == EVN_OK) {
        status = write(command, &c, &t);
    }
    if (status == EVN_OK) {
        print(&c, t.folder);
    }
    evn__training_close(&t);
    evn_task_destroy(&c.to.task);
    evn__settings_free(&c.settings);
    json_decref(c.run);
    return status;
}

static evn_status run(const evn__command *command) {
    const char *out = command->settings->out;
    EVN_TRY(out ? evn__run_directory_check(out) : EVN_OK);
    return evn__reopen(command, compress);
}

const evn__verb evn__verb_compress = {
    "compress",
    "RUN",
    "fewer, or other, functions of t for the weights of a trained model",
    EVN__VERB_COMPRESS,
    run,
    "\nRUN was trained with --weights fourier or another function of t. Its θ(t) becomes the\n"
    "nearest one with --basis N functions, of the same kind or that of --weights, by least "
    "squares\n"
    "over t; nothing is trained. Shown are the metrics of the test part, by the solver of the\n"
    "run's last phase, and the parameters, before and behind; the distance of the weights is that\n"
    "of both θ(t) over t, relative to θ(t). --out is a run directory, which eval, predict, "
    "sample,\n"
    "export and compress take as any.\n"};
