// SPDX-License-Identifier: Apache-2.0
#include "task/series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MEASURED = 12 }; // a list of metrics has an end

typedef struct series_task {
    evn_task_methods methods; ///< the trajectories', but for measuring
    evn_task trajectories;
    const evn__time_series *series;
} series_task;

static evn_parameters *parameters(void *self) {
    const evn_task *task = &((series_task *)self)->trajectories;
    return task->methods->parameters(task->self);
}

static int64_t batches(void *self, evn_part part) {
    const evn_task *task = &((series_task *)self)->trajectories;
    return task->methods->batches(task->self, part);
}

static evn_status compile(void *self, const evn_solver_options *solver, bool trains,
                          void **program) {
    const evn_task *task = &((series_task *)self)->trajectories;
    return task->methods->compile(task->self, solver, trains, program);
}

static const evn_dynamics *dynamics_at(void *self, int index) {
    const evn_task *task = &((series_task *)self)->trajectories;
    return task->methods->dynamics(task->self, index);
}

static void destroy(void *self) {
    series_task *t = self;
    evn_task_destroy(&t->trajectories);
    free(t);
}

// Measuring ---------------------------------------------------------------------------------------

/// All rows as requests, and what is predicted.
typedef struct rows {
    evn__request *requests;
    double *values; ///< [rows, dimensions]
} rows;

static evn_status ask(const evn__time_series *s, rows *r) {
    EVN_TRY(EVN_NEW(&r->requests, s->rows));
    EVN_TRY(EVN_NEW(&r->values, s->rows * s->dimensions));
    for (int i = 0; i < s->track_count; ++i) {
        const evn__track *track = &s->tracks[i];
        for (int64_t row = track->first; row < track->first + track->count; ++row) {
            r->requests[row] = (evn__request){i, s->t[row]};
        }
    }
    return EVN_OK;
}

/// Whether a row is held out.
static bool is_test(const evn__time_series *s, const rows *r, int64_t row) {
    const evn__track *track = &s->tracks[r->requests[row].track];
    return row >= track->first + track->trained;
}

/// Sum of squares of what a part's values of a column are away, and how many there are.
static void add_up(const evn__time_series *s, const rows *r, bool test, int column,
                   double sums[2]) {
    sums[0] = sums[1] = 0;
    for (int64_t row = 0; row < s->rows; ++row) {
        int64_t at = row * s->dimensions + column;
        if (!isnan(s->values[at]) && is_test(s, r, row) == test) {
            sums[0] += (r->values[at] - s->values[at]) * (r->values[at] - s->values[at]);
            sums[1] += 1;
        }
    }
}

static evn_status list_part(const evn__time_series *s, const rows *r, bool test,
                            evn_metrics *metrics) {
    const char *part = test ? "test" : "train";
    char name[EVN_METRIC_NAME];
    double square = 0, count = 0;
    for (int k = 0; k < s->dimensions; ++k) {
        double sums[2];
        add_up(s, r, test, k, sums);
        square += sums[0] / (s->deviation[k] * s->deviation[k]);
        count += sums[1];
        if (k < COLUMNS_MEASURED && sums[1] > 0) {
            snprintf(name, sizeof(name), "%s_rmse.%s", part, s->names[k]);
            EVN_TRY(evn_metrics_set(metrics, name, "", EVN_BETTER_LOWER, sqrt(sums[0] / sums[1])));
        }
    }
    snprintf(name, sizeof(name), "%s_error", part);
    return count > 0 ? evn_metrics_set(metrics, name, "deviations", EVN_BETTER_LOWER,
                                       sqrt(square / count))
                     : EVN_OK;
}

static evn__series_model model_of(const series_task *t) {
    return (evn__series_model){evn__trajectory_get_model(&t->trajectories), t->series,
                               &t->trajectories};
}

static evn_status list_errors(const series_task *t, const evn_solver_options *solver, rows *r,
                              evn_metrics *metrics) {
    const evn__time_series *s = t->series;
    const evn__series_model model = model_of(t);
    EVN_TRY(ask(s, r));
    EVN_TRY(evn__series_predict(&model, solver, r->requests, s->rows, r->values));
    EVN_TRY(list_part(s, r, false, metrics));
    return list_part(s, r, true, metrics);
}

static evn_status evaluate(void *self, const evn_solver_options *solver, evn_part part,
                           evn_metrics *metrics) {
    const series_task *t = self;
    rows r = {0};
    EVN_TRY(evn_task_evaluate(&t->trajectories, solver, part, 0, metrics));
    if (t->series->exact) {
        return EVN_OK; // nothing is held out, and the largest error says what there is to say
    }
    evn_status status = list_errors(t, solver, &r, metrics);
    free(r.requests);
    free(r.values);
    return status;
}

// The task ----------------------------------------------------------------------------------------

evn__series_model evn__series_get_model(const evn_task *task) {
    const series_task *t = task->self;
    return task->methods->evaluate == evaluate ? model_of(t) : (evn__series_model){0};
}

evn_status evn__series_ode(const evn_task *task, int64_t samples, evn_dynamics **dynamics) {
    const evn__trajectory_model m = evn__series_get_model(task).trajectory;
    *dynamics = NULL;
    return evn__field_dynamics(&m.field, EVN_SHAPE(samples, m.columns), m.parameters, dynamics);
}

evn_status evn__series_task(evn_device *device, const evn_source *source,
                            const evn__time_series *series, const evn_trajectory_options *options,
                            evn_task *task) {
    series_task *t = NULL;
    evn_trajectory_options chained = *options;
    if (!series->exact) {
        chained.times = series->times;
        chained.continues = series->continues;
        chained.learn_starts = chained.missing = true;
    }
    EVN_TRY(EVN_NEW(&t, 1));
    t->series = series;
    evn_status status = evn_task_trajectory(device, source, &chained, &t->trajectories);
    if (status != EVN_OK) {
        free(t);
        return status;
    }
    t->methods = *t->trajectories.methods;
    t->methods.name = series->exact ? t->methods.name : "series"; // which checkpoints have
    t->methods.parameters = parameters;
    t->methods.batches = batches;
    t->methods.compile = compile;
    t->methods.evaluate = evaluate;
    t->methods.dynamics = dynamics_at;
    t->methods.destroy = destroy;
    *task = (evn_task){&t->methods, t};
    return EVN_OK;
}
