// SPDX-License-Identifier: Apache-2.0
// Continuous normalizing flows (Chen et al. 2018). The state x [B, D + 1] has in each row a point z
// and the change ℓ of its log-density:
//     dz/dt = f(t, z, θ),   dℓ/dt = −tr(∂f/∂z),
// with f(z) = (span/width) Σᵢ Uᵢ σ(Gᵢ) tanh(√(2/D) Wᵢ·z + bᵢ), all of whose weights are one row θ.
// Where θ comes from is what the kinds of flow differ in.
#ifndef EVN_NN_FLOW_H
#define EVN_NN_FLOW_H

#include "evonode/dynamics.h"
#include "nn/evolution.h"
#include "nn/network.h"

enum { EVN__FLOW_DIMENSIONS_MAX = 128 };

/// Of what size f is.
typedef struct evn__flow_size {
    int64_t dimensions; ///< D, 1 to EVN__FLOW_DIMENSIONS_MAX
    int64_t width;      ///< hidden units
    double span;        ///< times of this length are solved over 1
} evn__flow_size;

/// What densities in the plane are learnt with.
#define EVN__FLOW_PLANE ((evn__flow_size){2, 64, 10})

/// Numbers in θ: W, U and G [D, width], b [width].
int64_t evn__flow_theta_count(const evn__flow_size *size);

/// A kind of flow: one file each, one line in the table of flow.c.
typedef struct evn__flow_kind evn__flow_kind;
struct evn__flow_kind {
    const char *name; ///< of --model
    const char *text; ///< one line of help
    /// θ [1, count] as f sees it at time t.
    evn_value (*theta)(const evn__flow_kind *kind, evn__network *f, evn_value t, int64_t count);
    /// dθ/dt of the weight EVN__FLOW_WEIGHT, NULL where nothing evolves.
    evn_value (*slope)(const evn__flow_kind *kind, evn__network *g, evn_value t, evn_value theta);
    evn__evolves evolves; ///< of flow_weights.c
};

/// How tr(∂f/∂z) is found. The estimates εᵀ(∂f/∂z)ε (Hutchinson) take their noise ε [B, D] from the
/// state, which then is [B, 2 D + 1]: z, ℓ, ε, and dε/dt = 0.
typedef enum evn__flow_trace { EVN__TRACE_EXACT, EVN__TRACE_ESTIMATE } evn__flow_trace;

/// Columns of the state.
int64_t evn__flow_columns(const evn__flow_size *size, evn__flow_trace trace);

/// The kind of that name; one whose weights evolve does so as `weights` says (nn/evolution.h), or
/// in its own way, where that is NULL.
/// @return EVN_ERR_ARGUMENT
evn_status evn__flow_choose(const char *name, const char *weights, evn__flow_kind *kind);

/// NULL when there is no kind of that name; kind number `index`, NULL past the last.
const evn__flow_kind *evn__flow_find(const char *name);
const evn__flow_kind *evn__flow_at(int index);

/// The graph of f for `batch` points: inputs "t", "x" [B, columns], then weights; output "dx".
/// Weights are declared in `parameters`, or found there. *f is owned by the caller.
evn_status evn__flow_f(const evn__flow_kind *kind, const evn__flow_size *size, int64_t batch,
                       evn__flow_trace trace, evn_parameters *parameters, evn_graph **f);

/// Dynamics for `batch` points, with g where θ evolves; weights as for evn__flow_f.
evn_status evn__flow_dynamics(const evn__flow_kind *kind, const evn__flow_size *size, int64_t batch,
                              evn__flow_trace trace, evn_parameters *parameters,
                              evn_dynamics **dynamics);

/// θ alone as the state [1, count], for a kind whose θ evolves: what it is at another time.
evn_status evn__flow_theta_dynamics(const evn__flow_kind *kind, const evn__flow_size *size,
                                    evn_parameters *parameters, evn_dynamics **dynamics);

/// θ as a weight, in the scope "f"; at t₀ where it evolves.
#define EVN__FLOW_WEIGHT "f.field.theta"
evn_value evn__flow_weight(evn__network *f, int64_t count);

extern const evn__flow_kind evn__flow_constant; // flow_constant.c
extern const evn__flow_kind evn__flow_hyper;    // flow_hyper.c
extern const evn__flow_kind evn__flow_evolving; // flow_evolving.c

/// A kind whose θ evolves in one of the ways of nn/evolution.h, of which a g sees it as a kernel of
/// one place, one input and `count` outputs.
void evn__flow_weights(evn__evolves evolves, evn__flow_kind *kind); // flow_weights.c

#endif
