// SPDX-License-Identifier: Apache-2.0
// The hypernetwork of Chen et al. (2018): t → HIDDEN → HIDDEN → θ, tanh between.
#include "nn/flow.h"

enum { HIDDEN = 32, TIMES = 10 }; // Chen et al. solve over times of this length, we over 1

static evn_value theta(const evn__flow_kind *kind, evn__network *f, evn_value t, int64_t count) {
    (void)kind;
    evn_graph *g = f->graph;
    evn_value time = evn_scale(g, evn_reshape(g, t, EVN_SHAPE(1, 1)), TIMES);
    evn_value hidden = evn_tanh(g, evn__layer_dense(f, "hyper1", time, HIDDEN));
    hidden = evn_tanh(g, evn__layer_dense(f, "hyper2", hidden, HIDDEN));
    return evn__layer_dense(f, "hyper3", hidden, (int)count);
}

const evn__flow_kind evn__flow_hyper = {
    "hypernet", "the weights of f are a network's answer to t", theta, NULL, {0}};
