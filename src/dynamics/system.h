// SPDX-License-Identifier: Apache-2.0
// A system: the right-hand side of an ODE with several state components, as one graph. The dynamics
// is one; its adjoint (Algorithm 1) is another, built from it.
#ifndef EVN_DYNAMICS_SYSTEM_H
#define EVN_DYNAMICS_SYSTEM_H

#include "dynamics/norm.h"
#include "evonode/dynamics.h"
#include "graph/node.h"

/// Operands A [rows, columns[0]] and B [rows, columns[1]] of a product AᵀB: the slope of a
/// parameter's cotangent is the sum of its pairs, which are kept instead of it
/// (integrator/weight_gradient.h).
typedef struct evn__pair {
    int parameter;
    int64_t rows, columns[2];
} evn__pair;

/// What a solver's options say of a system, and so of all that is made from it.
typedef struct evn__system_options {
    evn_norm norm; ///< over what is controlled
    int krylov;    ///< of implicit methods: vectors
} evn__system_options;

typedef struct evn__system {
    /// Inputs "t", states "x", "w1", …, parameters "p0", …; outputs the slopes of the states, "dx",
    /// "dw1", …, then A and B of each pair. What is made from it derives its names from these: as
    /// they are none of the caller's, they meet none of those that a solver has besides.
    evn_graph *graph;
    int state_count, parameter_count;
    int past; ///< of the states, the last: the history of a multi-step method (methods/history.h)
    bool *controlled; ///< per state: whether it enters the error norm
    evn__system_options options;
    /// Of the first `parted` states, each of which stands for several, side by side: the elements
    /// of these, each one state to the norm. NULL: a state stands for itself.
    int64_t *parts;
    int part_count, parted;
    evn__pair *pairs; ///< of an adjoint, those of a parameter one after the other
    int pair_count;
    int *quadrature; ///< of an adjoint, per parameter: the state that is its cotangent; −1: pairs
} evn__system;

void evn__system_free(evn__system *system); ///< what it holds, not the struct

/// States but for a history.
static inline int evn__system_own_states(const evn__system *system) {
    return system->state_count - system->past;
}

/// Index among the graph's inputs.
static inline int evn__system_state(int index) {
    return 1 + index;
}
static inline int evn__system_parameter(const evn__system *system, int index) {
    return 1 + system->state_count + index;
}
/// What the graph gives: slopes and operands.
static inline int evn__system_outputs(const evn__system *system) {
    return system->state_count + 2 * system->pair_count;
}
/// Which states enter the error norm, and how (methods/error_norm.h).
void evn__system_set_norm(evn__system *system, evn_norm norm);

/// How many pairs from `first` on are of one parameter.
int evn__system_pairs_of_one(const evn__system *system, int first);

evn_shape evn__system_time_shape(const evn__system *system); ///< of "t": a scalar, unless samples
                                                             ///< have times of their own
evn_shape evn__system_state_shape(const evn__system *system, int index);
evn_shape evn__system_parameter_shape(const evn__system *system, int index);

/// One learnt weight of a dynamics.
typedef struct evn__weight {
    const char *name; ///< in the dynamics' arena
    bool evolves;
    int index; ///< among the states if it evolves (x is state 0), else among the parameters
} evn__weight;

struct evn_dynamics {
    evn__arena arena;   ///< names of the weights: the system's graph has names of its own
    evn__system system; ///< states: x, evolving weights; parameters: constant weights, g's own
    evn__weight *weights;
    int weight_count;
};

evn_status evn__dynamics_copy(const evn_dynamics *dynamics, evn_dynamics **copy);

#endif
