// SPDX-License-Identifier: Apache-2.0
// A driver that hangs never returns from a call, so that no status could say it. A thread beside
// looks how long the call has lasted, and tells whoever wants to know; what waits can then only end
// its process.
#ifndef EVN_HOST_DEADLINE_H
#define EVN_HOST_DEADLINE_H

#include "evonode/device.h"

/// Called once, in another thread, when a call has lasted for too long.
/// @param[in] what  what is waited for, as in "waiting for the device (clFinish)"
typedef void evn__late(void *user, const char *what, double seconds);

/// From now on no wait of the device is to last longer than `seconds` in which the process runs;
/// 0: however long.
/// @return EVN_ERR_MEMORY, also when no thread can be had
evn_status evn__device_set_deadline(evn_device *device, double seconds, evn__late *late,
                                    void *user);

/// Around what waits for the device or its compiler; `what` stays.
void evn__deadline_begin(const evn_device *device, const char *what);
void evn__deadline_end(const evn_device *device);

/// A call that may wait, as an expression statement, under the device's deadline: its name is told.
#define EVN__TIMED(device, what, statement)                                                        \
    do {                                                                                           \
        evn__deadline_begin(device, what);                                                         \
        statement;                                                                                 \
        evn__deadline_end(device);                                                                 \
    } while (0)

/// End the thread.
void evn__deadline_free(evn_device *device);

#endif
