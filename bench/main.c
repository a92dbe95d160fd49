// SPDX-License-Identifier: Apache-2.0
// Kernels and training steps against the limits of the device, measured in the same run:
//     build/evonode-bench [FILE.json]
// Rows show the median of nine samples with its quartiles; a fraction of the limit is that of the
// larger of arithmetic and memory traffic.
#include "bench.h"

#include "base/memory.h"
#include "plan/real.h"
#include "train/classifier.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// A graph as work ---------------------------------------------------------------------------------

typedef struct graph_work {
    evn_plan *plan;
    evn_buffer *buffer;
    evn_binding *inputs, *outputs;
} graph_work;

static evn_status run_graph(void *user) {
    graph_work *w = user;
    return evn_plan_run(w->plan, w->inputs, w->outputs);
}

static size_t place(const evn_graph *graph, evn_value value, size_t at, evn_binding *binding) {
    *binding = (evn_binding){NULL, at};
    return at + ((size_t)evn_shape_count(evn_value_shape(graph, value)) + 15) / 16 * 16;
}

static evn_status prepare(evn_device *device, const evn_graph *graph, graph_work *w) {
    int inputs = evn_graph_inputs(graph), outputs = evn_graph_outputs(graph);
    size_t total = 0;
    EVN_TRY(evn_plan_create(device, graph, NULL, &w->plan));
    EVN_TRY(EVN_NEW(&w->inputs, inputs + outputs));
    w->outputs = w->inputs + inputs;
    for (int i = 0; i < inputs; ++i) {
        total = place(graph, evn_graph_input(graph, i), total, &w->inputs[i]);
    }
    for (int i = 0; i < outputs; ++i) {
        total = place(graph, evn_graph_output(graph, i), total, &w->outputs[i]);
    }
    EVN_TRY(evn__real_create(device, false, total, &w->buffer));
    for (int i = 0; i < inputs + outputs; ++i) {
        w->inputs[i].buffer = w->buffer;
    }
    float *numbers = NULL; // neither zeros nor denormals, which would be another speed
    EVN_TRY(EVN_NEW(&numbers, total));
    for (size_t i = 0; i < total; ++i) {
        numbers[i] = 0.5f + 0.25f * sinf((float)i);
    }
    evn_status status = evn_buffer_write(w->buffer, 0, total * sizeof(float), numbers);
    free(numbers);
    return status;
}

static evn_status measure_graph(evn_device *device, evn_graph *graph, bench_row *row) {
    graph_work work = {0};
    evn_status status = evn_graph_status(graph);
    if (status == EVN_OK) {
        status = prepare(device, graph, &work);
    }
    if (status == EVN_OK) {
        status = bench_measure(device, run_graph, &work, &row->time);
    }
    evn_plan_destroy(&work.plan);
    evn_buffer_destroy(&work.buffer);
    free(work.inputs);
    evn_graph_destroy(&graph);
    return status;
}

// Kernel rows -------------------------------------------------------------------------------------

static evn_graph *new_graph(void) {
    evn_graph *graph = NULL;
    return evn_graph_create(&graph) == EVN_OK ? graph : NULL;
}

static evn_status measure_matmul(evn_device *device, const char *name, int64_t m, int64_t n,
                                 int64_t k, bench_row *row) {
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", EVN_SHAPE(m, k)), b = evn_input(g, "b", EVN_SHAPE(k, n));
    evn_output(g, "c", evn_matmul(g, a, b, false, false));
    *row = (bench_row){.name = name,
                       .flops = 2.0 * (double)(m * n * k),
                       .bytes = 4.0 * (double)(m * k + k * n + m * n)};
    return measure_graph(device, g, row);
}

enum { FORWARD, INPUT_GRAD, WEIGHT_GRAD };
// Pairs of pixel and tap that lie in the image: 6 · 3 − 2 an axis. The others need no arithmetic.
enum { TAPS_INSIDE = 16 * 16 };

