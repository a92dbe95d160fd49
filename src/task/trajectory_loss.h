// SPDX-License-Identifier: Apache-2.0
// The loss of trajectories: Σ (x − target)² over what is observed, and where they are chained
// continuity · Σ ‖x_b(end) − x_b+1(0)‖².
#ifndef EVN_TASK_TRAJECTORY_LOSS_H
#define EVN_TASK_TRAJECTORY_LOSS_H

#include "evonode/graph.h"

typedef struct evn__trajectory_loss {
    int64_t times, batch, dimensions, columns; ///< T, B, D observed of S columns
    bool masked, joined;
    double continuity;
} evn__trajectory_loss;

/// Inputs "x" [T, B, S], "target" [T, B, D], where masked "mask" [T, B, D] (1 where something was
/// observed), where joined "ends" [T, B, 1] (1 where a trajectory ends), "joins" [B, 1] (1 for one
/// that goes on as the next), "starts" [B, S]. Outputs, where joined "ties_bar" [B, S], the
/// cotangent of the starts by the ties; "loss"; "x_bar" [T, B, S].
void evn__trajectory_loss_build(const void *self, evn_graph *graph);

/// Adds the cotangents of the starts by the ties to those by the solve.
void evn__trajectory_ties_build(const void *self, evn_graph *graph);

#endif
