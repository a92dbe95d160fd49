// SPDX-License-Identifier: Apache-2.0
// What evonode would build on a device, written down: the device counts (host/counting.h) while a
// forecast is open (host/forecast.h), so that programs are named, and none is compiled or run.
#ifndef EVN_GATE_WRITE_H
#define EVN_GATE_WRITE_H

#include "base/status.h"
#include "evonode/device.h"

/// Name what a training builds, forward and backward, to its results. (training.c)
/// @param[in] words  [count] of `evonode train`, the task's name first
/// @param[in] folder  where the device's programs go
evn_status gate_write_training(const char *folder, int count, char *const *words);

/// Name a product with each variant that the tuner may try. (variants.c)
evn_status gate_write_variants(const char *folder);

/// Print how many kernels a repetition of each row of `evonode bench` launches: KEY COUNT.
/// (launches.c)
/// @param[in] computes  whether it is computed, else only counted
evn_status gate_count_launches(int count, char *const *keys, bool computes);

/// What the device has named, as tests/layer writes it down: NUMBER.cl, NUMBER.options and
/// NUMBER.kernels, a line for each kernel that is used, with the work-items of a group. (write.c)
evn_status gate_write_programs(const evn_device *device, const char *folder);

#endif
