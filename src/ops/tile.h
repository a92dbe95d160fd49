// SPDX-License-Identifier: Apache-2.0
// Tiles of the product families (matmul, conv2d): what one work-item keeps in registers. The
// kernels' side of it is in kernels/variant.cl.
#ifndef EVN_OPS_TILE_H
#define EVN_OPS_TILE_H

#include "evonode/device.h"
#include <stddef.h>

/// What one work-item computes: rows × (vectors · width) elements.
typedef struct evn__tile {
    int rows, vectors, width;
    size_t local[3];
} evn__tile;

/// Many accumulators in registers, one work-item a group: for CPUs. Those with vectors of 16 have
/// 32 registers, the others are taken to have 16.
static inline evn__tile evn__tile_wide(const evn_device_info *device) {
    if (device->vector_width >= 16) {
        return (evn__tile){8, 2, 16, {1, 1, 1}};
    }
    return (evn__tile){6, 2, device->vector_width == 8 ? 8 : 4, {1, 1, 1}};
}

/// Whether the compiler may put so few work-items into a hardware thread that each has 128
/// registers and no more (Intel's GPUs: docs/devices.md).
static inline bool evn__tile_few_registers(const evn_device_info *device) {
    return device->min_sub_group > 0 && device->min_sub_group <= 8;
}

/// Few registers, many work-items, 64 to a group: for devices that are no CPU.
static inline evn__tile evn__tile_small(void) {
    return (evn__tile){4, 1, 4, {16, 4, 1}};
}

#endif
