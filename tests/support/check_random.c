// SPDX-License-Identifier: Apache-2.0
#include "check_random.h"

#include "derivative.h"
#include "evonode/diff.h"
#include "plan/plan.h"
#include "run_plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 14, MAX_INPUT_NAMES = 256 };

/// A graph, its inputs as single precision has them, and what the reference makes of them.
typedef struct subject {
    const evn_graph *graph;
    values inputs, expected;
    double sensitivity; ///< change of the results when all inputs change by a millionth
} subject;

static int64_t input_count(const evn_graph *graph, int i) {
    return evn_shape_count(evn_value_shape(graph, evn_graph_input(graph, i)));
}

static double largest_difference(const evn_graph *graph, const values *a, const values *b) {
    double largest = 0;
    for (int i = 0; i < a->count; ++i) {
        int64_t n = evn_shape_count(evn_value_shape(graph, evn_graph_output(graph, i)));
        double difference = test_difference(a->data[i], b->data[i], n);
        largest = difference > largest ? difference : largest;
    }
    return largest;
}

/// Change every input, one up and the next down.
static void shake(const subject *s, double change) {
    for (int i = 0; i < s->inputs.count; ++i) {
        for (int64_t k = 0; k < input_count(s->graph, i); ++k) {
            s->inputs.data[i][k] *= 1 + (k & 1 ? change : -change);
        }
    }
}

static void round_to_float(const subject *s) {
    for (int i = 0; i < s->inputs.count; ++i) {
        for (int64_t k = 0; k < input_count(s->graph, i); ++k) {
            s->inputs.data[i][k] = (float)s->inputs.data[i][k];
        }
    }
}

static subject subject_new(const evn_graph *graph, uint64_t seed) {
    subject s = {.graph = graph, .inputs = values_like_inputs(graph, seed, -1, 1)};
    shake(&s, 1e-6);
    values shaken = values_run(graph, &s.inputs);
    values_free(&s.inputs);
    s.inputs = values_like_inputs(graph, seed, -1, 1);
    round_to_float(&s);
    s.expected = values_run(graph, &s.inputs);
    s.sensitivity = largest_difference(graph, &shaken, &s.expected);
    values_free(&shaken);
    return s;
}

static void subject_free(subject *s) {
    values_free(&s->inputs);
    values_free(&s->expected);
}

// Ways of planning --------------------------------------------------------------------------------

typedef struct planning {
    const char *name;
    evn_plan_options options;
    bool gpu, late;
} planning;

static const char *const samples[] = {"x0", "x1", NULL};

static const planning ways[WAYS] = {
    {"fp64", {.fp64 = true}, false, false},
    {"fp64, no_fuse", {.fp64 = true, .no_fuse = true}, false, false},
    {"fp64, all_epilogues", {.fp64 = true, .all_epilogues = true}, false, false},
    {"fp64, all_epilogues, GPU", {.fp64 = true, .all_epilogues = true}, true, false},
    {"fp32, all_epilogues", {.all_epilogues = true}, false, false},
    {"fp64, late inputs", {.fp64 = true, .all_epilogues = true}, false, true},
    {"fp32", {0}, false, false},
    {"fp32, GPU", {0}, true, false},
    {"fp32, late inputs, GPU", {0}, true, true},
    {"fp64, samples", {.fp64 = true, .sample_inputs = samples}, false, false},
    {"fp32, samples", {.sample_inputs = samples}, false, false},
    {"fp64, samples, late inputs", {.fp64 = true, .sample_inputs = samples}, false, true},
    {"fp64, samples, late inputs, GPU", {.fp64 = true, .sample_inputs = samples}, true, true},
    {"fp32, samples, GPU", {.sample_inputs = samples}, true, false},
};

/// Every third input or so.
static void choose_late(const evn_graph *graph, uint64_t seed, const char **late) {
    int count = 0;
    for (int i = 0; i < evn_graph_input_count(graph) && i < MAX_INPUT_NAMES - 1; ++i) {
        if ((seed + (uint64_t)i) % 3 == 0) {
            late[count++] = evn_graph_input_name(graph, i);
        }
    }
    late[count] = NULL;
}

