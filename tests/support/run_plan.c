// SPDX-License-Identifier: Apache-2.0
#include "run_plan.h"

#include "derivative.h"
#include "host/runtime.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

/// Ports of a graph bound to one buffer, one after the other.
typedef struct ports {
    evn_buffer *buffer;
    evn_binding *inputs, *outputs;
} ports;

static size_t port_count(const evn_graph *graph, bool output, int i) {
    evn_value value = output ? evn_graph_output(graph, i) : evn_graph_input(graph, i);
    return (size_t)evn_shape_count(evn_value_shape(graph, value));
}

static void bind(const evn_graph *graph, bool fp64, ports *p) {
    int inputs = evn_graph_input_count(graph), outputs = evn_graph_output_count(graph);
    p->inputs = calloc((size_t)(inputs + outputs) + 1, sizeof(evn_binding));
    p->outputs = p->inputs + inputs;
    size_t total = 0;
    for (int i = 0; i < inputs + outputs; ++i) {
        p->inputs[i].offset = total;
        total += port_count(graph, i >= inputs, i < inputs ? i : i - inputs) + 3; // odd offsets
    }
    TRY(evn__real_create(test_device(), fp64, total, &p->buffer));
    for (int i = 0; i < inputs + outputs; ++i) {
        p->inputs[i].buffer = p->buffer;
    }
}

static void unbind(ports *p) {
    evn_buffer_destroy(&p->buffer);
    free(p->inputs);
}

static void load(const evn_graph *graph, bool fp64, const ports *p, double *const *inputs) {
    for (int i = 0; i < evn_graph_input_count(graph); ++i) {
        TRY(evn__real_write(p->inputs[i], fp64, inputs[i], port_count(graph, false, i)));
    }
}

static void unload(const evn_graph *graph, bool fp64, const ports *p, double *const *outputs) {
    for (int i = 0; i < evn_graph_output_count(graph); ++i) {
        TRY(evn__real_read(p->outputs[i], fp64, outputs[i], port_count(graph, true, i)));
    }
}

static void run_both_phases(evn_plan *plan, bool fp64, const ports *p) {
    evn_buffer *saved = NULL;
    TRY(evn__real_create(test_device(), fp64, evn_plan_saved_element_count(plan) + 5, &saved));
    evn_binding at = {saved, 5};
    TRY(evn_plan_run_phase(plan, 0, p->inputs, p->outputs, &at));
    TRY(evn_plan_run_phase(plan, 1, p->inputs, p->outputs, &at));
    TRY(evn_device_finish(test_device()));
    evn_buffer_destroy(&saved);
}

void run_plan(const evn_graph *graph, const evn_plan_options *options, double *const *inputs,
              double *const *outputs) {
    bool fp64 = options && options->fp64;
    evn_plan *plan = NULL;
    ports p = {0};
    TRY(evn_graph_status(graph));
    TRY(evn_plan_create(test_device(), graph, options, &plan));
    bind(graph, fp64, &p);
    load(graph, fp64, &p, inputs);
    if (options && options->late_inputs) {
        run_both_phases(plan, fp64, &p);
    } else {
        TRY(evn_plan_run(plan, p.inputs, p.outputs));
    }
    unload(graph, fp64, &p, outputs);
    unbind(&p);
    evn_plan_destroy(&plan);
}

static void compare(const evn_graph *graph, const evn_plan_options *options, const values *inputs,
                    const values *expected) {
    values got = values_run(graph, inputs); // for its memory
    double tolerance = options->fp64 ? 1e-12 : 1e-5;
    run_plan(graph, options, inputs->data, got.data);
    for (int i = 0; i < got.count; ++i) {
        double difference =
            test_difference(got.data[i], expected->data[i], (int64_t)port_count(graph, true, i));
        ck_assert_msg(difference <= tolerance, "output %s (%s, %s) differs by %g",
                      evn_graph_output_name(graph, i), options->fp64 ? "fp64" : "fp32",
                      options->no_fuse ? "single" : "fused", difference);
    }
    values_free(&got);
}

/// What fp32 sees: the reference must start from the same numbers.
static void round_to_float(const evn_graph *graph, values *inputs) {
    for (int i = 0; i < inputs->count; ++i) {
        for (size_t k = 0; k < port_count(graph, false, i); ++k) {
            inputs->data[i][k] = (float)inputs->data[i][k];
        }
    }
}

void check_plan(const evn_graph *graph, uint64_t seed, double low, double high) {
    TRY(evn_graph_status(graph));
    values inputs = values_like_inputs(graph, seed, low, high);
    round_to_float(graph, &inputs);
    values expected = values_run(graph, &inputs);
    for (int variant = 0; variant < 4; ++variant) {
        evn_plan_options options = {
            .fp64 = variant & 1, .no_fuse = variant & 2, .all_epilogues = true};
        if (!options.fp64 || evn_device_get_info(test_device())->has_fp64) {
            compare(graph, &options, &inputs, &expected);
        }
    }
    values_free(&inputs);
    values_free(&expected);
}

void check_plan_as_both(const evn_graph *graph, uint64_t seed, double low, double high) {
    evn_device_type own = test_act_as(EVN_DEVICE_CPU);
    check_plan(graph, seed, low, high);
    test_act_as(EVN_DEVICE_GPU);
    check_plan(graph, seed, low, high);
    test_act_as(own);
}

void check_plan_with_soft_fma(const evn_graph *graph, uint64_t seed) {
    static const evn_device_type types[] = {EVN_DEVICE_CPU, EVN_DEVICE_GPU};
    evn_device_type own = evn_device_get_info(test_device())->type;
    test_device()->info.soft_fma = true;
    for (int i = 0; i < 2; ++i) {
        test_act_as(types[i]);
        check_options(graph, &(evn_plan_options){0}, seed);
    }
    test_act_as(own);
}

void check_phases(const evn_graph *graph, const char *const *late, uint64_t seed) {
    check_options(graph, &(evn_plan_options){.late_inputs = late, .all_epilogues = true}, seed);
}

void check_options(const evn_graph *graph, const evn_plan_options *options, uint64_t seed) {
    values inputs = values_like_inputs(graph, seed, -1, 1);
    round_to_float(graph, &inputs);
    values expected = values_run(graph, &inputs);
    compare(graph, options, &inputs, &expected);
    values_free(&inputs);
    values_free(&expected);
}
