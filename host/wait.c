// SPDX-License-Identifier: Apache-2.0
// Waiting for the device. OpenCL does not say whether its waits give the processor away or go
// round in a loop, so it is measured: where a wait has burnt the thread's time, later ones look
// again and again and sleep in between.
#include "host/wait.h"
#include "base/clock.h"
#include "host/runtime.h"

#include <time.h>

// A wait counts when it is long enough to tell, and burns when it takes most of its time.
static const double TELLING_SECONDS = 1e-3, BURNING_SHARE = 0.5;
static const double FIRST_SLEEP = 20e-6, LONGEST_SLEEP = 1e-3, SLEEP_SHARE = 0.125;

evn__waiting evn__device_wait_as(evn_device *device, evn__waiting waiting) {
    evn__waiting before = device->waiting;
    device->waiting = waiting;
    return before;
}

static void sleep_for(double seconds) {
    struct timespec time = {0, (long)(seconds * 1e9)};
    nanosleep(&time, NULL);
}

evn__wait evn__wait_begin(const evn_device *device, const char *what) {
    evn__deadline_begin(device, what);
    return (evn__wait){evn__now(), evn__thread_seconds()};
}

void evn__wait_end(evn_device *device, evn__wait begun) {
    evn__deadline_end(device);
    double seconds = evn__now() - begun.time;
    if (device->waiting == EVN__WAITING_UNKNOWN && seconds >= TELLING_SECONDS) {
        double burnt = evn__thread_seconds() - begun.thread;
        device->waiting =
            burnt > BURNING_SHARE * seconds ? EVN__WAITING_SLEEPS : EVN__WAITING_UNKNOWN;
    }
}

/// Sleep until the command is done or has failed, by an eighth of what it has taken at a time.
static evn_status sleep_watched(cl_event event, cl_int *state) {
    double begun = evn__now();
    for (;;) {
        EVN_CL_CHECK(
            clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(*state), state, NULL),
            "clGetEventInfo");
        if (*state <= CL_COMPLETE) {
            return EVN_OK;
        }
        double sleep = (evn__now() - begun) * SLEEP_SHARE;
        sleep = sleep > FIRST_SLEEP ? sleep : FIRST_SLEEP;
        sleep_for(sleep < LONGEST_SLEEP ? sleep : LONGEST_SLEEP);
    }
}

static evn_status sleep_until(const evn_device *device, cl_event event, const char *what,
                              cl_int *state) {
    evn__deadline_begin(device, what);
    evn_status status = sleep_watched(event, state);
    evn__deadline_end(device);
    return status;
}

evn_status evn__event_wait(evn_device *device, cl_event event, const char *what) {
    cl_int state;
    EVN_CL_TIMED(
        device, "clGetEventInfo",
        clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state, NULL));
    device->stats.waits += state > CL_COMPLETE;
    if (state > CL_COMPLETE && device->waiting == EVN__WAITING_SLEEPS) {
        EVN_TRY(evn_device_flush(device));
        EVN_TRY(sleep_until(device, event, what, &state));
    }
    evn__wait begun = evn__wait_begin(device, what);
    cl_int code = clWaitForEvents(1, &event);
    evn__wait_end(device, begun);
    EVN_CL_CHECK(code, what);
    return EVN_OK;
}

void evn__event_release(const evn_device *device, cl_event *event) {
    if (*event) {
        EVN__TIMED(device, "releasing an event (clReleaseEvent)", clReleaseEvent(*event));
        *event = NULL;
    }
}

/// All that is enqueued is before the marker.
evn_status evn__queue_sleep(evn_device *device) {
    cl_event event;
    cl_int state = CL_COMPLETE;
    if (device->waiting != EVN__WAITING_SLEEPS) {
        return EVN_OK;
    }
    EVN_CL_TIMED(device, "clEnqueueMarkerWithWaitList",
                 clEnqueueMarkerWithWaitList(device->queue, 0, NULL, &event));
    evn_status status = evn_device_flush(device);
    status =
        status == EVN_OK ? sleep_until(device, event, "waiting for the device", &state) : status;
    evn__event_release(device, &event);
    return status;
}
