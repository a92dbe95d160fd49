// SPDX-License-Identifier: Apache-2.0
// The task of classifying images, for what looks inside a trained one.
#ifndef EVN_TASK_IMAGES_H
#define EVN_TASK_IMAGES_H

#include "evonode/tasks.h"

/// The task's model; owned by it. NULL for another task.
const evn_model *evn__images_model(const evn_task *task);

/// The model's ODE, the first one, for `samples` states at a time; its weights are parameters of
/// the task. *dynamics is owned by the caller; NULL where the model solves nothing.
evn_status evn__images_ode(const evn_task *task, int64_t samples, evn_dynamics **dynamics);

/// What the batches of the test part have room for: at least its samples.
int64_t evn__images_test_capacity(const evn_task *task);

/// As evn_task_evaluate of the test part, with the logits of each sample.
/// @param[out] logits  [evn__images_test_capacity, classes]; one row after the other for test_count
/// samples
evn_status evn__images_logits(const evn_task *task, const evn_solver_options *solver,
                              double *logits, evn_metrics *metrics);

/// The logits of the first images of the test part, which its source may have changed meanwhile.
/// @param[in]  program  of the task, compiled for a solver
/// @param[in]  batches  of them
/// @param[out] logits   [images of the batches, classes]
evn_status evn__images_answer(const evn_task *task, void *program, int64_t batches, double *logits);

#endif
