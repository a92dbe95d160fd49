// SPDX-License-Identifier: Apache-2.0
// Using a flow: densities from target to base, samples from base to target.
#include "task/flow.h"

#include "base/memory.h"
#include "base/random.h"
#include "host/timing.h"
#include "plan/real.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1000 }; // points of a solve, where no launch is too long
enum { BASE_STREAM = 3 };
static const double LOG_2_PI = 1.8378770664093454836;

/// A compiled solve of a chunk of points, in either direction.
typedef struct map {
    evn__learnt_solver learnt;
    evn__learnt_solver ahead; ///< has the evolving weights where a solve does not begin at t = 0
    evn_buffer *start;
    int64_t rows;                ///< points of a solve
    int64_t dimensions, columns; ///< D; of the state
    double *state;               ///< [rows, columns]
    double log_base[CHUNK];      ///< [rows] of samples: log density at t = 1
} map;

static double log_normal(const double *z, int64_t dimensions) {
    double squares = 0;
    for (int64_t i = 0; i < dimensions; ++i) {
        squares += z[i] * z[i];
    }
    return -squares / 2 - (double)dimensions * LOG_2_PI / 2;
}

static double *row_of(const map *m, int64_t index) {
    return m->state + index * m->columns;
}

static void map_close(map *m) {
    evn__learnt_solver_free(&m->learnt);
    evn__learnt_solver_free(&m->ahead);
    evn_buffer_destroy(&m->start);
    free(m->state);
    free(m);
}

static evn_status map_make(const evn__flow_model *model, const evn_solver_options *options,
                           int times, int64_t rows, map *m) {
    evn_dynamics *dynamics;
    evn_solver_options solver = evn_solver_options_forward(options);
    solver.observations = times;
    m->rows = rows;
    m->dimensions = model->size.dimensions;
    m->columns = evn__flow_columns(&model->size, EVN__TRACE_EXACT);
    EVN_TRY(EVN_NEW(&m->state, rows * m->columns));
    EVN_TRY(evn__real_create_for(model->device, EVN__USE_BATCHES, false,
                                 (size_t)(rows * m->columns), &m->start));
    EVN_TRY(evn__flow_dynamics(model->kind, &model->size, rows, EVN__TRACE_EXACT, model->parameters,
                               &dynamics));
    evn_status status =
        evn__learnt_solver_create(model->device, dynamics, model->parameters, &solver, &m->learnt);
    evn_dynamics_destroy(&dynamics);
    return status;
}

/// Solve m->state.
static evn_status map_solve(map *m, double t0, double t1, evn_binding *end,
                            evn_solution *solution) {
    evn_binding start = {m->start, 0};
    EVN_TRY(evn__real_write(start, false, m->state, (size_t)(m->rows * m->columns)));
    return evn_solve(m->learnt.solver, t0, t1, start, m->learnt.weights, end, solution);
}

/// A way to open a map.
typedef struct map_trial {
    const evn__flow_model *model;
    const evn_solver_options *options;
    int times;
} map_trial;

/// Solve as many points at the origin.
static evn_status try_map(void *user, int64_t parts) {
    const map_trial *t = user;
    map *m;
    evn_binding end;
    evn_solution solution;
    EVN_TRY(EVN_NEW(&m, 1));
    evn_status status = map_make(t->model, t->options, t->times, CHUNK / parts, m);
    status = status == EVN_OK ? map_solve(m, 0, 1, &end, &solution) : status;
    map_close(m);
    return status;
}

/// A chunk is as many points as launches are short enough with.
static evn_status map_open(const evn__flow_model *model, const evn_solver_options *options,
                           int times, map *m) {
    map_trial trial = {model, options, times};
    int64_t parts;
    EVN_TRY(evn__device_cut(model->device, CHUNK, try_map, &trial, &parts, NULL));
    return map_make(model, options, times, CHUNK / parts, m);
}

// Weights -----------------------------------------------------------------------------------------

