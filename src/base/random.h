// SPDX-License-Identifier: Apache-2.0
// Random numbers without state: number `counter` of stream `stream` under `seed`, so that resuming
// is exact and work can be done in any order. Philox4x32-10 (Salmon et al. 2011); the same numbers
// on every platform up to the rounding of log, sin and cos in the normal ones.
#ifndef EVN_BASE_RANDOM_H
#define EVN_BASE_RANDOM_H

#include <stdint.h>

/// Uniform in [0, 1), 53 random bits.
double evn__random_uniform(uint64_t seed, uint64_t stream, uint64_t counter);

/// Standard normal (Box–Muller).
double evn__random_normal(uint64_t seed, uint64_t stream, uint64_t counter);

/// Uniform in 0 … bound − 1, without bias; bound >= 1.
uint64_t evn__random_below(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t bound);

/// order[0 … count − 1] becomes a permutation of 0 … count − 1 (Fisher–Yates); each is equally
/// likely.
void evn__random_permutation(uint64_t seed, uint64_t stream, int64_t *order, int64_t count);

#endif
