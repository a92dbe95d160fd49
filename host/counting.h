// SPDX-License-Identifier: Apache-2.0
// What device memory is held for, and counting mode: what would be allocated is added up by the
// code that allocates, while nothing is allocated, compiled or enqueued.
#ifndef EVN_HOST_COUNTING_H
#define EVN_HOST_COUNTING_H

#include "evonode/buffer.h"

/// What a buffer is for.
typedef enum evn__use {
    EVN__USE_PLANS, ///< temporaries, saved values and tables of plans; and what names no other use
    EVN__USE_PARAMETERS,
    EVN__USE_GRADIENTS,
    EVN__USE_OPTIMIZER,
    EVN__USE_STATES, ///< of solves, with all that is kept along a grid
    EVN__USE_BATCHES,
    EVN__USES,
} evn__use;

/// Device memory at its peak.
typedef struct evn__memory_use {
    uint64_t peak;            ///< bytes
    uint64_t uses[EVN__USES]; ///< what of the peak was for what
    uint64_t largest;         ///< bytes of the largest buffer
} evn__memory_use;

/// "parameters", "gradients", and so on; static storage.
const char *evn__use_name(evn__use use);

/// As evn_buffer_create, for a use.
evn_status evn__buffer_create_for(evn_device *device, evn__use use, size_t bytes,
                                  evn_buffer **buffer);

/// Since the last evn_device_reset_peak; `largest` since counting began.
evn__memory_use evn__device_memory_use(const evn_device *device);

/// Bytes that buffers may take in all: of memory that the host shares three quarters, as far as
/// they are free now; else what the driver says is free, or all.
uint64_t evn__device_room(const evn_device *device);

/// Let no more than so many bytes be held by buffers: what goes beyond is refused with
/// EVN_ERR_DEVICE_MEMORY. 0: as many as the driver gives.
void evn__device_limit(evn_device *device, uint64_t bytes);

/// From now on buffers have no memory: writes and copies do nothing, launches are only counted,
/// kernels are not compiled, and reads give ones, which as floats are a loss and a norm that let a
/// solver go on. The account begins at zero.
void evn__device_count_begin(evn_device *device);

bool evn__device_is_counting(const evn_device *device);

/// Back to work. All buffers made while counting must be destroyed before; the account and the
/// counters are as they were.
void evn__device_count_end(evn_device *device);

#endif
