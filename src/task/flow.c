// SPDX-License-Identifier: Apache-2.0
#include "task/flow.h"

#include "base/memory.h"
#include "base/random.h"
#include "plan/build.h"
#include "plan/real.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdlib.h>

enum { NOISE_STREAM = 4, DIMENSIONS = 2 };
static const double LOG_2_PI = 1.8378770664093454836;

typedef struct flow {
    evn_device *device;
    evn_source source;
    evn_flow_options options;
    const evn__flow_kind *kind;
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
    evn__learnt_solver learnt;
    evn_plan *loss;
    evn_buffer *memory; ///< what the bindings below are in
    evn_binding x0, x_bar, loss_value;
    drawn_batch drawn[2]; ///< one is drawn while the device works on the other
    evn_batch loaded;
    float *points, *weights; ///< [B, 2], [B]
} program;

static evn__flow_trace trace_of(const flow *t) {
    return t->options.trace == EVN_TRACE_EXACT ? EVN__TRACE_EXACT : EVN__TRACE_ESTIMATE;
}

// Loss --------------------------------------------------------------------------------------------

/// Mean of −log p, from z and ℓ at t = 1, and its cotangents.
static void build_loss(const void *self, evn_graph *g) {
    const flow *t = self;
    int64_t batch = t->batch, start[] = {0, 2}, origin[] = {0, 0};
    double each = 1 / (double)batch;
    evn_value x = evn_input(g, "x", EVN_SHAPE(batch, t->columns));
    evn_value z = evn_slice(g, x, origin, EVN_SHAPE(batch, 2));
    evn_value change = evn_slice(g, x, start, EVN_SHAPE(batch, 1));
    evn_value sum =
        evn_add(g, evn_scale(g, evn_sum_all(g, evn_mul(g, z, z)), 0.5), evn_sum_all(g, change));
    evn_output(g, "loss", evn_add(g, evn_scale(g, sum, each), evn_constant(g, LOG_2_PI)));
    evn_value parts[] = {evn_scale(g, z, each), evn_full(g, EVN_SHAPE(batch, 1), each),
                         evn_full(g, EVN_SHAPE(batch, 2), 0)};
    evn_output(g, "x_bar", evn_concat(g, parts, trace_of(t) == EVN__TRACE_EXACT ? 2 : 3, 1));
}

static evn_status make_loss(program *p) {
    static const char *const samples[] = {"x", NULL};
    const evn_plan_options options = {.sample_inputs = samples};
    return evn__plan_build(p->task->device, build_loss, p->task, &options, &p->loss);
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
    EVN_TRY(EVN_NEW(&p->points, DIMENSIONS * t->batch));
    EVN_TRY(EVN_NEW(&p->weights, t->batch));
    EVN_TRY(evn__real_create(t->device, false, 2 * size + 1, &p->memory));
    p->x0 = (evn_binding){p->memory, 0};
    p->x_bar = (evn_binding){p->memory, size};
    p->loss_value = (evn_binding){p->memory, 2 * size};
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
    evn_status status = make_program(p, solver);
    if (status != EVN_OK) {
        release(p);
        return status;
    }
    *compiled = p;
    return EVN_OK;
}

static double draw_noise(const flow *t, uint64_t number) {
    uint64_t seed = t->options.seed;
    if (t->options.trace == EVN_TRACE_GAUSSIAN) {
        return evn__random_normal(seed, NOISE_STREAM, number);
    }
    return evn__random_below(seed, NOISE_STREAM, number, 2) ? 1 : -1;
}

/// Points, and noise where the trace is estimated, unless they are drawn already.
static evn_status draw(program *p, const evn_batch *batch, const drawn_batch **drawn) {
    const flow *t = p->task;
    drawn_batch *b = &p->drawn[batch->number % 2];
    uint64_t first = (uint64_t)batch->number * (uint64_t)t->batch;
    int64_t filled;
    *drawn = b;
    if (b->number == batch->number) {
        return EVN_OK;
    }
    EVN_TRY(evn__source_fill(&t->source, batch, t->batch, p->points, NULL, p->weights, &filled));
    b->number = batch->number;
    for (int64_t i = 0; i < t->batch; ++i) {
        float *row = b->state + i * t->columns;
        row[0] = p->points[2 * i];
        row[1] = p->points[2 * i + 1];
        row[2] = 0;
        for (int64_t k = 3; k < t->columns; ++k) {
            row[k] = (float)draw_noise(t, 2 * (first + (uint64_t)i) + (uint64_t)k - 3);
        }
    }
    return EVN_OK;
}

