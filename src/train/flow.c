// SPDX-License-Identifier: Apache-2.0
#include "train/flow.h"

#include "base/memory.h"
#include "base/random.h"
#include "plan/real.h"
#include "train/iterations.h"
#include <math.h>
#include <stdlib.h>

enum { TRAIN_STREAM = 1, NOISE_STREAM = 4 };
static const double LOG_2_PI = 1.8378770664093454836;

/// The points of an iteration.
typedef struct drawn_batch {
    int iteration;          ///< −1: none yet
    double *points, *state; ///< [B, 2], [B, columns]
} drawn_batch;

struct evn__flow {
    evn_device *device;
    evn__flow_options options;
    evn_trainer_options training;
    evn_phase *phases;
    evn_parameters *parameters;
    evn_dynamics *dynamics;
    evn_optimizer *optimizer;
    evn__learnt_solver learnt;
    int compiled; ///< phase that the solver is for; −1: nothing
    evn_plan *loss;
    evn_buffer *memory; ///< what the bindings below are in
    evn_binding x0, x_bar, loss_value;
    drawn_batch batches[2]; ///< one is drawn while the device works on the other
    int current;            ///< iteration that the device is on, or was
    int64_t columns;
    double *losses; ///< [iterations]
    evn__position at;
};

static evn__flow_trace trace_of(const evn__flow *f) {
    return f->options.noise == EVN__NOISE_NONE ? EVN__TRACE_EXACT : EVN__TRACE_ESTIMATE;
}

// Life --------------------------------------------------------------------------------------------

/// Mean of −log p, from z and ℓ at t = 1, and its cotangents.
static void build_loss(const evn__flow *f, evn_graph *g) {
    int64_t batch = f->options.batch, start[] = {0, 2}, origin[] = {0, 0};
    double each = 1 / (double)batch;
    evn_value x = evn_input(g, "x", EVN_SHAPE(batch, f->columns));
    evn_value z = evn_slice(g, x, origin, EVN_SHAPE(batch, 2));
    evn_value change = evn_slice(g, x, start, EVN_SHAPE(batch, 1));
    evn_value sum =
        evn_add(g, evn_scale(g, evn_sum_all(g, evn_mul(g, z, z)), 0.5), evn_sum_all(g, change));
    evn_output(g, "loss", evn_add(g, evn_scale(g, sum, each), evn_constant(g, LOG_2_PI)));
    evn_value parts[] = {evn_scale(g, z, each), evn_full(g, EVN_SHAPE(batch, 1), each),
                         evn_full(g, EVN_SHAPE(batch, 2), 0)};
    evn_output(g, "x_bar", evn_concat(g, parts, trace_of(f) == EVN__TRACE_EXACT ? 2 : 3, 1));
}

static evn_status make_loss(evn__flow *f) {
    evn_graph *g = NULL;
    EVN_TRY(evn_graph_create(&g));
    build_loss(f, g);
    evn_status status = evn_graph_status(g);
    if (status == EVN_OK) {
        static const char *const samples[] = {"x", NULL};
        evn_plan_options options = {.sample_inputs = samples};
        status = evn_plan_create(f->device, g, &options, &f->loss);
    }
    evn_graph_destroy(&g);
    return status;
}

static evn_status make_memory(evn__flow *f) {
    size_t size = (size_t)(f->options.batch * f->columns);
    for (int i = 0; i < 2; ++i) {
        f->batches[i].iteration = -1;
        EVN_TRY(EVN_NEW(&f->batches[i].points, 2 * f->options.batch));
        EVN_TRY(EVN_NEW(&f->batches[i].state, size));
    }
    EVN_TRY(evn__real_create(f->device, false, 2 * size + 1, &f->memory));
    f->x0 = (evn_binding){f->memory, 0};
    f->x_bar = (evn_binding){f->memory, size};
    f->loss_value = (evn_binding){f->memory, 2 * size};
    return EVN_OK;
}

static evn_status compile(evn__flow *f, int phase) {
    if (f->compiled == phase) {
        return EVN_OK;
    }
    evn__learnt_solver_free(&f->learnt);
    f->compiled = phase;
    return evn__learnt_solver_create(f->device, f->dynamics, f->parameters,
                                     &f->phases[phase].solver, &f->learnt);
}

static evn_status make(evn__flow *f) {
    const evn__flow_options *o = &f->options;
    EVN_CHECK(o->batch >= 1, EVN_ERR_ARGUMENT, "a batch of %lld points; give 1 or more",
              (long long)o->batch);
    EVN_TRY(evn__phases_copy(&f->training, &f->phases));
    EVN_TRY(EVN_NEW(&f->losses, evn__phases_epochs(f->phases, f->training.phase_count)));
    EVN_TRY(evn_parameters_create(&f->parameters));
    EVN_TRY(evn__flow_dynamics(o->kind, o->batch, trace_of(f), f->parameters, &f->dynamics));
    EVN_TRY(evn_parameters_allocate(f->parameters, f->device, false, f->training.seed));
    EVN_TRY(evn_optimizer_create(f->device, &f->training.optimizer,
                                 evn_parameters_element_count(f->parameters), &f->optimizer));
    EVN_TRY(make_loss(f));
    return make_memory(f);
}

