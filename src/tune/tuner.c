// SPDX-License-Identifier: Apache-2.0
#include "tune/tuner.h"

#include "base/clock.h"
#include "host/tuning.h"
#include "plan/plan.h"
#include "tune/samples.h"
#include "tune/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 5, FINAL_ROUNDS = 16, FINAL_WON = 12 };
static const double TOLERANCE = 1e-5; // of the largest result, in single precision
static const double MARGIN = 0.95;    // a winner takes at most this share of the default's time
static const double SAMPLE_SECONDS = 4e-3; // runs are doubled until they take this long
static const double HOPELESS = 1.5;        // this many times the best is not measured again

typedef struct shape {
    evn__op op;
    bool quick;
    const char *title;
    int64_t sizes[EVN__PRODUCT_SIZES];
} shape;

#define DIGITS                                                                                     \
    { 32, 3, 3, 32, 3, 3, 32, 1, 1 }
#define MNIST                                                                                      \
    { 128, 6, 6, 64, 3, 3, 64, 1, 1 }
#define STEM                                                                                       \
    { 128, 13, 13, 64, 4, 4, 64, 2, 1 }

// Shapes of the models, forward and backward, and squares.
static const shape shapes[] = {
    {EVN__OP_MATMUL, true, "matmul 64 x 64 x 64", {64, 64, 64}},
    {EVN__OP_MATMUL, false, "matmul 256 x 256 x 256", {256, 256, 256}},
    {EVN__OP_MATMUL, false, "matmul 512 x 512 x 512", {512, 512, 512}},
    {EVN__OP_MATMUL, false, "matmul 4608 x 64 x 576", {4608, 64, 576}},
    {EVN__OP_MATMUL, true, "mnist: head, 128 x 10 x 64", {128, 10, 64}},
    {EVN__OP_MATMUL, false, "mnist: head, weights, 64 x 10 x 128", {64, 10, 128, 1}},
    {EVN__OP_MATMUL, false, "curve: 100 x 1000 x 1000", {100, 1000, 1000}},
    {EVN__OP_MATMUL, false, "curve: one state, 1 x 1000 x 1000", {1, 1000, 1000}},
    {EVN__OP_MATMUL, false, "curve: backward, 1 x 1000 x 1000 t", {1, 1000, 1000, 0, 1}},
    {EVN__OP_MATMUL, false, "curve: weights, 1000 x 1000 x 100 t", {1000, 1000, 100, 1, 0}},
    {EVN__OP_MATMUL, false, "flow: 100 x 64 x 2", {100, 64, 2}},
    {EVN__OP_MATMUL, false, "flow: 512 x 64 x 64", {512, 64, 64}},
    {EVN__OP_CONV2D, true, "digits: 32x3x3, 32-32, 3x3", DIGITS},
    {EVN__OP_CONV2D_INPUT_GRAD, false, "digits: its input gradient", DIGITS},
    {EVN__OP_CONV2D_WEIGHT_GRAD, false, "digits: its weight gradient", DIGITS},
    {EVN__OP_CONV2D, false, "mnist: 128x6x6, 64-64, 3x3", MNIST},
    {EVN__OP_CONV2D_INPUT_GRAD, false, "mnist: its input gradient", MNIST},
    {EVN__OP_CONV2D_WEIGHT_GRAD, false, "mnist: its weight gradient", MNIST},
    {EVN__OP_CONV2D, false, "mnist: stem, 128x28x28, 1-64, 3x3", {128, 28, 28, 1, 3, 3, 64, 1, 0}},
    {EVN__OP_CONV2D, false, "mnist: stem, 128x13x13, 64-64, 4x4 / 2", STEM},
    {EVN__OP_CONV2D_INPUT_GRAD, false, "mnist: its input gradient", STEM},
    {EVN__OP_CONV2D_WEIGHT_GRAD, false, "mnist: its weight gradient", STEM},
};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]), ROWS_MAX = 64 };

/// The candidates of one shape against its default, against the clock.
typedef struct comparison {
    evn_device *device;
    const shape *shape;
    const evn__space *space;
    evn_graph *graph;
    evn__trial *trial;
    evn_plan *plan; ///< of the default
    char key[EVN__VARIANT_KEY];
    int repeats; ///< runs in a sample
    double deadline;
    evn__tuner_row row;
} comparison;

/// Whether a row of an operation's space was right at odd shapes; known for the whole session.
typedef enum verdict { UNKNOWN, RIGHT, WRONG } verdict;
typedef struct memory {
    verdict odd[EVN__OP_COUNT][ROWS_MAX];
} memory;

static bool is_of_family(const shape *s, const char *family) {
    const char *text = evn__op_table[s->op].text; // conv2d_input_grad is of conv2d
    return !family || strncmp(text, family, strlen(family)) == 0;
}

const char *evn__tuner_family(int index) {
    static const char *const families[] = {"matmul", "conv2d", NULL};
    return families[index];
}

// Right or wrong ----------------------------------------------------------------------------------

