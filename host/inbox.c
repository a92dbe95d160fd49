// SPDX-License-Identifier: Apache-2.0
#include "host/inbox.h"

#include "base/clock.h"
#include "base/memory.h"
#include "host/runtime.h"
#include <stdlib.h>

enum { SIDES = 2 };

/// One of the buffers.
typedef struct side {
    evn_buffer *buffer;
    void *memory;    ///< where it is mapped; NULL: it is the kernels'
    cl_event mapped; ///< of the map; NULL: it is over
} side;

struct evn__inbox {
    evn_device *device;
    size_t bytes;
    side sides[SIDES];
    int at; ///< the side that is written next
    bool open;
    void *contents; ///< where contents are copied; NULL: they are mapped
};

static evn_status make(evn__inbox *inbox) {
    bool maps = inbox->device->info.unified && !inbox->device->counting.on;
    int sides = inbox->device->info.unified ? SIDES : 1;
    for (int i = 0; i < sides; ++i) {
        EVN_TRY(evn__buffer_create_for(inbox->device, EVN__USE_BATCHES, inbox->bytes,
                                       &inbox->sides[i].buffer));
    }
    return maps ? EVN_OK : EVN_NEW((char **)&inbox->contents, inbox->bytes);
}

evn_status evn__inbox_create(evn_device *device, size_t bytes, evn__inbox **inbox) {
    EVN_TRY(EVN_NEW(inbox, 1));
    (*inbox)->device = device;
    (*inbox)->bytes = bytes;
    evn_status status = make(*inbox);
    if (status != EVN_OK) {
        evn__inbox_destroy(inbox);
    }
    return status;
}

static void unmap(const evn__inbox *inbox, side *s, cl_int *code) {
    EVN__TIMED(inbox->device, "unmapping memory of the device (clEnqueueUnmapMemObject)",
               *code = clEnqueueUnmapMemObject(inbox->device->queue, evn_buffer_mem(s->buffer),
                                               s->memory, 0, NULL, NULL));
    s->memory = NULL;
}

void evn__inbox_destroy(evn__inbox **inbox) {
    evn__inbox *old = *inbox;
    if (!old) {
        return;
    }
    for (int i = 0; i < SIDES; ++i) {
        side *s = &old->sides[i];
        cl_int code;
        if (s->mapped) {
            EVN__TIMED(old->device, "releasing memory of the device (clWaitForEvents)",
                       clWaitForEvents(1, &s->mapped));
            evn__event_release(old->device, &s->mapped);
        }
        if (s->memory) {
            unmap(old, s, &code);
        }
        evn_buffer_destroy(&s->buffer);
    }
    free(old->contents);
    free(old);
    *inbox = NULL;
}

/// Enqueue the map, behind the kernels that read the side. The host does not wait.
static evn_status begin_map(evn__inbox *inbox, side *s) {
    cl_int code;
    evn_device *device = inbox->device;
    static const char what[] = "mapping memory of the device (clEnqueueMapBuffer)";
    EVN__TIMED(device, what,
               s->memory = clEnqueueMapBuffer(device->queue, evn_buffer_mem(s->buffer), CL_FALSE,
                                              CL_MAP_WRITE_INVALIDATE_REGION, 0, inbox->bytes, 0,
                                              NULL, &s->mapped, &code));
    EVN_CL_CHECK(code, what);
    device->stats.maps++;
    return EVN_OK;
}

static evn_status end_map(evn__inbox *inbox, side *s) {
    evn_device *device = inbox->device;
    if (s->mapped) {
        double begun = evn__now();
        evn_status status = evn__event_wait(device, s->mapped, "waiting for memory of the device");
        device->stats.copy_wait_seconds += evn__now() - begun;
        EVN_TRY(status); // still to be waited for
        evn__event_release(device, &s->mapped);
    }
    return EVN_OK;
}

evn_status evn__inbox_open(evn__inbox *inbox, void **memory) {
    side *s = &inbox->sides[inbox->at], *other = &inbox->sides[!inbox->at];
    if (inbox->contents) {
        *memory = inbox->contents;
        return EVN_OK;
    }
    if (!inbox->open) { // the other side's readers are enqueued: its map can stand behind them
        EVN_TRY(s->memory ? EVN_OK : begin_map(inbox, s));
        EVN_TRY(other->memory ? EVN_OK : begin_map(inbox, other));
        EVN_TRY(evn_device_flush(inbox->device));
        EVN_TRY(end_map(inbox, s));
        inbox->open = true;
    }
    *memory = s->memory;
    return EVN_OK;
}

evn_status evn__inbox_close(evn__inbox *inbox, evn_buffer **buffer) {
    side *s = &inbox->sides[inbox->at];
    *buffer = s->buffer;
    if (inbox->contents) {
        return evn_buffer_write(s->buffer, 0, inbox->bytes, inbox->contents);
    }
    EVN_CHECK(inbox->open, EVN_ERR_INTERNAL, "an inbox was closed that was not open");
    cl_int code;
    unmap(inbox, s, &code);
    inbox->open = false; // its memory is gone, also where unmapping failed
    EVN_CL_CHECK(code, "unmapping memory of the device (clEnqueueUnmapMemObject)");
    inbox->at = !inbox->at;
    return EVN_OK;
}
