// SPDX-License-Identifier: Apache-2.0
// ONNX models with inputs, and what evonode makes of them:  write_models CASE FOLDER
// NAME.onnx and NAME.safetensors, whose tensors "in.INPUT" and "out.OUTPUT" are float32; a comment
// on the case is in test_onnx.py, which runs them.
#include "evonode/dataset.h"
#include "evonode/network.h"
#include "exchange/unrolled.h"
#include "graph/node.h"
#include "io/tensors.h"
#include "random_graph.h"
#include "ref/ref.h"
#include "task/flow.h"
#include "task/images.h"
#include "task/trajectory.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

// Files -------------------------------------------------------------------------------------------

enum { PORTS_MAX = 64 };

typedef struct ports {
    evn__tensor items[PORTS_MAX];
    int count;
    evn__arena arena;
} ports;

static void add_port(ports *all, const char *prefix, const char *name, evn_shape shape,
                     const double *data) {
    char text[256];
    int64_t count = evn_shape_count(shape);
    ck_assert_int_lt(all->count, PORTS_MAX);
    evn__tensor *tensor = &all->items[all->count++];
    snprintf(text, sizeof(text), "%s.%s", prefix, name);
    float *values = evn__arena_alloc(&all->arena, sizeof(*values) * (size_t)count);
    *tensor =
        (evn__tensor){evn__arena_string(&all->arena, text), EVN__F32, shape.rank, {0}, values, 0};
    memcpy(tensor->extent, shape.dim, sizeof(*shape.dim) * (size_t)shape.rank);
    for (int64_t i = 0; i < count; ++i) {
        values[i] = (float)data[i];
    }
}

static void write_ports(ports *all, const char *name) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s.safetensors", folder, name);
    TRY(evn__safetensors_write(path, all->items, all->count, NULL, 0));
    evn__arena_free(&all->arena);
}

static void write_model(const char *name, const evn_graph *graph,
                        const evn__onnx_options *options) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s.onnx", folder, name);
    TRY(evn__onnx_write(path, graph, options));
}

static void write_unrolled(const char *name, const evn__unrolled *unrolled,
                           const evn_parameters *parameters) {
    evn__tensors tensors = {0};
    static const evn__key_value metadata[] = {{"classes", "[\"zero\",\"één\"]"}};
    TRY(evn__tensors_fetch(parameters, 0, &tensors));
    const evn__onnx_options options = {.initializers = tensors.items,
                                       .initializer_count = tensors.count,
                                       .any_batch = true,
                                       .parts = unrolled->parts,
                                       .part_count = unrolled->part_count,
                                       .metadata = metadata,
                                       .metadata_count = 1};
    write_model(name, unrolled->graph, &options);
    evn__tensors_free(&tensors);
}

// Random graphs -----------------------------------------------------------------------------------

static double *room(evn_shape shape) {
    return calloc((size_t)evn_shape_count(shape), sizeof(double));
}

static evn_shape input_shape(const evn_graph *graph, int index) {
    return evn_value_shape(graph, evn_graph_input(graph, index));
}

static evn_shape output_shape(const evn_graph *graph, int index) {
    return evn_value_shape(graph, evn_graph_output(graph, index));
}

/// Outputs for inputs in [−1, 1), each a millionth larger with `shaken`.
static void run_random(const evn_graph *graph, uint64_t seed, bool shaken, double **inputs,
                       double **outputs) {
    for (int i = 0; i < evn_graph_input_count(graph); ++i) {
        int64_t count = evn_shape_count(input_shape(graph, i));
        inputs[i] = room(input_shape(graph, i));
        test_uniform(seed + (uint64_t)i, -1, 1, inputs[i], count);
        for (int64_t k = 0; k < count; ++k) {
            inputs[i][k] = (double)(float)inputs[i][k] + (shaken ? 1e-6 : 0);
        }
    }
    for (int i = 0; i < evn_graph_output_count(graph); ++i) {
        outputs[i] = room(output_shape(graph, i));
    }
    TRY(evn__ref_run(graph, (const double *const *)inputs, outputs));
}

/// Linear systems have no operator in ONNX.
static bool is_exported(const evn_graph *graph) {
    for (int v = 0; v < graph->node_count; ++v) {
        evn__op op = graph->nodes[v].op;
        if (op == EVN__OP_SOLVE || op == EVN__OP_KRYLOV_EXTEND) {
            return false;
        }
    }
    return true;
}

