// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

#include "evonode/plan.h"
#include "host/guard.h"
#include "plan/real.h"
#include "ref/ref.h"
#include <math.h>
#include <stdlib.h>

enum { OFFSET = 3, MOST_PORTS = 16 };

typedef struct port {
    double *data; ///< [count], as rounded to the working precision
    evn_binding binding;
    int64_t count;
} port;

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

static port open_port(evn_shape shape, bool fp64) {
    port p = {.count = evn_shape_count(shape), .binding.offset = OFFSET};
    p.data = calloc((size_t)p.count, sizeof(double));
    TRY(evn__real_create(test_device(), fp64, OFFSET + (size_t)p.count, &p.binding.buffer));
    return p;
}

static void close_port(port *p) {
    TRY(evn__buffer_check_guard(p->binding.buffer));
    evn_buffer_destroy(&p->binding.buffer);
    free(p->data);
}

static port open_input(const evn_graph *graph, int index, bool fp64, fill_input *fill) {
    port p = open_port(evn_value_shape(graph, evn_graph_input(graph, index)), fp64);
    fill((uint64_t)index + 1, p.data, p.count);
    for (int64_t i = 0; i < p.count; ++i) {
        p.data[i] = fp64 ? p.data[i] : (float)p.data[i];
    }
    TRY(evn__real_write(p.binding, fp64, p.data, (size_t)p.count));
    return p;
}

static void compare(const port *output, const double *expected, bool fp64, double tolerance) {
    double *got = calloc((size_t)output->count, sizeof(double));
    TRY(evn__real_read(output->binding, fp64, got, (size_t)output->count));
    double worst = 0, scale = 1;
    for (int64_t i = 0; i < output->count; ++i) {
        ck_assert_msg(isnan(got[i]) == isnan(expected[i]), "element %lld is %g instead of %g",
                      (long long)i, got[i], expected[i]);
        worst = fmax(worst, fabs(got[i] - expected[i])); // fmax passes over NaN
        scale = fmax(scale, fabs(expected[i]));
    }
    double allowed = fp64 ? 1e-12 : tolerance;
    ck_assert_msg(worst <= allowed * scale, "%s: differs by %g of %g", fp64 ? "fp64" : "fp32",
                  worst, scale);
    free(got);
}

static void check_precision(const evn_graph *graph, fill_input *fill, bool fp64, double tolerance) {
    int inputs = evn_graph_inputs(graph), outputs = evn_graph_outputs(graph);
    port ports[MOST_PORTS];
    evn_binding bindings[MOST_PORTS];
    double *data[MOST_PORTS];
    ck_assert_int_le(inputs + outputs, MOST_PORTS);
    for (int i = 0; i < inputs + outputs; ++i) {
        ports[i] =
            i < inputs
                ? open_input(graph, i, fp64, fill)
                : open_port(evn_value_shape(graph, evn_graph_output(graph, i - inputs)), fp64);
        bindings[i] = ports[i].binding;
        data[i] = ports[i].data;
    }
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), graph, &(evn_plan_options){.fp64 = fp64}, &plan));
    TRY(evn_plan_run(plan, bindings, bindings + inputs));
    TRY(evn__ref_run(graph, (const double *const *)data, data + inputs));
    for (int i = inputs; i < inputs + outputs; ++i) {
        compare(&ports[i], ports[i].data, fp64, tolerance);
    }
    evn_plan_destroy(&plan);
    for (int i = 0; i < inputs + outputs; ++i) {
        close_port(&ports[i]);
    }
}

static void check_variant(const evn_graph *graph, fill_input *fill, double tolerance,
                          evn_device_type type) {
    // The device is ours; only the view that others get of it is constant.
    evn_device_info *info = (evn_device_info *)evn_device_get_info(test_device());
    evn_device_type own = info->type;
    info->type = type;
    check_precision(graph, fill, false, tolerance);
    if (info->has_fp64) {
        check_precision(graph, fill, true, tolerance);
    }
    info->type = own;
}

void check_op(evn_graph *graph, fill_input *fill, double tolerance) {
    TRY(evn_graph_status(graph));
    uint64_t damaged = evn__device_guard_failures(test_device());
    evn_device_type own = evn_device_get_info(test_device())->type;
    evn__device_guard(test_device(), true);
    check_variant(graph, fill, tolerance, own);
    check_variant(graph, fill, tolerance, own == EVN_DEVICE_CPU ? EVN_DEVICE_GPU : EVN_DEVICE_CPU);
    evn__device_guard(test_device(), false);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), damaged); // the plan's own memory
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