evn_status evn__flow_create(evn_device *device, const evn__flow_options *options,
                            const evn_trainer_options *training, evn__flow **flow) {
    EVN_TRY(EVN_NEW(flow, 1));
    (*flow)->device = device;
    (*flow)->options = *options;
    (*flow)->training = *training;
    (*flow)->compiled = -1;
    (*flow)->columns = evn__flow_columns(trace_of(*flow));
    evn_status status = make(*flow);
    if (status != EVN_OK) {
        evn__flow_destroy(flow);
    }
    return status;
}

void evn__flow_destroy(evn__flow **flow) {
    evn__flow *f = *flow;
    if (!f) {
        return;
    }
    evn__learnt_solver_free(&f->learnt);
    evn_plan_destroy(&f->loss);
    evn_optimizer_destroy(&f->optimizer);
    evn_buffer_destroy(&f->memory);
    evn_dynamics_destroy(&f->dynamics);
    evn_parameters_destroy(&f->parameters);
    free(f->phases);
    for (int i = 0; i < 2; ++i) {
        free(f->batches[i].points);
        free(f->batches[i].state);
    }
    free(f->losses);
    free(f);
    *flow = NULL;
}

const double *evn__flow_losses(const evn__flow *flow, int *count) {
    *count = flow->at.epoch;
    return flow->losses;
}

evn__flow_model evn__flow_get_model(const evn__flow *flow) {
    return (evn__flow_model){flow->device, flow->options.kind, flow->parameters};
}

// Training ----------------------------------------------------------------------------------------

static double draw_noise(const evn__flow *f, uint64_t number) {
    uint64_t seed = f->training.seed;
    if (f->options.noise == EVN__NOISE_GAUSSIAN) {
        return evn__random_normal(seed, NOISE_STREAM, number);
    }
    return evn__random_below(seed, NOISE_STREAM, number, 2) ? 1 : -1;
}

/// Fresh points, and noise where the trace is estimated, unless they are drawn already.
static const drawn_batch *draw(evn__flow *f, int iteration) {
    drawn_batch *b = &f->batches[iteration % 2];
    int64_t count = f->options.batch;
    uint64_t first = (uint64_t)iteration * (uint64_t)count;
    if (b->iteration == iteration) {
        return b;
    }
    b->iteration = iteration;
    evn__density_sample(f->options.density, f->training.seed, TRAIN_STREAM, first, count,
                        b->points);
    for (int64_t i = 0; i < count; ++i) {
        double *row = b->state + i * f->columns;
        row[0] = b->points[2 * i];
        row[1] = b->points[2 * i + 1];
        row[2] = 0;
        for (int64_t k = 3; k < f->columns; ++k) {
            row[k] = draw_noise(f, 2 * (first + (uint64_t)i) + (uint64_t)k - 3);
        }
    }
    return b;
}

/// Solve, and the loss with its cotangents; the next points are drawn meanwhile.
static evn_status forward(evn__flow *f, int iteration, evn_solution *solution) {
    evn_binding x;
    const double *state = draw(f, iteration)->state;
    f->current = iteration;
    EVN_TRY(evn__real_write(f->x0, false, state, (size_t)(f->options.batch * f->columns)));
    EVN_TRY(evn_solve(f->learnt.solver, 0, 1, f->x0, f->learnt.weights, &x, solution));
    evn_binding inputs[] = {x}, outputs[] = {f->loss_value, f->x_bar};
    EVN_TRY(evn_plan_run(f->loss, inputs, outputs));
    EVN_TRY(evn_device_flush(f->device));
    draw(f, iteration + 1);
    return EVN_OK;
}

evn_status evn__flow_gradient(evn__flow *flow, int iteration, double *loss) {
    evn_binding x0_bar;
    evn_solution ahead, back;
    EVN_TRY(compile(flow, 0));
    EVN_TRY(forward(flow, iteration, &ahead));
    EVN_TRY(evn_solve_gradient(flow->learnt.solver, flow->x_bar, &x0_bar, flow->learnt.weights_bar,
                               &back));
    return evn__real_read(flow->loss_value, false, loss, 1);
}

const double *evn__flow_points(const evn__flow *flow) {
    return flow->batches[flow->current % 2].points;
}

static evn_status compile_training(void *task, int phase) {
    return compile(task, phase);
}

static evn_status forward_training(void *task, evn_solution *solution) {
    evn__flow *f = task;
    return forward(f, f->at.epoch, solution);
}

static evn__iterations training_of(evn__flow *flow) {
    return (evn__iterations){.device = flow->device,
                             .options = &flow->training,
                             .phases = flow->phases,
                             .parameters = flow->parameters,
                             .optimizer = &flow->optimizer,
                             .learnt = &flow->learnt,
                             .x_bar = flow->x_bar,
                             .loss = flow->loss_value,
                             .task = flow,
                             .compile = compile_training,
                             .forward = forward_training,
                             .losses = flow->losses,
                             .at = &flow->at};
}

evn_status evn__flow_run(evn__flow *flow) {
    evn__iterations training = training_of(flow);
    return evn__iterations_run(&training);
}

evn_status evn__flow_save(evn__flow *flow, const char *path) {
    evn__iterations training = training_of(flow);
    return evn__iterations_save(&training, path);
}

evn_status evn__flow_restore(evn__flow *flow, const char *path, int *iterations) {
    evn__iterations training = training_of(flow);
    EVN_TRY(evn__iterations_restore(&training, path));
    *iterations = flow->at.epoch;
    return EVN_OK;
}
