// SPDX-License-Identifier: Apache-2.0
// Trajectories x_b, b = 1 … B, that begin at given or learnt states and are observed at the same
// times, though not all of them at each. Where one ends and the next begins, learnt starts are tied
// to the ends by the loss: multiple shooting (Bock, Plitt 1984).
#include "task/trajectory.h"

#include "base/memory.h"
#include "nn/description.h"
#include "plan/build.h"
#include "plan/real.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include "task/trajectory_loss.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STARTS "start.state"

typedef struct trajectory {
    evn_device *device;
    evn_source source;
    evn_trajectory_options options; ///< its arrays are copies
    evn__field field;
    int64_t times, batch, dimensions, columns;
    bool joined; ///< some of them are tied together
    evn_parameters *parameters;
    evn_dynamics *dynamics;
} trajectory;

/// Numbers of the batch as the source gives them.
typedef struct drawn {
    float *samples, *targets, *weights; ///< [B, D], [B, times, D], [B]
} drawn;

typedef struct program {
    trajectory *task;
    evn__learnt_solver learnt;
    evn_plan *loss;
    evn_plan *add;      ///< learnt starts that are tied: x0_bar + what the ties give
    evn_buffer *memory; ///< what the bindings below are in
    evn_binding x0, target, mask, ends, joins, x_bar, ties_bar, loss_value;
    evn_binding x;      ///< of the last forward run: memory of the solver
    drawn values, next; ///< those on the device, and those that the source has just given
    bool is_loaded;     ///< whether there are any on the device
} program;

static int64_t sample_values(const trajectory *t) {
    return t->batch * t->dimensions;
}

static int64_t target_values(const trajectory *t) {
    return t->times * sample_values(t);
}

static int64_t state_values(const trajectory *t) {
    return t->batch * t->columns;
}

// Plans -------------------------------------------------------------------------------------------

