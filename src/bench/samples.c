// SPDX-License-Identifier: Apache-2.0
// Rows in which each sample is solved with steps of its own and seen at many times: oscillators of
// van der Pol, as torchode's benchmark has them (Lienen, Günnemann 2022), and a small network.
#include "bench/rows.h"

#include "base/random.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>

enum { MAX_WEIGHTS = 4 };

typedef struct samples_job {
    const evn__bench_samples_options *options;
    evn_dynamics *dynamics;
    evn_solver *solver;
    evn_buffer *x0, *weights;
    evn_binding at[MAX_WEIGHTS], x1;
} samples_job;

// Dynamics ----------------------------------------------------------------------------------------

static evn_value column(evn_graph *f, evn_value x, int64_t index) {
    const int64_t start[] = {0, index};
    return evn_slice(f, x, start, EVN_SHAPE(evn_value_shape(f, x).dim[0], 1));
}

/// x' = v, v' = μ (1 − x²) v − x with μ = 2.
static evn_value van_der_pol(evn_graph *f, evn_value x, const evn__bench_samples_options *o) {
    const double mu = 2;
    (void)o;
    evn_value place = column(f, x, 0), speed = column(f, x, 1);
    evn_value damping = evn_sub(f, evn_constant(f, 1), evn_mul(f, place, place));
    evn_value push = evn_scale(f, evn_mul(f, damping, speed), mu);
    const evn_value slopes[] = {speed, evn_sub(f, push, place)};
    return evn_concat(f, slopes, 2, 1);
}

/// tanh(x U + b) V + c.
static evn_value network(evn_graph *f, evn_value x, const evn__bench_samples_options *o) {
    evn_value u = evn_input(f, "u", EVN_SHAPE(o->size, o->units));
    evn_value b = evn_input(f, "b", EVN_SHAPE(o->units));
    evn_value v = evn_input(f, "v", EVN_SHAPE(o->units, o->size));
    evn_value c = evn_input(f, "c", EVN_SHAPE(o->size));
    evn_value hidden = evn_tanh(f, evn_add(f, evn_matmul(f, x, u, false, false), b));
    return evn_add(f, evn_matmul(f, hidden, v, false, false), c);
}

static evn_status build(samples_job *j) {
    const evn__bench_samples_options *o = j->options;
    evn_graph *f = NULL;
    EVN_TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(o->batch, o->size));
    evn_output(f, "dx", (o->units > 0 ? network : van_der_pol)(f, x, o));
    evn_status status = evn_dynamics_create(f, NULL, &j->dynamics);
    evn_graph_destroy(&f);
    return status;
}

// Numbers -----------------------------------------------------------------------------------------

/// Normal numbers, so many times as large, to where they are bound.
static evn_status draw(evn_binding to, int64_t count, double size, uint64_t stream) {
    double *numbers = NULL;
    EVN_TRY(EVN_NEW(&numbers, count));
    for (int64_t i = 0; i < count; ++i) {
        numbers[i] = size * evn__random_normal(1, stream, (uint64_t)i);
    }
    evn_status status = evn__real_write(to, false, numbers, (size_t)count);
    free(numbers);
    return status;
}

static evn_status draw_weights(samples_job *j, evn_device *device) {
    size_t total = 0;
    for (int i = 0; i < evn_dynamics_weight_count(j->dynamics); ++i) {
        j->at[i].offset = total;
        total += (size_t)evn_shape_count(evn_dynamics_weight_shape(j->dynamics, i));
    }
    EVN_TRY(evn__real_create(device, false, total, &j->weights));
    for (int i = 0; i < evn_dynamics_weight_count(j->dynamics); ++i) {
        evn_shape shape = evn_dynamics_weight_shape(j->dynamics, i);
        double size = shape.rank == 2 ? 2 / sqrt((double)shape.dim[0]) : 0.1;
        j->at[i].buffer = j->weights;
        EVN_TRY(draw(j->at[i], evn_shape_count(shape), size, 1 + (uint64_t)i));
    }
    return EVN_OK;
}

static evn_status read_inputs(void *user, evn__bench_tensors *tensors) {
    samples_job *j = user;
    evn_shape shape = evn_dynamics_state_shape(j->dynamics);
    EVN_TRY(evn__bench_tensors_read(tensors, "x0", shape, (evn_binding){j->x0, 0}));
    for (int i = 0; i < evn_dynamics_weight_count(j->dynamics); ++i) {
        EVN_TRY(evn__bench_tensors_read(tensors, evn_dynamics_weight_name(j->dynamics, i),
                                        evn_dynamics_weight_shape(j->dynamics, i), j->at[i]));
    }
    return EVN_OK;
}

static evn_status read_outputs(void *user, evn__bench_tensors *tensors) {
    samples_job *j = user;
    const evn__bench_samples_options *o = j->options;
    return evn__bench_tensors_read(tensors, "series", EVN_SHAPE(o->times, o->batch, o->size),
                                   j->x1);
}

// The job -----------------------------------------------------------------------------------------

static evn_status run(void *user) {
    samples_job *j = user;
    return evn_solve(j->solver, 0, j->options->end, (evn_binding){j->x0, 0}, j->at, &j->x1, NULL);
}

static void destroy(void *user) {
    samples_job *j = user;
    evn_solver_destroy(&j->solver);
    evn_dynamics_destroy(&j->dynamics);
    evn_buffer_destroy(&j->x0);
    evn_buffer_destroy(&j->weights);
    free(j);
}

evn_status evn__bench_samples(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_samples_options *o = options;
    samples_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){
        .work = run, .user = j, .inputs = read_inputs, .outputs = read_outputs, .destroy = destroy};
    j->options = o;
    evn_solver_options solver = evn_solver_options_default();
    solver.method = o->method;
    solver.rtol = solver.atol = o->tolerance;
    solver.observations = o->times;
    solver.per_sample = true;
    EVN_TRY(build(j));
    EVN_TRY(evn_solver_create(device, j->dynamics, &solver, &j->solver));
    EVN_TRY(evn__real_create(device, false, (size_t)(o->batch * o->size), &j->x0));
    EVN_TRY(draw((evn_binding){j->x0, 0}, o->batch * o->size, 1, 0));
    return draw_weights(j, device);
}
