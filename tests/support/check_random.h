// SPDX-License-Identifier: Apache-2.0
// Every way of planning a random graph against the reference.
#ifndef EVN_TEST_CHECK_RANDOM_H
#define EVN_TEST_CHECK_RANDOM_H

#include "random_graph.h"
#include <stdbool.h>

/// What came of the plans of a run.
typedef struct random_tally {
    int by_sample; ///< plans with a sample in each lane
    int epilogues; ///< launches that have one
} random_tally;

/// Plan the graph of `seed` as its kind allows: by default, no_fuse, all_epilogues; fp32 and fp64;
/// with the kernels for GPUs; with late inputs; with samples. `all`: in each way, else in some that
/// the seed chooses. Where it is small its tangents and cotangents too, which must agree with each
/// other; those of a smooth one with differences.
void check_random(uint64_t seed, bool all, random_tally *tally);

#endif