/// With "slack.OUTPUT", what that changes.
static void write_random(const evn_graph *graph, uint64_t seed) {
    double *inputs[2][PORTS_MAX], *outputs[2][PORTS_MAX];
    ports all = {0};
    char name[64];
    run_random(graph, seed, false, inputs[0], outputs[0]);
    run_random(graph, seed, true, inputs[1], outputs[1]);
    for (int i = 0; i < evn_graph_input_count(graph); ++i) {
        add_port(&all, "in", evn_graph_input_name(graph, i), input_shape(graph, i), inputs[0][i]);
        free(inputs[0][i]);
        free(inputs[1][i]);
    }
    for (int i = 0; i < evn_graph_output_count(graph); ++i) {
        evn_shape shape = output_shape(graph, i);
        double slack = test_difference(outputs[1][i], outputs[0][i], evn_shape_count(shape));
        add_port(&all, "out", evn_graph_output_name(graph, i), shape, outputs[0][i]);
        add_port(&all, "slack", evn_graph_output_name(graph, i), EVN_SCALAR, &slack);
        free(outputs[0][i]);
        free(outputs[1][i]);
    }
    snprintf(name, sizeof(name), "random_%d", (int)seed);
    write_model(name, graph, &(evn__onnx_options){0});
    write_ports(&all, name);
}

START_TEST(random_graphs) {
    int written = 0;
    for (uint64_t seed = 0; written < 50; ++seed) {
        ck_assert_uint_lt(seed, 1000);
        evn_graph *graph = random_graph(seed, RANDOM_ANY, 60, 2049);
        if (is_exported(graph)) {
            write_random(graph, seed);
            ++written;
        }
        evn_graph_destroy(&graph);
    }
}
END_TEST

// Trained models ----------------------------------------------------------------------------------

/// Parameters as if they were learnt: what begins at 0 is not.
static void disturb(evn_parameters *parameters) {
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        int64_t count = evn_shape_count(evn_parameters_shape(parameters, i));
        double *data = calloc(2 * (size_t)count, sizeof(*data));
        TRY(evn_parameters_read(parameters, i, data));
        test_uniform((uint64_t)i, -0.1, 0.1, data + count, count);
        for (int64_t k = 0; k < count; ++k) {
            data[k] += data[count + k];
        }
        TRY(evn_parameters_write(parameters, i, data));
        free(data);
    }
}

static evn_solver_options steps_of(const char *method, int steps) {
    evn_solver_options solver = evn_solver_options_default();
    solver.method = method;
    solver.steps = steps;
    return solver;
}

static void write_pixels(ports *all, const evn_dataset *dataset, evn_shape shape) {
    int64_t count = evn_shape_count(shape);
    double *pixels = calloc((size_t)count, sizeof(*pixels));
    for (int64_t i = 0; i < count; ++i) {
        pixels[i] = evn_dataset_pixels(dataset, EVN_TEST)[i] / 255.0;
    }
    add_port(all, "in", "images", shape, pixels);
    free(pixels);
}

static void write_images(const char *name, const evn_model_options *model, const char *method,
                         int steps) {
    evn_dataset *dataset;
    evn_source source;
    evn_task task;
    evn_metrics metrics = {0};
    ports all = {0};
    evn__unrolled unrolled = {0};
    evn_solver_options solver = steps_of(method, steps);
    TRY(evn_dataset_open("digits", NULL, &dataset));
    evn_dataset_info info = evn_dataset_get_info(dataset);
    TRY(evn_source_images(dataset, 32, NULL, 1, &source));
    TRY(evn_task_images(test_device(), &source, model, 7, &task));
    disturb(task.methods->parameters(task.self));
    double *logits = calloc((size_t)evn__images_test_capacity(&task) * 10, sizeof(*logits));
    TRY(evn__images_logits(&task, &solver, logits, &metrics));
    write_pixels(&all, dataset, EVN_SHAPE(info.count[EVN_TEST], 8, 8, 1));
    add_port(&all, "out", "logits", EVN_SHAPE(info.count[EVN_TEST], 10), logits);
    write_ports(&all, name);
    const evn__unroll_options options = {method, steps, EVN__ANY_BATCH};
    TRY(evn__unrolled_images(evn__images_model(&task), &options, &unrolled));
    write_unrolled(name, &unrolled, task.methods->parameters(task.self));
    evn__unrolled_free(&unrolled);
    free(logits);
    evn_task_destroy(&task);
    evn_source_destroy(&source);
    evn_dataset_destroy(&dataset);
}

