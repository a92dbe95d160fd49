// SPDX-License-Identifier: Apache-2.0
// Binomial checkpoints: which states of a chain of steps to keep, so that as few steps as possible
// are gone again while it is reversed (Griewank, Walther 2000: Algorithm 799, revolve).
#ifndef EVN_GRADIENTS_REVOLVE_H
#define EVN_GRADIENTS_REVOLVE_H

#include <stdint.h>

/// The state before a chain of `steps` > 1 steps that is to be reversed is kept; after how many
/// steps to keep the next one. 1 <= the result < steps.
/// @param[in] slots  for states of the chain, that one counted; with 1 there is no other: steps − 1
int evn__revolve_advance(int steps, int slots);

/// Steps that are gone without being reversed, at least: of a chain of `steps` with `slots`.
int64_t evn__revolve_cost(int steps, int slots);

#endif
