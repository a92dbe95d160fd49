// SPDX-License-Identifier: Apache-2.0
// The Neural ODE: θ is learnt, and the same for all t.
#include "nn/flow.h"

static evn_value theta(const evn__flow_kind *kind, evn__network *f, evn_value t, int64_t count) {
    (void)kind;
    (void)t;
    return evn__flow_weight(f, count);
}

const evn__flow_kind evn__flow_constant = {
    "node", "the weights of f are constant", theta, NULL, {0}};
