// SPDX-License-Identifier: Apache-2.0
#include "task/trajectory.h"

#include "base/memory.h"
#include "nn/field.h"
#include "plan/build.h"
#include "plan/real.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HIDDEN = 2 };

typedef struct trajectory {
    evn_device *device;
    evn_source source;
    int width;
    int64_t times, dimensions;
    evn_parameters *parameters;
    evn_dynamics *dynamics;
} trajectory;

typedef struct program {
    trajectory *task;
    evn__learnt_solver learnt;
    evn_plan *loss;
    evn_buffer *memory; ///< what the bindings below are in
    evn_binding x0, target, x_bar, loss_value;
    evn_binding x;  ///< of the last forward run: memory of the solver
    float *values;  ///< [D + times · D], the sample and its targets as they are on the device,
    float *filled;  ///< and as the source has just given them
    bool is_loaded; ///< whether there are any on the device
} program;

// Loss --------------------------------------------------------------------------------------------

/// Σ ‖x − target‖² and its cotangent, 2(x − target).
static void build_loss(const void *self, evn_graph *g) {
    const trajectory *t = self;
    evn_shape shape = EVN_SHAPE(t->times, 1, t->dimensions);
    evn_value x = evn_input(g, "x", shape), target = evn_input(g, "target", shape);
    evn_value error = evn_sub(g, x, target);
    evn_output(g, "loss", evn_sum_all(g, evn_mul(g, error, error)));
    evn_output(g, "x_bar", evn_scale(g, error, 2));
}

static evn_status make_loss(program *p) {
    return evn__plan_build(p->task->device, build_loss, p->task, NULL, &p->loss);
}

// The program -------------------------------------------------------------------------------------

static void release(void *self) {
    program *p = self;
    if (!p) {
        return;
    }
    evn__learnt_solver_free(&p->learnt);
    evn_plan_destroy(&p->loss);
    evn_buffer_destroy(&p->memory);
    free(p->values);
    free(p->filled);
    free(p);
}

static evn_status make_memory(program *p) {
    const trajectory *t = p->task;
    size_t values = (size_t)(t->times * t->dimensions), dimensions = (size_t)t->dimensions;
    EVN_TRY(EVN_NEW(&p->values, dimensions + values));
    EVN_TRY(EVN_NEW(&p->filled, dimensions + values));
    EVN_TRY(evn__real_create(t->device, false, 2 * values + dimensions + 1, &p->memory));
    p->target = (evn_binding){p->memory, 0};
    p->x_bar = (evn_binding){p->memory, values};
    p->x0 = (evn_binding){p->memory, 2 * values};
    p->loss_value = (evn_binding){p->memory, 2 * values + dimensions};
    return EVN_OK;
}

static evn_status make_program(program *p, const evn_solver_options *options) {
    const trajectory *t = p->task;
    evn_solver_options solver = *options;
    EVN_CHECK(solver.steps % t->times == 0, EVN_ERR_ARGUMENT,
              "the solver has %d steps; give a multiple of %lld, the times of the trajectory",
              solver.steps, (long long)t->times);
    solver.observations = (int)t->times;
    EVN_TRY(make_memory(p));
    EVN_TRY(make_loss(p));
    return evn__learnt_solver_create(t->device, t->dynamics, t->parameters, &solver, &p->learnt);
}

static evn_status check(void *self, const evn_solver_options *solver, bool trains) {
    (void)self;
    return evn__learnt_solver_check(solver, trains);
}

static evn_status compile(void *self, const evn_solver_options *solver, bool trains,
                          void **compiled) {
    program *p = NULL;
    EVN_TRY(evn__learnt_solver_check(solver, trains));
    EVN_TRY(EVN_NEW(&p, 1));
    p->task = self;
    evn_status status = make_program(p, solver);
    if (status != EVN_OK) {
        release(p);
        return status;
    }
    *compiled = p;
    return EVN_OK;
}