/// Check `graph`, with `name` as the variant of its only node.
static evn_status check_graph(evn_device *device, const evn_graph *graph, const char *name,
                              double *error) {
    char key[EVN__VARIANT_KEY];
    evn__trial *trial = NULL;
    evn_plan *plan = NULL;
    evn__variant_key(graph, evn_graph_output(graph, 0), false, key);
    EVN_TRY(evn__tuning_set(device, key, name));
    evn_status status = evn__trial_create(device, graph, false, evn__fill_uniform, &trial);
    if (status == EVN_OK) {
        status = evn__trial_plan(trial, &plan);
    }
    if (status == EVN_OK) {
        status = evn__trial_check(trial, plan, error);
    }
    evn_plan_destroy(&plan);
    evn__trial_destroy(&trial);
    evn__tuning_set(device, key, NULL);
    return status;
}

/// A sample whose result is another operation's is passed over, with no error.
static evn_status check_sample(evn_device *device, const evn__sample *sample, int index, evn__op op,
                               const char *name, double *error) {
    evn_graph *graph = NULL;
    *error = 0;
    EVN_TRY(evn_graph_create(&graph));
    sample->build(graph, index);
    evn_status status = evn_graph_status(graph);
    if (status == EVN_OK && evn__node_at(graph, evn_graph_output(graph, 0))->op == op) {
        *error = INFINITY;
        status = check_graph(device, graph, name, error);
    }
    evn_graph_destroy(&graph);
    return status;
}

/// Whether the variant agrees with the reference at every odd shape of the operation, its own among
/// them.
static evn_status check_odd(comparison *c, const char *name, verdict *known) {
    const char *text = evn__op_table[c->shape->op].text;
    for (const evn__sample *sample = evn__samples; sample->family && *known == UNKNOWN; ++sample) {
        bool own = sample->variant && strcmp(sample->variant, name) == 0;
        for (int i = 0; i < sample->count && (own || strcmp(sample->family, text) == 0); ++i) {
            double error;
            EVN_TRY(check_sample(c->device, sample, i, c->shape->op, name, &error));
            if (!(error <= TOLERANCE)) {
                *known = WRONG;
                return EVN_OK;
            }
        }
    }
    *known = *known == UNKNOWN ? RIGHT : *known;
    return EVN_OK;
}

// Fast or slow
// -------------------------------------------------------------------------------------

/// Default and candidate alternately, so that other load on the machine affects both.
typedef struct race {
    double own, candidate; ///< least seconds of default and candidate
    int won;               ///< rounds in which the candidate was clearly faster
} race;

static evn_status run_race(comparison *c, evn_plan *plan, int rounds, double best, race *r) {
    *r = (race){INFINITY, INFINITY, 0};
    for (int round = 0; round < rounds; ++round) {
        double own, candidate;
        EVN_TRY(evn__trial_time(c->trial, c->plan, c->repeats, &own));
        EVN_TRY(evn__trial_time(c->trial, plan, c->repeats, &candidate));
        r->own = fmin(r->own, own);
        r->candidate = fmin(r->candidate, candidate);
        r->won += candidate <= MARGIN * own;
        if (r->candidate > HOPELESS * best * r->own) {
            break;
        }
    }
    return EVN_OK;
}

/// Double the runs of a sample until it is long against the clock and the launch.
static evn_status choose_repeats(comparison *c) {
    double seconds = 0;
    EVN_TRY(evn__trial_time(c->trial, c->plan, 1, &seconds)); // compiles
    for (c->repeats = 1; c->repeats < 1 << 12; c->repeats *= 2) {
        EVN_TRY(evn__trial_time(c->trial, c->plan, c->repeats, &seconds));
        if (seconds * c->repeats >= SAMPLE_SECONDS) {
            break;
        }
    }
    c->row.default_seconds = c->row.seconds = seconds;
    return EVN_OK;
}

// One candidate -----------------------------------------------------------------------------------

/// The reason for a wrong candidate takes precedence over that for a skipped one.
static void note(comparison *c, const char *name, const char *why) {
    snprintf(c->row.reason, sizeof(c->row.reason), "%.60s: %.90s", name, why);
    c->row.reason[strcspn(c->row.reason, "\n")] = 0;
}

static evn_status try_plan(comparison *c, evn_plan *plan, const char *name, verdict *odd,
                           double *best) {
    race r;
    double error = INFINITY;
    EVN_TRY(evn__trial_check(c->trial, plan, &error));
    if (error <= TOLERANCE) {
        EVN_TRY(check_odd(c, name, odd));
    }
    if (!(error <= TOLERANCE) || *odd != RIGHT) {
        ++c->row.wrong;
        note(c, name,
             *odd == WRONG ? "differs from the reference at an odd shape"
                           : "differs from the reference");
        return EVN_OK;
    }
    ++c->row.tried;
    EVN_TRY(run_race(c, plan, ROUNDS, *best, &r));
    if (r.candidate < *best * r.own) {
        *best = r.candidate / r.own;
        snprintf(c->row.winner, sizeof(c->row.winner), "%s", name);
    }
    return EVN_OK;
}

