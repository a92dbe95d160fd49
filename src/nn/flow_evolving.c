// SPDX-License-Identifier: Apache-2.0
// NODE-EW: θ moves by a dense network on all of it, dθ/dt = s (C tanh(A θ + a t + b) + c).
// C and c start at zero: at first it is the Neural ODE.
#include "nn/flow.h"

enum { HIDDEN = 32 };
/// s: an update of C at some rate moves θ(1) by the sum over HIDDEN units of it; with this one
/// rate suits both, and it can be as high as that of constant weights.
static const double SPEED = 0.03;

static evn_value slope(evn__network *g, evn_value t, evn_value theta) {
    evn_graph *graph = g->graph;
    evn_value time = evn__network_weight(g, "hidden", "time_weight", EVN_SHAPE(1, HIDDEN),
                                         EVN_INITIAL_UNIFORM, EVN__FLOW_SPAN);
    evn_value hidden = evn__layer_dense(g, "hidden", theta, HIDDEN);
    hidden = evn_tanh(graph, evn_add(graph, hidden, evn_mul(graph, time, t)));
    evn_value out = evn__network_weight(g, "out", "weight", EVN_SHAPE(HIDDEN, EVN__FLOW_THETA),
                                        EVN_INITIAL_CONSTANT, 0);
    evn_value bias = evn__network_weight(g, "out", "bias", EVN_SHAPE(1, EVN__FLOW_THETA),
                                         EVN_INITIAL_CONSTANT, 0);
    evn_value sum = evn_add(graph, evn_matmul(graph, hidden, out, false, false), bias);
    return evn_scale(graph, sum, SPEED);
}

static evn_value theta(evn__network *f, evn_value t) {
    (void)t;
    return evn__flow_weight(f);
}

const evn__flow_kind evn__flow_evolving = {"node-ew", "the weights of f evolve by a dense network",
                                           theta, slope};