/// Solve the weights that evolve from t = 0 to `t`. The result is in the memory of `ahead`.
static evn_status solve_weights(const evn__flow_model *model, const evn_solver_options *options,
                                double t, evn__learnt_solver *ahead, evn_binding *theta) {
    evn_dynamics *dynamics;
    evn_solver_options solver = evn_solver_options_forward(options);
    EVN_TRY(evn__flow_theta_dynamics(model->kind, &model->size, model->parameters, &dynamics));
    evn_status status =
        evn__learnt_solver_create(model->device, dynamics, model->parameters, &solver, ahead);
    evn_dynamics_destroy(&dynamics);
    EVN_TRY(status);
    int index = evn_parameters_find(model->parameters, EVN__FLOW_WEIGHT);
    evn_binding start = evn_parameters_value(model->parameters, index);
    return evn_solve(ahead->solver, 0, t, start, ahead->weights, theta, NULL);
}

/// Let the map's solves begin at `t`, with the weights that hold there.
static evn_status map_begin(const evn__flow_model *model, const evn_solver_options *options,
                            double t, map *m) {
    if (!model->kind->slope || t == 0) {
        return EVN_OK; // the weights are those that were learnt
    }
    // θ is the first weight of f, and its only one.
    return solve_weights(model, options, t, &m->ahead, &m->learnt.weights[0]);
}

// Density -----------------------------------------------------------------------------------------

/// log p of `count` points at t, at most a chunk; the rest of the chunk stays at the origin.
static evn_status chunk_density(map *m, double t, const double *points, int64_t count,
                                double *log_p, double *nfe) {
    evn_binding end;
    evn_solution solution;
    int64_t dimensions = m->dimensions;
    size_t size = (size_t)(m->rows * m->columns);
    memset(m->state, 0, size * sizeof(*m->state));
    for (int64_t i = 0; i < count; ++i) {
        memcpy(row_of(m, i), points + dimensions * i, (size_t)dimensions * sizeof(*points));
    }
    EVN_TRY(map_solve(m, t, 1, &end, &solution));
    EVN_TRY(evn__real_read(end, false, m->state, size));
    for (int64_t i = 0; i < count; ++i) {
        log_p[i] = log_normal(row_of(m, i), dimensions) - row_of(m, i)[dimensions];
    }
    *nfe += solution.nfe;
    return EVN_OK;
}

static evn_status map_density(map *m, double t, const double *points, int64_t count, double *log_p,
                              double *nfe) {
    double sum = 0;
    for (int64_t i = 0; i < count; i += m->rows) {
        int64_t part = count - i < m->rows ? count - i : m->rows;
        EVN_TRY(chunk_density(m, t, points + m->dimensions * i, part, log_p + i, &sum));
    }
    if (nfe) {
        *nfe = sum / ceil((double)count / (double)m->rows);
    }
    return EVN_OK;
}

evn_status evn__flow_log_density(const evn__flow_model *model, const evn_solver_options *solver,
                                 double t, const double *points, int64_t count, double *log_p,
                                 double *nfe) {
    map *m;
    EVN_CHECK(t >= 0 && t <= 1, EVN_ERR_ARGUMENT, "a density at t = %g; give 0 to 1", t);
    if (t == 1) { // no way to solve
        for (int64_t i = 0; i < count; ++i) {
            log_p[i] = log_normal(points + model->size.dimensions * i, model->size.dimensions);
        }
        if (nfe) {
            *nfe = 0;
        }
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&m, 1));
    evn_status status = map_open(model, solver, 0, m);
    status = status == EVN_OK ? map_begin(model, solver, t, m) : status;
    status = status == EVN_OK ? map_density(m, t, points, count, log_p, nfe) : status;
    map_close(m);
    return status;
}

evn_status evn__flow_nll(const evn__flow_model *model, const evn_solver_options *solver,
                         const double *points, int64_t count, double *nll, double *nfe) {
    double *log_p, sum = 0;
    EVN_TRY(EVN_NEW(&log_p, count));
    evn_status status = evn__flow_log_density(model, solver, 0, points, count, log_p, nfe);
    for (int64_t i = 0; i < count && status == EVN_OK; ++i) {
        sum -= log_p[i];
    }
    *nll = sum / (double)count;
    free(log_p);
    return status;
}

