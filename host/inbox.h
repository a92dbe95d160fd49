// SPDX-License-Identifier: Apache-2.0
// What the host writes for kernels again and again, such as batches. Where the device shares the
// host's memory nothing is copied: two buffers take turns, one is written by the host through a
// map while kernels read the other. Else the contents are copied as evn_buffer_write does.
#ifndef EVN_HOST_INBOX_H
#define EVN_HOST_INBOX_H

#include "evonode/buffer.h"

typedef struct evn__inbox evn__inbox;

/// @param[in] bytes  of the contents, > 0
evn_status evn__inbox_create(evn_device *device, size_t bytes, evn__inbox **inbox);
void evn__inbox_destroy(evn__inbox **inbox); ///< nulls; accepts NULL

/// Host memory to write the next contents into, all of them: nothing of earlier ones is there.
/// Waits only for kernels that read the contents before the last ones.
evn_status evn__inbox_open(evn__inbox *inbox, void **memory);

/// What was written is for kernels now, until the close after the next: all that read it must have
/// been enqueued before the next open.
/// @param[out] buffer  where it is; borrowed
evn_status evn__inbox_close(evn__inbox *inbox, evn_buffer **buffer);

#endif