/// Two ODEs with other layers between, and all kinds of them.
static const char NETWORK[] =
    "{\"stem\": [{\"layer\": \"conv\", \"filters\": 6}, \"gelu\"],"
    " \"blocks\": [{\"ode\": [\"concat-time\", {\"layer\": \"norm\", \"over\": \"layer\"}, "
    "\"silu\","
    "   {\"layer\": \"conv\", \"filters\": 6}, \"sin\"], \"evolve\": \"linear\"},"
    "  {\"layers\": [{\"layer\": \"max-pool\"}, {\"layer\": \"residual\", \"layers\": [\"elu\","
    "   {\"layer\": \"conv\", \"size\": 1}]}, {\"layer\": \"mean-pool\", \"stride\": 1}]},"
    "  {\"ode\": [\"norm\", \"softplus\", {\"layer\": \"conv\", \"time\": true}, \"tanh\"]}],"
    " \"head\": [\"sigmoid\", \"flatten\", {\"layer\": \"dense\", \"units\": \"classes\"}]}";

START_TEST(images) {
    evn_model_options model = evn_model_options_default(8, 8, 1, 10);
    model.filters = 12;
    model.layers = 2;
    model.kind = EVN_MODEL_RESNET;
    write_images("resnet", &model, "euler", 1);
    model.kind = EVN_MODEL_NODE;
    write_images("node", &model, "dopri5", 2);
    evn_network *network;
    TRY(evn_network_parse(NETWORK, "network", &network));
    model.network = network;
    write_images("network", &model, "midpoint", 2);
    model.network = NULL;
    evn_network_destroy(&network);
    model.kind = EVN_MODEL_NODE_EW;
    for (int i = 0; evn_evolution_name(i); ++i) {
        char name[64];
        model.weights = evn_evolution_name(i);
        snprintf(name, sizeof(name), "node-ew-%s", model.weights);
        write_images(name, &model, "rk4", 3);
    }
}
END_TEST

/// In units of the user's, where the state is (x − mean)/deviation.
static void write_curve(const char *name, const evn__trajectory_model *model, const float *start,
                        const evn__trajectory_fit *fit, const double *mean,
                        const double *deviation) {
    ports all = {0};
    double x0[3], *x = calloc((size_t)model->times * 3, sizeof(*x));
    evn__unrolled unrolled = {0};
    for (int i = 0; i < 3; ++i) {
        x0[i] = (double)start[i] * (deviation ? deviation[i] : 1) + (mean ? mean[i] : 0);
    }
    for (int i = 0; i < model->times * 3; ++i) {
        x[i] = fit->x[i] * (deviation ? deviation[i % 3] : 1) + (mean ? mean[i % 3] : 0);
    }
    add_port(&all, "in", "x0", EVN_SHAPE(1, 3), x0);
    add_port(&all, "out", "x", EVN_SHAPE(1, model->times, 3), x);
    write_ports(&all, name);
    const evn__unroll_options options = {"midpoint", (int)model->times, EVN__ANY_BATCH};
    const evn__unrolled_states states = {.dimensions = 3,
                                         .columns = 3,
                                         .observations = (int)model->times,
                                         .mean = mean,
                                         .deviation = deviation};
    TRY(evn__unrolled_trajectory(&model->field, model->parameters, &states, &options, &unrolled));
    write_unrolled(name, &unrolled, model->parameters);
    evn__unrolled_free(&unrolled);
    free(x);
}

