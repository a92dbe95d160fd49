// SPDX-License-Identifier: Apache-2.0
// Explicit Runge–Kutta methods: steppers over the tableaux of ode/tableau.def.
#ifndef EVN_ODE_EXPLICIT_H
#define EVN_ODE_EXPLICIT_H

#include "ode/stepper.h"
#include "ode/tableau.h"

extern const evn__stepper_kind evn__explicit; ///< its coefficients are an evn__tableau

#endif
