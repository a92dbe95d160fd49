// SPDX-License-Identifier: Apache-2.0
#include "host/timing.h"

#include "base/clock.h"
#include "host/runtime.h"
#include <stdio.h>

evn__timing evn__device_time_begin(evn_device *device, int every) {
    evn__timing before = device->timing;
    device->timing = (evn__timing){.every = every, .number = ++device->timings};
    return before;
}

evn__longest_launch evn__device_time_end(evn_device *device, evn__timing before) {
    evn__longest_launch longest = device->timing.longest;
    device->timing = before;
    return longest;
}

const evn__longest_launch *evn__device_longest(const evn_device *device) {
    return &device->timing.longest;
}

bool evn__device_may_display(const evn_device *device) {
    return device->info.type == EVN_DEVICE_GPU || device->info.type == EVN_DEVICE_GPU_INTEGRATED;
}

bool evn__timing_takes(evn__kernel *kernel) {
    const evn__timing *timing = &kernel->device->timing;
    if (timing->every == 0) {
        return false;
    }
    if (kernel->timing != timing->number) {
        kernel->timing = timing->number;
        kernel->launches = 0;
    }
    return kernel->launches++ % (uint64_t)timing->every == 0;
}

void evn__longest_add(evn_device *device, const char *kernel, double seconds) {
    evn__longest_launch *longest = &device->timing.longest;
    if (seconds > longest->seconds) {
        longest->seconds = seconds;
        snprintf(longest->kernel, sizeof(longest->kernel), "%s", kernel);
    }
}

void evn__device_allow(evn_device *device, double seconds) {
    device->allowed = seconds;
    device->allowed_until = seconds > 0 ? evn__now() + seconds : 0;
}

evn_status evn__device_allows(const evn_device *device, const char *kernel) {
    EVN_CHECK(device->allowed <= 0 || evn__now() <= device->allowed_until, EVN_ERR_DEADLINE,
              "given up after %g s, before kernel %s: the driver compiles, or the device computes, "
              "too slowly; a driver that keeps what it compiled gets further in another run",
              device->allowed, kernel);
    return EVN_OK;
}

// Cutting -----------------------------------------------------------------------------------------

void evn__device_limit_launches(evn_device *device, double seconds) {
    device->launch_limit = seconds;
}

double evn__device_launch_limit(const evn_device *device) {
    return device->launch_limit;
}

static evn_status try(evn_device *device, evn__cut_trial *trial, void *user, int64_t parts,
                      evn__longest_launch *longest) {
    evn__timing before = evn__device_time_begin(device, 0); // a timing around sees no trial
    evn_status status = trial(user, parts);
    status = status == EVN_OK ? evn_device_finish(device) : status;
    evn__device_time_begin(device, 1);
    status = status == EVN_OK ? trial(user, parts) : status;
    *longest = evn__device_time_end(device, before);
    return status;
}

/// The fewest parts of `size`, as many as `wanted`; the most that there are where these are fewer.
static int64_t find_parts(int64_t size, double wanted) {
    int64_t parts = 1;
    while (parts < size && (size % parts != 0 || (double)parts < wanted)) {
        ++parts;
    }
    return parts;
}

evn_status evn__device_cut(evn_device *device, int64_t size, evn__cut_trial *trial, void *user,
                           int64_t *parts, evn__longest_launch *longest) {
    const double helped = 0.8; // of a launch that is as long as before
    double limit = device->launch_limit;
    int64_t tried = 1;
    evn__longest_launch whole = {0};
    *parts = 1;
    EVN_TRY(limit > 0 ? try(device, trial, user, tried, &whole) : EVN_OK);
    evn__longest_launch now = whole;
    bool helps = true;
    while (now.seconds > limit && limit > 0 && tried < size && helps) {
        double before = now.seconds, wanted = (double)tried * now.seconds / limit;
        tried = find_parts(size, wanted > (double)tried + 1 ? wanted : (double)tried + 1);
        EVN_TRY(try(device, trial, user, tried, &now));
        helps = now.seconds <= helped * before;
    }
    bool short_enough = now.seconds <= limit;
    *parts = short_enough ? tried : 1;
    if (longest) {
        *longest = short_enough ? now : whole;
    }
    return EVN_OK;
}
