// SPDX-License-Identifier: Apache-2.0
#include "tune/tuner.h"

#include "base/clock.h"
#include "host/tuning.h"
#include "host/wait.h"
#include "plan/plan.h"
#include "tune/subject.h"
#include "tune/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 5, FINAL_ROUNDS = 16, FINAL_WON = 12 };
static const double TOLERANCE = 1e-5; // of the largest result, in single precision
static const double MARGIN = 0.95;    // a winner takes at most this share of the default's time
static const double SAMPLE_SECONDS = 4e-3; // runs are doubled until they take this long
static const double HOPELESS = 1.5;        // this many times the best is not measured again

enum { CHOICES_MAX = 64 };

/// The candidates of one shape against its default, against the clock.
typedef struct comparison {
    evn_device *device;
    const evn__subject *subject;
    evn_graph *graph;
    evn__trial *trial;
    evn_plan *plan; ///< of the default
    char key[EVN__VARIANT_KEY];
    int repeats; ///< runs in a sample
    double deadline;
    evn__tuner_row row;
} comparison;

/// Whether a choice was right at odd shapes, of each operation and of plans; known for the whole
/// session.
typedef enum verdict { UNKNOWN, RIGHT, WRONG } verdict;
typedef struct memory {
    verdict odd[EVN__OP_COUNT + 1][CHOICES_MAX];
} memory;

const char *evn__tuner_family(int index) {
    static const char *const families[] = {"matmul", "conv2d",  "normalize",
                                           "krylov", "samples", NULL};
    return families[index];
}

// Right or wrong ----------------------------------------------------------------------------------

static evn_status open_trial(evn_device *device, const evn__subject *subject,
                             const evn_graph *graph, evn__trial **trial) {
    EVN_TRY(evn__trial_create(device, graph, false, evn__fill_uniform, trial));
    evn__trial_by_sample(*trial, subject->kind->samples);
    return EVN_OK;
}

