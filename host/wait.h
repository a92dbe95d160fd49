// SPDX-License-Identifier: Apache-2.0
// Waiting for the device without burning a processor (host/wait.c).
#ifndef EVN_HOST_WAIT_H
#define EVN_HOST_WAIT_H

#include "evonode/cl.h"
#include "evonode/device.h"

/// How the host waits for a device.
typedef enum evn__waiting {
    EVN__WAITING_UNKNOWN, ///< as OpenCL does, and no wait has burnt the processor yet
    EVN__WAITING_SLEEPS,  ///< OpenCL's waits burn it
    EVN__WAITING_SPINS,   ///< as OpenCL does, because it was asked for
} evn__waiting;

/// When a wait began: on the clock, and in the thread's processor time.
typedef struct evn__wait {
    double time, thread;
} evn__wait;

/// Around a wait of OpenCL's own, to see whether it burns, and whether it ends (host/deadline.h).
/// @param[in] what  what is waited for; stays
evn__wait evn__wait_begin(const evn_device *device, const char *what);
void evn__wait_end(evn_device *device, evn__wait begun);

/// Wait for a command, and count the wait unless it is done already.
/// @param[in] what  for the message, if it failed
evn_status evn__event_wait(evn_device *device, cl_event event, const char *what);

/// Nulls; accepts NULL in it. Under the deadline, too.
void evn__event_release(const evn_device *device, cl_event *event);

/// Before a wait of OpenCL's own: where it would burn, sleep until all that is enqueued is done.
evn_status evn__queue_sleep(evn_device *device);

/// How to wait from now on. EVN__WAITING_SPINS is for what is timed: sleeping makes a wait up to an
/// eighth longer.
/// @return how it was until now
evn__waiting evn__device_wait_as(evn_device *device, evn__waiting waiting);

#endif
