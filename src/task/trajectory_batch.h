// SPDX-License-Identifier: Apache-2.0
// The numbers of a batch of trajectories: as a source gives them, and as the device takes them.
#ifndef EVN_TASK_TRAJECTORY_BATCH_H
#define EVN_TASK_TRAJECTORY_BATCH_H

#include "evonode/source.h"

/// B trajectories of D quantities at some times; the state has S columns, the first D of them
/// observed.
typedef struct evn__trajectory_size {
    int64_t times, batch, dimensions, columns; ///< …, B, D, S
} evn__trajectory_size;

/// Elements of the samples [B, D], of the targets [B, times, D], of a state [B, S].
int64_t evn__trajectory_samples(const evn__trajectory_size *size);
int64_t evn__trajectory_targets(const evn__trajectory_size *size);
int64_t evn__trajectory_states(const evn__trajectory_size *size);

/// As the source gives them.
typedef struct evn__trajectory_batch {
    float *samples, *targets, *weights; ///< [B, D], [B, times, D], [B]
} evn__trajectory_batch;

/// Release it also after a failure.
evn_status evn__trajectory_batch_create(const evn__trajectory_size *size,
                                        evn__trajectory_batch *batch);
void evn__trajectory_batch_free(evn__trajectory_batch *batch);

evn_status evn__trajectory_batch_fill(const evn__trajectory_size *size, const evn_source *source,
                                      const evn_batch *which, evn__trajectory_batch *batch);

bool evn__trajectory_batch_equal(const evn__trajectory_size *size, const evn__trajectory_batch *a,
                                 const evn__trajectory_batch *b);

/// The targets [times, B, D].
/// @param[out] mask  of that shape, 1 where something is known: targets that are NaN are not, and
///                   become 0; NULL: all are as they are
void evn__trajectory_batch_targets(const evn__trajectory_size *size,
                                   const evn__trajectory_batch *batch, float *targets, float *mask);

/// The samples as states [B, S]: what nothing is observed of begins at 0.
void evn__trajectory_batch_starts(const evn__trajectory_size *size,
                                  const evn__trajectory_batch *batch, float *states);

#endif
