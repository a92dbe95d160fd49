// SPDX-License-Identifier: Apache-2.0
// Many runs of a plan in few launches leave what they leave one after the other, to the bit.
#include "evonode/diff.h"
#include "host/runtime.h"
#include "plan/real.h"
#include "plan/repeat.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS = 7, PARTS = 37, INPUTS = 4, OUTPUTS = 3, MEMORY = 40000 };

static const char *const samples[] = {"x", "x_bar", NULL};

/// A plan and where each run finds its inputs and outputs.
typedef struct runs {
    evn_plan *plan;
    bool fp64;
    evn_buffer *memory, *saved;
    evn_binding inputs[RUNS * INPUTS], outputs[RUNS * OUTPUTS], saved_at[RUNS];
} runs;

static void start(runs *r, const evn_graph *graph, const char *const *late, bool fp64) {
    evn_plan_options options = {.fp64 = fp64, .late_inputs = late, .sample_inputs = samples};
    *r = (runs){.fp64 = fp64};
    TRY(evn_graph_status(graph));
    TRY(evn_plan_create(test_device(), graph, &options, &r->plan));
    size_t each = evn_plan_saved_element_count(r->plan);
    TRY(evn__real_create(test_device(), fp64, MEMORY, &r->memory));
    TRY(evn__real_create(test_device(), fp64, each * RUNS, &r->saved));
    for (int run = 0; run < RUNS; ++run) {
        r->saved_at[run] = (evn_binding){r->saved, each * (size_t)run};
    }
}

static void finish(runs *r) {
    evn_plan_destroy(&r->plan);
    evn_buffer_destroy(&r->memory);
    evn_buffer_destroy(&r->saved);
}

static void bind(runs *r, evn_binding *bindings, int count, int run, int port, size_t offset) {
    bindings[run * count + port] = (evn_binding){r->memory, offset};
}

static evn__runs all(const runs *r, int phase) {
    return (evn__runs){phase, RUNS, r->inputs, r->outputs, r->saved_at};
}

static void fill(const runs *r) {
    double *data = calloc(MEMORY, sizeof(*data));
    test_uniform(11, -1, 1, data, MEMORY);
    TRY(evn__real_write((evn_binding){r->memory, 0}, r->fp64, data, MEMORY));
    free(data);
}

static double *read_all(const runs *r) {
    double *data = calloc(MEMORY, sizeof(*data));
    TRY(evn__real_read((evn_binding){r->memory, 0}, r->fp64, data, MEMORY));
    return data;
}

static void run_each(const runs *r, int phase, int inputs, int outputs) {
    for (int run = 0; run < RUNS; ++run) {
        TRY(evn_plan_run_phase(r->plan, phase, r->inputs + run * inputs, r->outputs + run * outputs,
                               &r->saved_at[run]));
    }
}

/// Repeated twice, to see that preparing leaves nothing behind.
static void run_repeated(const runs *r, int phase, int launches) {
    evn__repeat *repeat = NULL;
    evn__runs wanted = all(r, phase);
    TRY(evn__repeat_create(r->plan, &wanted, &repeat));
    ck_assert(evn__repeat_is(repeat, &wanted));
    evn__runs other = wanted;
    other.count = RUNS - 1;
    ck_assert(!evn__repeat_is(repeat, &other));
    if (launches > 0) {
        ck_assert_int_eq(evn__repeat_launches(repeat), launches);
    }
    TRY(evn__repeat_run(repeat));
    evn__repeat_destroy(&repeat);
}

/// One field over a batch that is no multiple of the lanes, with weights that depend on t.
static evn_graph *step(bool with_vjp) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(PARTS, 3)), t = evn_input(g, "t", EVN_SHAPE(1, 1));
    evn_value theta = evn_input(g, "theta", EVN_SHAPE(1, 48));
    evn_value w = evn_reshape(g, evn_tanh(g, evn_mul(g, theta, t)), EVN_SHAPE(3, 16));
    evn_value h = evn_tanh(g, evn_matmul(g, x, w, false, false));
    evn_value next = evn_add(g, x, evn_scale(g, evn_matmul(g, h, w, false, true), 0.1));
    evn_output(g, "next", next);
    if (with_vjp) {
        evn_value seed = evn_input(g, "x_bar", EVN_SHAPE(PARTS, 3)), bars[2];
        const evn_value wanted[] = {x, theta};
        TRY(evn_pullback(g, &next, &seed, 1, wanted, 2, bars));
        evn_output(g, "x_bar_before", bars[0]);
        evn_output(g, "theta_bar", bars[1]);
    }
    return g;
}

enum { STATE = 128, TIMES = 2048, THETA = 3000, BARS = 4096, SHARES = 8192 };

/// States in a trajectory, cotangents in two places alternately, a share of theta's for each run.
static void bind_step(runs *r, int run, bool with_vjp) {
    int ins = with_vjp ? 4 : 3, outs = with_vjp ? 3 : 1, at = with_vjp ? RUNS - 1 - run : run;
    bind(r, r->inputs, ins, run, 0, (size_t)at * STATE);
    bind(r, r->inputs, ins, run, 1, TIMES + (size_t)at * 16);
    bind(r, r->inputs, ins, run, 2, THETA);
    bind(r, r->outputs, outs, run, 0, (size_t)(at + 1) * STATE);
    if (with_vjp) {
        bind(r, r->inputs, ins, run, 3, BARS + (size_t)(run % 2) * STATE);
        bind(r, r->outputs, outs, run, 1, BARS + (size_t)(1 - run % 2) * STATE);
        bind(r, r->outputs, outs, run, 2, SHARES + (size_t)run * 64);
    }
}

