// SPDX-License-Identifier: Apache-2.0
// The coefficients of an Adams step, as values of its graph: functions of how long it and the steps
// before are. Index i of a column [K, 1] is i − 1; K orders.
//
// With ψ_j = t + dt − t_{j steps before the end} and the modified divided differences φ_i of slopes
// (Shampine, Gordon 1975, chapter 5): slopes are predicted as Σ c_i(s) φ*_i at t + s dt, φ*_i = β_i
// φ_i, c_1 = 1, c_{i+1}(s) = c_i(s) (s dt + ψ_i − dt) / ψ_i; g_i is the integral of c_i over the
// step.
#ifndef EVN_METHODS_ADAMS_FORMULA_H
#define EVN_METHODS_ADAMS_FORMULA_H

#include "methods/adams.h"
#include "methods/step_build.h"

typedef struct evn__adams_formula {
    evn_value count;    ///< steps behind; a number
    evn_value order;    ///< k; a number
    evn_value behind;   ///< 1 where i steps are behind
    evn_value known;    ///< 1 where φ_i is known
    evn_value used;     ///< 1 where i ≤ k
    evn_value rest;     ///< (ψ_i − dt) / dt
    evn_value reach;    ///< ψ_i / dt
    evn_value scale;    ///< β_i
    evn_value integral; ///< g_i
    evn_value gain;     ///< g_{i+1}
    evn_value even;     ///< what makes the error of order i from the next difference, if all steps
                        ///< were as long as this one
} evn__adams_formula;

evn__adams_formula evn__adams_formula_build(evn__step_build *step, const evn__adams *adams);

/// Entry of the schedule before the step; a number.
evn_value evn__adams_entry(const evn__step_build *step, int entry);

/// A number of a column.
evn_value evn__adams_number(evn_graph *graph, evn_value column, int index);

/// x where i = k + `away`, else 0; columns.
evn_value evn__adams_at_order(const evn__step_build *step, const evn__adams_formula *formula,
                              evn_value x, int away);
/// Columns of constants.
evn_value evn__adams_column(evn_graph *graph, int count, const double *data);
/// 1 where i ≤ k + `away`.
evn_value evn__adams_used(const evn__step_build *step, const evn__adams_formula *formula,
                          int orders, int away);

#endif
