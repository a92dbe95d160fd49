// SPDX-License-Identifier: Apache-2.0
// Right-hand sides f for states that are points, not images.
#ifndef EVN_NN_FIELD_H
#define EVN_NN_FIELD_H

#include "nn/network.h"

/// dx/dt of x [B, D] by dense layers: `hidden` of them (0 … 99) of `width` units with `activation`,
/// then one of D units. Layers are named dense1, dense2, … in the network's scope.
evn_value evn__field_mlp(evn__network *network, evn_value x, int hidden, int width,
                         evn_value (*activation)(evn_graph *graph, evn_value x));

#endif
