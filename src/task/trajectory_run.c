// SPDX-License-Identifier: Apache-2.0
// Solving on from given states with what was learnt.
#include "task/trajectory.h"

#include "base/memory.h"
#include "host/timing.h"
#include "plan/real.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// What is asked for.
typedef struct journey {
    const evn__trajectory_model *model;
    const evn_solver_options *solver;
    int64_t rows;         ///< all states
    const double *starts; ///< [rows, columns]
    const double *times;  ///< [count]
    int64_t count;
    double *x; ///< [count, rows, dimensions]
} journey;

/// States on their way: those of a journey, or some of them.
typedef struct way {
    const evn__trajectory_model *model;
    evn_dynamics *dynamics;
    evn_buffer *start;
    evn__learnt_solver learnt;
    double *times; ///< of the observations that the solver was made for, the last of them 1
    int count;     ///< of them; 0: there is no solver
    int64_t first, rows, size; ///< of the states; numbers in all rows
    double *state;             ///< [rows, columns], where the next unit of time begins
    double *series;            ///< [observations, rows, columns]
} way;

static void way_free(way *w) {
    evn__learnt_solver_free(&w->learnt);
    evn_dynamics_destroy(&w->dynamics);
    evn_buffer_destroy(&w->start);
    free(w->times);
    free(w->state);
    free(w->series);
}

static evn_status way_create(way *w, const journey *j) {
    const evn__trajectory_model *m = w->model;
    int64_t count = j->count;
    w->size = w->rows * m->columns;
    EVN_TRY(evn__field_dynamics(&m->field, EVN_SHAPE(w->rows, m->columns), m->parameters,
                                &w->dynamics));
    EVN_TRY(evn__real_create_for(m->device, EVN__USE_BATCHES, false, (size_t)w->size, &w->start));
    EVN_TRY(EVN_NEW(&w->times, count + 1));
    EVN_TRY(EVN_NEW(&w->state, w->size));
    return EVN_NEW(&w->series, w->size * (count + 1));
}

static void way_begin(way *w, const journey *j, int64_t first) {
    w->first = first;
    memcpy(w->state, j->starts + first * w->model->columns, sizeof(double) * (size_t)w->size);
}

/// A solver that is observed at these times, unless there is it already.
static evn_status prepare(way *w, const evn_solver_options *solver, const double *times,
                          int count) {
    const double same = 1e-9;
    bool equal = count == w->count;
    for (int i = 0; i < count && equal; ++i) {
        equal = fabs(times[i] - w->times[i]) < same;
    }
    if (equal) {
        return EVN_OK;
    }
    evn_solver_options options = evn_solver_options_forward(solver);
    options.observations = w->count = count;
    memcpy(w->times, times, sizeof(double) * (size_t)count);
    options.times = w->times;
    evn__learnt_solver_free(&w->learnt);
    return evn__learnt_solver_create(w->model->device, w->dynamics, w->model->parameters, &options,
                                     &w->learnt);
}

/// Solve one unit of time, from w->state; the last observation is its end.
static evn_status solve(way *w, evn_solution *solution) {
    evn_binding start = {w->start, 0}, x;
    EVN_TRY(evn__real_write(start, false, w->state, (size_t)w->size));
    EVN_TRY(evn_solve(w->learnt.solver, 0, 1, start, w->learnt.weights, &x, solution));
    EVN_TRY(evn__real_read(x, false, w->series, (size_t)(w->count * w->size)));
    memcpy(w->state, w->series + (w->count - 1) * w->size, sizeof(double) * (size_t)w->size);
    return EVN_OK;
}

/// What is observed of state number `index` of the series.
static void take(const way *w, int index, double *x) {
    const evn__trajectory_model *m = w->model;
    for (int64_t row = 0; row < w->rows; ++row) {
        memcpy(x + row * m->dimensions, w->series + index * w->size + row * m->columns,
               sizeof(double) * (size_t)m->dimensions);
    }
}

/// The times up to base + 1 that are left, as those of one unit; its end is added where it is none.
static int unit_times(const double *times, int64_t left, double base, double *unit) {
    const double near = 1e-9; // to the end: rounding
    int count = 0;
    while (count < left && times[count] - base < 1 - near) {
        unit[count] = fmax(times[count] - base, 0);
        ++count;
    }
    unit[count] = 1;
    return count + 1;
}

static evn_status run(way *w, const journey *j, double *unit, double *nfe) {
    evn_solution solution;
    int64_t dimensions = w->model->dimensions, done = 0;
    for (double base = 0; done < j->count; base += 1) {
        int observed = unit_times(j->times + done, j->count - done, base, unit);
        EVN_TRY(prepare(w, j->solver, unit, observed));
        EVN_TRY(solve(w, &solution));
        if (nfe && base == 0) {
            *nfe = solution.nfe;
        }
        for (int i = 0; i < observed && done < j->count; ++i) {
            bool wanted = i + 1 < observed || j->times[done] - base < 1 + 1e-9;
            if (wanted) {
                take(w, i, j->x + (done++ * j->rows + w->first) * dimensions);
            }
        }
    }
    return EVN_OK;
}

/// Solve the first unit of time alone.
static evn_status run_unit(way *w, const journey *j, double *unit) {
    evn_solution solution;
    EVN_TRY(prepare(w, j->solver, unit, unit_times(j->times, j->count, 0, unit)));
    return solve(w, &solution);
}

/// As many states after the other; of the last ones some may have been there before.
static evn_status run_all(way *w, const journey *j, double *unit, double *nfe) {
    for (int64_t first = 0; first < j->rows; first += w->rows) {
        int64_t last = j->rows - w->rows;
        way_begin(w, j, first < last ? first : last);
        EVN_TRY(run(w, j, unit, first == 0 ? nfe : NULL));
    }
    return EVN_OK;
}

/// @param[in] rows   states at once
/// @param[in] whole  else a trial, of which nothing is kept
static evn_status go(const journey *j, int64_t rows, bool whole, double *nfe) {
    way w = {.model = j->model, .rows = rows};
    double *unit = NULL;
    evn_status status = EVN_NEW(&unit, j->count + 1);
    status = status == EVN_OK ? way_create(&w, j) : status;
    if (status == EVN_OK && whole) {
        status = run_all(&w, j, unit, nfe);
    } else if (status == EVN_OK) {
        way_begin(&w, j, 0);
        status = run_unit(&w, j, unit);
    }
    free(unit);
    way_free(&w);
    return status;
}

static int64_t rows_of(const journey *j, int64_t parts) {
    return (j->rows + parts - 1) / parts;
}

static evn_status try_some(void *user, int64_t parts) {
    const journey *j = user;
    return go(j, rows_of(j, parts), false, NULL);
}

/// As many states at once as launches are short enough with.
evn_status evn__trajectory_run(const evn__trajectory_model *model, const evn_solver_options *solver,
                               int64_t rows, const double *starts, const double *times,
                               int64_t count, double *x, double *nfe) {
    journey j = {model, solver, rows, starts, times, count, x};
    int64_t parts, most = 1; // a number with many divisors
    while (2 * most <= rows) {
        most *= 2;
    }
    EVN_TRY(evn__device_cut(model->device, most, try_some, &j, &parts, NULL));
    return go(&j, rows_of(&j, parts), true, nfe);
}

evn_status evn__trajectory_starts(const evn__trajectory_model *model, double *starts) {
    int index = evn_parameters_find(model->parameters, "start.state");
    EVN_CHECK(index >= 0, EVN_ERR_ARGUMENT, "the starts of this task are not learnt");
    return evn_parameters_read(model->parameters, index, starts);
}
