// SPDX-License-Identifier: Apache-2.0
// Products on GPUs by tiles of both operands in local memory (kernels/tiled.cl): what matmul.c and
// conv2d.c ask before they take tiles in registers alone.
#ifndef EVN_OPS_TILED_H
#define EVN_OPS_TILED_H

#include "ops/lower.h"
#include "ops/variant.h"

/// C[m, n] of k terms, by work-groups of rows · local[1] × vectors · width · local[0] elements.
typedef struct evn__tiled {
    evn__tile tile;
    int64_t m, n, k;
    int64_t slice;    ///< terms that a work-group adds up
    char options[96]; ///< of the source
} evn__tiled;

/// Whether the device gains by it for a product of this size: no CPU, with enough local memory, and
/// not few terms. Few rows or columns are welcome: without a copy each operand is read in whole
/// lines, however it is transposed. `variant` is the tuned one, or NULL.
/// @param[out] t  tile, options and one slice
bool evn__tiled_fits(const evn_device_info *device, const evn__variant *variant, int64_t m,
                     int64_t n, int64_t k, evn__tiled *t);

/// Cut k until every compute unit has work-groups. Each slice has a C of its own, to be added up.
/// @return the number of slices
int64_t evn__tiled_split(evn__tiled *t, const evn_device_info *device);

/// A call of `kernel`, its range for `layers` products beside each other; operands are the
/// caller's.
evn__call evn__tiled_call(const evn__tiled *t, const char *kernel, int64_t layers);

#endif
