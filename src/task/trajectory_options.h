// SPDX-License-Identifier: Apache-2.0
// The options of the task of trajectories: checked, and kept.
#ifndef EVN_TASK_TRAJECTORY_OPTIONS_H
#define EVN_TASK_TRAJECTORY_OPTIONS_H

#include "evonode/tasks.h"

/// Whether they are right, as far as the source does not matter.
/// @return EVN_ERR_ARGUMENT; EVN_ERR_SHAPE for a network that is more than one ODE
evn_status evn__trajectory_options_check(const evn_trajectory_options *options);

/// A copy with arrays of its own: the caller's may not live as long. Release it also after a
/// failure.
/// @param[in] times, batch  of the source
/// @return EVN_ERR_ARGUMENT for trajectories that cannot continue each other so; EVN_ERR_MEMORY
evn_status evn__trajectory_options_keep(const evn_trajectory_options *options, int64_t times,
                                        int64_t batch, evn_trajectory_options *kept);
void evn__trajectory_options_free(evn_trajectory_options *kept);

#endif
