// SPDX-License-Identifier: Apache-2.0
// Trajectories x_b, b = 1 … B, that begin at given or learnt states and are observed at the same
// times, though not all of them at each. Where one ends and the next begins, learnt starts are tied
// to the ends by the loss: multiple shooting (Bock, Plitt 1984).
#include "task/trajectory.h"

#include "base/memory.h"
#include "host/inbox.h"
#include "plan/build.h"
#include "plan/real.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include "task/trajectory_batch.h"
#include "task/trajectory_loss.h"
#include "task/trajectory_options.h"
#include <math.h>
#include <stdlib.h>

#define STARTS "start.state"

typedef struct trajectory {
    evn_device *device;
    evn_source source;
    evn_trajectory_options options; ///< its arrays are copies
    evn__field field;
    evn__trajectory_size size;
    bool joined; ///< some of them are tied together
    evn_parameters *parameters;
    evn_dynamics *dynamics;
} trajectory;

typedef struct program {
    trajectory *task;
    evn__learnt_solver learnt;
    evn_plan *loss;
    evn_plan *add;                ///< learnt starts that are tied: x0_bar + what the ties give
    evn__inbox *batch;            ///< targets, mask and starts
    evn_buffer *memory;           ///< what the others of the bindings below are in
    evn_binding target, mask, x0; ///< of the loaded batch; learnt starts are parameters
    evn_binding ends, joins, x_bar, ties_bar, loss_value;
    evn_binding x;                      ///< of the last forward run: memory of the solver
    evn__trajectory_batch values, next; ///< on the device; what the source has just given
    bool is_loaded;                     ///< whether there are any on the device
} program;

// Plans -------------------------------------------------------------------------------------------

static evn_status make_plans(program *p) {
    const trajectory *t = p->task;
    const evn__trajectory_loss loss = {.times = t->size.times,
                                       .batch = t->size.batch,
                                       .dimensions = t->size.dimensions,
                                       .columns = t->size.columns,
                                       .masked = t->options.missing,
                                       .joined = t->joined,
                                       .continuity = t->options.continuity};
    EVN_TRY(evn__plan_build(t->device, evn__trajectory_loss_build, &loss, NULL, &p->loss));
    return t->joined ? evn__plan_build(t->device, evn__trajectory_ties_build, &loss, NULL, &p->add)
                     : EVN_OK;
}

/// The loss with its cotangents, of p->x.
static evn_status run_loss(program *p) {
    const trajectory *t = p->task;
    evn_binding inputs[6] = {p->x, p->target}, outputs[3];
    int in = 2, out = 0;
    if (t->options.missing) {
        inputs[in++] = p->mask;
    }
    if (t->joined) {
        inputs[in++] = p->ends;
        inputs[in++] = p->joins;
        inputs[in++] = p->x0;
        outputs[out++] = p->ties_bar;
    }
    outputs[out++] = p->loss_value;
    outputs[out++] = p->x_bar;
    return evn_plan_run(p->loss, inputs, outputs);
}

// The program -------------------------------------------------------------------------------------

static void release(void *self) {
    program *p = self;
    if (!p) {
        return;
    }
    evn__learnt_solver_free(&p->learnt);
    evn_plan_destroy(&p->loss);
    evn_plan_destroy(&p->add);
    evn__inbox_destroy(&p->batch);
    evn_buffer_destroy(&p->memory);
    evn__trajectory_batch_free(&p->values);
    evn__trajectory_batch_free(&p->next);
    free(p);
}

static evn_binding place(program *p, size_t *at, int64_t count) {
    evn_binding binding = {p->memory, *at};
    *at += (size_t)count;
    return binding;
}

/// The floats of a batch on the device.
static size_t batch_floats(const trajectory *t) {
    size_t targets = (size_t)evn__trajectory_targets(&t->size);
    size_t states = (size_t)evn__trajectory_states(&t->size);
    return (t->options.missing ? 2 : 1) * targets + (t->options.learn_starts ? 0 : states);
}

