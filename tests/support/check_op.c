// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

#include "host/guard.h"
#include "tune/trial.h"
#include <math.h>

void fill_uniform(uint64_t seed, double *data, int64_t count) {
    test_uniform(seed, -1, 1, data, count);
}

void fill_far(uint64_t seed, double *data, int64_t count) {
    test_uniform(seed, 100, 101, data, count);
}

void fill_ties(uint64_t seed, double *data, int64_t count) {
    test_uniform(seed, -1.5, 1.5, data, count);
    for (int64_t i = 0; i < count; ++i) {
        data[i] = round(data[i]);
    }
}

void fill_with_nan(uint64_t seed, double *data, int64_t count) {
    fill_uniform(seed, data, count);
    for (int64_t i = (int64_t)(seed % 13); i < count; i += 13) {
        data[i] = NAN;
    }
}

static void check_precision(const evn_graph *graph, fill_input *fill, bool fp64, double tolerance) {
    evn__trial *trial = NULL;
    evn_plan *plan = NULL;
    double error, allowed = fp64 ? 1e-12 : tolerance;
    TRY(evn__trial_create(test_device(), graph, fp64, fill, &trial));
    TRY(evn__trial_plan(trial, &plan));
    TRY(evn__trial_check(trial, plan, &error));
    ck_assert_msg(error <= allowed, "%s: differs by %g", fp64 ? "fp64" : "fp32", error);
    evn_plan_destroy(&plan);
    evn__trial_destroy(&trial);
}

static void check_variant(const evn_graph *graph, fill_input *fill, double tolerance,
                          evn_device_type type) {
    evn_device_type own = test_act_as(type);
    check_precision(graph, fill, false, tolerance);
    if (evn_device_get_info(test_device())->has_fp64) {
        check_precision(graph, fill, true, tolerance);
    }
    test_act_as(own);
}

void check_op(evn_graph *graph, fill_input *fill, double tolerance) {
    TRY(evn_graph_status(graph));
    uint64_t damaged = evn__device_guard_failures(test_device());
    evn_device_type own = evn_device_get_info(test_device())->type;
    evn__device_guard(test_device(), true);
    check_variant(graph, fill, tolerance, own);
    check_variant(graph, fill, tolerance, own == EVN_DEVICE_CPU ? EVN_DEVICE_GPU : EVN_DEVICE_CPU);
    evn__device_guard(test_device(), false);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), damaged);
}

evn_graph *graph_with_input(evn_shape shape, evn_value *x) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    *x = evn_input(graph, "x", shape);
    return graph;
}

void check_value(evn_graph *graph, evn_value value, fill_input *fill) {
    evn_output(graph, "y", value);
    check_op(graph, fill, 1e-5);
    evn_graph_destroy(&graph);
}