static bool is_same_launch(const evn__launch *a, const evn__launch *b) {
    bool same = strcmp(a->name, b->name) == 0 && a->range.dimensions == b->range.dimensions &&
                strcmp(a->source.options ? a->source.options : "",
                       b->source.options ? b->source.options : "") == 0;
    for (int i = 0; i < a->range.dimensions && same; ++i) {
        same = a->range.global[i] == b->range.global[i] && a->range.local[i] == b->range.local[i];
    }
    return same;
}

/// Whether a candidate is what the family takes by itself: of its algorithm, or in its place.
static bool is_default(const comparison *c, const evn_plan *plan) {
    const evn__launches *a = &plan->launches, *b = &c->plan->launches;
    bool same = a->count == b->count;
    for (int i = 0; i < a->count && same; ++i) {
        same = is_same_launch(&a->rows[i], &b->rows[i]);
    }
    return same;
}

/// A candidate that fails to compile or to run is skipped.
static evn_status try_candidate(comparison *c, int index, verdict *odd, double *best) {
    char name[EVN__VARIANT_NAME];
    const evn__variant *variant = &c->space->rows[index];
    evn__variant_name(variant, name);
    const char *why = evn__variant_unfit(variant, evn_device_get_info(c->device));
    if (!why) {
        evn_plan *plan = NULL;
        EVN_TRY(evn__tuning_set(c->device, c->key, name));
        evn_status status = evn__trial_plan(c->trial, &plan);
        EVN_TRY(evn__tuning_set(c->device, c->key, NULL));
        const char *idle = status == EVN_OK && is_default(c, plan) ? "it is the default" : NULL;
        if (status == EVN_OK && !idle) {
            status = try_plan(c, plan, name, odd, best);
        }
        evn_plan_destroy(&plan);
        why = status == EVN_OK ? idle : evn_error_message();
    }
    if (why) {
        ++c->row.skipped;
        if (c->row.wrong == 0) {
            note(c, name, why);
        }
    }
    return EVN_OK;
}

// One shape ---------------------------------------------------------------------------------------

/// The winner once more, longer, so that the luckiest of many measurements does not win: it must be
/// clearly faster in its least time and in most rounds.
static evn_status confirm(comparison *c) {
    evn_plan *plan = NULL;
    race r = {1, INFINITY, 0};
    EVN_TRY(evn__tuning_set(c->device, c->key, c->row.winner));
    evn_status status = evn__trial_plan(c->trial, &plan);
    if (status == EVN_OK) {
        status = run_race(c, plan, FINAL_ROUNDS, 1, &r);
    }
    evn_plan_destroy(&plan);
    c->row.default_seconds = r.own;
    c->row.seconds = r.candidate;
    if (status != EVN_OK || r.candidate > MARGIN * r.own || r.won < FINAL_WON) {
        c->row.winner[0] = 0;
        c->row.seconds = r.own;
        EVN_TRY(evn__tuning_set(c->device, c->key, NULL));
    }
    return status;
}

static evn_status run_tuner(comparison *c, memory *known) {
    double best = 1;
    EVN_TRY(evn__tuning_set(c->device, c->key, NULL));
    EVN_TRY(evn__trial_create(c->device, c->graph, false, evn__fill_uniform, &c->trial));
    EVN_TRY(evn__trial_plan(c->trial, &c->plan));
    EVN_TRY(choose_repeats(c));
    int i = 0;
    for (; i < c->space->count && i < ROWS_MAX && evn__now() < c->deadline; ++i) {
        EVN_TRY(try_candidate(c, i, &known->odd[c->shape->op][i], &best));
    }
    c->row.complete = i == c->space->count;
    return c->row.winner[0] ? confirm(c) : EVN_OK;
}

static evn_status tune_shape(evn_device *device, const shape *s, double deadline, memory *known,
                             evn__tuner_row *row) {
    comparison c = {.device = device,
                    .shape = s,
                    .space = evn__space_table[s->op],
                    .deadline = deadline,
                    .row = {.title = s->title}};
    EVN_TRY(evn_graph_create(&c.graph));
    evn_value node = evn__product_build(c.graph, s->op, s->sizes);
    evn_status status = evn_graph_status(c.graph);
    if (status == EVN_OK) {
        evn__variant_key(c.graph, node, false, c.key);
        status = run_tuner(&c, known);
    }
    evn_plan_destroy(&c.plan);
    evn__trial_destroy(&c.trial);
    evn_graph_destroy(&c.graph);
    *row = c.row;
    return status;
}

evn_status evn__tuner_run(evn_device *device, const evn__tuner_options *options,
                          void (*report)(void *user, const evn__tuner_row *row), void *user) {
    memory known = {0};
    const shape *entered[SHAPES];
    int count = 0;
    for (int i = 0; i < SHAPES; ++i) {
        if (is_of_family(&shapes[i], options->family) && (shapes[i].quick || !options->quick)) {
            entered[count++] = &shapes[i];
        }
    }
    double end = evn__now() + options->seconds;
    for (int i = 0; i < count; ++i) {
        double share = (end - evn__now()) / (count - i);
        evn__tuner_row row;
        EVN_TRY(tune_shape(device, entered[i], evn__now() + share, &known, &row));
        report(user, &row);
    }
    return EVN_OK;
}
