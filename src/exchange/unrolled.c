// SPDX-License-Identifier: Apache-2.0
#include "exchange/unrolled.h"

#include "base/memory.h"
#include "graph/node.h"
#include "methods/unroll.h"

#include <stdio.h>
#include <stdlib.h>

void evn__unrolled_free(evn__unrolled *unrolled) {
    evn_graph_destroy(&unrolled->graph);
    free(unrolled->parts);
    evn__arena_free(&unrolled->arena);
    *unrolled = (evn__unrolled){0};
}

evn_graph *evn__unrolled_take(evn__unrolled *unrolled) {
    evn_graph *graph = unrolled->graph;
    unrolled->graph = NULL;
    evn__unrolled_free(unrolled);
    return graph;
}

/// What is added from here on is called NAME, or NAME_K.
static evn_status begin_part(evn__unrolled *u, const char *name, int number) {
    char text[64];
    snprintf(text, sizeof(text), number > 0 ? "%s_%d" : "%s", name, number);
    EVN_TRY(EVN_RESERVE(u->parts, u->part_capacity, u->part_count + 1));
    char *copy = evn__arena_string(&u->arena, text);
    EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for the name of a part");
    u->parts[u->part_count++] = (evn__onnx_part){u->graph->node_count, copy};
    return EVN_OK;
}

/// The input of that name, which is made where it is not there.
static evn_value parameter(evn_graph *graph, const char *name, evn_shape shape) {
    int index = evn_graph_find_input(graph, name);
    return index >= 0 ? evn_graph_input(graph, index) : evn_input(graph, name, shape);
}

/// Inline a graph whose inputs are `first`, `count` of them, and parameters.
static evn_status inline_part(evn__unrolled *u, const evn_graph *part, const evn_value *first,
                              int count, evn_value *outputs) {
    evn_value *inputs = NULL;
    EVN_TRY(EVN_NEW(&inputs, evn_graph_input_count(part)));
    for (int i = 0; i < evn_graph_input_count(part); ++i) {
        evn_shape shape = evn_value_shape(part, evn_graph_input(part, i));
        inputs[i] =
            i < count ? first[i] : parameter(u->graph, evn_graph_input_name(part, i), shape);
    }
    evn_status status = evn_graph_inline(u->graph, part, inputs, outputs);
    free(inputs);
    return status;
}

/// x after each of the steps from t0 to t1, into x[1 … steps].
static evn_status add_steps(evn__unrolled *u, const evn__unroll *unroll,
                            const evn__unroll_options *options, evn_value *weights, evn_value *x) {
    double dt = 1 / (double)options->steps;
    for (int i = 0; i < options->steps; ++i) {
        EVN_TRY(begin_part(u, "step", i + 1));
        x[i + 1] = x[i];
        EVN_TRY(evn__unroll_step(unroll, u->graph, i * dt, dt, &x[i + 1], weights));
    }
    return EVN_OK;
}

/// Steps from t = 0 to 1 of x[0], into x[1 … steps].
static evn_status solve(evn__unrolled *u, const evn_dynamics *dynamics,
                        const evn__unroll_options *options, evn_value *x) {
    int count = evn_dynamics_weight_count(dynamics);
    evn_value *weights = NULL;
    evn__unroll *unroll;
    EVN_TRY(evn__unroll_create(dynamics, options->method, &unroll));
    evn_status status = EVN_NEW(&weights, count);
    for (int i = 0; status == EVN_OK && i < count; ++i) {
        weights[i] = parameter(u->graph, evn_dynamics_weight_name(dynamics, i),
                               evn_dynamics_weight_shape(dynamics, i));
    }
    if (status == EVN_OK) {
        status = add_steps(u, unroll, options, weights, x);
    }
    free(weights);
    evn__unroll_destroy(&unroll);
    return status;
}

/// All of x[0 … steps], freed by the caller.
static evn_status solve_all(evn__unrolled *u, const evn_dynamics *dynamics,
                            const evn__unroll_options *options, evn_value x0, evn_value **x) {
    EVN_CHECK(options->steps >= 1, EVN_ERR_ARGUMENT, "%d steps; give 1 or more", options->steps);
    EVN_TRY(EVN_NEW(x, options->steps + 1));
    (*x)[0] = x0;
    evn_status status = solve(u, dynamics, options, *x);
    if (status != EVN_OK) {
        free(*x);
    }
    return status;
}

// Images ------------------------------------------------------------------------------------------

/// One stage of the chain; `number` counts from 1.
static evn_status add_stage(evn__unrolled *u, const evn_stage *stage, int number,
                            const evn__unroll_options *options, evn_value *x) {
    evn_value *states;
    if (stage->graph) {
        EVN_TRY(begin_part(u, number > 1 ? "stage" : "stem", number > 1 ? number : 0));
        return inline_part(u, stage->graph, x, 1, x);
    }
    EVN_TRY(solve_all(u, stage->dynamics, options, *x, &states));
    *x = states[options->steps];
    free(states);
    return EVN_OK;
}

