// SPDX-License-Identifier: Apache-2.0
// Between the ends of an implicit method's step. Slopes are wrong by the stiffness times what
// states are wrong by, so that sums of them, which have the order where nothing is stiff, are of no
// use where something is. States of stages and of further nodes are right there, but of order 2
// alone. x is
//
//     P + (I − (I − W⁻¹)²) (Q − P),    W = I − γ dt J at the start of the step:
//
// P the polynomial through the states, Q by the slopes. W is near I for what is slow: the factor is
// 1 but for O(dt²), and Q is left, off by O(dt² (Q − P)); for what is fast W⁻¹ is near 0, and P is
// left. (Hosea, Shampine 1996, and Hairer, Wanner: Solving ODEs II, IV.8, damp estimates of errors
// by W⁻¹ so.)
#ifndef EVN_METHODS_REFINEMENT_H
#define EVN_METHODS_REFINEMENT_H

#include "methods/linear.h"

enum { EVN__REFINEMENT_NODES = 16 }; ///< with both ends

typedef struct evn__refinement {
    evn__step_build *step;
    evn__linear *linear;
    evn__linear_matrix matrix; ///< W, prepared
    evn__span *spans;          ///< per state, of Q
    int count;
    double nodes[EVN__REFINEMENT_NODES];
    evn_value *moved; ///< [nodes][states]: displacements there
    evn_value *right, *once, *twice;
    evn_value *memory;
} evn__refinement;

/// With both ends, from what is set: step, linear, matrix, spans.
evn_status evn__refinement_begin(evn__refinement *refinement);
/// States at t + node dt, of all that is coupled; at most EVN__REFINEMENT_NODES with the ends.
void evn__refinement_add(evn__refinement *refinement, double node, const evn_value *states);
/// The spans become those of x.
evn_status evn__refinement_apply(evn__refinement *refinement);
void evn__refinement_free(evn__refinement *refinement); ///< what it holds

#endif
