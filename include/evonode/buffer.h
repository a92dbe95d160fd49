// SPDX-License-Identifier: Apache-2.0
/// @file
/// Device memory. All copies are ordered with the kernels of the device's queue.
#ifndef EVONODE_BUFFER_H
#define EVONODE_BUFFER_H

#include "evonode/device.h"
#include <stddef.h>

EVN_API_BEGIN

/// Memory of a device. Owned by who created it.
typedef struct evn_buffer evn_buffer;

/// Allocate `bytes` (> 0) of device memory; contents undefined.
/// @return EVN_ERR_DEVICE_MEMORY, with bytes asked and held, when it does not fit
evn_status evn_buffer_create(evn_device *device, size_t bytes, evn_buffer **buffer);

/// Nulls *buffer; accepts NULL. Commands that use it finish first.
void evn_buffer_destroy(evn_buffer **buffer);

/// Its size, as asked for.
size_t evn_buffer_bytes(const evn_buffer *buffer);

/// Copy from the host; `data` may be reused when the call returns. Offset and size in bytes. Up to
/// 1 MiB nobody waits for the device: the copy is enqueued, as kernels are.
/// @return EVN_ERR_ARGUMENT for a range that the buffer does not have, here as below
evn_status evn_buffer_write(evn_buffer *buffer, size_t offset, size_t bytes, const void *data);

/// Copy to the host; waits for all that was enqueued before.
evn_status evn_buffer_read(evn_buffer *buffer, size_t offset, size_t bytes, void *data);

/// Enqueue a device-side copy; the ranges must not overlap. Does not wait.
/// @return EVN_ERR_ARGUMENT also for ranges that overlap, and buffers of two devices
evn_status evn_buffer_copy(evn_buffer *target, size_t target_offset, const evn_buffer *source,
                           size_t source_offset, size_t bytes);

/// Enqueue setting `bytes` bytes to zero. `offset` and `bytes` are multiples of 4. Does not wait.
evn_status evn_buffer_zero(evn_buffer *buffer, size_t offset, size_t bytes);

EVN_API_END

#endif
