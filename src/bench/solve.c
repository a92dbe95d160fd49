// SPDX-License-Identifier: Apache-2.0
// Rows that are a step of a solver through the ODE of the MNIST model.
#include "bench/adjoint_step.h"
#include "bench/reference.h"
#include "bench/rows.h"

#include "base/random.h"
#include "methods/unroll.h"
#include "plan/real.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, CLASSES = 10, CHECKED = 4 };
static const double STEP = 0.1;

typedef struct solve_job {
    const evn__bench_solve_options *options;
    evn_model *model;
    evn__learnt_solver solver;
    evn_buffer *x;
    size_t count; ///< numbers of the state
} solve_job;

/// Of what the solve begins with.
static evn_binding start_of(const solve_job *j) {
    return (evn_binding){j->x, 0};
}

static evn_status run(void *user) {
    solve_job *j = user;
    evn_binding x1, x0_bar;
    EVN_TRY(evn_solve(j->solver.solver, 0, STEP, start_of(j), j->solver.weights, &x1, NULL));
    return j->options->adjoint
               ? evn_solve_gradient(j->solver.solver, x1, &x0_bar, j->solver.weights_bar, NULL)
               : EVN_OK;
}

static void destroy(void *user) {
    solve_job *j = user;
    evn__learnt_solver_free(&j->solver);
    evn_buffer_destroy(&j->x);
    evn_model_destroy(&j->model);
    free(j);
}

/// The state that the solve begins with, and room for a cotangent.
static evn_status draw(solve_job *j, evn_device *device) {
    double *numbers = NULL;
    j->count = (size_t)evn_shape_count(evn_dynamics_state_shape(evn_model_dynamics(j->model)));
    EVN_TRY(evn__real_create(device, false, 2 * j->count, &j->x));
    EVN_TRY(EVN_NEW(&numbers, j->count));
    for (size_t i = 0; i < j->count; ++i) {
        numbers[i] = evn__random_normal(1, 0, i);
    }
    evn_status status = evn__real_write(start_of(j), false, numbers, j->count);
    free(numbers);
    return status;
}

// Against the reference ---------------------------------------------------------------------------

/// The step of a few samples.
static evn_status add_step(const evn_dynamics *dynamics, const char *method, evn_graph *g) {
    evn_value *weights = NULL;
    evn__unroll *unroll = NULL;
    int count = evn_dynamics_weight_count(dynamics);
    EVN_TRY(EVN_NEW(&weights, count));
    evn_value x = evn_input(g, "x0", evn_dynamics_state_shape(dynamics));
    for (int i = 0; i < count; ++i) {
        weights[i] = evn_input(g, evn_dynamics_weight_name(dynamics, i),
                               evn_dynamics_weight_shape(dynamics, i));
    }
    evn_status status = evn__unroll_create(dynamics, method, &unroll);
    status = status == EVN_OK ? evn__unroll_step(unroll, g, 0, STEP, &x, weights) : status;
    evn__unroll_destroy(&unroll);
    free(weights);
    EVN_TRY(status);
    evn_output(g, "x1", x);
    return evn_graph_status(g);
}

static evn_status build_step(const solve_job *j, const evn_dynamics *few, evn__bench_reference *r) {
    EVN_TRY(evn_graph_create(&r->graph));
    EVN_TRY(add_step(few, j->options->method, r->graph));
    return evn__bench_reference_make(r, evn_model_parameters(j->model));
}

/// Rows of the samples that are checked.
static void gather(const solve_job *j, const double *from, double *to) {
    int64_t batch = evn_model_get_options(j->model)->batch;
    evn__bench_gather(from, batch, CHECKED, (int64_t)j->count / batch, to);
}

/// All but these are 0.
static void leave(const solve_job *j, double *x_bar) {
    int64_t batch = evn_model_get_options(j->model)->batch, size = (int64_t)j->count / batch;
    for (int64_t i = 0, next = 0; i < batch; ++i) {
        if (next < CHECKED && i == evn__bench_sample(next, CHECKED, batch)) {
            ++next;
        } else {
            memset(x_bar + i * size, 0, sizeof(double) * (size_t)size);
        }
    }
}

