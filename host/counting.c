// SPDX-License-Identifier: Apache-2.0
#include "host/counting.h"

#include "host/runtime.h"

const char *evn__use_name(evn__use use) {
    static const char *const names[EVN__USES] = {"plans",     "parameters", "gradients",
                                                 "optimiser", "states",     "batches"};
    return names[use];
}

evn__memory_use evn__device_memory_use(const evn_device *device) {
    evn__memory_use use = device->at_peak;
    use.peak = device->stats.bytes_peak;
    return use;
}

void evn__account_add(evn_device *device, evn__use use, size_t bytes) {
    evn_device_stats *stats = &device->stats;
    stats->allocations++;
    stats->bytes_now += bytes;
    device->uses[use] += bytes;
    evn__memory_use *top = &device->at_peak;
    top->largest = bytes > top->largest ? bytes : top->largest;
    if (stats->bytes_now > stats->bytes_peak) {
        stats->bytes_peak = stats->bytes_now;
        memcpy(top->uses, device->uses, sizeof(top->uses));
    }
}

void evn__account_remove(evn_device *device, evn__use use, size_t bytes) {
    device->stats.bytes_now -= bytes;
    device->uses[use] -= bytes;
}

void evn_device_reset_peak(evn_device *device) {
    if (device) {
        device->stats.bytes_peak = device->stats.bytes_now;
        memcpy(device->at_peak.uses, device->uses, sizeof(device->uses));
    }
}

void evn__device_limit(evn_device *device, uint64_t bytes) {
    device->limit = bytes;
}

void evn__device_count_begin(evn_device *device) {
    evn__counting *c = &device->counting;
    *c = (evn__counting){.on = true, .stats = device->stats, .at_peak = device->at_peak};
    memcpy(c->uses, device->uses, sizeof(c->uses));
    device->stats.bytes_now = device->stats.bytes_peak = 0;
    device->at_peak = (evn__memory_use){0};
    memset(device->uses, 0, sizeof(device->uses));
    c->kernel.device = device;
}

bool evn__device_is_counting(const evn_device *device) {
    return device->counting.on;
}

void evn__device_count_end(evn_device *device) {
    const evn__counting *c = &device->counting;
    device->stats = c->stats;
    device->at_peak = c->at_peak;
    memcpy(device->uses, c->uses, sizeof(device->uses));
    device->counting.on = false;
}
