// SPDX-License-Identifier: Apache-2.0
// Linear systems of implicit steppers: (I − γ dt J) d = r, J the derivative of the slopes by those
// states that slopes depend on. A way to solve them is a file of its own (methods/linear_kind.h).
#ifndef EVN_METHODS_LINEAR_H
#define EVN_METHODS_LINEAR_H

#include "methods/step_build.h"

enum { EVN__LINEAR_MAX_DENSE = 32 }; ///< unknowns of a matrix

typedef struct evn__linear_kind evn__linear_kind;

/// Of one step under construction. Arrays of values are over the states of the system; of those
/// that are not coupled only that they are there counts.
typedef struct evn__linear {
    evn__step_build *step;
    const evn__linear_kind *kind;
    bool *coupled;   ///< per state: whether slopes depend on it
    int64_t rows;    ///< that do not depend on each other
    int64_t width;   ///< elements of all coupled states in one of them
    evn_value doubt; ///< of each row, [rows, 1]; EVN_NONE: none yet
    // kinds' own
    int vectors;                               ///< of Krylov's subspaces (diff/krylov.h)
    int derivative_vectors, derivative_cycles; ///< of those in derivatives
    evn_value held;                            ///< what a rest was computed from
    evn_value *residual; ///< per state: what the last solution leaves of the right-hand side
    evn_value *parts;    ///< room, per state
} evn__linear;

/// I − γ dt J where the states have these slopes.
typedef struct evn__linear_matrix {
    const evn_value *states, *slopes; ///< borrowed: of the system at one point
    double gamma;
    bool constant;   ///< no derivative is taken of it
    evn_value dense; ///< [rows, width, width], transposed, where the kind has one
} evn__linear_matrix;

evn_status evn__linear_create(evn__step_build *step, evn__linear *linear);
void evn__linear_free(evn__linear *linear); ///< what it holds, not the struct

/// Whether there is no matrix: linear systems may be left unsolved then.
evn_status evn__linear_by_vectors(const evn__system *system, bool *by_vectors);

/// Whether one matrix for several systems is less work than one for each.
bool evn__linear_keeps(const evn__linear *linear);

/// Fill in what kinds need, from the rest.
evn_status evn__linear_prepare(evn__linear *linear, evn__linear_matrix *matrix);

/// solution and right: per state. Of a constant matrix it has at most the derivative by `right`.
evn_status evn__linear_solve(evn__linear *linear, const evn__linear_matrix *matrix,
                             const evn_value *right, evn_value *solution);

/// Add to values what the last solution leaves of its right-hand side.
void evn__linear_add_residual(evn__linear *linear, evn_value *values);

/// Around the last iteration of Newton's method, values less (I − γ dt J)⁻¹ rest by a constant
/// matrix: `hold` before the rest is computed from the values, which become constants, `settle`
/// behind it, for the derivative of the result, the solution's.
evn_status evn__linear_hold(evn__linear *linear, evn_value *values);
evn_status evn__linear_settle(evn__linear *linear, const evn_value *rest, evn_value *values);

/// Of γ dt times the slopes of each row, [rows, 1], by the tolerances, as a constant. A state is as
/// large as at the start, or at the point: from 0 it may have come far.
evn_value evn__linear_size(evn__linear *linear, const evn_value *slopes, double gamma,
                           const evn_value *point);

/// What an error of each row is thought to be, as such a size; what the last solution leaves, of
/// which half the tolerance is enough. The largest becomes the step's doubt by
/// evn__linear_leave_doubt.
void evn__linear_doubt(evn__linear *linear, evn_value error);
void evn__linear_doubt_residual(evn__linear *linear, double gamma, const evn_value *point);
void evn__linear_leave_doubt(evn__linear *linear);

#endif