static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    const drawn_batch *drawn;
    size_t count = (size_t)(p->task->batch * p->task->columns);
    (void)slot;
    EVN_TRY(draw(p, batch, &drawn));
    p->loaded = *batch;
    return evn__real_write_floats(p->x0, drawn->state, count);
}

/// Solve, and the loss with its cotangents; the next points are drawn meanwhile.
static evn_status forward(void *self, int slot, evn_solution *solution) {
    program *p = self;
    const drawn_batch *ahead;
    evn_batch next = p->loaded;
    evn_binding x;
    (void)slot;
    EVN_TRY(evn_solve(p->learnt.solver, 0, 1, p->x0, p->learnt.weights, &x, solution));
    evn_binding inputs[] = {x}, outputs[] = {p->loss_value, p->x_bar};
    EVN_TRY(evn_plan_run(p->loss, inputs, outputs));
    EVN_TRY(evn_device_flush(p->task->device));
    ++next.number;
    return draw(p, &next, &ahead);
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
    tally->samples += p->task->batch;
    return EVN_OK;
}

static evn_status reconstruction(void *self, double *x_error, double *theta_error) {
    return evn_solver_reconstruction(((program *)self)->learnt.solver, x_error, theta_error);
}

// The task ----------------------------------------------------------------------------------------

static evn_parameters *parameters(void *self) {
    return ((flow *)self)->parameters;
}

static int64_t batches(void *self, evn_part part) {
    const flow *t = self;
    return part == EVN_TEST ? t->source.methods->info(t->source.self).batches[EVN_TEST] : 0;
}

static void destroy(void *self) {
    flow *t = self;
    evn_dynamics_destroy(&t->dynamics);
    evn_parameters_destroy(&t->parameters);
    free(t);
}

static evn_status evaluate(void *self, const evn_solver_options *solver, evn_part part,
                           evn_metrics *metrics) {
    flow *t = self;
    evn__flow_model model = {t->device, t->kind, t->parameters};
    double *points, nll, nfe;
    int64_t count;
    EVN_CHECK(part == EVN_TEST, EVN_ERR_ARGUMENT, "a flow is measured on its test part: EVN_TEST");
    EVN_CHECK(batches(t, EVN_TEST) > 0, EVN_ERR_ARGUMENT, "the flow's source has no test part");
    EVN_TRY(evn__flow_test_points(&t->source, &points, &count));
    evn_status status = evn__flow_nll(&model, solver, points, count, &nll, &nfe);
    free(points);
    EVN_TRY(status);
    EVN_TRY(evn_metrics_set(metrics, "test_nll", "nats", EVN_BETTER_LOWER, nll));
    if (!isnan(t->options.entropy)) {
        EVN_TRY(evn_metrics_set(metrics, "gap_nats", "nats", EVN_BETTER_LOWER,
                                nll - t->options.entropy));
    }
    return evn_metrics_set(metrics, "nfe_forward", "", EVN_BETTER_LOWER, nfe);
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
                                         .evaluate = evaluate,
                                         .destroy = destroy};

evn__flow_model evn__flow_get_model(const evn_task *task) {
    const flow *t = task->self;
    return task->methods == &methods ? (evn__flow_model){t->device, t->kind, t->parameters}
                                     : (evn__flow_model){0};
}

static evn_status make(flow *t) {
    evn_source_info info = t->source.methods->info(t->source.self);
    EVN_CHECK(t->options.trace >= EVN_TRACE_EXACT && t->options.trace <= EVN_TRACE_GAUSSIAN,
              EVN_ERR_ARGUMENT, "there is no trace %d", (int)t->options.trace);
    EVN_CHECK(t->kind, EVN_ERR_ARGUMENT, "a flow has no model '%s'; evn_flow_model_name lists them",
              t->options.model);
    EVN_CHECK(info.sample.rank == 1 && info.sample.dim[0] == DIMENSIONS && !info.has_target,
              EVN_ERR_SHAPE, "the source's samples are not points [%d] without targets",
              DIMENSIONS);
    t->batch = info.batch;
    t->columns = evn__flow_columns(trace_of(t));
    EVN_TRY(evn_parameters_create(&t->parameters));
    EVN_TRY(evn__flow_dynamics(t->kind, t->batch, trace_of(t), t->parameters, &t->dynamics));
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
    *t = (flow){.device = device,
                .source = *source,
                .options = *options,
                .kind = evn__flow_find(options->model)};
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
