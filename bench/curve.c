// SPDX-License-Identifier: Apache-2.0
// Rows that are an iteration of the curve.
#include "train/curve.h"

#include "bench/rows.h"
#include <stdlib.h>

enum { WIDTH = 1000 };

typedef struct curve_job {
    evn__curve *curve;
    double loss;
} curve_job;

static evn_status run(void *user) {
    curve_job *j = user;
    return evn__curve_gradient(j->curve, &j->loss);
}

static evn_status read_inputs(void *user, bench_tensors *tensors) {
    curve_job *j = user;
    double s[EVN__CURVE_POINTS + 1][EVN__CURVE_DIMENSIONS]; // s(0), then the targets
    for (int i = 0; i <= EVN__CURVE_POINTS; ++i) {
        evn__curve_target(i / (double)EVN__CURVE_POINTS, s[i]);
    }
    evn_shape shape = EVN_SHAPE(EVN__CURVE_POINTS + 1, EVN__CURVE_DIMENSIONS);
    EVN_TRY(bench_tensors_add(tensors, "curve", shape, s[0]));
    return bench_tensors_parameters(tensors, evn__curve_parameters(j->curve));
}

static evn_status read_outputs(void *user, bench_tensors *tensors) {
    curve_job *j = user;
    EVN_TRY(bench_tensors_add(tensors, "loss", EVN_SCALAR, &j->loss));
    return bench_tensors_gradients(tensors, evn__curve_parameters(j->curve));
}

static void destroy(void *user) {
    curve_job *j = user;
    evn__curve_destroy(&j->curve);
    free(j);
}

evn_status bench_curve(evn_device *device, const void *options, bench_job *job) {
    const bench_curve_options *o = options;
    curve_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (bench_job){run, j, 0, 0, read_inputs, read_outputs, destroy};
    evn_phase phase = {.name = "bench",
                       .solver = evn_solver_options_default(),
                       .epochs = 1,
                       .schedule = evn_schedule_default(1e-3)};
    phase.solver.method = o->adjoint ? "dopri5" : "euler";
    phase.solver.steps = o->adjoint ? 0 : EVN__CURVE_POINTS;
    phase.solver.rtol = phase.solver.atol = 1e-5;
    phase.solver.gradient = o->adjoint ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    evn_trainer_options training = {.phases = &phase,
                                    .phase_count = 1,
                                    .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM),
                                    .seed = 1};
    return evn__curve_create(device, WIDTH, &training, &j->curve);
}
