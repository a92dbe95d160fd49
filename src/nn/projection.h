// SPDX-License-Identifier: Apache-2.0
// A trained θ(t) in another basis, without training: the coefficients whose θ'(t) is nearest to it,
// by least squares over t in double (as Queiruga et al. 2021 compress theirs).
#ifndef EVN_NN_PROJECTION_H
#define EVN_NN_PROJECTION_H

#include "nn/parameters.h"

/// θ(t) where it is no function of t that parameters say, but moved by a g: sampled.
typedef struct evn__sampler {
    const void *self;
    /// θ of a parameter at `count` times, t = (i + 1/2)/count: [count, its numbers].
    /// @return false in *moves, and nothing sampled, for one that stays as it is
    evn_status (*sample)(const void *self, const char *name, int count, bool *moves, double *theta);
} evn__sampler;

typedef struct evn__projection {
    double distance; ///< √(∫‖θ' − θ‖² / ∫‖θ‖²), over all weights that are projected
    int projected; ///< tensors whose basis, or number of functions, is another
} evn__projection;

/// Set `to`, of a model that differs from that of `from` in how its weights evolve alone. A
/// parameter that `from` lacks stays as it is (the layers of a hypernetwork).
/// @param[in] sampler  NULL: no g moves a weight
/// @return EVN_ERR_SHAPE where a tensor of one is not that of the other
evn_status evn__parameters_project(evn_parameters *from, const evn__sampler *sampler,
                                   evn_parameters *to, evn__projection *projection);

#endif
