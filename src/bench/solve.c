// SPDX-License-Identifier: Apache-2.0
// Rows that are a step of a solver through the ODE of the MNIST model.
#include "bench/rows.h"

#include "base/random.h"
#include "plan/real.h"
#include "task/learnt_solver.h"
#include <stdlib.h>

enum { SIDE = 28, CLASSES = 10 };

typedef struct solve_job {
    evn_model *model;
    evn__learnt_solver solver;
    evn_buffer *x;
    bool adjoint;
} solve_job;

static evn_status run(void *user) {
    solve_job *j = user;
    evn_binding x1, x0_bar;
    EVN_TRY(
        evn_solve(j->solver.solver, 0, 0.1, (evn_binding){j->x, 0}, j->solver.weights, &x1, NULL));
    return j->adjoint
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

/// The state that the solve begins with.
static evn_status draw(solve_job *j, evn_device *device) {
    size_t count = (size_t)evn_shape_count(evn_dynamics_state_shape(evn_model_dynamics(j->model)));
    double *numbers = NULL;
    EVN_TRY(evn__real_create(device, false, count, &j->x));
    EVN_TRY(EVN_NEW(&numbers, count));
    for (size_t i = 0; i < count; ++i) {
        numbers[i] = evn__random_normal(1, 0, i);
    }
    evn_status status = evn__real_write((evn_binding){j->x, 0}, false, numbers, count);
    free(numbers);
    return status;
}

evn_status evn__bench_solve(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_solve_options *o = options;
    evn_model_options model = evn_model_options_default(SIDE, SIDE, 1, CLASSES);
    evn_solver_options solver = evn_solver_options_default();
    solve_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){.work = run, .user = j, .destroy = destroy};
    model.kind = o->kind;
    j->adjoint = o->adjoint;
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