/// A trajectory that is on the device already is not copied again.
static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    const trajectory *t = p->task;
    size_t dimensions = (size_t)t->dimensions, all = dimensions * (1 + (size_t)t->times);
    float weight;
    int64_t filled;
    (void)slot;
    EVN_TRY(evn__source_fill(&t->source, batch, 1, p->filled, p->filled + dimensions, &weight,
                             &filled));
    if (p->is_loaded && memcmp(p->values, p->filled, all * sizeof(float)) == 0) {
        return EVN_OK;
    }
    memcpy(p->values, p->filled, all * sizeof(float));
    p->is_loaded = true;
    EVN_TRY(evn__real_write_floats(p->x0, p->values, dimensions));
    return evn__real_write_floats(p->target, p->values + dimensions, all - dimensions);
}

static evn_status forward(void *self, int slot, evn_solution *solution) {
    program *p = self;
    (void)slot;
    EVN_TRY(evn_solve(p->learnt.solver, 0, 1, p->x0, p->learnt.weights, &p->x, solution));
    evn_binding inputs[] = {p->x, p->target}, outputs[] = {p->loss_value, p->x_bar};
    return evn_plan_run(p->loss, inputs, outputs);
}

static evn_status gradient(void *self, evn_solution *solution) {
    program *p = self;
    evn_binding x0_bar;
    return evn_solve_gradient(p->learnt.solver, p->x_bar, &x0_bar, p->learnt.weights_bar, solution);
}

static evn_status read(void *self, int first, int count, evn_tally *tally) {
    program *p = self;
    double loss;
    (void)first;
    (void)count;
    EVN_TRY(evn__real_read(p->loss_value, false, &loss, 1));
    tally->loss += loss;
    tally->weight += 1;
    tally->samples += 1;
    return EVN_OK;
}

static evn_status reconstruction(void *self, double *x_error, double *theta_error) {
    return evn_solver_reconstruction(((program *)self)->learnt.solver, x_error, theta_error);
}

// Evaluation --------------------------------------------------------------------------------------

static evn_status measure(program *p, evn__trajectory_fit *fit) {
    const evn_batch batch = {.part = EVN_TEST};
    evn_solution solution;
    EVN_TRY(load(p, &batch, 0));
    EVN_TRY(forward(p, 0, &solution));
    EVN_TRY(evn__real_read(p->loss_value, false, &fit->loss, 1));
    EVN_TRY(evn__real_read(p->x, false, fit->x, (size_t)(fit->times * fit->dimensions)));
    const float *targets = p->values + fit->dimensions;
    fit->nfe = solution.nfe;
    fit->max_error = 0;
    for (int64_t i = 0; i < fit->times; ++i) {
        double sum = 0;
        for (int64_t k = i * fit->dimensions; k < (i + 1) * fit->dimensions; ++k) {
            sum += (fit->x[k] - (double)targets[k]) * (fit->x[k] - (double)targets[k]);
        }
        fit->max_error = fmax(fit->max_error, sqrt(sum));
    }
    return EVN_OK;
}

evn_status evn__trajectory_evaluate(const evn_task *task, const evn_solver_options *solver,
                                    evn__trajectory_fit *fit) {
    trajectory *t = task->self;
    void *compiled = NULL;
    evn_solver_options forward_only = *solver;
    forward_only.gradient = EVN_GRADIENT_NONE;
    fit->times = t->times;
    fit->dimensions = t->dimensions;
    EVN_TRY(EVN_NEW(&fit->x, t->times * t->dimensions));
    EVN_TRY(compile(t, &forward_only, false, &compiled));
    evn_status status = measure(compiled, fit);
    release(compiled);
    return status;
}

void evn__trajectory_fit_free(evn__trajectory_fit *fit) {
    free(fit->x);
    *fit = (evn__trajectory_fit){0};
}

