// SPDX-License-Identifier: Apache-2.0
// Systems whose samples, the rows of x along its first axis, each have a time of their own.
#ifndef EVN_ODE_BY_SAMPLE_H
#define EVN_ODE_BY_SAMPLE_H

#include "ode/system.h"

/// The same system with a time for each sample: its input "t" has the shape [B, 1, …] of as many
/// axes as x [B, …] has. What depends on t alone gets a value a sample; all else is as it was, but
/// that one sample alone becomes two: the kernels for many compute it then, with the same bits.
/// Products of x with a weight that depends on t take as many times the multiplications as it has
/// functions of t, where it is a sum of such times constant weights; other matrices are made for
/// each sample.
/// @return EVN_ERR_ARGUMENT, naming what stands in the way: a state without an axis of samples,
///         weights that evolve, other kernels of convolutions that depend on t, an operation in
///         which samples meet
evn_status evn__system_by_sample(const evn__system *system, evn__system *lifted);

#endif