static evn_status make_plans(program *p) {
    const trajectory *t = p->task;
    const evn__trajectory_loss loss = {.times = t->times,
                                       .batch = t->batch,
                                       .dimensions = t->dimensions,
                                       .columns = t->columns,
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

static evn_status drawn_create(const trajectory *t, drawn *d) {
    EVN_TRY(EVN_NEW(&d->samples, sample_values(t)));
    EVN_TRY(EVN_NEW(&d->targets, target_values(t)));
    return EVN_NEW(&d->weights, t->batch);
}

static void drawn_free(drawn *d) {
    free(d->samples);
    free(d->targets);
    free(d->weights);
    *d = (drawn){0};
}

static void release(void *self) {
    program *p = self;
    if (!p) {
        return;
    }
    evn__learnt_solver_free(&p->learnt);
    evn_plan_destroy(&p->loss);
    evn_plan_destroy(&p->add);
    evn_buffer_destroy(&p->memory);
    drawn_free(&p->values);
    drawn_free(&p->next);
    free(p);
}

static evn_binding place(program *p, size_t *at, int64_t count) {
    evn_binding binding = {p->memory, *at};
    *at += (size_t)count;
    return binding;
}

static evn_status make_memory(program *p) {
    const trajectory *t = p->task;
    int64_t targets = target_values(t), states = state_values(t), ends = t->times * t->batch;
    size_t at = 0, all = (size_t)(2 * targets + t->times * states + 2 * states + ends + t->batch);
    EVN_TRY(drawn_create(t, &p->values));
    EVN_TRY(drawn_create(t, &p->next));
    EVN_TRY(evn__real_create_for(t->device, EVN__USE_BATCHES, false, all + 1, &p->memory));
    p->target = place(p, &at, targets);
    p->x_bar = place(p, &at, t->times * states);
    p->x0 = place(p, &at, states);
    p->loss_value = place(p, &at, 1);
    p->mask = place(p, &at, targets);
    p->ends = place(p, &at, ends);
    p->joins = place(p, &at, t->batch);
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
    int64_t count = t->times * t->batch;
    EVN_TRY(EVN_NEW(&ends, count + t->batch));
    for (int64_t b = 0; b < t->batch; ++b) {
        int end = t->options.continues[b];
        if (end >= 0) {
            ends[end * t->batch + b] = ends[count + b] = 1;
        }
    }
    evn_status status = evn__real_write_floats(p->ends, ends, (size_t)(count + t->batch));
    free(ends);
    return status;
}

static evn_status make_program(program *p, const evn_solver_options *options) {
    const trajectory *t = p->task;
    evn_solver_options solver = *options;
    solver.observations = (int)t->times;
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

static evn_status fill(const trajectory *t, const evn_batch *batch, drawn *d) {
    int64_t filled;
    return evn__source_fill(&t->source, batch, t->batch, d->samples, d->targets, d->weights,
                            &filled);
}

/// Targets and what is observed of them, each [times, B, D] in `packed`.
static void pack_targets(const trajectory *t, const float *targets, float *packed) {
    float *mask = packed + target_values(t);
    for (int64_t b = 0; b < t->batch; ++b) {
        for (int64_t i = 0; i < t->times; ++i) {
            for (int64_t k = 0; k < t->dimensions; ++k) {
                float value = targets[(b * t->times + i) * t->dimensions + k];
                int64_t to = (i * t->batch + b) * t->dimensions + k;
                bool known = !t->options.missing || !isnan(value);
                packed[to] = known ? value : 0;
                mask[to] = known;
            }
        }
    }
}

/// Given starts as states: what nothing is observed of begins at 0.
static void pack_starts(const trajectory *t, const float *samples, float *states) {
    for (int64_t b = 0; b < t->batch; ++b) {
        for (int64_t k = 0; k < t->columns; ++k) {
            states[b * t->columns + k] = k < t->dimensions ? samples[b * t->dimensions + k] : 0;
        }
    }
}

static evn_status write_batch(program *p) {
    const trajectory *t = p->task;
    float *packed = NULL;
    size_t targets = (size_t)target_values(t), states = (size_t)state_values(t);
    EVN_TRY(EVN_NEW(&packed, 2 * targets + states));
    pack_targets(t, p->values.targets, packed);
    evn_status status = evn__real_write_floats(p->target, packed, targets);
    if (status == EVN_OK && t->options.missing) {
        status = evn__real_write_floats(p->mask, packed + targets, targets);
    }
    if (status == EVN_OK && !t->options.learn_starts) {
        pack_starts(t, p->values.samples, packed);
        status = evn__real_write_floats(p->x0, packed, states);
    }
    free(packed);
    return status;
}

static bool is_same(const trajectory *t, const drawn *a, const drawn *b) {
    size_t samples = (size_t)sample_values(t), targets = (size_t)target_values(t);
    return memcmp(a->samples, b->samples, samples * sizeof(float)) == 0 &&
           memcmp(a->targets, b->targets, targets * sizeof(float)) == 0;
}

/// Trajectories that are on the device already are not copied again.
static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    (void)slot;
    EVN_TRY(fill(p->task, batch, &p->next));
    if (p->is_loaded && is_same(p->task, &p->values, &p->next)) {
        return EVN_OK;
    }
    drawn values = p->next;
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
                     : evn__real_copy(to, x0_bar, false, (size_t)state_values(t));
}

static evn_status read(void *self, int first, int count, evn_tally *tally) {
    program *p = self;
    double loss;
    (void)first;
    (void)count;
    EVN_TRY(evn__real_read(p->loss_value, false, &loss, 1));
    tally->loss += loss;
    tally->weight += 1;
    tally->samples += p->task->batch;
    return EVN_OK;
}

static evn_status reconstruction(void *self, double *x_error, double *theta_error) {
    return evn_solver_reconstruction(((program *)self)->learnt.solver, x_error, theta_error);
}

static evn_status watched(void *self, double *worst) {
    return evn_solver_watched(((program *)self)->learnt.solver, worst);
}

// Evaluation --------------------------------------------------------------------------------------

/// ‖x − target‖ of trajectory b at time i, over what is observed.
static double distance(const program *p, const evn__trajectory_fit *fit, int64_t i, int64_t b) {
    const trajectory *t = p->task;
    double sum = 0;
    for (int64_t k = 0; k < t->dimensions; ++k) {
        double target = p->values.targets[(b * t->times + i) * t->dimensions + k];
        double error = fit->x[(i * t->batch + b) * t->dimensions + k] - target;
        sum += isnan(target) ? 0 : error * error;
    }
    return sqrt(sum);
}

/// x [times, B, D] out of the states.
static evn_status read_x(const program *p, evn__trajectory_fit *fit) {
    const trajectory *t = p->task;
    double *states = NULL;
    int64_t count = t->times * t->batch;
    EVN_TRY(EVN_NEW(&states, count * t->columns));
    evn_status status = evn__real_read(p->x, false, states, (size_t)(count * t->columns));
    for (int64_t i = 0; i < count * t->dimensions && status == EVN_OK; ++i) {
        fit->x[i] = states[i / t->dimensions * t->columns + i % t->dimensions];
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
    fit->times = t->times;
    fit->batch = t->batch;
    fit->dimensions = t->dimensions;
    EVN_TRY(EVN_NEW(&fit->x, target_values(t)));
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
    free((void *)t->options.widths);
    free((void *)t->options.times);
    free((void *)t->options.continues);
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
                                         .watched = watched,
                                         .evaluate = evaluate,
                                         .dynamics = dynamics_at,
                                         .destroy = destroy};

evn__trajectory_model evn__trajectory_get_model(const evn_task *task) {
    const trajectory *t = task->self;
    return task->methods == &methods
               ? (evn__trajectory_model){t->device,     t->field,   t->parameters, t->batch,
                                         t->dimensions, t->columns, t->times}
               : (evn__trajectory_model){0};
}

static evn_status copy(const void *from, size_t size, int64_t count, void **to) {
    EVN_TRY(evn__new(to, (size_t)count, size));
    memcpy(*to, from, size * (size_t)count);
    return EVN_OK;
}

/// The caller's arrays may not live as long.
static evn_status copy_arrays(trajectory *t) {
    evn_trajectory_options given = t->options, *kept = &t->options;
    kept->widths = NULL;
    kept->times = NULL;
    kept->continues = NULL;
    EVN_TRY(copy(given.widths, sizeof(int), given.layers, (void **)&kept->widths));
    EVN_TRY(given.times ? copy(given.times, sizeof(double), t->times, (void **)&kept->times)
                        : EVN_OK);
    return given.continues ? copy(given.continues, sizeof(int), t->batch, (void **)&kept->continues)
                           : EVN_OK;
}

/// States are what the source gives: nothing stands before the ODE, or behind it.
static evn_status check_network(const evn_network *network) {
    EVN_CHECK(
        network->block_count == 1 && network->ode_count == 1 && network->stem.count == 0 &&
            network->head.count == 0,
        EVN_ERR_SHAPE,
        "%s: for trajectories a network is one ODE, {\"blocks\": [{\"ode\": [ ... ]}]}; leave "
        "stem, head and other blocks out",
        network->name);
    return EVN_OK;
}

static evn_status check_options(const evn_trajectory_options *o) {
    EVN_CHECK(o->layers >= 0 && o->layers <= 99 && (o->layers == 0 || o->widths), EVN_ERR_ARGUMENT,
              "f has %d hidden layers; give 0 to 99, and their widths", o->layers);
    for (int i = 0; i < o->layers; ++i) {
        EVN_CHECK(o->widths[i] >= 1, EVN_ERR_ARGUMENT,
                  "the width of hidden layer %d of f is %d; give 1 or more", i + 1, o->widths[i]);
    }
    EVN_TRY(o->network ? check_network(o->network) : EVN_OK);
    EVN_REQUIRE(o->activation);
    EVN_CHECK(evn__activation_find(o->activation), EVN_ERR_ARGUMENT,
              "there is no activation '%s'; evn_activation_name lists them", o->activation);
    EVN_CHECK(o->extra >= 0 && o->extra <= 1 << 16, EVN_ERR_ARGUMENT,
              "the state has %d extra columns; give 0 to 65536", o->extra);
    EVN_CHECK(o->continuity >= 0 && isfinite(o->continuity), EVN_ERR_ARGUMENT,
              "the factor of continuity is %g; give a number >= 0", o->continuity);
    EVN_CHECK(!o->continues || o->learn_starts, EVN_ERR_ARGUMENT,
              "trajectories that continue each other need starts that are learnt: learn_starts");
    return EVN_OK;
}

static evn_status check_continues(const trajectory *t) {
    for (int64_t b = 0; t->options.continues && b < t->batch; ++b) {
        int end = t->options.continues[b];
        EVN_CHECK(end < t->times && (end < 0 || b + 1 < t->batch), EVN_ERR_ARGUMENT,
                  "trajectory %lld ends at time %d where the next begins; there are %lld times and "
                  "%lld trajectories",
                  (long long)b, end, (long long)t->times, (long long)t->batch);
    }
    return EVN_OK;
}

/// Learnt starts begin as the samples.
static evn_status write_starts(const trajectory *t, drawn *d) {
    const evn_batch batch = {.part = EVN_TRAIN, .training = true};
    float *states = NULL;
    EVN_TRY(drawn_create(t, d));
    EVN_TRY(fill(t, &batch, d));
    for (int64_t i = 0; i < sample_values(t); ++i) {
        EVN_CHECK(isfinite(d->samples[i]), EVN_ERR_DATA, "trajectory %lld has no start",
                  (long long)(i / t->dimensions));
    }
    EVN_TRY(EVN_NEW(&states, state_values(t)));
    pack_starts(t, d->samples, states);
    evn_status status = evn__real_write_floats(
        evn_parameters_value(t->parameters, evn_parameters_find(t->parameters, STARTS)), states,
        (size_t)state_values(t));
    free(states);
    return status;
}

static evn_status make_parameters(trajectory *t) {
    evn_shape state = EVN_SHAPE(t->batch, t->columns);
    EVN_TRY(evn_parameters_create(&t->parameters));
    EVN_TRY(evn__field_dynamics(&t->field, state, t->parameters, &t->dynamics));
    if (t->options.learn_starts) {
        EVN_TRY(evn_parameters_add(t->parameters, STARTS, state, EVN_INITIAL_CONSTANT, 0));
    }
    return evn_parameters_allocate(t->parameters, t->device, false, t->options.seed);
}

static evn_status read_source(trajectory *t) {
    evn_source_info info = t->source.methods->info(t->source.self);
    EVN_CHECK(info.sample.rank == 1 && info.has_target && info.target.rank == 2 &&
                  info.target.dim[1] == info.sample.dim[0],
              EVN_ERR_SHAPE,
              "the source has no trajectories; it needs samples [D] and targets [times, D]");
    t->times = info.target.dim[0];
    t->batch = info.batch;
    t->dimensions = info.sample.dim[0];
    t->columns = t->dimensions + t->options.extra;
    return EVN_OK;
}

static evn_status make(trajectory *t) {
    drawn d = {0};
    EVN_TRY(copy_arrays(t));
    EVN_TRY(check_continues(t));
    for (int64_t b = 0; t->options.continues && b < t->batch; ++b) {
        t->joined = t->joined || (t->options.continues[b] >= 0 && t->options.continuity > 0);
    }
    t->field = (evn__field){.widths = t->options.widths,
                            .hidden = t->options.layers,
                            .network = t->options.network,
                            .activation = evn__activation_find(t->options.activation),
                            .evolution = t->options.evolution};
    EVN_TRY(make_parameters(t));
    evn_status status = t->options.learn_starts ? write_starts(t, &d) : EVN_OK;
    drawn_free(&d);
    return status;
}

evn_trajectory_options evn_trajectory_options_default(void) {
    static const int widths[] = {300, 300};
    return (evn_trajectory_options){.widths = widths, .layers = 2, .activation = "relu", .seed = 1};
}

evn_status evn_task_trajectory(evn_device *device, const evn_source *source,
                               const evn_trajectory_options *options, evn_task *task) {
    trajectory *t = NULL;
    EVN_REQUIRE(task);
    *task = (evn_task){0};
    EVN_REQUIRE(device);
    EVN_TRY(evn__source_check(source));
    EVN_REQUIRE(options);
    EVN_TRY(check_options(options));
    EVN_TRY(EVN_NEW(&t, 1));
    *t = (trajectory){.device = device, .source = *source, .options = *options};
    evn_status status = read_source(t);
    if (status == EVN_OK) {
        status = make(t);
    } else {
        t->options = (evn_trajectory_options){0}; // whose arrays are the caller's
    }
    if (status != EVN_OK) {
        destroy(t);
        return status;
    }
    *task = (evn_task){&methods, t};
    return EVN_OK;
}

const char *evn_activation_name(int index) {
    return index >= 0 ? evn__activation_name(index) : NULL;
}
