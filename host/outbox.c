// SPDX-License-Identifier: Apache-2.0
#include "host/outbox.h"

#include "base/memory.h"
#include "host/runtime.h"
#include "host/wait.h"
#include <stdlib.h>
#include <string.h>

struct evn__outbox {
    evn_device *device;
    size_t bytes;
    void *data;
    cl_event sent; ///< of the last copy; NULL: there is none
};

evn_status evn__outbox_create(evn_device *device, size_t bytes, evn__outbox **outbox) {
    EVN_TRY(EVN_NEW(outbox, 1));
    (*outbox)->device = device;
    (*outbox)->bytes = bytes;
    evn_status status = EVN_NEW((char **)&(*outbox)->data, bytes);
    if (status != EVN_OK) {
        evn__outbox_destroy(outbox);
    }
    return status;
}

void evn__outbox_destroy(evn__outbox **outbox) {
    evn__outbox *old = *outbox;
    if (!old) {
        return;
    }
    cl_int code = CL_SUCCESS;
    if (old->sent) { // the copy writes to what is freed
        EVN__TIMED(old->device, "copying from the device (clWaitForEvents)",
                   code = clWaitForEvents(1, &old->sent));
        if (code != CL_SUCCESS) { // the queue may know what the event does not
            EVN__TIMED(old->device, "copying from the device (clFinish)",
                       code = clFinish(old->device->queue));
        }
    }
    evn__event_release(old->device, &old->sent);
    if (code == CL_SUCCESS) { // else a copy that nobody can wait for may still write to it
        free(old->data);
    }
    free(old);
    *outbox = NULL;
}

evn_status evn__outbox_send(evn__outbox *outbox, const evn_buffer *buffer) {
    evn_device *device = outbox->device;
    if (device->counting.on) {
        return EVN_OK;
    }
    cl_event sent = NULL;
    EVN_CL_TIMED(device, "copying from the device (clEnqueueReadBuffer)",
                 clEnqueueReadBuffer(device->queue, evn_buffer_mem(buffer), CL_FALSE, 0,
                                     outbox->bytes, outbox->data, 0, NULL, &sent));
    evn__event_release(device,
                       &outbox->sent); // the queue is in order: the last copy ends before this one
    outbox->sent = sent;
    return EVN_OK;
}

evn_status evn__outbox_look(evn__outbox *outbox, void *data) {
    EVN_TRY(outbox->sent ? evn__event_wait(outbox->device, outbox->sent, "copying from the device")
                         : EVN_OK);
    memcpy(data, outbox->data, outbox->bytes);
    return EVN_OK;
}
