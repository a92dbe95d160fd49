// SPDX-License-Identifier: Apache-2.0
// Winograd's method on GPUs for 3×3 convolutions of stride 1, by tiles in local memory
// (kernels/winograd_tiled.cl): what conv2d.c asks before it takes tiled.h.
#ifndef EVN_OPS_WINOGRAD_TILED_H
#define EVN_OPS_WINOGRAD_TILED_H

#include "ops/variant.h"
#include "ops/winograd.h"

/// A convolution, or one of its gradients, as sums of products of transformed tiles.
typedef struct evn__winograd_tiled {
    const evn__winograd *c;
    evn__op op;
    evn__tile tile;
    int outside;       ///< outputs of a tile, along each axis
    int depth;         ///< terms in local memory
    int64_t slice;     ///< weight gradient: tiles that a work-group adds up
    char options[112]; ///< of the source
} evn__winograd_tiled;

/// Whether `op`, conv2d or one of its gradients, is computed so: by `variant`, the tuned one, where
/// its group and its tiles fit the device; where that is NULL, on GPUs with work for all of their
/// compute units.
/// @param[out] t  points to c
bool evn__winograd_tiled_fits(const evn_device_info *device, bool fp64, const evn__winograd *c,
                              evn__op op, const evn__variant *variant, evn__winograd_tiled *t);

/// Emit the calls of `node`, numbered `result`: conv2d or its input gradient.
evn_status evn__winograd_tiled_images(evn__lowering *lowering, const evn__winograd_tiled *t,
                                      const evn__node *node, evn_value result);

/// Cut the weight gradient's sum until every compute unit has work-groups.
/// @return the number of slices
int64_t evn__winograd_tiled_split(evn__winograd_tiled *t, const evn_device_info *device);

/// Emit the call of `node`, the weight gradient.
/// @param[in] w_bar  [slices, 3, 3, Ci, Co], to be added up
evn_status evn__winograd_tiled_weights(evn__lowering *lowering, const evn__winograd_tiled *t,
                                       const evn__node *node, int64_t slices, evn__operand w_bar);

#endif
