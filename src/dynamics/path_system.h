// SPDX-License-Identifier: Apache-2.0
// A system whose weights evolve by themselves, θ' = g(θ, t), cut in two: that of the weights alone,
// and that of x in which they are sums of functions of t.
#ifndef EVN_DYNAMICS_PATH_SYSTEM_H
#define EVN_DYNAMICS_PATH_SYSTEM_H

#include "dynamics/path_basis.h"
#include "dynamics/system.h"

/// Weights that evolve, and where number `index` of these, from 0, stands among all elements Θ.
static inline int evn__path_weights(const evn__system *system) {
    return system->state_count - 1;
}
size_t evn__path_offset(const evn__system *system, int index); ///< of number evn__path_weights: Θ

/// θ' = g: one state [Θ], all weights side by side; parameters are those that g reads.
/// @param[out] reads  [parameter_count]: which these are
/// @return EVN_ERR_ARGUMENT where g reads x
evn_status evn__path_system(const evn__system *system, bool *reads, evn__system *path);

/// x' = f with weights Σₖ φₖ(τ) Cₖ of `terms` functions: one state, x; parameters are those of the
/// system, then C of each weight, [terms, its elements], and `span` [2]: the middle of the way, and
/// τ for a unit of t.
evn_status evn__system_along_path(const evn__system *system, const evn__path_basis *basis,
                                  int terms, evn__system *along);

#endif
