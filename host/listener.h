// SPDX-License-Identifier: Apache-2.0
// Someone who is told of the plans of a device as they come and go.
#ifndef EVN_HOST_LISTENER_H
#define EVN_HOST_LISTENER_H

#include "evonode/device.h"

struct evn_plan;

/// @param[in] made  true: it was created; false: it is about to be destroyed. Where the device
///                  counts (host/counting.h) it has no memory and computes nothing
typedef void evn__listener(void *user, struct evn_plan *plan, bool made);

/// One at a time; NULL ends it.
void evn__device_listen(evn_device *device, evn__listener *listener, void *user);

/// For plan/plan.c.
void evn__device_tell(evn_device *device, struct evn_plan *plan, bool made);

#endif
