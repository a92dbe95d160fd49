// SPDX-License-Identifier: Apache-2.0
#include "host/counting.h"

#include "host/runtime.h"
#include <stdio.h>

/// Bytes of the machine's memory that programs could take now; 0: unknown.
static uint64_t available_on_host(void) {
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof(line), file) &&
           sscanf(line, "MemAvailable: %llu", &kib) != 1) {
    }
    if (file) {
        fclose(file);
    }
    return kib << 10;
}

/// What a driver says is free; 0: it does not say. OpenCL itself has no such question.
static uint64_t free_on_device(const evn_device *device) {
    enum { FREE_MEMORY_AMD = 0x4039 }; // cl_amd_device_attribute_query: KiB in all, in one piece
    size_t kib[2] = {0};
    if (!evn__device_has_extension(device->id, "cl_amd_device_attribute_query") ||
        clGetDeviceInfo(device->id, FREE_MEMORY_AMD, sizeof(kib), kib, NULL) != CL_SUCCESS) {
        return 0;
    }
    return (uint64_t)kib[0] << 10;
}

static uint64_t least(uint64_t a, uint64_t known_or_zero) {
    return known_or_zero > 0 && known_or_zero < a ? known_or_zero : a;
}

uint64_t evn__device_room(const evn_device *device) {
    uint64_t all = device->info.global_bytes;
    if (device->info.unified) {
        return least(all - all / 4, available_on_host());
    }
    uint64_t room;
    EVN__TIMED(device, "asking for free memory (clGetDeviceInfo)", room = free_on_device(device));
    return least(all, room);
}
