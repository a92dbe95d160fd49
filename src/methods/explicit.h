// SPDX-License-Identifier: Apache-2.0
// Explicit Runge–Kutta methods: steppers over the tableaux of methods/tableau.def.
#ifndef EVN_METHODS_EXPLICIT_H
#define EVN_METHODS_EXPLICIT_H

#include "methods/stepper.h"
#include "methods/tableau.h"

extern const evn__stepper_kind evn__explicit; ///< its coefficients are an evn__tableau

#endif