static evn_status make_memory(program *p) {
    const trajectory *t = p->task;
    int64_t times = t->size.times, batch = t->size.batch, ends = times * batch;
    int64_t states = evn__trajectory_states(&t->size);
    size_t at = 0, all = (size_t)(times * states + states + ends + batch + 1);
    EVN_TRY(evn__trajectory_batch_create(&t->size, &p->values));
    EVN_TRY(evn__trajectory_batch_create(&t->size, &p->next));
    EVN_TRY(evn__inbox_create(t->device, batch_floats(t) * sizeof(float), &p->batch));
    EVN_TRY(evn__real_create_for(t->device, EVN__USE_BATCHES, false, all, &p->memory));
    p->x_bar = place(p, &at, times * states);
    p->loss_value = place(p, &at, 1);
    p->ends = place(p, &at, ends);
    p->joins = place(p, &at, batch);
    p->ties_bar = place(p, &at, states);
    if (t->options.learn_starts) {
        p->x0 = evn_parameters_value(t->parameters, evn_parameters_find(t->parameters, STARTS));
    }
    return EVN_OK;
}

/// Where trajectories end, on the device.
static evn_status write_ties(const program *p) {
    const trajectory *t = p->task;
    float *ends = NULL;
    int64_t count = t->size.times * t->size.batch;
    EVN_TRY(EVN_NEW(&ends, count + t->size.batch));
    for (int64_t b = 0; b < t->size.batch; ++b) {
        int end = t->options.continues[b];
        if (end >= 0) {
            ends[end * t->size.batch + b] = ends[count + b] = 1;
        }
    }
    evn_status status = evn__real_write_floats(p->ends, ends, (size_t)(count + t->size.batch));
    free(ends);
    return status;
}

static evn_status make_program(program *p, const evn_solver_options *options) {
    const trajectory *t = p->task;
    evn_solver_options solver = *options;
    solver.observations = (int)t->size.times;
    solver.times = t->options.times;
    EVN_TRY(make_memory(p));
    EVN_TRY(t->joined ? write_ties(p) : EVN_OK);
    EVN_TRY(make_plans(p));
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

static evn_status write_batch(program *p) {
    const trajectory *t = p->task;
    size_t targets = (size_t)evn__trajectory_targets(&t->size), at = targets;
    bool missing = t->options.missing, learnt = t->options.learn_starts;
    void *memory;
    evn_buffer *where;
    EVN_TRY(evn__inbox_open(p->batch, &memory));
    float *to = memory;
    evn__trajectory_batch_targets(&t->size, &p->values, to, missing ? to + at : NULL);
    at += missing ? targets : 0;
    if (!learnt) {
        evn__trajectory_batch_starts(&t->size, &p->values, to + at);
    }
    EVN_TRY(evn__inbox_close(p->batch, &where));
    p->target = (evn_binding){where, 0};
    p->mask = (evn_binding){where, targets};
    p->x0 = learnt ? p->x0 : (evn_binding){where, at};
    return EVN_OK;
}

/// Trajectories that are on the device already are not written again.
static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    const trajectory *t = p->task;
    (void)slot;
    EVN_TRY(evn__trajectory_batch_fill(&t->size, &t->source, batch, &p->next));
    if (p->is_loaded && evn__trajectory_batch_equal(&t->size, &p->values, &p->next)) {
        return EVN_OK;
    }
    evn__trajectory_batch values = p->next;
    p->next = p->values;
    p->values = values;
    p->is_loaded = true;
    return write_batch(p);
}

static evn_status forward(void *self, int slot, evn_solution *solution) {
    program *p = self;
    (void)slot;
    EVN_TRY(evn_solve(p->learnt.solver, 0, 1, p->x0, p->learnt.weights, &p->x, solution));
    return run_loss(p);
}

static evn_status gradient(void *self, evn_solution *solution) {
    program *p = self;
    const trajectory *t = p->task;
    evn_binding x0_bar;
    EVN_TRY(
        evn_solve_gradient(p->learnt.solver, p->x_bar, &x0_bar, p->learnt.weights_bar, solution));
    if (!t->options.learn_starts) {
        return EVN_OK;
    }
    evn_binding to =
        evn_parameters_gradient(t->parameters, evn_parameters_find(t->parameters, STARTS));
    const evn_binding inputs[] = {x0_bar, p->ties_bar};
    return t->joined ? evn_plan_run(p->add, inputs, &to)
                     : evn__real_copy(to, x0_bar, false, (size_t)evn__trajectory_states(&t->size));
}