/// The same step with the adjoint of some samples alone, whose x(0.1) are the cotangents.
static evn_status solve_back(const solve_job *j, double *x1, evn_binding *x0_bar) {
    evn_binding to = {j->x, j->count};
    leave(j, x1);
    EVN_TRY(evn__real_write(to, false, x1, j->count));
    return evn_solve_gradient(j->solver.solver, to, x0_bar, j->solver.weights_bar, NULL);
}

/// @param[in,out] x  x(0.1), with room for twice as much; overwritten
static evn_status check_back(const solve_job *j, const evn_dynamics *few, double *x,
                             double *difference) {
    evn_binding x0_bar;
    size_t checked = (size_t)evn_shape_count(evn_dynamics_state_shape(few));
    double *some = x + j->count, back;
    gather(j, x, some);
    EVN_TRY(solve_back(j, x, &x0_bar));
    EVN_TRY(evn__real_read(x0_bar, false, x, j->count));
    gather(j, x, some + checked);
    const evn__bench_adjoint_step step = {.dynamics = few,
                                          .method = j->options->method,
                                          .parameters = evn_model_parameters(j->model),
                                          .t = STEP,
                                          .dt = -STEP,
                                          .x = some,
                                          .x_bar = some,
                                          .before = some + checked};
    EVN_TRY(evn__bench_adjoint_compare(&step, &back));
    *difference = fmax(*difference, back);
    return EVN_OK;
}

/// @param[out] x  x(0.1), and behind it of the samples that are checked
static evn_status check_step(const solve_job *j, const evn_dynamics *few, double *x,
                             double *difference) {
    evn_binding x1;
    evn__bench_reference r = {0};
    evn__bench_agreement states = {0};
    size_t checked = (size_t)evn_shape_count(evn_dynamics_state_shape(few));
    EVN_TRY(evn__real_read(start_of(j), false, x, j->count));
    evn_status status = build_step(j, few, &r);
    if (status == EVN_OK) {
        gather(j, x, evn__bench_reference_input(&r, "x0"));
        status = evn__bench_reference_run(&r);
    }
    if (status == EVN_OK) {
        status = evn_solve(j->solver.solver, 0, STEP, start_of(j), j->solver.weights, &x1, NULL);
    }
    status = status == EVN_OK ? evn__real_read(x1, false, x, j->count) : status;
    if (status == EVN_OK) {
        gather(j, x, x + j->count);
        evn__bench_agree(&states, x + j->count, evn__bench_reference_output(&r, "x1"), checked);
        *difference = evn__bench_difference(&states);
    }
    evn__bench_reference_free(&r);
    return status;
}

static evn_status check(void *user, double *difference) {
    const solve_job *j = user;
    double *x = NULL;
    evn_model *few = NULL;
    evn_model_options sizes = *evn_model_get_options(j->model);
    sizes.batch = CHECKED;
    EVN_TRY(evn_model_create(&sizes, &few));
    evn_status status = EVN_NEW(&x, 2 * j->count);
    status = status == EVN_OK ? check_step(j, evn_model_dynamics(few), x, difference) : status;
    if (status == EVN_OK && j->options->adjoint) {
        status = check_back(j, evn_model_dynamics(few), x, difference);
    }
    free(x);
    evn_model_destroy(&few);
    return status;
}

evn_status evn__bench_solve(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_solve_options *o = options;
    evn_model_options model = evn_model_options_default(SIDE, SIDE, 1, CLASSES);
    evn_solver_options solver = evn_solver_options_default();
    solve_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){
        .work = run, .user = j, .check = check, .tolerance = 1e-5, .destroy = destroy};
    j->options = o;
    model.kind = o->kind;
    solver.method = o->method;
    solver.steps = 1;
    solver.gradient = o->adjoint ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_NONE;
    EVN_TRY(evn_model_create(&model, &j->model));
    evn_parameters *parameters = evn_model_parameters(j->model);
    EVN_TRY(evn_parameters_allocate(parameters, device, false, 1));
    EVN_TRY(evn__learnt_solver_create(device, evn_model_dynamics(j->model), parameters, &solver,
                                      &j->solver));
    return draw(j, device);
}
