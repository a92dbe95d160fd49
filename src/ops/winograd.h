// SPDX-License-Identifier: Apache-2.0
// Winograd's method on CPUs for 3×3 convolutions of stride 1 and 4×4 ones of stride 2: what
// conv2d.c asks before it takes its own.
#ifndef EVN_OPS_WINOGRAD_H
#define EVN_OPS_WINOGRAD_H

#include "ops/lower.h"

/// A convolution between nodes of a graph.
typedef struct evn__winograd {
    const int64_t *x, *w, *y; ///< extents [B, H, W, Ci], [Kh, Kw, Ci, Co], [B, Ho, Wo, Co]
    int64_t stride, padding;
} evn__winograd;

/// Whether it can compute the convolution and its gradients: on CPUs, with whole vectors of
/// channels.
bool evn__winograd_possible(const evn__lowering *lowering, const evn__winograd *c);

/// Whether it also does `op`, conv2d or one of its gradients, with clearly less work.
bool evn__winograd_gains(const evn__lowering *lowering, const evn__winograd *c, evn__op op);

/// Emit the calls of `node`, numbered `result`: conv2d or one of its gradients.
evn_status evn__winograd_emit(evn__lowering *lowering, const evn__winograd *c,
                              const evn__node *node, evn_value result);

#endif
