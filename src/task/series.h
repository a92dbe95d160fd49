// SPDX-License-Identifier: Apache-2.0
// A series as a task: trajectories (task/trajectory.h) over its windows, measured in the units of
// its file, and asked for values at any time.
#ifndef EVN_TASK_SERIES_H
#define EVN_TASK_SERIES_H

#include "data/series.h"
#include "task/trajectory.h"

/// Metrics: loss; train_error and test_error, root mean squares over all columns in deviations of
/// each; train_rmse.NAME and test_rmse.NAME of the first few columns, in their units. Training
/// values are compared with the window they are in, held-out ones with what follows from the last
/// window, or from the first row of a trajectory that is held out. Of an exact series: loss and
/// max_error, as of trajectories.
/// @param[in] source   evn__source_series of the series; borrowed, as the series is
/// @param[in] options  as for evn_task_trajectory; but for an exact series, times, continues,
///                     learn_starts and missing are set here
evn_status evn__series_task(evn_device *device, const evn_source *source,
                            const evn__time_series *series, const evn_trajectory_options *options,
                            evn_task *task);

/// What is asked: a trajectory at a time.
typedef struct evn__request {
    int track;
    double t; ///< not before it begins
} evn__request;

/// The model of such a task, with the series.
typedef struct evn__series_model {
    evn__trajectory_model trajectory;
    const evn__time_series *series;
    const evn_task *windows; ///< as a task of trajectories
} evn__series_model;

/// Model of the task; its series is NULL for another task.
evn__series_model evn__series_get_model(const evn_task *task);

/// The ODE of such a task for `samples` states [samples, columns]; its weights are parameters of
/// the task. *dynamics is owned by the caller.
evn_status evn__series_ode(const evn_task *task, int64_t samples, evn_dynamics **dynamics);

/// Values at what is requested, [count, dimensions], in the units of the file. A time within a
/// window is solved for from the window's start, a later one from the last window on.
/// @return EVN_ERR_DATA for a time before the trajectory begins; EVN_ERR_SOLVER
evn_status evn__series_predict(const evn__series_model *model, const evn_solver_options *solver,
                               const evn__request *requests, int64_t count, double *values);

#endif
