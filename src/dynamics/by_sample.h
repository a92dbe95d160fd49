// SPDX-License-Identifier: Apache-2.0
// Systems whose samples, the rows of x along its first axis, each have a time of their own.
#ifndef EVN_DYNAMICS_BY_SAMPLE_H
#define EVN_DYNAMICS_BY_SAMPLE_H

#include "dynamics/system.h"

/// The same system with a time for each sample: its input "t" has the shape [B, 1, …], with as many
/// axes as x [B, …]. What depends on t alone becomes a value for each sample; all else stays as it
/// is. One sample alone becomes two, so that the kernels for many compute it, with the same bits.
/// A product of x with a weight Σ φₖ(t) Cₖ, k = 1 … K, becomes K products with the shared Cₖ; any
/// other matrix that depends on t is made for each sample.
/// @return EVN_ERR_ARGUMENT, naming what stands in the way: a state without an axis of samples,
///         weights that evolve, other kernels of convolutions that depend on t, an operation in
///         which samples meet
evn_status evn__system_by_sample(const evn__system *system, evn__system *lifted);

#endif
