// SPDX-License-Identifier: Apache-2.0
// Rows that are one graph: matrix product, convolution, normalisation.
#include "bench/rows.h"

#include "base/random.h"
#include "plan/real.h"
#include "ref/ref.h"
#include <math.h>
#include <stdlib.h>

// A graph as a job --------------------------------------------------------------------------------

typedef struct graph_job {
    evn_graph *graph;
    evn_plan *plan;
    evn_buffer *buffer;
    evn_binding *inputs, *outputs;
} graph_job;

/// Elements of a port: inputs, then outputs.
static size_t port_count(const graph_job *j, int port) {
    int inputs = evn_graph_input_count(j->graph);
    evn_value value =
        port < inputs ? evn_graph_input(j->graph, port) : evn_graph_output(j->graph, port - inputs);
    return (size_t)evn_shape_count(evn_value_shape(j->graph, value));
}

static evn_status run(void *user) {
    graph_job *j = user;
    return evn_plan_run(j->plan, j->inputs, j->outputs);
}

static evn_status read_inputs(void *user, evn__bench_tensors *tensors) {
    graph_job *j = user;
    for (int i = 0; i < evn_graph_input_count(j->graph); ++i) {
        EVN_TRY(evn__bench_tensors_read(tensors, evn_graph_input_name(j->graph, i),
                                        evn_value_shape(j->graph, evn_graph_input(j->graph, i)),
                                        j->inputs[i]));
    }
    return EVN_OK;
}

static evn_status read_outputs(void *user, evn__bench_tensors *tensors) {
    graph_job *j = user;
    for (int i = 0; i < evn_graph_output_count(j->graph); ++i) {
        EVN_TRY(evn__bench_tensors_read(tensors, evn_graph_output_name(j->graph, i),
                                        evn_value_shape(j->graph, evn_graph_output(j->graph, i)),
                                        j->outputs[i]));
    }
    return EVN_OK;
}

// Against the reference ---------------------------------------------------------------------------

/// The numbers of all ports on the host: inputs as they are on the device, outputs as the reference
/// has them; [ports] arrays, one after the other in *memory.
static evn_status run_reference(graph_job *j, double **ports, double **memory) {
    int inputs = evn_graph_input_count(j->graph), outputs = evn_graph_output_count(j->graph);
    size_t total = 0;
    for (int i = 0; i < inputs + outputs; ++i) {
        total += port_count(j, i);
    }
    EVN_TRY(EVN_NEW(memory, total));
    double *next = *memory;
    for (int i = 0; i < inputs + outputs; ++i) {
        ports[i] = next;
        next += port_count(j, i);
    }
    for (int i = 0; i < inputs; ++i) {
        EVN_TRY(evn__real_read(j->inputs[i], false, ports[i], port_count(j, i)));
    }
    return evn__ref_run(j->graph, (const double *const *)ports, ports + inputs);
}

static evn_status compare_port(graph_job *j, int port, const double *expected, double *worst) {
    double *got = NULL;
    EVN_TRY(EVN_NEW(&got, port_count(j, port)));
    evn_status status = evn__real_read(j->inputs[port], false, got, port_count(j, port));
    if (status == EVN_OK) {
        *worst = fmax(*worst, evn__ref_difference(got, expected, port_count(j, port)));
    }
    free(got);
    return status;
}

static evn_status check(void *user, double *difference) {
    graph_job *j = user;
    int inputs = evn_graph_input_count(j->graph);
    int all = inputs + evn_graph_output_count(j->graph);
    double *memory = NULL, **ports = NULL;
    *difference = 0;
    EVN_TRY(EVN_NEW(&ports, all));
    evn_status status = run_reference(j, ports, &memory);
    for (int i = inputs; i < all && status == EVN_OK; ++i) {
        status = compare_port(j, i, ports[i], difference);
    }
    free(memory);
    free(ports);
    return status;
}

static void destroy(void *user) {
    graph_job *j = user;
    evn_plan_destroy(&j->plan);
    evn_buffer_destroy(&j->buffer);
    evn_graph_destroy(&j->graph);
    free(j->inputs);
    free(j);
}

/// Room for every port in one buffer, each at a cache line; *total elements.
static evn_status place(graph_job *j, size_t *total) {
    int inputs = evn_graph_input_count(j->graph), outputs = evn_graph_output_count(j->graph);
    EVN_TRY(EVN_NEW(&j->inputs, inputs + outputs));
    j->outputs = j->inputs + inputs;
    *total = 0;
    for (int i = 0; i < inputs + outputs; ++i) {
        j->inputs[i].offset = *total;
        *total += (port_count(j, i) + 15) / 16 * 16;
    }
    return EVN_OK;
}

static evn_status fill(graph_job *j, size_t total) {
    double *numbers = NULL;
    EVN_TRY(EVN_NEW(&numbers, total));
    for (size_t i = 0; i < total; ++i) {
        numbers[i] = evn__random_normal(1, 0, i);
    }
    evn_status status = evn__real_write((evn_binding){j->buffer, 0}, false, numbers, total);
    free(numbers);
    return status;
}