/// Its loss, labels and weights of samples, which nothing of the outputs needs, are left behind.
static evn_status add_head(evn__unrolled *u, const evn_graph *head, evn_value x) {
    enum { DATA = 3, OUTPUTS = 2 };
    evn_value outputs[OUTPUTS], data[DATA] = {x};
    EVN_TRY(begin_part(u, "head", 0));
    for (int i = 1; i < DATA; ++i) {
        data[i] = evn_full(u->graph, evn_value_shape(head, evn_graph_input(head, i)), 0);
    }
    EVN_TRY(inline_part(u, head, data, DATA, outputs));
    evn_output(u->graph, "logits", outputs[evn_graph_find_output(head, "logits")]);
    return evn_graph_status(u->graph);
}

static evn_status add_model(evn__unrolled *u, const evn_model *model,
                            const evn__unroll_options *options) {
    EVN_TRY(evn_graph_create(&u->graph));
    const evn_graph *stem = evn_model_stem(model);
    evn_value x = evn_input(u->graph, "images", evn_value_shape(stem, evn_graph_input(stem, 0)));
    for (int i = 0; i < evn_model_stage_count(model); ++i) {
        evn_stage stage = evn_model_stage(model, i);
        EVN_TRY(add_stage(u, &stage, i + 1, options, &x));
    }
    return add_head(u, evn_model_head(model), x);
}

evn_status evn__unrolled_images(const evn_model *model, const evn__unroll_options *options,
                                evn__unrolled *unrolled) {
    evn_model *of_batch;
    evn_model_options sizes = *evn_model_get_options(model);
    sizes.batch = options->batch;
    EVN_TRY(evn_model_create(&sizes, &of_batch));
    evn_status status = add_model(unrolled, of_batch, options);
    evn_model_destroy(&of_batch);
    return status;
}

// Trajectories ------------------------------------------------------------------------------------

/// Join values along axis 1, as many at once as concat takes; overwrites them.
static evn_value join(evn_graph *graph, evn_value *parts, int count) {
    while (count > 1) {
        int joined = 0;
        for (int i = 0; i < count; i += EVN_MAX_INPUTS) {
            int some = count - i < EVN_MAX_INPUTS ? count - i : EVN_MAX_INPUTS;
            parts[joined++] = evn_concat(graph, parts + i, some, 1);
        }
        count = joined;
    }
    return parts[0];
}

/// [1, count] of the user's numbers for the first columns, `rest` for those that nothing observes.
static evn_status make_row(evn_graph *graph, const double *numbers, int64_t count, int64_t columns,
                           double rest, evn_value *row) {
    double *all = NULL;
    EVN_TRY(EVN_NEW(&all, columns));
    for (int64_t i = 0; i < columns; ++i) {
        all[i] = i < count && numbers ? numbers[i] : rest;
    }
    *row = evn_table(graph, EVN_SHAPE(1, columns), all);
    free(all);
    return EVN_OK;
}

/// x[1 … steps] [B, columns] as [B, observations, dimensions], in the user's units.
static void output_series(evn_graph *graph, const evn__unrolled_states *states, evn_value *x,
                          int steps, evn_value mean, evn_value deviation) {
    int64_t batch = evn_value_shape(graph, x[0]).dim[0], origin[] = {0, 0};
    for (int i = 0; i < states->observations; ++i) {
        evn_value at = x[(i + 1) * (steps / states->observations)];
        at = evn_add(graph, evn_mul(graph, at, deviation), mean);
        at = evn_slice(graph, at, origin, EVN_SHAPE(batch, states->dimensions));
        x[i] = evn_reshape(graph, at, EVN_SHAPE(batch, 1, states->dimensions));
    }
    evn_output(graph, "x", join(graph, x, states->observations));
}

static evn_status add_series(evn__unrolled *u, const evn_dynamics *dynamics,
                             const evn__unrolled_states *states,
                             const evn__unroll_options *options) {
    evn_graph *graph = u->graph;
    evn_value mean, deviation, *x;
    evn_shape shape = evn_dynamics_state_shape(dynamics);
    int64_t count = states->dimensions, columns = shape.dim[1];
    evn_value x0 = evn_input(graph, "x0", shape);
    EVN_TRY(make_row(graph, states->mean, count, columns, 0, &mean));
    EVN_TRY(make_row(graph, states->deviation, count, columns, 1, &deviation));
    evn_value begin = evn_div(graph, evn_sub(graph, x0, mean), deviation);
    EVN_TRY(solve_all(u, dynamics, options, begin, &x));
    evn_status status = begin_part(u, "series", 0);
    if (status == EVN_OK) {
        output_series(graph, states, x, options->steps, mean, deviation);
    }
    free(x);
    return status == EVN_OK ? evn_graph_status(graph) : status;
}

