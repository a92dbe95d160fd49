// SPDX-License-Identifier: Apache-2.0
#include "task/flow.h"

#include "base/memory.h"
#include "base/random.h"
#include "host/inbox.h"
#include "plan/build.h"
#include "plan/real.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOISE_STREAM = 4, TEST_NOISE_STREAM = 5, TRAIN_POINTS_MAX = 10000 };
static const double LOG_2_PI = 1.8378770664093454836;

typedef struct flow {
    evn_device *device;
    evn_source source;
    evn_flow_options options;
    evn__flow_kind kind;
    evn__flow_size size;
    int64_t batch, columns; ///< of the state [B, columns]
    evn_parameters *parameters;
    evn_dynamics *dynamics;
} flow;

/// The points of a batch.
typedef struct drawn_batch {
    int64_t number; ///< −1: none yet
    float *state;   ///< [B, columns]
} drawn_batch;

typedef struct program {
    flow *task;
    bool trains;
    evn__learnt_solver learnt;
    evn_plan *loss;
    evn__inbox *batch; ///< the state at t = 0, and to measure the weights of the points
    evn_binding x0, weighted;
    evn_buffer *memory; ///< what the bindings below are in
    evn_binding x_bar, loss_value;
    drawn_batch drawn[2]; ///< of training: one is drawn while the device works on the other
    evn_batch loaded;
    int64_t filled;          ///< points of the batch that count
    float *points, *weights; ///< [B, D], [B]
} program;

static evn__flow_trace trace_of(const flow *t) {
    return t->options.trace == EVN_TRACE_EXACT ? EVN__TRACE_EXACT : EVN__TRACE_ESTIMATE;
}

// Loss --------------------------------------------------------------------------------------------

/// What −log p has besides ‖z‖²/2 and ℓ at t = 1.
static double constant_of(const flow *t) {
    return LOG_2_PI * (double)t->size.dimensions / 2 + t->options.log_volume;
}

/// Mean of −log p, and its cotangents.
static void build_training(const void *self, evn_graph *g) {
    const flow *t = self;
    int64_t batch = t->batch, dimensions = t->size.dimensions;
    int64_t start[] = {0, dimensions}, origin[] = {0, 0};
    double each = 1 / (double)batch;
    evn_value x = evn_input(g, "x", EVN_SHAPE(batch, t->columns));
    evn_value z = evn_slice(g, x, origin, EVN_SHAPE(batch, dimensions));
    evn_value change = evn_slice(g, x, start, EVN_SHAPE(batch, 1));
    evn_value sum =
        evn_add(g, evn_scale(g, evn_sum_all(g, evn_mul(g, z, z)), 0.5), evn_sum_all(g, change));
    evn_output(g, "loss", evn_add(g, evn_scale(g, sum, each), evn_constant(g, constant_of(t))));
    evn_value parts[] = {evn_scale(g, z, each), evn_full(g, EVN_SHAPE(batch, 1), each),
                         evn_full(g, EVN_SHAPE(batch, dimensions), 0)};
    evn_output(g, "x_bar", evn_concat(g, parts, trace_of(t) == EVN__TRACE_EXACT ? 2 : 3, 1));
}

/// Σ of −log p over the points that count.
static void build_testing(const void *self, evn_graph *g) {
    const flow *t = self;
    int64_t batch = t->batch, dimensions = t->size.dimensions;
    int64_t start[] = {0, dimensions}, origin[] = {0, 0};
    evn_value x = evn_input(g, "x", EVN_SHAPE(batch, t->columns));
    evn_value weights = evn_input(g, "weights", EVN_SHAPE(batch, 1));
    evn_value z = evn_slice(g, x, origin, EVN_SHAPE(batch, dimensions));
    evn_value squares = evn_sum(g, evn_mul(g, z, z), 1u << 1);
    evn_value each =
        evn_add(g, evn_scale(g, squares, 0.5), evn_slice(g, x, start, EVN_SHAPE(batch, 1)));
    evn_value whole = evn_add(g, each, evn_full(g, EVN_SHAPE(batch, 1), constant_of(t)));
    evn_output(g, "loss", evn_sum_all(g, evn_mul(g, whole, weights)));
}

