// SPDX-License-Identifier: Apache-2.0
// The reference: plain C in double, one function per kernel family. It is the specification that
// every kernel is compared with, and it is written to be read, not to be fast.
#ifndef EVN_REF_REF_H
#define EVN_REF_REF_H

#include "graph/node.h"

/// Compute one node: operands[i] has the shape of operand i, result the node's shape; no overlap.
typedef void evn__ref(const evn_graph *graph, const evn__node *node, const double *const *operands,
                      double *result);

/// The reference of every operation but INPUT.
extern evn__ref *const evn__ref_table[EVN__OP_COUNT];

/// Evaluate a graph. inputs[i] and outputs[i] have the shapes of the graph's inputs and outputs
/// and belong to the caller.
evn_status evn__ref_run(const evn_graph *graph, const double *const *inputs,
                        double *const *outputs);

/// The same, each number that is given or computed on the way off by up to `part` of itself, by
/// chance: what rounding does.
evn_status evn__ref_run_rounded(const evn_graph *graph, const double *const *inputs, double part,
                                double *const *outputs);

/// The largest |got − expected| / max(1, max |expected|); infinite where one is not a number and
/// the other is, or not finite and the other is.
double evn__ref_difference(const double *got, const double *expected, size_t count);

evn__ref evn__ref_constant, evn__ref_table_data, evn__ref_elementwise;             // elementwise.c
evn__ref evn__ref_reshape, evn__ref_broadcast, evn__ref_permute, evn__ref_slice;   // layout.c
evn__ref evn__ref_pad, evn__ref_concat;                                            // layout.c
evn__ref evn__ref_sum;                                                             // reduce.c
evn__ref evn__ref_matmul;                                                          // matmul.c
evn__ref evn__ref_krylov_extend, evn__ref_krylov_combine, evn__ref_root;           // krylov.c
evn__ref evn__ref_solve;                                                           // solve.c
evn__ref evn__ref_conv2d, evn__ref_conv2d_input_grad, evn__ref_conv2d_weight_grad; // conv2d.c
evn__ref evn__ref_normalize, evn__ref_normalize_grad;                              // normalize.c
evn__ref evn__ref_log_softmax;                                                     // softmax.c
evn__ref evn__ref_mean_pool2d, evn__ref_mean_pool2d_grad;                          // pool2d.c
evn__ref evn__ref_max_pool2d_select, evn__ref_max_pool2d_scatter;

#endif
