// SPDX-License-Identifier: Apache-2.0
// Rows that are an iteration of the curve.
#include "bench/reference.h"
#include "bench/rows.h"
#include "bench/task_rows.h"

#include "base/memory.h"
#include "data/curve.h"
#include "exchange/unrolled.h"
#include "task/trajectory.h"
#include <math.h>

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

// Against the reference ---------------------------------------------------------------------------

/// Σ (x − s)² over the points, in a graph whose output is x.
static evn_value add_loss(evn_graph *g) {
    double s[EVN__CURVE_POINTS][EVN__CURVE_DIMENSIONS];
    for (int i = 0; i < EVN__CURVE_POINTS; ++i) {
        evn__curve_at((i + 1) / (double)EVN__CURVE_POINTS, s[i]);
    }
    evn_shape shape = EVN_SHAPE(1, EVN__CURVE_POINTS, EVN__CURVE_DIMENSIONS);
    evn_value x = evn_graph_output(g, evn_graph_find_output(g, "x"));
    evn_value error = evn_sub(g, x, evn_table(g, shape, s[0]));
    evn_value loss = evn_sum_all(g, evn_mul(g, error, error));
    evn_output(g, "loss", loss);
    return loss;
}

/// @param[in] method  with a step from each point to the next
static evn_status build_reference(const evn__bench_task *j, const char *method,
                                  evn__bench_reference *r) {
    const evn__trajectory_model model = evn__trajectory_get_model(&j->task);
    const evn__unrolled_states states = {.dimensions = EVN__CURVE_DIMENSIONS,
                                         .columns = EVN__CURVE_DIMENSIONS,
                                         .observations = EVN__CURVE_POINTS};
    const evn__unroll_options steps = {method, EVN__CURVE_POINTS, 1};
    evn__unrolled unrolled = {0};
    evn_status status =
        evn__unrolled_trajectory(&model.field, model.parameters, &states, &steps, &unrolled);
    r->graph = evn__unrolled_take(&unrolled);
    EVN_TRY(status);
    EVN_TRY(evn__bench_reference_gradients(r->graph, add_loss(r->graph), evn_constant(r->graph, 1),
                                           model.parameters));
    return evn__bench_reference_make(r, model.parameters);
}

static evn_status check_with(const evn__bench_task *j, const char *method, double *difference) {
    evn__bench_reference r = {0};
    evn_status status = build_reference(j, method, &r);
    if (status == EVN_OK) {
        evn__curve_at(0, evn__bench_reference_input(&r, "x0"));
        status = evn__bench_task_compare(j, &r, difference);
    }
    evn__bench_reference_free(&r);
    return status;
}

static evn_status check_euler(void *user, double *difference) {
    return check_with(user, "euler", difference);
}

/// An adaptive solve has steps of another method there, which are as fine as the points.
static evn_status check_adjoint(void *user, double *difference) {
    return check_with(user, "midpoint", difference);
}

evn_status evn__bench_curve(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_curve_options *o = options;
    evn__bench_task *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){.work = evn__bench_task_run,
                            .user = j,
                            .inputs = read_inputs,
                            .outputs = evn__bench_task_outputs,
                            .check = o->adjoint ? check_adjoint : check_euler,
                            .tolerance = o->adjoint ? 1e-2 : 1e-4,
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
