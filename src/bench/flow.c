// SPDX-License-Identifier: Apache-2.0
// Rows that are an iteration of a flow in the plane. Fresh points are drawn in each, as in
// training.
#include "bench/rows.h"
#include "bench/task_rows.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

/// `samples` has room for the points [B, 2] and their weights, `points` for the points.
static evn_status add_points(evn__bench_task *j, int64_t batch, float *samples, double *points,
                             evn__bench_tensors *tensors) {
    EVN_TRY(evn__bench_task_batch(j, samples, NULL, samples + 2 * batch));
    for (int64_t i = 0; i < 2 * batch; ++i) {
        points[i] = (double)samples[i];
    }
    return evn__bench_tensors_add(tensors, "points", EVN_SHAPE(batch, 2), points);
}

static evn_status read_inputs(void *user, evn__bench_tensors *tensors) {
    evn__bench_task *j = user;
    int64_t batch = j->source.methods->info(j->source.self).batch;
    float *samples = NULL;
    double *points = NULL;
    evn_status status = EVN_NEW(&samples, 3 * batch);
    if (status == EVN_OK) {
        status = EVN_NEW(&points, 2 * batch);
    }
    if (status == EVN_OK) {
        status = add_points(j, batch, samples, points, tensors);
    }
    free(samples);
    free(points);
    EVN_TRY(status);
    return evn__bench_tensors_parameters(tensors, evn__bench_task_parameters(j));
}

evn_status evn__bench_flow(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_flow_options *o = options;
    evn__bench_task *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){.work = evn__bench_task_run,
                            .user = j,
                            .inputs = read_inputs,
                            .outputs = evn__bench_task_outputs,
                            .destroy = evn__bench_task_destroy};
    evn_solver_options solver = evn_solver_options_default();
    solver.method = o->method;
    solver.steps = o->steps;
    solver.gradient = EVN_GRADIENT_BACKPROP;
    const evn_flow_options flow = {
        .model = "hypernet", .trace = EVN_TRACE_EXACT, .entropy = NAN, .seed = 1};
    EVN_TRY(evn_source_density("circles", o->points, 1, &j->source));
    EVN_TRY(evn_task_flow(device, &j->source, &flow, &j->task));
    return evn__bench_task_compile(j, &solver);
}