static evn_status make_loss(program *p) {
    static const char *const samples[] = {"x", NULL};
    const evn_plan_options options = {.sample_inputs = p->trains ? samples : NULL};
    return evn__plan_build(p->task->device, p->trains ? build_training : build_testing, p->task,
                           &options, &p->loss);
}

// The program -------------------------------------------------------------------------------------

static void release(void *self) {
    program *p = self;
    if (!p) {
        return;
    }
    evn__learnt_solver_free(&p->learnt);
    evn_plan_destroy(&p->loss);
    evn__inbox_destroy(&p->batch);
    evn_buffer_destroy(&p->memory);
    free(p->drawn[0].state);
    free(p->drawn[1].state);
    free(p->points);
    free(p->weights);
    free(p);
}

static evn_status make_memory(program *p) {
    const flow *t = p->task;
    size_t size = (size_t)(t->batch * t->columns);
    for (int i = 0; i < 2; ++i) {
        p->drawn[i].number = -1;
        EVN_TRY(EVN_NEW(&p->drawn[i].state, size));
    }
    EVN_TRY(EVN_NEW(&p->points, t->size.dimensions * t->batch));
    EVN_TRY(EVN_NEW(&p->weights, t->batch));
    size_t weights = p->trains ? 0 : (size_t)t->batch;
    EVN_TRY(evn__inbox_create(t->device, (size + weights) * sizeof(float), &p->batch));
    EVN_TRY(evn__real_create_for(t->device, EVN__USE_BATCHES, false, size + 1, &p->memory));
    p->x_bar = (evn_binding){p->memory, 0};
    p->loss_value = (evn_binding){p->memory, size};
    return EVN_OK;
}

static evn_status make_program(program *p, const evn_solver_options *solver) {
    const flow *t = p->task;
    EVN_TRY(make_memory(p));
    EVN_TRY(make_loss(p));
    return evn__learnt_solver_create(t->device, t->dynamics, t->parameters, solver, &p->learnt);
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
    p->trains = trains;
    evn_status status = make_program(p, solver);
    if (status != EVN_OK) {
        release(p);
        return status;
    }
    *compiled = p;
    return EVN_OK;
}

static double draw_noise(const program *p, uint64_t number) {
    const evn_flow_options *o = &p->task->options;
    uint64_t stream = p->trains ? NOISE_STREAM : TEST_NOISE_STREAM;
    if (o->trace == EVN_TRACE_GAUSSIAN) {
        return evn__random_normal(o->seed, stream, number);
    }
    return evn__random_below(o->seed, stream, number, 2) ? 1 : -1;
}

/// A batch is known by its number in training, and else by its index.
static int64_t number_of(const program *p, const evn_batch *batch) {
    return p->trains ? batch->number : batch->index;
}

static void fill_state(const program *p, uint64_t first, float *state) {
    const flow *t = p->task;
    int64_t dimensions = t->size.dimensions, noise = dimensions + 1;
    for (int64_t i = 0; i < t->batch; ++i) {
        float *row = state + i * t->columns;
        memcpy(row, p->points + i * dimensions, (size_t)dimensions * sizeof(*row));
        row[dimensions] = 0;
        for (int64_t k = noise; k < t->columns; ++k) {
            uint64_t number = (uint64_t)dimensions * (first + (uint64_t)i);
            row[k] = (float)draw_noise(p, number + (uint64_t)(k - noise));
        }
    }
}

/// Points, and noise where the trace is estimated, unless they are drawn already.
static evn_status draw(program *p, const evn_batch *batch, const drawn_batch **drawn) {
    const flow *t = p->task;
    int64_t number = number_of(p, batch);
    drawn_batch *b = &p->drawn[number % 2];
    *drawn = b;
    if (p->trains && b->number == number) {
        return EVN_OK;
    }
    EVN_TRY(evn__source_fill(&t->source, batch, p->trains ? t->batch : 1, p->points, NULL,
                             p->weights, &p->filled));
    b->number = number;
    fill_state(p, (uint64_t)number * (uint64_t)t->batch, b->state);
    return EVN_OK;
}