/// Check `graph`, with `name` as the choice for its class.
static evn_status check_graph(evn_device *device, const evn__subject *subject,
                              const evn_graph *graph, const char *name, double *error) {
    char key[EVN__VARIANT_KEY];
    evn__trial *trial = NULL;
    evn_plan *plan = NULL;
    subject->kind->key(graph, key);
    EVN_TRY(evn__tuning_set(device, key, name));
    evn_status status = open_trial(device, subject, graph, &trial);
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

/// A sample whose result is another operation's is passed over.
static bool is_of_subject(const evn__subject *subject, const evn_graph *graph) {
    evn__op op = evn__node_at(graph, evn_graph_output(graph, 0))->op;
    return subject->op == EVN__OP_COUNT || subject->op == op;
}

/// An odd case that is passed over has no error. *more is false past the last.
static evn_status check_case(evn_device *device, const evn__subject *subject, const char *name,
                             int index, double *error, bool *more) {
    evn_graph *graph = NULL;
    *error = 0;
    EVN_TRY(evn_graph_create(&graph));
    *more = subject->kind->odd(subject, name, index, graph);
    evn_status status = evn_graph_status(graph);
    if (status == EVN_OK && *more && is_of_subject(subject, graph)) {
        *error = INFINITY;
        status = check_graph(device, subject, graph, name, error);
    }
    evn_graph_destroy(&graph);
    return status;
}

/// Whether the choice agrees with the reference at every odd shape.
static evn_status check_odd(comparison *c, const char *name, verdict *known) {
    bool more = true;
    for (int i = 0; more && *known == UNKNOWN; ++i) {
        double error;
        EVN_TRY(check_case(c->device, c->subject, name, i, &error, &more));
        *known = error <= TOLERANCE ? UNKNOWN : WRONG;
    }
    *known = *known == UNKNOWN ? RIGHT : *known;
    return EVN_OK;
}

// Fast or slow ------------------------------------------------------------------------------------

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

/// Why the candidate must not be chosen; NULL: it is right, and so twice.
static evn_status judge(comparison *c, evn_plan *plan, const char *name, verdict *odd,
                        const char **why) {
    double error = INFINITY;
    bool same = false;
    EVN_TRY(evn__trial_check(c->trial, plan, &error));
    if (error <= TOLERANCE) {
        EVN_TRY(evn__trial_repeats(c->trial, plan, &same));
    }
    if (same) {
        EVN_TRY(check_odd(c, name, odd));
    }
    *why = !(error <= TOLERANCE) ? "differs from the reference"
           : !same               ? "has other bits the second time"
           : *odd != RIGHT       ? "differs from the reference at an odd shape"
                                 : NULL;
    return EVN_OK;
}

static evn_status try_plan(comparison *c, evn_plan *plan, const char *name, verdict *odd,
                           double *best) {
    race r;
    const char *why;
    EVN_TRY(judge(c, plan, name, odd, &why));
    if (why) {
        ++c->row.wrong;
        note(c, name, why);
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
    char room[EVN__VARIANT_NAME];
    const char *name = c->subject->kind->choice(c->subject, index, room);
    const char *why = c->subject->kind->unfit(c->subject, index, c->device);
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

static int count_choices(const evn__subject *subject) {
    char room[EVN__VARIANT_NAME];
    int count = 0;
    while (count < CHOICES_MAX && subject->kind->choice(subject, count, room)) {
        ++count;
    }
    return count;
}

static evn_status run_tuner(comparison *c, memory *known) {
    double best = 1;
    EVN_TRY(evn__tuning_set(c->device, c->key, NULL));
    EVN_TRY(open_trial(c->device, c->subject, c->graph, &c->trial));
    EVN_TRY(evn__trial_plan(c->trial, &c->plan));
    EVN_TRY(choose_repeats(c));
    int i = 0, count = count_choices(c->subject);
    for (; i < count && evn__now() < c->deadline; ++i) {
        EVN_TRY(try_candidate(c, i, &known->odd[c->subject->op][i], &best));
    }
    c->row.complete = i == count;
    return c->row.winner[0] ? confirm(c) : EVN_OK;
}

static evn_status tune_subject(evn_device *device, const evn__subject *subject, double deadline,
                               memory *known, evn__tuner_row *row) {
    comparison c = {.device = device,
                    .subject = subject,
                    .deadline = deadline,
                    .row = {.title = subject->title}};
    EVN_TRY(evn_graph_create(&c.graph));
    subject->kind->build(c.graph, subject);
    evn_status status = evn_graph_status(c.graph);
    if (status == EVN_OK) {
        subject->kind->key(c.graph, c.key);
        status = run_tuner(&c, known);
    }
    evn_plan_destroy(&c.plan);
    evn__trial_destroy(&c.trial);
    evn_graph_destroy(&c.graph);
    *row = c.row;
    return status;
}

/// Whether there is anything to try on the device.
static bool has_choice(const evn__subject *subject, const evn_device *device) {
    bool found = false;
    for (int i = 0; i < count_choices(subject) && !found; ++i) {
        found = !subject->kind->unfit(subject, i, device);
    }
    return found;
}

static bool is_asked(const evn__subject *subject, const evn__tuner_options *options) {
    bool family = !options->family || strcmp(subject->family, options->family) == 0;
    return family && (subject->quick || !options->quick);
}

static bool enters(const evn__subject *subject, const evn__tuner_options *options,
                   const evn_device *device) {
    return is_asked(subject, options) && has_choice(subject, device);
}

const char *evn__tuner_idle(const evn_device *device, const evn__tuner_options *options) {
    const char *why = "no shape of the family is a quick one; leave --quick out";
    for (const evn__subject *s = evn__subjects; s->kind; ++s) {
        if (enters(s, options, device)) {
            return NULL;
        }
        why = is_asked(s, options) ? s->kind->unfit(s, 0, device) : why;
    }
    return why;
}

static evn_status tune(evn_device *device, const evn__tuner_options *options,
                       void (*report)(void *user, const evn__tuner_row *row), void *user) {
    memory known = {0};
    int left = 0;
    for (const evn__subject *s = evn__subjects; s->kind; ++s) {
        left += enters(s, options, device);
    }
    double end = evn__now() + options->seconds;
    for (const evn__subject *s = evn__subjects; s->kind; ++s) {
        if (enters(s, options, device)) {
            double share = (end - evn__now()) / left--;
            evn__tuner_row row;
            EVN_TRY(tune_subject(device, s, evn__now() + share, &known, &row));
            report(user, &row);
        }
    }
    return EVN_OK;
}

evn_status evn__tuner_run(evn_device *device, const evn__tuner_options *options,
                          void (*report)(void *user, const evn__tuner_row *row), void *user) {
    evn__waiting before = evn__device_wait_as(device, EVN__WAITING_SPINS);
    evn_status status = tune(device, options, report, user);
    evn__device_wait_as(device, before);
    return status;
}
