// SPDX-License-Identifier: Apache-2.0
// Linear systems of implicit steppers: (I − γ dt J) d = r, J the derivative of the slopes by those
// states that slopes depend on. A way to solve them is a row in linear.c.
#ifndef EVN_ODE_LINEAR_H
#define EVN_ODE_LINEAR_H

#include "ode/step_build.h"

enum { EVN__LINEAR_MAX_DENSE = 32 }; ///< unknowns of a matrix

typedef struct evn__linear_kind evn__linear_kind;

/// Of one step under construction. Arrays of values are over the states of the system; of those
/// that are not coupled only that they are there counts.
typedef struct evn__linear {
    evn__step_build *step;
    const evn__linear_kind *kind;
    bool *coupled; ///< per state: whether slopes depend on it
    int64_t rows;  ///< that do not depend on each other
    int64_t width; ///< elements of all coupled states in one of them
} evn__linear;

/// I − γ dt J where the states have these slopes.
typedef struct evn__linear_matrix {
    const evn_value *states, *slopes; ///< borrowed: of the system at one point
    double gamma;
    evn_value dense; ///< [rows, width, width], transposed
} evn__linear_matrix;

/// @return EVN_ERR_ARGUMENT where there are too many unknowns for what there is
evn_status evn__linear_create(evn__step_build *step, evn__linear *linear);
void evn__linear_free(evn__linear *linear); ///< what it holds, not the struct

/// Fill in what kinds need, from the rest. Constant: no derivative is taken of it.
evn_status evn__linear_prepare(evn__linear *linear, evn__linear_matrix *matrix, bool constant);

/// solution and right: per state.
evn_status evn__linear_solve(evn__linear *linear, const evn__linear_matrix *matrix,
                             const evn_value *right, evn_value *solution);

#endif