/// `samples` has room for a batch and its weights.
static evn_status copy_points(const evn_source *source, evn_part part, int64_t batches,
                              float *samples, double *points, int64_t *count) {
    evn_source_info info = source->methods->info(source->self);
    int64_t dimensions = info.sample.dim[0];
    for (int64_t i = 0; i < batches; ++i) {
        const evn_batch wanted = {.part = part, .index = i};
        int64_t filled;
        EVN_TRY(evn__source_fill(source, &wanted, 1, samples, NULL,
                                 samples + dimensions * info.batch, &filled));
        for (int64_t k = 0; k < dimensions * filled; ++k) {
            points[dimensions * *count + k] = (double)samples[k];
        }
        *count += filled;
    }
    return EVN_OK;
}

evn_status evn__flow_points(const evn_source *source, evn_part part, int64_t most, double **points,
                            int64_t *count) {
    evn_source_info info = source->methods->info(source->self);
    int64_t dimensions = info.sample.dim[0], batches = info.batches[part];
    float *samples = NULL;
    *points = NULL;
    *count = 0;
    batches = batches > most / info.batch ? most / info.batch + 1 : batches;
    EVN_TRY(EVN_NEW(&samples, (dimensions + 1) * info.batch));
    evn_status status = EVN_NEW(points, dimensions * batches * info.batch);
    if (status == EVN_OK) {
        status = copy_points(source, part, batches, samples, *points, count);
    }
    free(samples);
    if (status != EVN_OK) {
        free(*points);
        *points = NULL;
    }
    return status;
}

// Samples -----------------------------------------------------------------------------------------

/// Points first … of the base density, as many as a solve has.
static void draw_base(map *m, uint64_t seed, int64_t first) {
    for (int64_t i = 0; i < m->rows; ++i) {
        uint64_t number = (uint64_t)m->dimensions * (uint64_t)(first + i);
        double *row = row_of(m, i);
        for (int64_t k = 0; k < m->dimensions; ++k) {
            row[k] = evn__random_normal(seed, BASE_STREAM, number + (uint64_t)k);
        }
        row[m->dimensions] = 0;
        m->log_base[i] = log_normal(row, m->dimensions);
    }
}

/// The state, which is at time number k, as rows first … of points [·, count, columns].
static void keep(const map *m, int k, int64_t first, int64_t count, double *points) {
    for (int64_t i = 0; i < m->rows && first + i < count; ++i) {
        double *point = points + m->columns * (k * count + first + i);
        memcpy(point, row_of(m, i), (size_t)m->columns * sizeof(*point));
        point[m->dimensions] += m->log_base[i];
    }
}

/// Points first … of every time into points [times + 1, count, columns].
static evn_status chunk_sample(map *m, uint64_t seed, int64_t first, int64_t count, int times,
                               double *points) {
    evn_binding end;
    evn_solution solution;
    size_t size = (size_t)(m->rows * m->columns);
    draw_base(m, seed, first);
    keep(m, 0, first, count, points);
    EVN_TRY(map_solve(m, 1, 0, &end, &solution));
    for (int k = 0; k < times; ++k) {
        evn_binding at = {end.buffer, end.offset + (size_t)k * size};
        EVN_TRY(evn__real_read(at, false, m->state, size));
        keep(m, k + 1, first, count, points);
    }
    return EVN_OK;
}

static evn_status sample(map *m, uint64_t seed, int64_t count, int times, double *points) {
    for (int64_t i = 0; i < count; i += m->rows) {
        EVN_TRY(chunk_sample(m, seed, i, count, times, points));
    }
    return EVN_OK;
}

evn_status evn__flow_sample(const evn__flow_model *model, const evn_solver_options *solver,
                            uint64_t seed, int64_t count, int times, double *points) {
    map *m;
    EVN_TRY(EVN_NEW(&m, 1));
    evn_status status = map_open(model, solver, times, m);
    status = status == EVN_OK ? map_begin(model, solver, 1, m) : status;
    status = status == EVN_OK ? sample(m, seed, count, times, points) : status;
    map_close(m);
    return status;
}
