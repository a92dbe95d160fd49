// SPDX-License-Identifier: Apache-2.0
// How long launches take, and how work is cut so that none takes too long. While a launch is timed
// the host waits for it, so that only its own time counts, on devices without profiling too.
#ifndef EVN_HOST_TIMING_H
#define EVN_HOST_TIMING_H

#include "evonode/device.h"

enum { EVN__KERNEL_NAME = 96 };

/// The longest launch since timing began.
typedef struct evn__longest_launch {
    double seconds; ///< 0: none was timed
    char kernel[EVN__KERNEL_NAME];
} evn__longest_launch;

/// What of a device's launches is timed.
typedef struct evn__timing {
    int every;       ///< 1: each; more: of each kernel the first, and then one in so many; 0: none
    uint64_t number; ///< of the timing: kernels, which devices keep, count their launches in each
    evn__longest_launch longest;
} evn__timing;

/// Long work is not slowed down by waits for one launch in so many; a prime, as launches come in
/// turns.
enum { EVN__TIMING_SPARSE = 17 };

/// @return what was timed before: timings nest
evn__timing evn__device_time_begin(evn_device *device, int every);
/// @return the longest since the begin, which those around do not see
evn__longest_launch evn__device_time_end(evn_device *device, evn__timing before);
/// The longest so far.
const evn__longest_launch *evn__device_longest(const evn_device *device);

/// Whether a long launch would stop a display: a GPU can drive one, and OpenCL does not say which
/// does.
bool evn__device_may_display(const evn_device *device);

/// What launches after so many seconds from now is given up; 0: nothing is. Work that waits for its
/// launches, as it does while they are timed, ends soon after them, however many are left.
void evn__device_allow(evn_device *device, double seconds);
/// @return EVN_ERR_DEADLINE where the kernel is given up
evn_status evn__device_allows(const evn_device *device, const char *kernel);

// Cutting -----------------------------------------------------------------------------------------

/// The longest time, in seconds, that a launch should take from here on; 0: any.
void evn__device_limit_launches(evn_device *device, double seconds);
double evn__device_launch_limit(const evn_device *device);

/// Do the work of one of so many equal parts.
typedef evn_status evn__cut_trial(void *user, int64_t parts);

/// The fewest equal parts of `size` with which no launch of the trial takes longer than the
/// device's limit; 1 where parts do not help. Each number of parts that is tried is done twice, as
/// drivers warm up, and unseen by a timing around. Without a limit nothing is tried.
/// @param[out] longest  with that many parts; may be NULL
evn_status evn__device_cut(evn_device *device, int64_t size, evn__cut_trial *trial, void *user,
                           int64_t *parts, evn__longest_launch *longest);

#endif