/// Takes over the graph, also on failure.
static evn_status prepare(evn_device *device, evn_graph *graph, evn__bench_job *job) {
    graph_job *j = NULL;
    evn_status status = EVN_NEW(&j, 1);
    if (status != EVN_OK) {
        evn_graph_destroy(&graph);
        return status;
    }
    j->graph = graph;
    job->user = j;
    job->work = run;
    job->inputs = read_inputs;
    job->outputs = read_outputs;
    job->check = check;
    job->tolerance = 1e-5; // as in the self-test
    job->destroy = destroy;
    size_t total;
    EVN_TRY(evn_graph_status(graph));
    EVN_TRY(place(j, &total));
    EVN_TRY(evn_plan_create(device, graph, NULL, &j->plan));
    EVN_TRY(evn__real_create(device, false, total, &j->buffer));
    for (int i = 0; i < evn_graph_input_count(graph) + evn_graph_output_count(graph); ++i) {
        j->inputs[i].buffer = j->buffer;
    }
    return fill(j, total);
}

// Rows --------------------------------------------------------------------------------------------

evn_status evn__bench_matmul(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_matmul_options *o = options;
    evn_graph *g = NULL;
    EVN_TRY(evn_graph_create(&g));
    evn_value a = evn_input(g, "a", EVN_SHAPE(o->m, o->k));
    evn_value b = evn_input(g, "b", EVN_SHAPE(o->k, o->n));
    evn_output(g, "c", evn_matmul(g, a, b, false, false));
    job->flops = 2.0 * (double)(o->m * o->n * o->k);
    job->bytes = 4.0 * (double)(o->m * o->k + o->k * o->n + o->m * o->n);
    return prepare(device, g, job);
}

enum { BATCH = 128, SIDE = 6, CHANNELS = 64, GROUPS = 32 };
enum { IMAGE = BATCH * SIDE * SIDE * CHANNELS };

/// Pairs of pixel and tap along an axis that lie in the image. The others need no arithmetic.
static int64_t taps_inside(const evn__bench_conv2d_options *o, int64_t outputs) {
    int64_t pairs = 0;
    for (int64_t i = 0; i < outputs * o->kernel; ++i) {
        int64_t pixel = i / o->kernel * o->stride + i % o->kernel - 1;
        pairs += pixel >= 0 && pixel < o->side;
    }
    return pairs;
}

evn_status evn__bench_conv2d(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_conv2d_options *o = options;
    evn_conv2d_options conv2d = {.stride = o->stride, .padding = 1};
    int64_t outputs = (o->side + 2 - o->kernel) / o->stride + 1;
    evn_shape from = EVN_SHAPE(BATCH, o->side, o->side, CHANNELS);
    evn_shape to = EVN_SHAPE(BATCH, outputs, outputs, CHANNELS);
    evn_shape kernel = EVN_SHAPE(o->kernel, o->kernel, CHANNELS, CHANNELS);
    bool any_grad = o->input_grad || o->weight_grad;
    evn_graph *g = NULL;
    EVN_TRY(evn_graph_create(&g));
    evn_value x = o->forward || o->weight_grad ? evn_input(g, "x", from) : EVN_NONE;
    evn_value w = o->forward || o->input_grad ? evn_input(g, "w", kernel) : EVN_NONE;
    evn_value y_bar = any_grad ? evn_input(g, "y_bar", to) : EVN_NONE;
    if (o->forward) {
        evn_output(g, "y", evn_conv2d(g, x, w, conv2d));
    }
    if (o->input_grad) {
        evn_output(g, "x_bar", evn_conv2d_input_grad(g, y_bar, w, from, conv2d));
    }
    if (o->weight_grad) {
        evn_output(g, "w_bar", evn_conv2d_weight_grad(g, x, y_bar, kernel, conv2d));
    }
    int convolutions = o->forward + o->input_grad + o->weight_grad;
    double pairs = (double)(taps_inside(o, outputs) * taps_inside(o, outputs));
    double reals = (double)(evn_shape_count(from) + evn_shape_count(to) + evn_shape_count(kernel));
    job->flops = convolutions * 2.0 * BATCH * CHANNELS * CHANNELS * pairs;
    job->bytes = convolutions * 4.0 * reals;
    return prepare(device, g, job);
}

evn_status evn__bench_norm(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_norm_options *o = options;
    evn_graph *g = NULL, *back = NULL;
    EVN_TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(BATCH, SIDE, SIDE, CHANNELS));
    evn_value scale = evn_input(g, "scale", EVN_SHAPE(CHANNELS));
    evn_value shift = evn_input(g, "shift", EVN_SHAPE(CHANNELS));
    evn_value unit = evn_normalize(g, x, GROUPS, 1e-5);
    evn_output(g, "y", evn_relu(g, evn_add(g, evn_mul(g, unit, scale), shift)));
    job->bytes = 4.0 * (o->vjp ? 4 : 2) * IMAGE;
    if (!o->vjp) {
        return prepare(device, g, job);
    }
    evn_status status = evn_vjp(g, NULL, &back);
    evn_graph_destroy(&g);
    return status == EVN_OK ? prepare(device, back, job) : status;
}