static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    const drawn_batch *drawn;
    size_t count = (size_t)(p->task->batch * p->task->columns);
    void *memory;
    evn_buffer *where;
    (void)slot;
    EVN_TRY(draw(p, batch, &drawn));
    p->loaded = *batch;
    EVN_TRY(evn__inbox_open(p->batch, &memory));
    float *to = memory;
    memcpy(to, drawn->state, count * sizeof(*to));
    if (!p->trains) {
        memcpy(to + count, p->weights, (size_t)p->task->batch * sizeof(*to));
    }
    EVN_TRY(evn__inbox_close(p->batch, &where));
    p->x0 = (evn_binding){where, 0};
    p->weighted = (evn_binding){where, count};
    return EVN_OK;
}

/// Of training: the loss with its cotangents; the next points are drawn meanwhile.
static evn_status find_loss(program *p, evn_binding x) {
    const drawn_batch *ahead;
    evn_batch next = p->loaded;
    evn_binding inputs[] = {x, p->weighted}, outputs[] = {p->loss_value, p->x_bar};
    EVN_TRY(evn_plan_run(p->loss, inputs, outputs));
    if (!p->trains) {
        return EVN_OK;
    }
    EVN_TRY(evn_device_flush(p->task->device));
    ++next.number;
    ++next.index; // parts of a batch are known by both
    return draw(p, &next, &ahead);
}