/// x [128, 6, 6, 64], w [3, 3, 64, 64]: the convolution of the ODE block on MNIST.
static evn_status measure_conv(evn_device *device, const char *name, int direction,
                               bench_row *row) {
    evn_conv2d_options same = {1, 1};
    evn_shape image = EVN_SHAPE(128, 6, 6, 64), kernel = EVN_SHAPE(3, 3, 64, 64);
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", image);
    evn_value b = evn_input(g, "b", direction == WEIGHT_GRAD ? image : kernel);
    evn_value y = direction == FORWARD      ? evn_conv2d(g, a, b, same)
                  : direction == INPUT_GRAD ? evn_conv2d_input_grad(g, a, b, image, same)
                                            : evn_conv2d_weight_grad(g, a, b, kernel, same);
    evn_output(g, "y", y);
    *row = (bench_row){.name = name,
                       .flops = 2.0 * 128 * 64 * 64 * TAPS_INSIDE,
                       .bytes = 4.0 * (2.0 * 128 * 36 * 64 + 9 * 64 * 64)};
    return measure_graph(device, g, row);
}

static evn_status measure_norm(evn_device *device, const char *name, bool vjp, bench_row *row) {
    evn_graph *g = new_graph(), *back = NULL;
    evn_value x = evn_input(g, "x", EVN_SHAPE(128, 6, 6, 64));
    evn_value scale = evn_input(g, "scale", EVN_SHAPE(64));
    evn_value shift = evn_input(g, "shift", EVN_SHAPE(64));
    evn_value unit = evn_normalize(g, x, 32, 1e-5);
    evn_output(g, "y", evn_relu(g, evn_add(g, evn_mul(g, unit, scale), shift)));
    *row = (bench_row){.name = name, .bytes = 4.0 * (vjp ? 4 : 2) * 128 * 36 * 64};
    if (!vjp) {
        return measure_graph(device, g, row);
    }
    evn_status status = evn_vjp(g, NULL, &back);
    evn_graph_destroy(&g);
    return status == EVN_OK ? measure_graph(device, back, row) : status;
}

// Training rows -----------------------------------------------------------------------------------

static evn_status run_step(void *user) {
    evn_solution forward, backward;
    return evn__classifier_gradient(user, 0, &forward, &backward);
}

static evn_status load_noise(evn__classifier *classifier, const evn_model_options *o) {
    size_t pixels = (size_t)(o->batch * o->height * o->width * o->channels);
    size_t labels = (size_t)o->batch * (size_t)o->classes;
    float *images = NULL;
    EVN_TRY(EVN_NEW(&images, pixels + labels + (size_t)o->batch));
    float *one_hot = images + pixels, *weights = one_hot + labels;
    for (size_t i = 0; i < pixels; ++i) {
        images[i] = 0.5f + 0.5f * sinf((float)i);
    }
    for (int64_t i = 0; i < o->batch; ++i) {
        one_hot[i * o->classes + i % o->classes] = 1;
        weights[i] = 1;
    }
    evn_status status = evn__classifier_load(classifier, images, one_hot, weights);
    free(images);
    return status;
}

/// Forward and gradient of one batch of the MNIST model, without the optimiser.
static evn_status measure_step(evn_device *device, const char *name, evn_model_kind kind,
                               bool adjoint, bench_row *row) {
    evn_model_options options = evn_model_options_default(28, 28, 1, 10);
    evn_solver_options solver = evn_solver_options_default();
    evn_model *model = NULL;
    evn__classifier *classifier = NULL;
    options.kind = kind;
    solver.gradient = adjoint ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    solver.method = adjoint ? "dopri5" : "euler";
    solver.steps = adjoint ? 0 : 10;
    *row = (bench_row){.name = name};
    evn_status status = evn_model_create(&options, &model);
    if (status == EVN_OK) {
        status = evn_parameters_allocate(evn_model_parameters(model), device, false, 1);
    }
    if (status == EVN_OK) {
        status = evn__classifier_create(device, model, &solver, &classifier);
    }
    if (status == EVN_OK) {
        status = load_noise(classifier, &options);
    }
    if (status == EVN_OK) {
        status = bench_measure(device, run_step, classifier, &row->time);
    }
    evn__classifier_destroy(&classifier);
    evn_model_destroy(&model);
    return status;
}

