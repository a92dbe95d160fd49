// SPDX-License-Identifier: Apache-2.0
#include "host/timing.h"

#include "host/runtime.h"
#include <stdio.h>

void evn__device_time_begin(evn_device *device) {
    device->longest = (evn__longest_launch){0};
    device->times = true;
}

evn__longest_launch evn__device_time_end(evn_device *device) {
    device->times = false;
    return device->longest;
}

bool evn__device_may_display(const evn_device *device) {
    return device->info.type == EVN_DEVICE_GPU || device->info.type == EVN_DEVICE_GPU_INTEGRATED;
}

void evn__longest_add(evn_device *device, const char *kernel, double seconds) {
    if (seconds > device->longest.seconds) {
        device->longest.seconds = seconds;
        snprintf(device->longest.kernel, sizeof(device->longest.kernel), "%s", kernel);
    }
}