/// Both ways from the same memory; the phases before `phase` are run alone.
/// @param launches  0: any number
static void check(runs *r, int phase, int inputs, int outputs, int launches) {
    double *expected, *found;
    for (int before = 0; before <= phase; ++before) {
        fill(r);
        run_each(r, before, inputs, outputs);
    }
    expected = read_all(r);
    fill(r);
    run_repeated(r, phase, launches);
    found = read_all(r);
    ck_assert_int_eq(memcmp(expected, found, MEMORY * sizeof(*found)), 0);
    free(expected);
    free(found);
    finish(r);
}

static int precisions(void) {
    return 1 + evn_device_get_info(test_device())->has_fp64;
}

static bool is_cpu(void) {
    return evn_device_get_info(test_device())->type == EVN_DEVICE_CPU;
}

/// Work-items cooperate, and every kernel alone, of a CPU and of a GPU.
static void all_ways(void (*test)(bool cooperates)) {
    evn__quirks *quirks = &test_device()->quirks;
    bool known = quirks->groups_progress;
    test(known && is_cpu());
    quirks->groups_progress = false;
    test(false);
    quirks->groups_progress = known;
    evn_device_type own = test_act_as(EVN_DEVICE_GPU);
    test(false);
    test_act_as(own);
}

/// The weights of all runs in one launch, the states in another.
static void check_forward(bool cooperates) {
    for (int fp64 = 0; fp64 < precisions(); ++fp64) {
        runs r;
        evn_graph *g = step(false);
        start(&r, g, NULL, fp64);
        for (int run = 0; run < RUNS; ++run) {
            bind_step(&r, run, false);
        }
        check(&r, 0, 3, 1, cooperates ? 1 : 2);
        evn_graph_destroy(&g);
    }
}

START_TEST(steps_forward) {
    all_ways(check_forward);
}
END_TEST

static void check_backward(bool cooperates) {
    static const char *const late[] = {"x_bar", NULL};
    for (int fp64 = 0; fp64 < precisions(); ++fp64) {
        runs r;
        evn_graph *g = step(true);
        start(&r, g, late, fp64);
        for (int run = 0; run < RUNS; ++run) {
            bind_step(&r, run, true);
        }
        check(&r, 1, 4, 3, cooperates ? 1 : 2);
        evn_graph_destroy(&g);
    }
}

START_TEST(cotangents_backward) {
    all_ways(check_backward);
}
END_TEST

/// A run's weights depend on what the run before has left: no launch of one kernel can do several
/// runs.
static void check_needed(bool cooperates) {
    runs r;
    evn_graph *g = step(false);
    start(&r, g, NULL, false);
    for (int run = 0; run < RUNS; ++run) {
        bind_step(&r, run, false);
        bind(&r, r.inputs, 3, run, 1, (size_t)run * STATE); // t is an element of the state
    }
    check(&r, 0, 3, 1, cooperates ? 1 : 2 * RUNS);
    evn_graph_destroy(&g);
}

START_TEST(runs_that_need_each_other) {
    all_ways(check_needed);
}
END_TEST

/// Large products in every run.
static void check_one_sample(bool cooperates) {
    enum { WIDTH = 150, MATRIX = 8192 };
    for (int fp64 = 0; fp64 < precisions(); ++fp64) {
        runs r;
        evn_graph *g = NULL;
        TRY(evn_graph_create(&g));
        evn_value x = evn_input(g, "x", EVN_SHAPE(1, WIDTH));
        evn_value w = evn_input(g, "w", EVN_SHAPE(WIDTH, WIDTH));
        evn_value h = evn_tanh(g, evn_matmul(g, evn_sin(g, x), w, false, false));
        evn_value back = evn_matmul(g, h, w, false, true);
        evn_output(g, "next", evn_add(g, x, evn_scale(g, back, 0.1)));
        start(&r, g, NULL, fp64);
        for (int run = 0; run < RUNS; ++run) {
            bind(&r, r.inputs, 2, run, 0, (size_t)run * 160);
            bind(&r, r.inputs, 2, run, 1, MATRIX);
            bind(&r, r.outputs, 1, run, 0, (size_t)(run + 1) * 160);
        }
        check(&r, 0, 2, 1, cooperates ? 1 : is_cpu() ? 5 * RUNS : 0);
        evn_graph_destroy(&g);
    }
}

START_TEST(one_sample) {
    all_ways(check_one_sample);
}
END_TEST

/// A plan of kernels that know nothing of runs.
START_TEST(ordinary_plans) {
    runs r;
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "y", EVN_SHAPE(PARTS, 3));
    evn_output(g, "next", evn_tanh(g, x));
    start(&r, g, NULL, false);
    for (int run = 0; run < RUNS; ++run) {
        bind(&r, r.inputs, 1, run, 0, (size_t)run * STATE);
        bind(&r, r.outputs, 1, run, 0, (size_t)(run + 1) * STATE);
    }
    check(&r, 0, 1, 1, RUNS);
    evn_graph_destroy(&g);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("repeat");
    TCase *merged = tcase_create("merged");
    tcase_add_test(merged, steps_forward);
    tcase_add_test(merged, cotangents_backward);
    tcase_add_test(merged, one_sample);
    suite_add_tcase(s, merged);
    TCase *alone = tcase_create("alone");
    tcase_add_test(alone, runs_that_need_each_other);
    tcase_add_test(alone, ordinary_plans);
    suite_add_tcase(s, alone);
    return s;
}

int main(void) {
    return test_run(suite());
}