static evn_status measure_all(evn_device *device, bench_row *rows, int *count) {
    bench_row *r = rows;
    EVN_TRY(measure_matmul(device, "matmul 1024 x 1024 x 1024", 1024, 1024, 1024, r++));
    EVN_TRY(measure_matmul(device, "matmul 4608 x 64 x 576", 4608, 64, 576, r++));
    EVN_TRY(measure_matmul(device, "matmul 128 x 1000 x 1000", 128, 1000, 1000, r++));
    EVN_TRY(measure_conv(device, "conv2d 128x6x6, 64-64, 3x3", FORWARD, r++));
    EVN_TRY(measure_conv(device, "conv2d input gradient", INPUT_GRAD, r++));
    EVN_TRY(measure_conv(device, "conv2d weight gradient", WEIGHT_GRAD, r++));
    EVN_TRY(measure_norm(device, "GroupNorm + ReLU 128x6x6x64", false, r++));
    EVN_TRY(measure_norm(device, "GroupNorm + ReLU with vjp", true, r++));
    EVN_TRY(
        measure_step(device, "MNIST step, NODE, Euler 10, backprop", EVN_MODEL_NODE, false, r++));
    EVN_TRY(measure_step(device, "MNIST step, NODE-EW, Euler 10, backprop", EVN_MODEL_NODE_EW,
                         false, r++));
    EVN_TRY(measure_step(device, "MNIST step, NODE, dopri5, adjoint", EVN_MODEL_NODE, true, r++));
    *count = (int)(r - rows);
    return EVN_OK;
}

// Output ------------------------------------------------------------------------------------------

/// The larger share of the two limits; NaN where neither applies.
static double fraction(const bench_row *row, const bench_limits *limits) {
    double arithmetic = row->flops / row->time.median / limits->flops;
    double memory = row->bytes / row->time.median / limits->bytes;
    double most = arithmetic > memory ? arithmetic : memory;
    return most > 0 ? most : NAN;
}

static void print_rows(const bench_row *rows, int count, const bench_limits *limits) {
    printf("limits: %.1f GF/s multiply-add, %.1f GB/s triad\n\n", limits->flops * 1e-9,
           limits->bytes * 1e-9);
    printf("%-42s %10s %17s %8s %9s %9s\n", "row", "median ms", "quartiles", "GF/s", "of limit",
           "launches");
    for (int i = 0; i < count; ++i) {
        const bench_row *r = &rows[i];
        char rate[16] = "", share[16] = "";
        if (r->flops > 0) {
            snprintf(rate, sizeof(rate), "%.1f", r->flops / r->time.median * 1e-9);
        }
        if (r->flops > 0 || r->bytes > 0) {
            snprintf(share, sizeof(share), "%.0f %%", 100 * fraction(r, limits));
        }
        printf("%-42s %10.3f %8.3f-%8.3f %8s %9s %9.0f\n", r->name, 1e3 * r->time.median,
               1e3 * r->time.low, 1e3 * r->time.high, rate, share, r->time.launches);
    }
}

static json_t *describe_row(const bench_row *row, const bench_limits *limits) {
    json_t *object = json_pack("{s:s, s:s, s:f, s:[f, f], s:f}", "row", row->name, "unit", "s",
                               "ours", row->time.median, "quartiles", row->time.low, row->time.high,
                               "launches", row->time.launches);
    double share = fraction(row, limits);
    json_object_set_new(object, "fraction_of_limit", isnan(share) ? json_null() : json_real(share));
    return object;
}

static int write_json(const char *path, const evn_device_info *info, const bench_row *rows,
                      int count, const bench_limits *limits) {
    json_t *list = json_array();
    for (int i = 0; i < count; ++i) {
        json_array_append_new(list, describe_row(&rows[i], limits));
    }
    json_t *all = json_pack("{s:i, s:s, s:s, s:{s:f, s:f}, s:o}", "format", 1, "device", info->name,
                            "driver", info->driver, "limits", "flops", limits->flops, "bytes",
                            limits->bytes, "rows", list);
    int failed = json_dump_file(all, path, JSON_INDENT(2));
    json_decref(all);
    if (failed) {
        fprintf(stderr, "evonode-bench: cannot write %s; check that its folder exists\n", path);
    }
    return failed ? (int)EVN_ERR_OUTPUT : 0;
}

int main(int argc, char **argv) {
    enum { MOST = 16 };
    evn_device *device = NULL;
    bench_limits limits = {0};
    bench_row rows[MOST];
    int count = 0, code;
    evn_status status = evn_device_open(NULL, &device);
    if (status == EVN_OK) {
        printf("device: %s\n", evn_device_get_info(device)->name);
        status = bench_limits_measure(device, &limits);
    }
    if (status == EVN_OK) {
        status = measure_all(device, rows, &count);
    }
    code = (int)status;
    if (status == EVN_OK) {
        print_rows(rows, count, &limits);
        code =
            argc > 1 ? write_json(argv[1], evn_device_get_info(device), rows, count, &limits) : 0;
    } else {
        fprintf(stderr, "evonode-bench: %s\n", evn_error_message());
    }
    evn_device_close(&device);
    return code;
}
