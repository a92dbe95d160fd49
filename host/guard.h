// SPDX-License-Identifier: Apache-2.0
// Guard zones, for tests: with them every buffer lies between two poisoned zones and starts out
// full of NaN, so that a store outside a buffer is found and a load outside it shows in the result.
// On with EVONODE_GUARD=1 in the environment or evn__device_guard. Costs memory and time.
#ifndef EVN_HOST_GUARD_H
#define EVN_HOST_GUARD_H

#include "evonode/buffer.h"

/// Bytes of each zone. A store further away than that is not found.
enum { EVN__GUARD_BYTES = 4096 };

/// Turn guards on or off for buffers created from now on.
void evn__device_guard(evn_device *device, bool on);

/// Wait, then look for damage. EVN_OK too for a buffer without guards.
/// @return EVN_ERR_DEVICE naming the first damaged byte
evn_status evn__buffer_check_guard(const evn_buffer *buffer);

/// Buffers found damaged when they were destroyed, since the device was opened.
uint64_t evn__device_guard_failures(const evn_device *device);

#endif
