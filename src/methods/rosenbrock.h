// SPDX-License-Identifier: Apache-2.0
// Rosenbrock methods: linearly implicit, with one matrix a step and no iteration.
#ifndef EVN_METHODS_ROSENBROCK_H
#define EVN_METHODS_ROSENBROCK_H

#include "methods/stepper.h"

/// Shampine, Reichelt: The MATLAB ODE Suite, 1997 (ode23s): L-stable, of order 2 with an estimate
/// of order 2. It has no coefficients of its own.
extern const evn__stepper_kind evn__rosenbrock23;
extern const evn__interpolant evn__rosenbrock23_interpolant;

#endif
