// SPDX-License-Identifier: Apache-2.0
#ifndef EVN_HOST_PRIORITY_H
#define EVN_HOST_PRIORITY_H

#include "evonode/device.h"

/// Let what is enqueued from now on stand behind the work of other programs, where the platform
/// has such hints.
/// @return whether it has
bool evn__device_lower_priority(evn_device *device);

#endif