START_TEST(curve) {
    evn_source source;
    evn_task task;
    float start[3], *targets, weight;
    int64_t filled;
    const int widths[] = {20, 20};
    evn__trajectory_fit fit = {0};
    evn_trajectory_options made = evn_trajectory_options_default();
    made.widths = widths;
    made.evolution = "waves";
    TRY(evn_source_curve(&source));
    TRY(evn_task_trajectory(test_device(), &source, &made, &task));
    disturb(task.methods->parameters(task.self));
    evn__trajectory_model model = evn__trajectory_get_model(&task);
    evn_solver_options solver = steps_of("midpoint", (int)model.times);
    TRY(evn__trajectory_evaluate(&task, &solver, &fit));
    targets = calloc((size_t)model.times * 3, sizeof(*targets));
    TRY(source.methods->fill(source.self, &(evn_batch){.part = EVN_TEST}, start, targets, &weight,
                             &filled));
    write_curve("curve", &model, start, &fit, NULL, NULL);
    const double mean[] = {5, -1, 0.1}, deviation[] = {2, 0.5, 30};
    write_curve("curve-units", &model, start, &fit, mean, deviation);
    evn__trajectory_fit_free(&fit);
    free(targets);
    evn_task_destroy(&task);
    evn_source_destroy(&source);
}
END_TEST

/// Of points whose own units the flow does not have: of 2 columns where it is the plane's.
static void write_flow(const char *kind, int d) {
    enum { COUNT = 50, D_MAX = 3 };
    evn_source source;
    evn_task task;
    ports all = {0};
    char name[64];
    double points[D_MAX * COUNT], standard[D_MAX * COUNT], log_p[COUNT];
    const double mean[D_MAX] = {3, -20, 0.5},
                 factor[D_MAX * D_MAX] = {2, 0, 0, 1, 0.1, 0, -1, 3, 5};
    const double zeros[D_MAX] = {0}, unit[] = {1, 0, 0, 1};
    evn__standardisation units = {0};
    evn__unrolled unrolled = {0};
    evn_solver_options solver = steps_of("rk4", 6);
    const evn_flow_options flow = {.model = kind, .seed = 4, .width = 20};
    test_uniform(9, -2, 2, standard, d * COUNT);
    TRY(evn__standardisation_set(d == 2 ? zeros : mean, d == 2 ? unit : factor, d, &units));
    for (int i = 0; i < COUNT; ++i) {
        evn__standardisation_undo(&units, standard + i * d, points + i * d);
        for (int k = 0; k < d; ++k) {
            points[i * d + k] = (double)(float)points[i * d + k];
        }
        evn__standardisation_apply(&units, points + i * d, standard + i * d);
    }
    float rows[D_MAX * COUNT];
    for (int i = 0; i < d * COUNT; ++i) {
        rows[i] = (float)standard[i];
    }
    TRY(evn_source_points(rows, COUNT, d, 16, 0, 1, &source));
    TRY(evn_task_flow(test_device(), &source, &flow, &task));
    disturb(task.methods->parameters(task.self));
    evn__flow_model model = evn__flow_get_model(&task);
    TRY(evn__flow_log_density(&model, &solver, 0, standard, COUNT, log_p, NULL));
    for (int i = 0; i < COUNT; ++i) {
        log_p[i] -= units.log_volume;
    }
    add_port(&all, "in", "x", EVN_SHAPE(COUNT, d), points);
    add_port(&all, "out", "log_p", EVN_SHAPE(COUNT), log_p);
    snprintf(name, sizeof(name), "flow-%s-%d", kind, d);
    write_ports(&all, name);
    const evn__unroll_options options = {"rk4", 6, EVN__ANY_BATCH};
    TRY(evn__unrolled_flow(model.kind, &model.size, model.parameters, &units, &options, &unrolled));
    write_unrolled(name, &unrolled, model.parameters);
    evn__unrolled_free(&unrolled);
    evn__standardisation_free(&units);
    evn_task_destroy(&task);
    evn_source_destroy(&source);
}

START_TEST(flow) {
    for (int i = 0; evn_flow_model_name(i); ++i) {
        write_flow(evn_flow_model_name(i), 2);
        write_flow(evn_flow_model_name(i), 3);
    }
}
END_TEST

int main(int count, char **words) {
    if (count != 3) {
        return EXIT_FAILURE;
    }
    setenv("CK_FORK", "no", 1);
    setenv("CK_RUN_CASE", words[1], 1);
    setenv("CK_DEFAULT_TIMEOUT", "0", 1);
    folder = words[2];
    Suite *suite = suite_create("write_models");
    test_add(suite, tcase_create("random"), random_graphs);
    test_add(suite, tcase_create("images"), images);
    test_add(suite, tcase_create("curve"), curve);
    test_add(suite, tcase_create("flow"), flow);
    return test_run(suite);
}
