// SPDX-License-Identifier: Apache-2.0
// What a work-item is, by what its device says of itself.
#ifndef EVN_HOST_ITEMS_H
#define EVN_HOST_ITEMS_H

#include "evonode/device.h"

/// Whether a work-item has a core's vector registers to itself. A CPU whose register holds one
/// float, as its driver reports it, has them too, but its compiler puts neighbouring work-items
/// into their lanes, as GPUs do: a group of one uses one lane there, and a vector in a work-item
/// becomes as many registers as it has elements (llvmpipe: a product takes three times as long).
static inline bool evn__items_are_wide(const evn_device_info *device) {
    return device->type == EVN_DEVICE_CPU && device->vector_width > 1;
}

#endif
