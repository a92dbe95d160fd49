// SPDX-License-Identifier: Apache-2.0
// How long launches take. While it is found out the host waits for each, so that only its own time
// counts, on devices without profiling too.
#ifndef EVN_HOST_TIMING_H
#define EVN_HOST_TIMING_H

#include "evonode/device.h"

enum { EVN__KERNEL_NAME = 96 };

/// The longest launch since timing began.
typedef struct evn__longest_launch {
    double seconds;
    char kernel[EVN__KERNEL_NAME];
} evn__longest_launch;

void evn__device_time_begin(evn_device *device);
evn__longest_launch evn__device_time_end(evn_device *device);

/// Whether a long launch would stop a display: a GPU can drive one, and OpenCL does not say which
/// does.
bool evn__device_may_display(const evn_device *device);

#endif
