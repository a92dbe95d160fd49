// SPDX-License-Identifier: Apache-2.0
// Rows in which each sample is solved with steps of its own: oscillators of van der Pol, as
// torchode's benchmark has them (Lienen, Günnemann 2022), a small network, and Robertson's stiff
// kinetics (1966), as the documentation of diffrax has them, from other mixtures.
#include "bench/reference.h"
#include "bench/rows.h"

#include "base/random.h"
#include "methods/unroll.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static double start_anywhere(double normal, int64_t column) {
    (void)column;
    return normal;
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

/// a' = −0.04 a + 10⁴ b c, c' = 3·10⁷ b², and b is what is left.
static evn_value robertson(evn_graph *f, evn_value x, const evn__bench_samples_options *o) {
    (void)o;
    evn_value a = column(f, x, 0), b = column(f, x, 1), c = column(f, x, 2);
    evn_value slow = evn_scale(f, a, 0.04), back = evn_scale(f, evn_mul(f, b, c), 1e4);
    evn_value fast = evn_scale(f, evn_mul(f, b, b), 3e7), made = evn_sub(f, slow, back);
    const evn_value slopes[] = {evn_neg(f, made), evn_sub(f, made, fast), fast};
    return evn_concat(f, slopes, 3, 1);
}

/// Some a, nothing else.
static double start_mixture(double normal, int64_t column) {
    return column == 0 ? exp(0.2 * normal) : 0;
}

const evn__bench_field evn__bench_van_der_pol = {van_der_pol, start_anywhere};
const evn__bench_field evn__bench_network = {network, start_anywhere};
const evn__bench_field evn__bench_robertson = {robertson, start_mixture};

/// Of the options' batch.
static evn_status build(const evn__bench_samples_options *o, evn_dynamics **dynamics) {
    evn_graph *f = NULL;
    EVN_TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(o->batch, o->size));
    evn_output(f, "dx", o->field->slopes(f, x, o));
    evn_status status = evn_dynamics_create(f, NULL, dynamics);
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

