// SPDX-License-Identifier: Apache-2.0
// Rows that are an iteration of the curve.
#include "bench/rows.h"
#include "bench/task_rows.h"

#include "base/memory.h"
#include "data/curve.h"

enum { WIDTH = 1000 };

static evn_status read_inputs(void *user, evn__bench_tensors *tensors) {
    double s[EVN__CURVE_POINTS + 1][EVN__CURVE_DIMENSIONS]; // s(0), then the targets
    for (int i = 0; i <= EVN__CURVE_POINTS; ++i) {
        evn__curve_at(i / (double)EVN__CURVE_POINTS, s[i]);
    }
    evn_shape shape = EVN_SHAPE(EVN__CURVE_POINTS + 1, EVN__CURVE_DIMENSIONS);
    EVN_TRY(evn__bench_tensors_add(tensors, "curve", shape, s[0]));
    return evn__bench_tensors_parameters(tensors, evn__bench_task_parameters(user));
}

evn_status evn__bench_curve(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_curve_options *o = options;
    evn__bench_task *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){.work = evn__bench_task_run,
                            .user = j,
                            .inputs = read_inputs,
                            .outputs = evn__bench_task_outputs,
                            .destroy = evn__bench_task_destroy};
    evn_solver_options solver = evn_solver_options_default();
    solver.method = o->adjoint ? "dopri5" : "euler";
    solver.steps = o->adjoint ? 0 : EVN__CURVE_POINTS;
    solver.rtol = solver.atol = 1e-5;
    solver.gradient = o->adjoint ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    EVN_TRY(evn_source_curve(&j->source));
    const int widths[] = {WIDTH, WIDTH};
    evn_trajectory_options trajectory = evn_trajectory_options_default();
    trajectory.widths = widths;
    EVN_TRY(evn_task_trajectory(device, &j->source, &trajectory, &j->task));
    return evn__bench_task_compile(j, &solver);
}
