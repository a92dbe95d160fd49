// SPDX-License-Identifier: Apache-2.0
// How weights evolve: the kinds of --weights, a file each, a line each in the table of evolution.c.
// Some are a g in dθ/dt = g(t, θ, θ₁), some a basis in θ(t) = Σ φₖ(t) cₖ (nn/basis.h). Every kind
// begins with constant weights or nearly so: as the Neural ODE that it generalises.
#ifndef EVN_NN_EVOLUTION_H
#define EVN_NN_EVOLUTION_H

#include "nn/basis.h"
#include "nn/network.h"

/// dw/dt for one weight w named `layer`, a kernel [Kh, Kw, Ci, Co] or a vector [C], from w, t and
/// parameters of its own that it declares with evn__network_weight(network, layer, …). A matrix
/// [inputs, units] comes as a kernel of one place.
typedef evn_value evn__evolution(evn__network *network, const char *layer, evn_value t,
                                 evn_value w);

/// Of slope and basis there is one; neither for weights that are constant.
typedef struct evn__evolution_kind {
    const char *name;              ///< of --weights
    const char *text;              ///< one line of help
    bool vectors;                  ///< the slope takes vectors, too
    evn__evolution *slope;         ///< of f's kernels
    evn__evolution *vectors_slope; ///< of its scales, shifts and biases; NULL: they stay
    const evn__basis *basis;       ///< of all weights of f's layers
} evn__evolution_kind;

/// NULL when there is no kind of that name.
const evn__evolution_kind *evn__evolution_find(const char *name);
/// Kind number `index`, NULL past the last.
const evn__evolution_kind *evn__evolution_at(int index);

/// How the weights of a layer or of an ODE evolve.
typedef struct evn__evolves {
    const evn__evolution_kind *kind; ///< NULL: they do not
    int count;                       ///< functions of its basis; 0: it has none
} evn__evolves;

/// "fourier:5": five functions of a basis; "fourier": as many as are usual. NULL and "none": they
/// do not; "fit": what `fit` says.
/// @return EVN_ERR_ARGUMENT for a kind that there is not, and a number that it does not take
evn_status evn__evolves_read(const char *word, const char *fit, evn__evolves *evolves);

evn__evolution evn__evolution_rda;      // evolution_rda.c
evn__evolution evn__evolution_mlp;      // evolution_mlp.c
evn__evolution evn__evolution_linear;   // evolution_linear.c
evn__evolution evn__evolution_low_rank; // evolution_low_rank.c
evn__evolution evn__evolution_waves;    // evolution_waves.c: of any shape

#endif
