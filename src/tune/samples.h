// SPDX-License-Identifier: Apache-2.0
// Small graphs of every kernel family, at shapes that fill no tile and no vector: what a device
// must compute as the reference does before any other result is trusted.
#ifndef EVN_TUNE_SAMPLES_H
#define EVN_TUNE_SAMPLES_H

#include "graph/node.h"
#include <stdbool.h>

typedef struct evn__sample {
    const char *family;
    const char *operation; ///< in the names of its operations (graph/op.def); "": in any graph
    void (*build)(evn_graph *graph, int index); ///< inputs, outputs and all; a failure sticks
    int count;                                  ///< index: 0 … count − 1
    const char *variant; ///< NULL, or one that output 0 is to be computed by (ops/variant.h)
    bool tuned; ///< that is no default, and rounds more or is not on each device: the tuner's to
                ///< judge, it says nothing of the device
} evn__sample;

/// Ends with a row whose family is NULL.
extern const evn__sample evn__samples[];

/// Sizes of a product: matmul M, N, K, transpose_a, transpose_b; convolutions B, H, W, Ci, Kh, Kw,
/// Co, stride, padding.
enum { EVN__PRODUCT_SIZES = 9 };

/// Inputs, one node of `op` and its output.
/// @return the node
typedef evn_value evn__node_builder(evn_graph *graph, evn__op op, const int64_t *sizes);

/// matmul, or one of the three of conv2d.
evn__node_builder evn__product_build;

/// normalize or normalize_grad: sizes B, H, W, C, groups.
evn__node_builder evn__normalization_build;

/// krylov_extend, of a vector [rows, n] behind k others: sizes rows, n, k.
evn__node_builder evn__krylov_extend_build;

#endif