static evn_status read(void *self, int first, int count, evn_tally *tally) {
    program *p = self;
    double loss;
    (void)first;
    (void)count;
    EVN_TRY(evn__real_read(p->loss_value, false, &loss, 1));
    tally->loss += loss;
    tally->weight += 1;
    tally->samples += p->task->size.batch;
    return EVN_OK;
}

static evn_status reconstruction(void *self, double *x_error, double *theta_error) {
    return evn_solver_reconstruction(((program *)self)->learnt.solver, x_error, theta_error);
}

static evn_status apart(void *self, double *x_apart, double *theta_apart) {
    return evn_solver_apart(((program *)self)->learnt.solver, x_apart, theta_apart);
}

static evn_status watched(void *self, double *worst) {
    return evn_solver_watched(((program *)self)->learnt.solver, worst);
}

// Evaluation --------------------------------------------------------------------------------------

/// ‖x − target‖ of trajectory b at time i, over what is observed.
static double distance(const program *p, const evn__trajectory_fit *fit, int64_t i, int64_t b) {
    const evn__trajectory_size *n = &p->task->size;
    double sum = 0;
    for (int64_t k = 0; k < n->dimensions; ++k) {
        double target = p->values.targets[(b * n->times + i) * n->dimensions + k];
        double error = fit->x[(i * n->batch + b) * n->dimensions + k] - target;
        sum += isnan(target) ? 0 : error * error;
    }
    return sqrt(sum);
}

/// x [times, B, D] out of the states.
static evn_status read_x(const program *p, evn__trajectory_fit *fit) {
    const evn__trajectory_size *n = &p->task->size;
    double *states = NULL;
    int64_t count = n->times * n->batch;
    EVN_TRY(EVN_NEW(&states, count * n->columns));
    evn_status status = evn__real_read(p->x, false, states, (size_t)(count * n->columns));
    for (int64_t i = 0; i < count * n->dimensions && status == EVN_OK; ++i) {
        fit->x[i] = states[i / n->dimensions * n->columns + i % n->dimensions];
    }
    free(states);
    return status;
}

static evn_status measure(program *p, evn__trajectory_fit *fit) {
    const evn_batch batch = {.part = EVN_TEST};
    evn_solution solution;
    EVN_TRY(load(p, &batch, 0));
    EVN_TRY(forward(p, 0, &solution));
    EVN_TRY(evn__real_read(p->loss_value, false, &fit->loss, 1));
    EVN_TRY(read_x(p, fit));
    fit->nfe = solution.nfe;
    fit->max_error = 0;
    for (int64_t i = 0; i < fit->times * fit->batch; ++i) {
        fit->max_error = fmax(fit->max_error, distance(p, fit, i / fit->batch, i % fit->batch));
    }
    return EVN_OK;
}

evn_status evn__trajectory_evaluate(const evn_task *task, const evn_solver_options *solver,
                                    evn__trajectory_fit *fit) {
    trajectory *t = task->self;
    void *compiled = NULL;
    const evn_solver_options forward_only = evn_solver_options_forward(solver);
    fit->times = t->size.times;
    fit->batch = t->size.batch;
    fit->dimensions = t->size.dimensions;
    EVN_TRY(EVN_NEW(&fit->x, evn__trajectory_targets(&t->size)));
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
    evn__trajectory_options_free(&t->options);
    free(t);
}

static const evn_dynamics *dynamics_at(void *self, int index) {
    return index == 0 ? ((const trajectory *)self)->dynamics : NULL;
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
                                         .apart = apart,
                                         .watched = watched,
                                         .evaluate = evaluate,
                                         .dynamics = dynamics_at,
                                         .destroy = destroy};

