// SPDX-License-Identifier: Apache-2.0
// Diagonally implicit Runge–Kutta methods: steppers over the tableaux of methods/implicit.def. Each
// stage k_i = f(t + c_i dt, y + dt Σ_{j<=i} a_ij k_j) is solved by Newton's method, unrolled.
#ifndef EVN_METHODS_IMPLICIT_H
#define EVN_METHODS_IMPLICIT_H

#include "methods/stepper.h"
#include "methods/tableau.h"

extern const evn__stepper_kind evn__implicit; ///< its coefficients are an evn__tableau

#endif
