// SPDX-License-Identifier: Apache-2.0
// Winograd's method for 3×3 convolutions of stride 1: what conv2d.c asks before it takes its own.
#ifndef EVN_OPS_WINOGRAD_H
#define EVN_OPS_WINOGRAD_H

#include "ops/lower.h"

/// A convolution between nodes of a graph.
typedef struct evn__winograd {
    const int64_t *x, *w, *y; ///< extents [B, H, W, Ci], [Kh, Kw, Ci, Co], [B, Ho, Wo, Co]
    int64_t stride, padding;
} evn__winograd;

/// Whether conv2d and conv2d_input_grad gain by it: on CPUs, with whole vectors of channels.
bool evn__winograd_fits(const evn__lowering *lowering, const evn__winograd *c);
/// Whether conv2d_weight_grad does: where the transformed tensors stay in the last-level cache.
bool evn__winograd_fits_weight_grad(const evn__lowering *lowering, const evn__winograd *c);

/// `node`, numbered `result`, is conv2d or conv2d_input_grad.
evn_status evn__winograd_images(evn__lowering *lowering, const evn__winograd *c,
                                const evn__node *node, evn_value result);
/// `node`, numbered `result`, is conv2d_weight_grad.
evn_status evn__winograd_weight_grad(evn__lowering *lowering, const evn__winograd *c,
                                     const evn__node *node, evn_value result);

#endif
