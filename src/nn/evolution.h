// SPDX-License-Identifier: Apache-2.0
// The kinds of g in dθ/dt = g(t, θ, θ₁): one file each, one line in the table of evolution.c.
// Every kind starts at g = 0 or near it: NODE-EW begins as the Neural ODE that it generalises.
#ifndef EVN_NN_EVOLUTION_H
#define EVN_NN_EVOLUTION_H

#include "nn/network.h"

/// dw/dt for one weight w named `layer`, a kernel [Kh, Kw, Ci, Co] or a vector [C], from w, t and
/// parameters of its own that it declares with evn__network_weight(network, layer, …). A matrix
/// [inputs, units] comes as a kernel of one place.
typedef evn_value evn__evolution(evn__network *network, const char *layer, evn_value t,
                                 evn_value w);

typedef struct evn__evolution_kind {
    const char *name;              ///< of --weights
    const char *text;              ///< one line of help
    bool vectors;                  ///< the slope takes vectors, too
    evn__evolution *slope;         ///< of f's kernels
    evn__evolution *vectors_slope; ///< of its scales, shifts and biases; NULL: they stay
} evn__evolution_kind;

/// NULL when there is no kind of that name.
const evn__evolution_kind *evn__evolution_find(const char *name);
/// Kind number `index`, NULL past the last.
const evn__evolution_kind *evn__evolution_at(int index);

evn__evolution evn__evolution_rda;      // evolution_rda.c
evn__evolution evn__evolution_mlp;      // evolution_mlp.c
evn__evolution evn__evolution_linear;   // evolution_linear.c
evn__evolution evn__evolution_low_rank; // evolution_low_rank.c
evn__evolution evn__evolution_waves;    // evolution_waves.c: of any shape

#endif
