// SPDX-License-Identifier: Apache-2.0
// Writes without waiting: the data is copied to staging memory, from where the queue copies it to
// the device later.
#ifndef EVN_HOST_STAGING_H
#define EVN_HOST_STAGING_H

#include "evonode/cl.h"
#include "evonode/device.h"
#include <stddef.h>

enum {
    EVN__STAGES = 4,          ///< writes under way at once; the next one waits for the oldest
    EVN__MAX_STAGED = 1 << 20 ///< bytes; larger writes take long enough to be waited for
};

typedef struct evn__stage {
    void *data;
    size_t capacity;
    cl_event written; ///< NULL: never used
} evn__stage;

/// Enqueue a copy of `bytes` <= EVN__MAX_STAGED to `mem`; `data` may be reused at once.
evn_status evn__staging_write(evn_device *device, cl_mem mem, size_t offset, size_t bytes,
                              const void *data);

/// After the queue has finished.
void evn__staging_free(evn_device *device);

#endif
