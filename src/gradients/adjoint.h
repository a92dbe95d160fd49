// SPDX-License-Identifier: Apache-2.0
// The adjoint of a system is a system: its vjp, with the slopes negated (Algorithm 1 of He, Xie,
// Lin 2019, with the term −(∂f/∂θ)ᵀa in db/dt that the paper leaves out).
#ifndef EVN_GRADIENTS_ADJOINT_H
#define EVN_GRADIENTS_ADJOINT_H

#include "dynamics/system.h"

/// States x, θ, a = ∂L/∂x, b = ∂L/∂θ, and per parameter c = ∂L/∂θ₁ a quadrature (a state that few
/// norms look at) or pairs; da/dt = −(∂f/∂x)ᵀa, db/dt = −(∂f/∂θ)ᵀa − (∂g/∂θ)ᵀb,
/// dc/dt = −(∂f/∂c)ᵀa − (∂g/∂c)ᵀb. Same parameters as `system`.
/// @param pairs  whether parameters may have them; where the norm looks at them, none has
evn_status evn__system_adjoint(const evn__system *system, bool pairs, evn__system *adjoint);

/// The same along a step of a solve: states a, b and quadratures alone; x and θ are those of the
/// step's interpolants. Behind the parameters of `system` it has, of each of its states, so many
/// `terms` (methods/interpolant.h), then the step's t and dt.
evn_status evn__system_adjoint_along(const evn__system *system, int terms, bool pairs,
                                     evn__system *adjoint);

#endif
