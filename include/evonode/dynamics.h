// SPDX-License-Identifier: Apache-2.0
/// @file
/// Dynamics: f, g, and which weights evolve (NODE-EW):
///     dx/dt = f(t, x, θ(t)),   dθ/dt = g(t, θ, θ₁),   θ(t₀) = θ₀.
/// Without g it is the Neural ODE. A dynamics is data only; a solver compiles it for a device.
#ifndef EVONODE_DYNAMICS_H
#define EVONODE_DYNAMICS_H

#include "evonode/graph.h"

EVN_API_BEGIN

/// f, and g or nothing, as copies of their graphs.
typedef struct evn_dynamics evn_dynamics;

/// Join f and g.
/// @param[in] f  inputs "t" (scalar), "x", then weights; one output: dx, of the shape of x
/// @param[in] g  NULL, or inputs "t", any of f's weights by name, and its own parameters; one
///               output "d<weight>" for each of f's weights that it moves, of its shape: those
///               evolve. An input "x" of the state's shape is the state x(t): weights may follow it
/// Both are copied. A weight of f that g does not move is constant, also where g reads it: then
/// both share it. Weights may have any names but "t" and "x", which are time and state in g too.
/// @return EVN_ERR_ARGUMENT for inputs or outputs that are not these; EVN_ERR_SHAPE where a slope
///         has another shape than what it moves, or f and g disagree on that of a weight
evn_status evn_dynamics_create(const evn_graph *f, const evn_graph *g, evn_dynamics **dynamics);
void evn_dynamics_destroy(evn_dynamics **dynamics); ///< nulls; accepts NULL

/// Forward mode: the dynamics of x with a tangent ẋ of it, where weights have tangents, too:
/// (x, ẋ)' = (f, ∂f/∂x ẋ + ∂f/∂θ θ̇), and θ̇' = ∂g/∂θ θ̇ + … for weights that evolve. Its state is x
/// with ẋ behind it along the last axis, [B, D] → [B, 2D]; where x has one axis or none, along one
/// more, [B] → [B, 2]. Its weights are those of `dynamics`, in their order, then their tangents in
/// the same: number i has the tangent evn_dynamics_weight_count(dynamics) + i. These are named
/// NAME_dot; where that is the name of a weight, as in the tangent of a tangent, all of them have
/// another _dot, or as many as it takes for no name to be there twice.
/// A solve of it is the jvp of the solve: along fixed steps exactly that of the steps. Adaptive
/// steps are chosen for tangents, too, and may be others than without: x and ẋ are one component
/// there, whose error is the root mean square over both, so that one of them alone may be beyond
/// the tolerance by a factor of √2. Tangents of evolving weights are components of their own, at
/// which EVN_NORM_STATE, the default, does not look. The gradient of a solve of it, by any scheme,
/// has second derivatives: with a cotangent x̄1 of ẋ(t1) alone those of x(t0) and of the weights are
/// the product of the Hessian of ⟨x̄1, x(t1)⟩ and of the direction (ẋ(t0), θ̇), and those of ẋ(t0)
/// and the tangents its gradient.
evn_status evn_dynamics_tangent(const evn_dynamics *dynamics, evn_dynamics **tangent);

evn_shape evn_dynamics_state_shape(const evn_dynamics *dynamics); ///< of x

/// All weights that are learnt: those of f in f's order, then g's own. For an evolving one the
/// learnt value is θ₀, its value at t₀.
int evn_dynamics_weight_count(const evn_dynamics *dynamics);
/// Name of weight number `index`; borrowed.
const char *evn_dynamics_weight_name(const evn_dynamics *dynamics, int index);
/// Shape of weight number `index`.
evn_shape evn_dynamics_weight_shape(const evn_dynamics *dynamics, int index);
/// Whether g moves weight number `index`.
bool evn_dynamics_weight_evolves(const evn_dynamics *dynamics, int index);

EVN_API_END

#endif
