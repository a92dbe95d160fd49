// SPDX-License-Identifier: Apache-2.0
// Random graphs over all operations of graph/op.def: the same graph for the same seed.
#ifndef EVN_TEST_RANDOM_GRAPH_H
#define EVN_TEST_RANDOM_GRAPH_H

#include "evonode/graph.h"

typedef enum random_kind {
    RANDOM_ANY,     ///< every operation
    RANDOM_SMOOTH,  ///< those with a derivative everywhere: for differences
    RANDOM_SAMPLES, ///< rows [B, k] of samples that meet in sums: input x0 has B rows
} random_kind;

/// Results stay within about ±8, for inputs in [−1, 1): what grows is scaled down, what has poles
/// is kept away from them. Jumps (sign, step, the places of maxima) are of values that every
/// precision computes exactly.
/// @param nodes     it has about so many, 5 at least
/// @param elements  of no value are more
/// @return owned by the caller
evn_graph *random_graph(uint64_t seed, random_kind kind, int nodes, int64_t elements);

#endif