static void count_plan(const evn_graph *graph, const evn_plan_options *options,
                       random_tally *tally) {
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), graph, options, &plan));
    tally->by_sample += plan->units.lanes > 0;
    for (int i = 0; i < plan->launches.count; ++i) {
        tally->epilogues +=
            plan->launches.rows[i].source.family && plan->launches.rows[i].source.text;
    }
    evn_plan_destroy(&plan);
}

static void check_way(const subject *s, const planning *way, uint64_t seed, random_tally *tally) {
    const char *late[MAX_INPUT_NAMES];
    evn_plan_options options = way->options;
    if (options.fp64 && !evn_device_get_info(test_device())->has_fp64) {
        return;
    }
    choose_late(s->graph, seed, late);
    options.late_inputs = way->late ? late : NULL;
    evn_device_type own = test_act_as(way->gpu ? EVN_DEVICE_GPU : EVN_DEVICE_CPU);
    values got = values_run(s->graph, &s->inputs); // for its memory
    for (int i = 0; i < got.count; ++i) {
        got.data[i][0] += 1;
    }
    run_plan(s->graph, &options, s->inputs.data, got.data);
    count_plan(s->graph, &options, tally);
    test_act_as(own);
    double difference = largest_difference(s->graph, &got, &s->expected);
    // Rounding errors are as many changes of the inputs: a few hundred units in the last place.
    double allowed = options.fp64 ? 1e-12 + 1e-6 * s->sensitivity : 1e-5 + 20 * s->sensitivity;
    ck_assert_msg(difference <= allowed, "%s: differs by %g, allowed are %g", way->name, difference,
                  allowed);
    values_free(&got);
}

static bool chosen(int index, random_kind kind, int size, uint64_t seed, bool all) {
    bool by_sample = ways[index].options.sample_inputs != NULL;
    if (by_sample != (kind == RANDOM_SAMPLES) && (by_sample || index > 1)) {
        return false;
    }
    return all || index < 3 || by_sample || (size <= 40 && index == 3 + (int)(seed % 6));
}

static void check_ways(const evn_graph *graph, random_kind kind, int size, uint64_t seed, bool all,
                       random_tally *tally) {
    subject s = subject_new(graph, seed);
    for (int i = 0; i < WAYS; ++i) {
        if (chosen(i, kind, size, seed, all)) {
            check_way(&s, &ways[i], seed, tally);
        }
    }
    subject_free(&s);
}

// Graphs ------------------------------------------------------------------------------------------

static void describe(const evn_graph *graph, uint64_t seed) {
    char *text = NULL, *whole;
    TRY(evn_graph_print(graph, &text));
    whole = malloc(strlen(text) + 64);
    sprintf(whole, "random graph of seed %llu:\n%s", (unsigned long long)seed, text);
    test_note(whole);
    free(whole);
    free(text);
}

static void check_transform(evn_status transform(const evn_graph *, const char *const *,
                                                 evn_graph **),
                            const evn_graph *graph, uint64_t seed, bool all, random_tally *tally) {
    evn_graph *result = NULL;
    TRY(transform(graph, NULL, &result));
    subject s = subject_new(result, seed);
    check_way(&s, &ways[2], seed, tally);
    if (all) {
        check_way(&s, &ways[seed % 2 ? 0 : 5], seed, tally);
    }
    subject_free(&s);
    evn_graph_destroy(&result);
}

void check_random(uint64_t seed, bool all, random_tally *tally) {
    // Few are large: these take the time of many small ones.
    const int nodes[] = {5, 8, 12, 16, 24, 40, 12, 90, 20, 300};
    const int64_t elements[] = {300, 2049, 700, 17408, 2049};
    random_kind kind = seed % 5 == 3 ? RANDOM_SAMPLES : seed % 5 == 1 ? RANDOM_SMOOTH : RANDOM_ANY;
    int size = nodes[seed % 10];
    evn_graph *graph = random_graph(seed, kind, size, elements[seed / 2 % 5]);
    describe(graph, seed);
    check_ways(graph, kind, size, seed, all, tally);
    if (kind == RANDOM_SMOOTH) {
        check_derivative(graph, seed, -1, 1);
    }
    if (size <= 24) {
        if (all || seed % 3 > 0) {
            check_transform(evn_jvp, graph, seed, all, tally);
        }
        if (all || seed % 3 == 0) {
            check_transform(evn_vjp, graph, seed, all, tally);
        }
    }
    evn_graph_destroy(&graph);
    test_note(NULL);
}
