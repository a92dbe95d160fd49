// SPDX-License-Identifier: Apache-2.0
// Continuous normalizing flows in the plane (Chen et al. 2018). The state x [B, 3] has in each row
// a point z and the change ℓ of its log-density:
//     dz/dt = f(t, z, θ),   dℓ/dt = −tr(∂f/∂z),
// with f(z) = (SPAN/width) Σᵢ Uᵢ σ(Gᵢ) tanh(Wᵢ·z + bᵢ), all of whose weights are one row θ.
// Where θ comes from is what the kinds of flow differ in.
#ifndef EVN_NN_FLOW_H
#define EVN_NN_FLOW_H

#include "evonode/dynamics.h"
#include "nn/network.h"

enum {
    EVN__FLOW_WIDTH = 64,
    EVN__FLOW_THETA = 7 * EVN__FLOW_WIDTH, ///< W and U, G [2, width], b [width]
    EVN__FLOW_SPAN = 10, ///< Chen et al. solve over times of this length, we over 1
};

/// A kind of flow: one file each, one line in the table of flow.c.
typedef struct evn__flow_kind {
    const char *name; ///< of --model
    const char *text; ///< one line of help
    /// θ [1, THETA] as f sees it at time t.
    evn_value (*theta)(evn__network *f, evn_value t);
    /// dθ/dt of the weight EVN__FLOW_WEIGHT, NULL where nothing evolves.
    evn_value (*slope)(evn__network *g, evn_value t, evn_value theta);
} evn__flow_kind;

/// How tr(∂f/∂z) is found. The estimates εᵀ(∂f/∂z)ε (Hutchinson) take their noise ε [B, 2] from the
/// state, which then is [B, 5]: z, ℓ, ε, and dε/dt = 0.
typedef enum evn__flow_trace { EVN__TRACE_EXACT, EVN__TRACE_ESTIMATE } evn__flow_trace;

/// Columns of the state.
int evn__flow_columns(evn__flow_trace trace);

/// NULL when there is no kind of that name; kind number `index`, NULL past the last.
const evn__flow_kind *evn__flow_find(const char *name);
const evn__flow_kind *evn__flow_at(int index);

/// The graph of f for `batch` points: inputs "t", "x" [B, columns], then weights; output "dx".
/// Weights are declared in `parameters`, or found there. *f is owned by the caller.
evn_status evn__flow_f(const evn__flow_kind *kind, int64_t batch, evn__flow_trace trace,
                       evn_parameters *parameters, evn_graph **f);

/// Dynamics for `batch` points, with g where θ evolves; weights as for evn__flow_f.
evn_status evn__flow_dynamics(const evn__flow_kind *kind, int64_t batch, evn__flow_trace trace,
                              evn_parameters *parameters, evn_dynamics **dynamics);

/// θ alone as the state [1, THETA], for a kind whose θ evolves: what it is at another time.
evn_status evn__flow_theta_dynamics(const evn__flow_kind *kind, evn_parameters *parameters,
                                    evn_dynamics **dynamics);

/// θ as a weight, in the scope "f"; at t₀ where it evolves.
#define EVN__FLOW_WEIGHT "f.field.theta"
evn_value evn__flow_weight(evn__network *f);

extern const evn__flow_kind evn__flow_constant; // flow_constant.c
extern const evn__flow_kind evn__flow_hyper;    // flow_hyper.c
extern const evn__flow_kind evn__flow_evolving; // flow_evolving.c

#endif
