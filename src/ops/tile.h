// SPDX-License-Identifier: Apache-2.0
// Tiles of the product families (matmul, conv2d): what one work-item keeps in registers. The
// kernels' side of it is in kernels/common.cl.
#ifndef EVN_OPS_TILE_H
#define EVN_OPS_TILE_H

#include <stddef.h>

/// What one work-item computes: rows × (vectors · width) elements.
typedef struct evn__tile {
    int rows, vectors, width;
    size_t local[3];
} evn__tile;

/// Few registers, many work-items, 64 to a group: for devices that are no CPU.
static inline evn__tile evn__tile_small(void) {
    return (evn__tile){4, 1, 4, {16, 4, 1}};
}

#endif
