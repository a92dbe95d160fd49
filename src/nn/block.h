// SPDX-License-Identifier: Apache-2.0
// An ODE of a network for a state of some shape: f from its layers, and g where weights evolve.
#ifndef EVN_NN_BLOCK_H
#define EVN_NN_BLOCK_H

#include "nn/description.h"
#include "nn/evolution.h"
#include "nn/layering.h"

/// What an ODE is built with.
typedef struct evn__ode_site {
    const evn_network *of;
    const evn__block *block;
    evn_parameters *parameters;
    const char *f, *g;   ///< scopes of the weights
    const char *evolve;  ///< what "fit" stands for, a kind of g; NULL: nothing
    const evn__fit *fit; ///< as in an evn__layering
    const char *giver;   ///< what the state comes from
    evn__layer_records *records;
} evn__ode_site;

/// f: inputs "t", "x", then weights; output "dx". *f is the caller's, also after a failure.
evn_status evn__ode_f(const evn__ode_site *site, evn_shape state, evn_graph **f);

/// A kernel of f that evolves by itself.
typedef struct evn__evolving {
    const char *weight, *layer, *scope; ///< "f.conv1.weight", "conv1", and the scope "g"
    evn__evolution *slope;
} evn__evolving;

typedef struct evn__evolvings {
    evn__evolving *items; ///< freed by the owner
    int count, capacity;
    evn__arena arena;
} evn__evolvings;

void evn__evolvings_free(evn__evolvings *evolvings);

/// f and g together.
/// @param[in,out] evolvings  gets the convolution kernels that evolve
evn_status evn__ode_dynamics(const evn__ode_site *site, evn_shape state, evn__evolvings *evolvings,
                             evn_dynamics **dynamics);

#endif