static evn_status list_metrics(const evn__trajectory_fit *fit, evn_metrics *metrics) {
    EVN_TRY(evn_metrics_set(metrics, "loss", "", EVN_BETTER_LOWER, fit->loss));
    EVN_TRY(evn_metrics_set(metrics, "max_error", "", EVN_BETTER_LOWER, fit->max_error));
    return evn_metrics_set(metrics, "nfe_forward", "", EVN_BETTER_LOWER, fit->nfe);
}

static evn_status evaluate(void *self, const evn_solver_options *solver, evn_part part,
                           evn_metrics *metrics) {
    const evn_task task = {.self = self};
    evn__trajectory_fit fit = {0};
    EVN_CHECK(part == EVN_TEST, EVN_ERR_ARGUMENT, "a trajectory is measured as a whole: EVN_TEST");
    evn_status status = evn__trajectory_evaluate(&task, solver, &fit);
    if (status == EVN_OK) {
        status = list_metrics(&fit, metrics);
    }
    evn__trajectory_fit_free(&fit);
    return status;
}

// The task ----------------------------------------------------------------------------------------

static evn_parameters *parameters(void *self) {
    return ((trajectory *)self)->parameters;
}

static int64_t batches(void *self, evn_part part) {
    (void)self;
    return part == EVN_TEST;
}

static void destroy(void *self) {
    trajectory *t = self;
    evn_dynamics_destroy(&t->dynamics);
    evn_parameters_destroy(&t->parameters);
    free(t);
}

static const evn_task_methods methods = {.name = "trajectory",
                                         .iterates = true,
                                         .slots = 1,
                                         .parameters = parameters,
                                         .batches = batches,
                                         .check = check,
                                         .compile = compile,
                                         .release = release,
                                         .load = load,
                                         .forward = forward,
                                         .gradient = gradient,
                                         .read = read,
                                         .reconstruction = reconstruction,
                                         .evaluate = evaluate,
                                         .destroy = destroy};

static evn_status build_f(const trajectory *t, evn_graph *f) {
    evn__network network = {f, t->parameters, "f"};
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, t->dimensions));
    evn_output(f, "dx", evn__field_mlp(&network, x, HIDDEN, t->width, evn_relu));
    return evn_graph_status(f);
}

static evn_status make_dynamics(trajectory *t) {
    evn_graph *f = NULL;
    EVN_TRY(evn_parameters_create(&t->parameters));
    EVN_TRY(evn_graph_create(&f));
    evn_status status = build_f(t, f);
    if (status == EVN_OK) {
        status = evn_dynamics_create(f, NULL, &t->dynamics);
    }
    evn_graph_destroy(&f);
    return status;
}

static evn_status make(trajectory *t, uint64_t seed) {
    evn_source_info info = t->source.methods->info(t->source.self);
    EVN_CHECK(t->width >= 1, EVN_ERR_ARGUMENT, "the width of f is %d; give 1 or more", t->width);
    EVN_CHECK(
        info.sample.rank == 1 && info.has_target && info.target.rank == 2 &&
            info.target.dim[1] == info.sample.dim[0] && info.batch == 1,
        EVN_ERR_SHAPE,
        "the source is not a trajectory; it needs samples [D], targets [times, D] and batches "
        "of 1");
    t->times = info.target.dim[0];
    t->dimensions = info.sample.dim[0];
    EVN_TRY(make_dynamics(t));
    return evn_parameters_allocate(t->parameters, t->device, false, seed);
}

evn_status evn_task_trajectory(evn_device *device, const evn_source *source, int width,
                               uint64_t seed, evn_task *task) {
    trajectory *t = NULL;
    EVN_REQUIRE(task);
    *task = (evn_task){0};
    EVN_REQUIRE(device);
    EVN_TRY(evn__source_check(source));
    EVN_TRY(EVN_NEW(&t, 1));
    *t = (trajectory){.device = device, .source = *source, .width = width};
    evn_status status = make(t, seed);
    if (status != EVN_OK) {
        destroy(t);
        return status;
    }
    *task = (evn_task){&methods, t};
    return EVN_OK;
}
