// SPDX-License-Identifier: Apache-2.0
// A few bytes that kernels write again and again, and that the host looks at once it has waited for
// something later anyway: copied behind the kernels, while nobody waits.
#ifndef EVN_HOST_OUTBOX_H
#define EVN_HOST_OUTBOX_H

#include "evonode/buffer.h"

typedef struct evn__outbox evn__outbox;

/// @param[in] bytes  of the contents, > 0; zeros until something was sent
evn_status evn__outbox_create(evn_device *device, size_t bytes, evn__outbox **outbox);
void evn__outbox_destroy(evn__outbox **outbox); ///< nulls; accepts NULL

/// Enqueue a copy of what is in the buffer, from its first byte on, then. Does not wait.
evn_status evn__outbox_send(evn__outbox *outbox, const evn_buffer *buffer);

/// What was sent last; waits only where the device has not come that far.
evn_status evn__outbox_look(evn__outbox *outbox, void *data);

#endif
