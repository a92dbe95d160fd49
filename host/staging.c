// SPDX-License-Identifier: Apache-2.0
#include "host/staging.h"

#include "base/clock.h"
#include "host/runtime.h"
#include <stdlib.h>
#include <string.h>

/// Wait until the stage's last write is done.
static evn_status settle(evn_device *device, evn__stage *stage) {
    if (stage->written) {
        double begun = evn__now();
        EVN_TRY(evn__event_wait(device, stage->written, "waiting for a copy to the device"));
        device->stats.copy_wait_seconds += evn__now() - begun;
        evn__event_release(device, &stage->written);
    }
    return EVN_OK;
}

static evn_status make_room(evn__stage *stage, size_t bytes) {
    if (stage->capacity >= bytes) {
        return EVN_OK;
    }
    free(stage->data);
    stage->capacity = 0;
    stage->data = malloc(bytes);
    EVN_CHECK(stage->data, EVN_ERR_MEMORY, "no memory for %zu bytes on their way to the device",
              bytes);
    stage->capacity = bytes;
    return EVN_OK;
}

evn_status evn__staging_write(evn_device *device, cl_mem mem, size_t offset, size_t bytes,
                              const void *data) {
    evn__stage *stage = &device->stages[device->next_stage];
    EVN_TRY(settle(device, stage));
    EVN_TRY(make_room(stage, bytes));
    memcpy(stage->data, data, bytes);
    EVN_CL_TIMED(device, "copying to the device (clEnqueueWriteBuffer)",
                 clEnqueueWriteBuffer(device->queue, mem, CL_FALSE, offset, bytes, stage->data, 0,
                                      NULL, &stage->written));
    EVN_TRY(evn_device_flush(device));
    device->next_stage = (device->next_stage + 1) % EVN__STAGES;
    return EVN_OK;
}

void evn__staging_free(evn_device *device) {
    for (int i = 0; i < EVN__STAGES; ++i) {
        evn__event_release(device, &device->stages[i].written);
        free(device->stages[i].data);
    }
}
