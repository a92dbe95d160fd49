// SPDX-License-Identifier: Apache-2.0
// Rows that are an iteration of a flow in the plane. Fresh points are drawn in each, as in
// training.
#include "bench/reference.h"
#include "bench/rows.h"
#include "bench/task_rows.h"

#include "base/memory.h"
#include "exchange/unrolled.h"
#include "task/flow.h"
#include <math.h>
#include <stdlib.h>

static int64_t batch_of(const evn__bench_task *j) {
    return j->source.methods->info(j->source.self).batch;
}

/// Points [B, 2] of the last batch.
static evn_status read_points(const evn__bench_task *j, double *points) {
    float *samples = NULL;
    int64_t batch = batch_of(j);
    EVN_TRY(EVN_NEW(&samples, 3 * batch)); // and their weights
    evn_status status = evn__bench_task_batch(j, samples, NULL, samples + 2 * batch);
    for (int64_t i = 0; i < 2 * batch; ++i) {
        points[i] = (double)samples[i];
    }
    free(samples);
    return status;
}

static evn_status read_inputs(void *user, evn__bench_tensors *tensors) {
    evn__bench_task *j = user;
    int64_t batch = batch_of(j);
    double *points = NULL;
    EVN_TRY(EVN_NEW(&points, 2 * batch));
    evn_status status = read_points(j, points);
    if (status == EVN_OK) {
        status = evn__bench_tensors_add(tensors, "points", EVN_SHAPE(batch, 2), points);
    }
    free(points);
    EVN_TRY(status);
    return evn__bench_tensors_parameters(tensors, evn__bench_task_parameters(j));
}

// Against the reference ---------------------------------------------------------------------------

enum { STEPS = 10 };
static const char METHOD[] = "rk4";

static evn_status build_reference(const evn__bench_task *j, evn__bench_reference *r) {
    const evn__flow_model model = evn__flow_get_model(&j->task);
    double mean[] = {0, 0}, unit[] = {1, 0, 0, 1};
    const evn__standardisation none = {.dimensions = 2, .mean = mean, .factor = unit};
    const evn__unroll_options steps = {METHOD, STEPS, batch_of(j)};
    evn__unrolled unrolled = {0};
    evn_status status =
        evn__unrolled_flow(model.kind, &model.size, model.parameters, &none, &steps, &unrolled);
    r->graph = evn__unrolled_take(&unrolled);
    EVN_TRY(status);
    evn_graph *g = r->graph;
    evn_value log_p = evn_graph_output(g, evn_graph_find_output(g, "log_p"));
    evn_value loss = evn_scale(g, evn_sum_all(g, log_p), -1 / (double)batch_of(j));
    evn_output(g, "loss", loss);
    EVN_TRY(evn__bench_reference_gradients(g, loss, evn_constant(g, 1), model.parameters));
    return evn__bench_reference_make(r, model.parameters);
}

static evn_status check(void *user, double *difference) {
    const evn__bench_task *j = user;
    evn__bench_reference r = {0};
    evn_status status = build_reference(j, &r);
    status = status == EVN_OK ? read_points(j, evn__bench_reference_input(&r, "x")) : status;
    status = status == EVN_OK ? evn__bench_task_compare(j, &r, difference) : status;
    evn__bench_reference_free(&r);
    return status;
}

evn_status evn__bench_flow(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_flow_options *o = options;
    evn__bench_task *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){.work = evn__bench_task_run,
                            .user = j,
                            .inputs = read_inputs,
                            .outputs = evn__bench_task_outputs,
                            .check = check,
                            .tolerance = 1e-4,
                            .destroy = evn__bench_task_destroy};
    evn_solver_options solver = evn_solver_options_default();
    solver.method = METHOD;
    solver.steps = STEPS;
    solver.gradient = EVN_GRADIENT_BACKPROP;
    const evn_flow_options flow = {
        .model = "hypernet", .trace = EVN_TRACE_EXACT, .entropy = NAN, .seed = 1};
    EVN_TRY(evn_source_density("circles", o->points, 1, &j->source));
    EVN_TRY(evn_task_flow(device, &j->source, &flow, &j->task));
    return evn__bench_task_compile(j, &solver);
}
