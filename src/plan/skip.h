// SPDX-License-Identifier: Apache-2.0
// Plans that the device can be told to pass over: kernels over samples (samples.h) do as many runs
// as stand in device memory, and that number can be 0.
#ifndef EVN_PLAN_SKIP_H
#define EVN_PLAN_SKIP_H

#include "evonode/plan.h"

/// Memory of the plan that begins with how many runs, a 64-bit integer, evn_plan_run does: 1, or
/// none where a kernel has written 0 there. NULL where a launch does not look: it then always runs.
evn_buffer *evn__plan_runs(const evn_plan *plan);

#endif
