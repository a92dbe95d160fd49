// SPDX-License-Identifier: Apache-2.0
// NODE-EW: θ moves by a shallow network with waves of t, dθ/dt = Σₖ Cₖ cos(π k t + φₖ(θ)), where
// φ(θ) = A θ / count + b. C, A and b start at zero: at first it is the Neural ODE, and then waves
// that are orthogonal on [0, 1], so that Adam learns each of them on its own.
#include "nn/flow.h"

enum { WAVES = 8 };

static int64_t count_of(const evn_graph *graph, evn_value theta) {
    return evn_value_shape(graph, theta).dim[1];
}

/// φ(θ) [1, WAVES]. The mean over θ, not the sum: one update of A moves a phase by the rate, not by
/// count times as much. A [WAVES, count]: its rows are vectors as long as θ in all three products
/// that A takes part in, here and in the gradient.
static evn_value phases(evn__network *g, evn_value theta) {
    evn_graph *graph = g->graph;
    int64_t count = count_of(graph, theta);
    evn_value a =
        evn__network_weight(g, "phase", "weight", EVN_SHAPE(WAVES, count), EVN_INITIAL_CONSTANT, 0);
    evn_value b =
        evn__network_weight(g, "phase", "bias", EVN_SHAPE(1, WAVES), EVN_INITIAL_CONSTANT, 0);
    evn_value sum = evn_matmul(graph, theta, a, false, true);
    return evn_add(graph, evn_scale(graph, sum, 1.0 / (double)count), b);
}

static evn_value slope(const evn__flow_kind *kind, evn__network *g, evn_value t, evn_value theta) {
    (void)kind;
    const double pi = 3.14159265358979323846;
    double frequencies[WAVES];
    for (int k = 0; k < WAVES; ++k) {
        frequencies[k] = pi * k;
    }
    evn_graph *graph = g->graph;
    evn_value turn = evn_mul(graph, evn_table(graph, EVN_SHAPE(1, WAVES), frequencies), t);
    evn_value waves = evn_cos(graph, evn_add(graph, turn, phases(g, theta)));
    evn_value out = evn__network_weight(
        g, "out", "weight", EVN_SHAPE(WAVES, count_of(graph, theta)), EVN_INITIAL_CONSTANT, 0);
    return evn_matmul(graph, waves, out, false, false);
}

static evn_value theta(const evn__flow_kind *kind, evn__network *f, evn_value t, int64_t count) {
    (void)kind;
    (void)t;
    return evn__flow_weight(f, count);
}

const evn__flow_kind evn__flow_evolving = {
    "node-ew", "the weights of f evolve by waves of t", theta, slope, {0}};
