// SPDX-License-Identifier: Apache-2.0
// A driver that hangs never returns from a call, so that no status could say it. A thread beside
// looks how long the call has lasted, and tells whoever wants to know; what waits can then only end
// its process. A call pays three stores for it and no lock, so that all that a driver could hang in
// is watched, launches too.
#ifndef EVN_HOST_DEADLINE_H
#define EVN_HOST_DEADLINE_H

#include "evonode/device.h"

/// A thread that looks at calls; NULL: they may last.
typedef struct evn__deadline evn__deadline;

/// Called once, in another thread, when a call has lasted for too long.
/// @param[in] what  what is waited for, as in "waiting for the device (clFinish)"
typedef void evn__late(void *user, const char *what, double seconds);

/// Of calls that begin before there is a device; evn__device_open_under takes it. NULL, and no
/// failure, where `seconds` is 0.
/// @return EVN_ERR_MEMORY, also when no thread can be had
evn_status evn__deadline_create(double seconds, evn__late *late, void *user,
                                evn__deadline **deadline);
void evn__deadline_destroy(evn__deadline **deadline); ///< nulls; accepts NULL

/// Around a call, of one at a time; `what` stays.
void evn__deadline_enter(evn__deadline *deadline, const char *what);
void evn__deadline_leave(evn__deadline *deadline);

/// As evn_device_open, with drivers and context under a deadline, which is taken, and NULL or the
/// device's from then on.
evn_status evn__device_open_under(const char *selector, evn__deadline *deadline,
                                  evn_device **device);

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

/// The same of a call that returns a code, which is passed on (EVN_CL_CHECK).
#define EVN_CL_TIMED(device, what, call)                                                           \
    do {                                                                                           \
        cl_int timed_code_;                                                                        \
        EVN__TIMED(device, what, timed_code_ = (call));                                            \
        EVN_CL_CHECK(timed_code_, what);                                                           \
    } while (0)

/// End the thread.
void evn__deadline_free(evn_device *device);

#endif
