// SPDX-License-Identifier: Apache-2.0
// A job that is an iteration of a task: load a batch, loss, gradient; the loss is read.
#ifndef EVN_BENCH_TASK_ROWS_H
#define EVN_BENCH_TASK_ROWS_H

#include "bench/bench.h"
#include "bench/reference.h"
#include "evonode/tasks.h"

/// Zero-initialise, then set source and task.
typedef struct evn__bench_task {
    evn_source source;
    evn_task task;
    void *program;
    int64_t iteration;
    double loss;
} evn__bench_task;

/// Compile the task for a solver with a gradient.
evn_status evn__bench_task_compile(evn__bench_task *job, const evn_solver_options *solver);

/// What a evn__bench_job needs, with a evn__bench_task as its user.
evn_status evn__bench_task_run(void *user);
evn_status evn__bench_task_outputs(void *user, evn__bench_tensors *tensors); ///< loss and gradients
/// Run a reference whose inputs are set and which has the output "loss" and gradients; how far
/// those of the last run are from it.
evn_status evn__bench_task_compare(const evn__bench_task *job,
                                   const evn__bench_reference *reference, double *difference);
void evn__bench_task_destroy(void *user); ///< frees the evn__bench_task too

/// The parameters; the batch of the last run as the source gives it, on the host.
evn_parameters *evn__bench_task_parameters(const evn__bench_task *job);
evn_status evn__bench_task_batch(const evn__bench_task *job, float *samples, float *targets,
                                 float *weights);

#endif