evn__trajectory_model evn__trajectory_get_model(const evn_task *task) {
    const trajectory *t = task->self;
    return task->methods == &methods ? (evn__trajectory_model){.device = t->device,
                                                               .field = t->field,
                                                               .parameters = t->parameters,
                                                               .batch = t->size.batch,
                                                               .dimensions = t->size.dimensions,
                                                               .columns = t->size.columns,
                                                               .times = t->size.times}
                                     : (evn__trajectory_model){0};
}

/// Learnt starts begin as the samples.
static evn_status write_starts(const trajectory *t, evn__trajectory_batch *d) {
    const evn_batch batch = {.part = EVN_TRAIN, .training = true};
    float *states = NULL;
    EVN_TRY(evn__trajectory_batch_create(&t->size, d));
    EVN_TRY(evn__trajectory_batch_fill(&t->size, &t->source, &batch, d));
    for (int64_t i = 0; i < evn__trajectory_samples(&t->size); ++i) {
        EVN_CHECK(isfinite(d->samples[i]), EVN_ERR_DATA, "trajectory %lld has no start",
                  (long long)(i / t->size.dimensions));
    }
    EVN_TRY(EVN_NEW(&states, evn__trajectory_states(&t->size)));
    evn__trajectory_batch_starts(&t->size, d, states);
    evn_status status = evn__real_write_floats(
        evn_parameters_value(t->parameters, evn_parameters_find(t->parameters, STARTS)), states,
        (size_t)evn__trajectory_states(&t->size));
    free(states);
    return status;
}

static evn_status make_parameters(trajectory *t) {
    evn_shape state = EVN_SHAPE(t->size.batch, t->size.columns);
    EVN_TRY(evn_parameters_create(&t->parameters));
    EVN_TRY(evn__field_dynamics(&t->field, state, t->parameters, &t->dynamics));
    if (t->options.learn_starts) {
        EVN_TRY(evn_parameters_add(t->parameters, STARTS, state, EVN_INITIAL_CONSTANT, 0));
    }
    return evn_parameters_allocate(t->parameters, t->device, false, t->options.seed);
}

static evn_status read_source(trajectory *t, const evn_trajectory_options *options) {
    evn_source_info info = t->source.methods->info(t->source.self);
    EVN_CHECK(info.sample.rank == 1 && info.has_target && info.target.rank == 2 &&
                  info.target.dim[1] == info.sample.dim[0],
              EVN_ERR_SHAPE,
              "the source has no trajectories; it needs samples [D] and targets [times, D]");
    t->size.times = info.target.dim[0];
    t->size.batch = info.batch;
    t->size.dimensions = info.sample.dim[0];
    t->size.columns = t->size.dimensions + options->extra;
    return EVN_OK;
}

static evn_status make(trajectory *t, const evn_trajectory_options *options) {
    evn__trajectory_batch d = {0};
    EVN_TRY(read_source(t, options));
    EVN_TRY(evn__trajectory_options_keep(options, t->size.times, t->size.batch, &t->options));
    for (int64_t b = 0; t->options.continues && b < t->size.batch; ++b) {
        t->joined = t->joined || (t->options.continues[b] >= 0 && t->options.continuity > 0);
    }
    t->field = (evn__field){.widths = t->options.widths,
                            .hidden = t->options.layers,
                            .network = t->options.network,
                            .activation = evn__activation_find(t->options.activation),
                            .evolution = t->options.evolution};
    EVN_TRY(make_parameters(t));
    evn_status status = t->options.learn_starts ? write_starts(t, &d) : EVN_OK;
    evn__trajectory_batch_free(&d);
    return status;
}

evn_status evn_task_trajectory(evn_device *device, const evn_source *source,
                               const evn_trajectory_options *options, evn_task *task) {
    trajectory *t = NULL;
    EVN_REQUIRE(task);
    *task = (evn_task){0};
    EVN_REQUIRE(device);
    EVN_TRY(evn__source_check(source));
    EVN_REQUIRE(options);
    EVN_TRY(evn__trajectory_options_check(options));
    EVN_TRY(EVN_NEW(&t, 1));
    *t = (trajectory){.device = device, .source = *source};
    evn_status status = make(t, options);
    if (status != EVN_OK) {
        destroy(t);
        return status;
    }
    *task = (evn_task){&methods, t};
    return EVN_OK;
}
