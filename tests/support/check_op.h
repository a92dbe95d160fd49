// SPDX-License-Identifier: Apache-2.0
// One operation at a time: the kernels that a plan launches for it against the reference.
#ifndef EVN_TEST_CHECK_OP_H
#define EVN_TEST_CHECK_OP_H

#include "evonode/graph.h"
#include "test.h"

/// Numbers of an input of `count` elements.
typedef void fill_input(uint64_t seed, double *data, int64_t count);

fill_input fill_uniform;  ///< in [−1, 1)
fill_input fill_far;      ///< in [100, 101): for sums that cancel
fill_input fill_ties;     ///< −1, 0 or 1: many equal elements
fill_input fill_with_nan; ///< as fill_uniform, every 13th a NaN

/// Run `graph` by plan in fp32 (≤ tolerance) and fp64 (≤ 1e-12) where the device has it, each input
/// and output in a guarded buffer of its own at an odd offset, and compare with the reference: NaN
/// where the reference has NaN, and else |a − b| / max(1, max |b|). Does so with the variant of the
/// kernels for the device under test and with that for the other sort (few wide work-items on CPUs,
/// many small ones on GPUs): both are correct everywhere.
void check_op(evn_graph *graph, fill_input *fill, double tolerance);

/// A new graph with an input "x".
evn_graph *graph_with_input(evn_shape shape, evn_value *x);

/// Name `value` the output, check_op with 1e-5, destroy the graph.
void check_value(evn_graph *graph, evn_value value, fill_input *fill);

#endif