evn_status evn__unrolled_trajectory(const evn__field *field, evn_parameters *parameters,
                                    const evn__unrolled_states *states,
                                    const evn__unroll_options *options, evn__unrolled *unrolled) {
    evn_dynamics *dynamics;
    EVN_CHECK(states->observations >= 1 && options->steps % states->observations == 0,
              EVN_ERR_ARGUMENT, "%d steps; give a multiple of %d, the times of the trajectory",
              options->steps, states->observations);
    EVN_TRY(evn__field_dynamics(field, EVN_SHAPE(options->batch, states->columns), parameters,
                                &dynamics));
    evn_status status = evn_graph_create(&unrolled->graph);
    if (status == EVN_OK) {
        status = add_series(unrolled, dynamics, states, options);
    }
    evn_dynamics_destroy(&dynamics);
    return status;
}

// Flows -------------------------------------------------------------------------------------------

static bool is_identity(const evn__standardisation *s) {
    bool identity = s->log_volume == 0;
    for (int i = 0; i < s->dimensions; ++i) {
        identity = identity && s->mean[i] == 0;
        for (int k = 0; k < s->dimensions; ++k) {
            identity = identity && s->factor[i * s->dimensions + k] == (i == k);
        }
    }
    return identity;
}

/// Points [B, D] as the flow has them: (x − mean) M, whose row i is what a step of 1 along column i
/// of x becomes.
static evn_status standardise(evn_graph *g, const evn__standardisation *s, evn_value *x) {
    int d = s->dimensions;
    double *matrix = NULL;
    if (is_identity(s)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&matrix, d * d + 2 * d));
    double *step = matrix + d * d;
    evn__standardisation unmoved = *s;
    unmoved.mean = step + d; // zeros: the step alone
    for (int i = 0; i < d; ++i) {
        step[i] = 1;
        evn__standardisation_apply(&unmoved, step, matrix + i * d);
        step[i] = 0;
    }
    evn_value m = evn_table(g, EVN_SHAPE(d, d), matrix);
    free(matrix);
    *x = evn_sub(g, *x, evn_table(g, EVN_SHAPE(1, d), s->mean));
    *x = evn_matmul(g, *x, m, false, false);
    return evn_graph_status(g);
}

/// log N(z; 0, I) − ℓ − log_volume, [B].
static evn_value log_density(evn_graph *g, evn_value z, evn_value change, double log_volume) {
    const double log_2_pi = 1.8378770664093454836;
    evn_shape shape = evn_value_shape(g, z);
    evn_value squares = evn_scale(g, evn_sum(g, evn_mul(g, z, z), 1u << 1), -0.5);
    evn_value base = evn_constant(g, -log_2_pi * (double)shape.dim[1] / 2 - log_volume);
    evn_value log_p = evn_sub(g, evn_add(g, squares, base), change);
    return evn_reshape(g, log_p, EVN_SHAPE(shape.dim[0]));
}

static evn_status add_flow(evn__unrolled *u, const evn_dynamics *dynamics,
                           const evn__standardisation *standard,
                           const evn__unroll_options *options) {
    evn_graph *g = u->graph;
    evn_shape state = evn_dynamics_state_shape(dynamics);
    int64_t batch = state.dim[0], dimensions = state.dim[1] - 1;
    int64_t origin[] = {0, 0}, last[] = {0, dimensions};
    evn_value *states, point = evn_input(g, "x", EVN_SHAPE(batch, dimensions));
    EVN_TRY(begin_part(u, "points", 0));
    EVN_TRY(standardise(g, standard, &point));
    evn_value parts[] = {point, evn_full(g, EVN_SHAPE(batch, 1), 0)};
    EVN_TRY(solve_all(u, dynamics, options, evn_concat(g, parts, 2, 1), &states));
    evn_value end = states[options->steps];
    free(states);
    EVN_TRY(begin_part(u, "density", 0));
    evn_value z = evn_slice(g, end, origin, EVN_SHAPE(batch, dimensions));
    evn_output(g, "z", z);
    evn_output(
        g, "log_p",
        log_density(g, z, evn_slice(g, end, last, EVN_SHAPE(batch, 1)), standard->log_volume));
    return evn_graph_status(g);
}

evn_status evn__unrolled_flow(const evn__flow_kind *kind, const evn__flow_size *size,
                              evn_parameters *parameters, const evn__standardisation *standard,
                              const evn__unroll_options *options, evn__unrolled *unrolled) {
    evn_dynamics *dynamics;
    EVN_TRY(
        evn__flow_dynamics(kind, size, options->batch, EVN__TRACE_EXACT, parameters, &dynamics));
    evn_status status = evn_graph_create(&unrolled->graph);
    if (status == EVN_OK) {
        status = add_flow(unrolled, dynamics, standard, options);
    }
    evn_dynamics_destroy(&dynamics);
    return status;
}