/// In single precision, which is what the peers are given.
static evn_status draw_states(samples_job *j, evn_device *device) {
    const evn__bench_samples_options *o = j->options;
    int64_t count = o->batch * o->size;
    double *numbers = NULL;
    EVN_TRY(evn__real_create(device, o->fp64, (size_t)count, &j->x0));
    EVN_TRY(EVN_NEW(&numbers, count));
    for (int64_t i = 0; i < count; ++i) {
        double normal = evn__random_normal(1, 0, (uint64_t)i);
        numbers[i] = (float)o->field->start(normal, i % o->size);
    }
    evn_status status = evn__real_write((evn_binding){j->x0, 0}, o->fp64, numbers, (size_t)count);
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

/// Of the precision of the solve.
static evn_status read_states(const samples_job *j, evn__bench_tensors *tensors, const char *name,
                              evn_shape shape, evn_binding from) {
    size_t count = (size_t)evn_shape_count(shape);
    double *data = NULL;
    EVN_TRY(EVN_NEW(&data, count));
    evn_status status = evn__real_read(from, j->options->fp64, data, count);
    if (status == EVN_OK) {
        status = evn__bench_tensors_add(tensors, name, shape, data);
    }
    free(data);
    return status;
}

static evn_status read_inputs(void *user, evn__bench_tensors *tensors) {
    samples_job *j = user;
    evn_shape shape = evn_dynamics_state_shape(j->dynamics);
    EVN_TRY(read_states(j, tensors, "x0", shape, (evn_binding){j->x0, 0}));
    for (int i = 0; i < evn_dynamics_weight_count(j->dynamics); ++i) {
        EVN_TRY(evn__bench_tensors_read(tensors, evn_dynamics_weight_name(j->dynamics, i),
                                        evn_dynamics_weight_shape(j->dynamics, i), j->at[i]));
    }
    return EVN_OK;
}

/// The observations, or the end alone.
static evn_status read_outputs(void *user, evn__bench_tensors *tensors) {
    samples_job *j = user;
    const evn__bench_samples_options *o = j->options;
    int64_t times = o->times > 0 ? o->times : 1;
    return read_states(j, tensors, "series", EVN_SHAPE(times, o->batch, o->size), j->x1);
}

// Against the reference ---------------------------------------------------------------------------

enum { CHECKED = 16, STEPS = 4, STIFF_STEPS = 400 };

static evn_status add_step(const evn_dynamics *dynamics, const char *method, evn_graph *g) {
    evn_value weights[MAX_WEIGHTS];
    evn__unroll *unroll = NULL;
    evn_value x = evn_input(g, "x", evn_dynamics_state_shape(dynamics));
    evn_value t = evn_input(g, "t", EVN_SCALAR), dt = evn_input(g, "dt", EVN_SCALAR);
    for (int i = 0; i < evn_dynamics_weight_count(dynamics); ++i) {
        weights[i] = evn_input(g, evn_dynamics_weight_name(dynamics, i),
                               evn_dynamics_weight_shape(dynamics, i));
    }
    EVN_TRY(evn__unroll_create(dynamics, method, &unroll));
    evn_status status = evn__unroll_step_at(unroll, g, t, dt, &x, weights);
    evn__unroll_destroy(&unroll);
    evn_output(g, "next", x);
    return status == EVN_OK ? evn_graph_status(g) : status;
}

/// A step of the same method, of a few samples.
static evn_status build_reference(const samples_job *j, evn__bench_reference *r) {
    evn__bench_samples_options few = *j->options;
    evn_dynamics *dynamics = NULL;
    few.batch = CHECKED;
    EVN_TRY(evn_graph_create(&r->graph));
    EVN_TRY(build(&few, &dynamics));
    evn_status status = add_step(dynamics, few.method, r->graph);
    evn_dynamics_destroy(&dynamics);
    EVN_TRY(status);
    EVN_TRY(evn__bench_reference_make(r, NULL));
    for (int i = 0; i < evn_dynamics_weight_count(j->dynamics); ++i) {
        size_t count = (size_t)evn_shape_count(evn_dynamics_weight_shape(j->dynamics, i));
        double *to = evn__bench_reference_input(r, evn_dynamics_weight_name(j->dynamics, i));
        EVN_TRY(evn__real_read(j->at[i], false, to, count));
    }
    return EVN_OK;
}

/// Where step number `index` of `count` begins: small ones first where there is only an end.
static double time_of(const evn__bench_samples_options *o, int index, int count) {
    const double first = 1e-9; // of the way
    double share = (double)index / count;
    if (o->times > 0) {
        return o->end * share;
    }
    return index > 0 ? o->end * pow(first, 1 - share) : 0;
}

/// The numbers of the device at a time, of the samples that are checked.
static evn_status read_some(const samples_job *j, evn_binding from, double *all, double *some) {
    const evn__bench_samples_options *o = j->options;
    EVN_TRY(evn__real_read(from, o->fp64, all, (size_t)(o->batch * o->size)));
    evn__bench_gather(all, o->batch, CHECKED, o->size, some);
    return EVN_OK;
}

/// Steps, far smaller than the solver's, and what they give at each time.
static evn_status compare(const samples_job *j, const evn__bench_reference *r, double *all,
                          evn__bench_agreement *agreement) {
    const evn__bench_samples_options *o = j->options;
    int times = o->times > 0 ? o->times : 1, each = o->times > 0 ? STEPS : STIFF_STEPS;
    size_t size = (size_t)(o->batch * o->size), few = (size_t)(CHECKED * o->size);
    double *x = evn__bench_reference_input(r, "x"), *next = evn__bench_reference_output(r, "next");
    EVN_TRY(read_some(j, (evn_binding){j->x0, 0}, all, x));
    for (int i = 0; i < times * each; ++i) {
        double t = time_of(o, i, times * each);
        *evn__bench_reference_input(r, "t") = t;
        *evn__bench_reference_input(r, "dt") = time_of(o, i + 1, times * each) - t;
        EVN_TRY(evn__bench_reference_run(r));
        memcpy(x, next, sizeof(double) * few);
        if ((i + 1) % each == 0) {
            size_t at = (size_t)(i / each) * size;
            EVN_TRY(read_some(j, (evn_binding){j->x1.buffer, j->x1.offset + at}, all, next));
            evn__bench_agree(agreement, next, x, few);
        }
    }
    return EVN_OK;
}

static evn_status check(void *user, double *difference) {
    const samples_job *j = user;
    evn__bench_reference r = {0};
    evn__bench_agreement agreement = {0};
    double *all = NULL;
    EVN_TRY(EVN_NEW(&all, j->options->batch * j->options->size));
    evn_status status = build_reference(j, &r);
    status = status == EVN_OK ? compare(j, &r, all, &agreement) : status;
    *difference = evn__bench_difference(&agreement);
    evn__bench_reference_free(&r);
    free(all);
    return status;
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
    *job = (evn__bench_job){.work = run,
                            .user = j,
                            .inputs = read_inputs,
                            .outputs = read_outputs,
                            .check = check,
                            .tolerance = 1000 * o->tolerance,
                            .destroy = destroy};
    j->options = o;
    evn_solver_options solver = evn_solver_options_default();
    solver.method = o->method;
    solver.rtol = solver.atol = o->tolerance;
    solver.observations = o->times;
    solver.per_sample = true;
    solver.fp64 = o->fp64;
    EVN_TRY(build(o, &j->dynamics));
    EVN_TRY(evn_solver_create(device, j->dynamics, &solver, &j->solver));
    EVN_TRY(draw_states(j, device));
    return draw_weights(j, device);
}
