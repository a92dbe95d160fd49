// SPDX-License-Identifier: Apache-2.0
#include "run_exact.h"

#include "derivative.h"
#include "plan/plan.h"
#include "plan/real.h"
#include <stdlib.h>

/// A buffer for each value and each scratch of the plan, made when a launch first names it.
typedef struct memory {
    const evn_plan *plan;
    evn_buffer **values, **scratch;
} memory;

static memory memory_new(const evn_plan *plan) {
    memory m = {.plan = plan};
    m.values = calloc((size_t)plan->graph->node_count, sizeof(*m.values));
    m.scratch = calloc((size_t)plan->launches.scratch_count + 1, sizeof(*m.scratch));
    ck_assert(m.values && m.scratch);
    return m;
}

static void memory_free(memory *m) {
    for (int i = 0; i < m->plan->graph->node_count; ++i) {
        evn_buffer_destroy(&m->values[i]);
    }
    for (int i = 0; i < m->plan->launches.scratch_count; ++i) {
        evn_buffer_destroy(&m->scratch[i]);
    }
    free(m->values);
    free(m->scratch);
}

static size_t count_of(const evn_plan *plan, evn_value value) {
    return (size_t)evn_shape_count(evn_value_shape(plan->graph, value));
}

static evn_buffer *value_buffer(memory *m, evn_value value) {
    const evn_plan *plan = m->plan;
    const evn__node *node = evn__node_at(plan->graph, value);
    evn_buffer **buffer = &m->values[value];
    if (!*buffer) {
        size_t count = count_of(plan, value);
        TRY(evn__real_create(plan->in.device, plan->in.fp64, count, buffer));
        if (node->op == EVN__OP_TABLE) {
            TRY(evn__real_write((evn_binding){*buffer, 0}, plan->in.fp64, node->attributes.table,
                                count));
        }
    }
    return *buffer;
}

static evn_buffer *scratch_buffer(memory *m, int scratch) {
    if (!m->scratch[scratch]) {
        size_t count = (size_t)m->plan->launches.scratch[scratch];
        TRY(evn__real_create(m->plan->in.device, m->plan->in.fp64, count, &m->scratch[scratch]));
    }
    return m->scratch[scratch];
}

static evn__argument argument_of(memory *m, const evn__slot *slot) {
    switch (slot->kind) {
    case EVN__OPERAND_INT:
        return (evn__argument){.kind = EVN__ARGUMENT_INT, .integer = slot->integer};
    case EVN__OPERAND_REAL:
        return (evn__argument){.kind = EVN__ARGUMENT_REAL, .real = slot->real};
    case EVN__OPERAND_SCRATCH:
        return (evn__argument){.kind = EVN__ARGUMENT_BUFFER,
                               .buffer = scratch_buffer(m, slot->scratch)};
    default:
        return (evn__argument){.kind = EVN__ARGUMENT_BUFFER,
                               .buffer = value_buffer(m, slot->value)};
    }
}

static void run_launches(memory *m) {
    for (int i = 0; i < m->plan->launches.count; ++i) {
        const evn__launch *launch = &m->plan->launches.rows[i];
        evn__argument arguments[EVN__OPERAND_CAPACITY];
        for (int k = 0; k < launch->slot_count; ++k) {
            arguments[k] = argument_of(m, &m->plan->launches.slots[launch->first_slot + k]);
        }
        TRY(evn__kernel_launch(m->plan->kernels[i], arguments, launch->slot_count, launch->range));
    }
}

static void load(memory *m, double *const *inputs) {
    for (int i = 0; i < evn_graph_input_count(m->plan->graph); ++i) {
        evn_value value = evn_graph_input(m->plan->graph, i);
        TRY(evn__real_write((evn_binding){value_buffer(m, value), 0}, m->plan->in.fp64, inputs[i],
                            count_of(m->plan, value)));
    }
}

static void compare(memory *m, int output, const double *expected) {
    evn_value value = evn__strip(m->plan->graph, evn_graph_output(m->plan->graph, output));
    size_t count = count_of(m->plan, value);
    double *got = calloc(count, sizeof(*got));
    TRY(evn__real_read((evn_binding){value_buffer(m, value), 0}, m->plan->in.fp64, got, count));
    double difference = test_difference(got, expected, (int64_t)count);
    ck_assert_msg(difference <= (m->plan->in.fp64 ? 1e-12 : 1e-5), "output %s (%s) differs by %g",
                  evn_graph_output_name(m->plan->graph, output), m->plan->in.fp64 ? "fp64" : "fp32",
                  difference);
    free(got);
}

typedef struct expectation {
    const evn_graph *graph;
    values inputs, outputs;
} expectation;

static void run_and_compare(bool fp64, const void *context) {
    const expectation *e = context;
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), e->graph,
                        &(evn_plan_options){.fp64 = fp64, .all_epilogues = true}, &plan));
    memory m = memory_new(plan);
    load(&m, e->inputs.data);
    run_launches(&m);
    for (int i = 0; i < e->outputs.count; ++i) {
        compare(&m, i, e->outputs.data[i]);
    }
    memory_free(&m);
    evn_plan_destroy(&plan);
}

void for_each_variant(void (*body)(bool fp64, const void *context), const void *context) {
    evn_device_type own = test_act_as(EVN_DEVICE_CPU);
    for (int i = 0; i < 2; ++i) {
        test_act_as(i == 0 ? EVN_DEVICE_CPU : EVN_DEVICE_GPU);
        body(false, context);
        if (evn_device_get_info(test_device())->has_fp64) {
            body(true, context);
        }
    }
    test_act_as(own);
}

/// What fp32 sees: the reference must start from the same numbers.
static void round_to_float(const evn_graph *graph, const values *inputs) {
    for (int i = 0; i < inputs->count; ++i) {
        int64_t count = evn_shape_count(evn_value_shape(graph, evn_graph_input(graph, i)));
        for (int64_t k = 0; k < count; ++k) {
            inputs->data[i][k] = (float)inputs->data[i][k];
        }
    }
}

void check_exact(evn_graph *graph) {
    TRY(evn_graph_status(graph));
    expectation e = {.graph = graph, .inputs = values_like_inputs(graph, 1, -1, 1)};
    round_to_float(graph, &e.inputs);
    e.outputs = values_run(graph, &e.inputs);
    for_each_variant(run_and_compare, &e);
    values_free(&e.inputs);
    values_free(&e.outputs);
    evn_graph_destroy(&graph);
}
