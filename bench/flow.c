// SPDX-License-Identifier: Apache-2.0
// Rows that are an iteration of a flow in the plane. Fresh points are drawn in each, as in
// training.
#include "train/flow.h"

#include "bench/rows.h"
#include <stdlib.h>

typedef struct flow_job {
    evn__flow *flow;
    int64_t batch;
    int iteration;
    double loss;
} flow_job;

static evn_status run(void *user) {
    flow_job *j = user;
    return evn__flow_gradient(j->flow, j->iteration++, &j->loss);
}

static evn_parameters *parameters(const flow_job *j) {
    return evn__flow_get_model(j->flow).parameters;
}

static evn_status read_inputs(void *user, bench_tensors *tensors) {
    flow_job *j = user;
    EVN_TRY(
        bench_tensors_add(tensors, "points", EVN_SHAPE(j->batch, 2), evn__flow_points(j->flow)));
    return bench_tensors_parameters(tensors, parameters(j));
}

static evn_status read_outputs(void *user, bench_tensors *tensors) {
    flow_job *j = user;
    EVN_TRY(bench_tensors_add(tensors, "loss", EVN_SCALAR, &j->loss));
    return bench_tensors_gradients(tensors, parameters(j));
}

static void destroy(void *user) {
    flow_job *j = user;
    evn__flow_destroy(&j->flow);
    free(j);
}

evn_status bench_flow(evn_device *device, const void *options, bench_job *job) {
    const bench_flow_options *o = options;
    flow_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (bench_job){run, j, 0, 0, read_inputs, read_outputs, destroy};
    j->batch = o->points;
    evn_phase phase = {.name = "bench",
                       .solver = evn_solver_options_default(),
                       .epochs = 1,
                       .schedule = evn_schedule_default(1e-3)};
    phase.solver.method = o->method;
    phase.solver.steps = o->steps;
    phase.solver.gradient = EVN_GRADIENT_BACKPROP;
    evn_trainer_options training = {.phases = &phase,
                                    .phase_count = 1,
                                    .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM),
                                    .seed = 1};
    evn__flow_options flow = {evn__density_find("circles"), evn__flow_find("hypernet"), o->points,
                              EVN__NOISE_NONE};
    return evn__flow_create(device, &flow, &training, &j->flow);
}