static evn_status forward(void *self, int slot, evn_solution *solution) {
    program *p = self;
    evn_binding x;
    (void)slot;
    EVN_TRY(evn_solve(p->learnt.solver, 0, 1, p->x0, p->learnt.weights, &x, solution));
    return find_loss(p, x);
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
    tally->loss += loss; // of training the mean, of which each weighs the same
    tally->weight += p->trains ? 1 : (double)p->filled;
    tally->samples += p->trains ? p->task->batch : p->filled;
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

// The task ----------------------------------------------------------------------------------------

static evn_parameters *parameters(void *self) {
    return ((flow *)self)->parameters;
}

static int64_t batches(void *self, evn_part part) {
    const flow *t = self;
    return t->source.methods->info(t->source.self).batches[part];
}

static void destroy(void *self) {
    flow *t = self;
    evn_dynamics_destroy(&t->dynamics);
    evn_parameters_destroy(&t->parameters);
    free(t);
}

static evn__flow_model model_of(const flow *t) {
    return (evn__flow_model){t->device, &t->kind, t->size, t->parameters, t->options.log_volume};
}

static evn_status set(evn_metrics *metrics, evn_part part, const char *name, const char *unit,
                      double value) {
    char text[EVN_METRIC_NAME];
    snprintf(text, sizeof(text), "%s_%s", part == EVN_TEST ? "test" : "train", name);
    return evn_metrics_set(metrics, text, unit, EVN_BETTER_LOWER, value);
}

static evn_status set_metrics(const flow *t, evn_part part, double nll, double nfe,
                              evn_metrics *metrics) {
    double bits = nll / (log(2) * (double)t->size.dimensions);
    EVN_TRY(set(metrics, part, "nll", "nats", nll));
    if (part == EVN_TRAIN) {
        return EVN_OK;
    }
    EVN_TRY(set(metrics, part, "bits", "bits", bits));
    if (!isnan(t->options.entropy)) {
        EVN_TRY(evn_metrics_set(metrics, "gap_nats", "nats", EVN_BETTER_LOWER,
                                nll - t->options.entropy));
    }
    return evn_metrics_set(metrics, "nfe_forward", "", EVN_BETTER_LOWER, nfe);
}

static evn_status evaluate(void *self, const evn_solver_options *solver, evn_part part,
                           evn_metrics *metrics) {
    flow *t = self;
    evn__flow_model model = model_of(t);
    double *points, nll, nfe;
    int64_t count, most = part == EVN_TEST ? INT64_MAX : TRAIN_POINTS_MAX;
    EVN_CHECK(batches(t, part) > 0, EVN_ERR_ARGUMENT, "the flow's source has no %s part",
              part == EVN_TEST ? "test" : "training");
    EVN_TRY(evn__flow_points(&t->source, part, most, &points, &count));
    evn_status status = evn__flow_nll(&model, solver, points, count, &nll, &nfe);
    free(points);
    EVN_TRY(status);
    return set_metrics(t, part, nll + t->options.log_volume, nfe, metrics);
}

static const evn_dynamics *dynamics_at(void *self, int index) {
    return index == 0 ? ((const flow *)self)->dynamics : NULL;
}

static const evn_task_methods methods = {.name = "flow",
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

evn__flow_model evn__flow_get_model(const evn_task *task) {
    const flow *t = task->self;
    return task->methods == &methods ? model_of(t) : (evn__flow_model){0};
}

evn_status evn__flow_ode(const evn_task *task, int64_t samples, evn_dynamics **dynamics) {
    const evn__flow_model m = evn__flow_get_model(task);
    *dynamics = NULL;
    return evn__flow_dynamics(m.kind, &m.size, samples, EVN__TRACE_EXACT, m.parameters, dynamics);
}

static evn_status make_size(flow *t, const evn_source_info *info) {
    const evn_flow_options *o = &t->options;
    EVN_CHECK(info->sample.rank == 1 && info->sample.dim[0] >= 1 &&
                  info->sample.dim[0] <= EVN__FLOW_DIMENSIONS_MAX && !info->has_target,
              EVN_ERR_SHAPE, "the source's samples are not points [1 to %d] without targets",
              EVN__FLOW_DIMENSIONS_MAX);
    EVN_CHECK(o->width >= 0 && o->width <= 65536 && o->span >= 0 && o->span <= 1e6 &&
                  isfinite(o->log_volume),
              EVN_ERR_ARGUMENT,
              "a flow of width %d, span %g and log_volume %g; give a width up to 65536, a span up "
              "to 1e6 (0: the default) and a finite log_volume",
              o->width, o->span, o->log_volume);
    t->size = EVN__FLOW_PLANE;
    t->size.dimensions = info->sample.dim[0];
    t->size.width = o->width > 0 ? o->width : t->size.width;
    t->size.span = o->span > 0 ? o->span : t->size.span;
    return EVN_OK;
}

static evn_status make(flow *t) {
    evn_source_info info = t->source.methods->info(t->source.self);
    EVN_CHECK(t->options.trace >= EVN_TRACE_EXACT && t->options.trace <= EVN_TRACE_GAUSSIAN,
              EVN_ERR_ARGUMENT, "there is no trace %d", (int)t->options.trace);
    EVN_TRY(evn__flow_choose(t->options.model, t->options.weights, &t->kind));
    EVN_TRY(make_size(t, &info));
    t->batch = info.batch;
    t->columns = evn__flow_columns(&t->size, trace_of(t));
    EVN_TRY(evn_parameters_create(&t->parameters));
    EVN_TRY(
        evn__flow_dynamics(&t->kind, &t->size, t->batch, trace_of(t), t->parameters, &t->dynamics));
    return evn_parameters_allocate(t->parameters, t->device, false, t->options.seed);
}

evn_status evn_task_flow(evn_device *device, const evn_source *source,
                         const evn_flow_options *options, evn_task *task) {
    flow *t = NULL;
    EVN_REQUIRE(task);
    *task = (evn_task){0};
    EVN_REQUIRE(device);
    EVN_TRY(evn__source_check(source));
    EVN_REQUIRE(options);
    EVN_REQUIRE(options->model);
    EVN_TRY(EVN_NEW(&t, 1));
    *t = (flow){.device = device, .source = *source, .options = *options};
    evn_status status = make(t);
    if (status != EVN_OK) {
        destroy(t);
        return status;
    }
    *task = (evn_task){&methods, t};
    return EVN_OK;
}

const char *evn_flow_model_name(int index) {
    const evn__flow_kind *kind = index >= 0 ? evn__flow_at(index) : NULL;
    return kind ? kind->name : NULL;
}
