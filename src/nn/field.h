// SPDX-License-Identifier: Apache-2.0
// Right-hand sides f for states that are points, not images.
#ifndef EVN_NN_FIELD_H
#define EVN_NN_FIELD_H

#include "evonode/network.h"
#include "nn/activation.h"
#include "nn/network.h"

/// What f of a point is: dense layers, and how their weights evolve.
typedef struct evn__field {
    const int *widths; ///< units of the hidden layers
    int hidden;        ///< layers, 0 … 99
    evn__activation *activation;
    const evn_network *network; ///< its ODE instead of all of these; NULL: none
    const char *evolution; ///< kind of g for the layers' matrices (nn/evolution.h); NULL: constant
} evn__field;

/// dx/dt of x [B, D] by the hidden layers, then one of D units. Layers are named dense1, dense2, …
/// in the network's scope.
evn_value evn__field_mlp(evn__network *network, const evn__field *field, evn_value x);

/// Dynamics of a state [B, D], which does not depend on t but by weights that evolve. Scopes are f
/// and g; weights are declared in `parameters`.
evn_status evn__field_dynamics(const evn__field *field, evn_shape state, evn_parameters *parameters,
                               evn_dynamics **dynamics);

#endif
