// SPDX-License-Identifier: Apache-2.0
// Between the ends of a step: the quartic through both ends, with their slopes, and the middle
// (Shampine: Some Practical Runge–Kutta Formulas, Math. Comp. 46, 1986). With the middle of the
// cubic that has the ends and their slopes it is this cubic.
#ifndef EVN_METHODS_INTERPOLANT_H
#define EVN_METHODS_INTERPOLANT_H

#include "evonode/graph.h"
#include "methods/stepper.h"

/// y(t + θ dt) = Σ c_p θᵖ, 0 <= θ <= 1.
enum { EVN__INTERPOLANT_TERMS = 5 };

/// Weights of the stages in y(t + dt/2) = y(t) + dt Σ m_j k_j, to order 4; NULL where the method
/// has none.
const double *evn__interpolant_middle(const evn__stepper *stepper);

/// What a step is between its ends.
typedef struct evn__span {
    evn_value y, y_next, dt;
    evn_value slope, slope_next; ///< dy/dt at both ends
    evn_value middle;            ///< y(t + dt/2) − y(t)
} evn__span;

/// The terms c_p.
void evn__interpolant_build(evn_graph *graph, const evn__span *span,
                            evn_value terms[EVN__INTERPOLANT_TERMS]);

#endif
