// SPDX-License-Identifier: Apache-2.0
// A system: the right-hand side of an ODE with several state components, as one graph. The dynamics
// is one; its adjoint (Algorithm 1) is another, built from it.
#ifndef EVN_ODE_SYSTEM_H
#define EVN_ODE_SYSTEM_H

#include "evonode/dynamics.h"
#include "graph/node.h"

typedef struct evn__system {
    evn_graph *graph; ///< inputs "t", states, parameters; outputs the slopes of the states
    int state_count, parameter_count;
    bool *controlled; ///< per state: whether it enters the error norm
} evn__system;

void evn__system_free(evn__system *system); ///< what it holds, not the struct

/// Index among the graph's inputs.
static inline int evn__system_state(int index) {
    return 1 + index;
}
static inline int evn__system_parameter(const evn__system *system, int index) {
    return 1 + system->state_count + index;
}
evn_shape evn__system_state_shape(const evn__system *system, int index);
evn_shape evn__system_parameter_shape(const evn__system *system, int index);

/// One learnt weight of a dynamics.
typedef struct evn__weight {
    const char *name; ///< in the graph's arena
    bool evolves;
    int index; ///< among the states if it evolves (x is state 0), else among the parameters
} evn__weight;

struct evn_dynamics {
    evn__system system; ///< states: x, evolving weights; parameters: constant weights, g's own
    evn__weight *weights;
    int weight_count;
};

evn_status evn__dynamics_copy(const evn_dynamics *dynamics, evn_dynamics **copy);

/// Algorithm 1: states x, θ, a = ∂L/∂x, b = ∂L/∂θ, and one quadrature per parameter c = ∂L/∂θ₁
/// (outside the error norm); da/dt = −(∂f/∂x)ᵀa, db/dt = −(∂f/∂θ)ᵀa − (∂g/∂θ)ᵀb,
/// dc/dt = −(∂f/∂c)ᵀa − (∂g/∂c)ᵀb. Same parameters as `system`.
evn_status evn__system_adjoint(const evn__system *system, evn__system *adjoint);

#endif
