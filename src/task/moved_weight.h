// SPDX-License-Identifier: Apache-2.0
// θ(t) of weights that a g moves, each by itself.
#ifndef EVN_TASK_MOVED_WEIGHT_H
#define EVN_TASK_MOVED_WEIGHT_H

#include "evonode/task.h"

/// Whether a g moves a weight of what the task solves.
bool evn__task_moves_weights(const evn_task *task);

/// Solve θ of the parameter `name` from t = 0 to 1 and give it at t = (i + 1/2)/count, in single
/// precision. g sees neither the state nor other weights, as those of nn/evolution.h.
/// @param[in]  device  the task's
/// @param[out] moves   false: the parameter is moved by no g, and theta is not written
/// @param[out] theta   [count, its numbers]
evn_status evn__moved_weight_sample(evn_device *device, const evn_task *task, const char *name,
                                    int count, bool *moves, double *theta);

#endif
