// SPDX-License-Identifier: Apache-2.0
// Between the ends of a step: the polynomial through both ends, with their slopes, and some places
// at equal distances between them (with the middle alone a quartic, Shampine: Some Practical
// Runge–Kutta Formulas, Math. Comp. 46, 1986). Each method has its own, in its row.
#ifndef EVN_METHODS_INTERPOLANT_H
#define EVN_METHODS_INTERPOLANT_H

#include "evonode/graph.h"

enum {
    EVN__INTERPOLANT_PLACES = 4, ///< at most,
    EVN__INTERPOLANT_STAGES = 3, ///< and of these,
    EVN__INTERPOLANT_SETS = 16,  ///< and of all slopes that it may be made of
    EVN__INTERPOLANT_ENDS = 4,   ///< terms that the ends and their slopes make
    EVN__INTERPOLANT_TERMS = EVN__INTERPOLANT_PLACES + EVN__INTERPOLANT_ENDS,
    EVN__INTERPOLANT_MOST_TERMS = 14, ///< of a method that makes the others itself
};

/// What a row has of it. Slopes are those of the step's stages, then, where its last stage is not
/// that, the one at its end, then those of stages which the interpolant alone has.
typedef struct evn__interpolant {
    int order;  ///< off by a power of dt more, anywhere between the ends
    int places; ///< where displacements are dt Σ m_i k_i: θ = j / (places + 1); 0: none, with
                ///< which it is the cubic; of a method that makes the terms itself as many as
                ///< it has besides those of the ends
    int stages; ///< of its own: k = f(t + c dt, y + dt Σ a_i k_i)
    double m[EVN__INTERPOLANT_PLACES][EVN__INTERPOLANT_SETS];
    double c[EVN__INTERPOLANT_STAGES], a[EVN__INTERPOLANT_STAGES][EVN__INTERPOLANT_SETS];
} evn__interpolant;

/// A row's, where ARRAY makes initialisers: the cubic, of this order.
#define EVN__CUBIC(order) ARRAY(order, 0, 0, ARRAY(ARRAY(0)), ARRAY(0), ARRAY(ARRAY(0)))

/// Places that a step gives the displacement of: the cubic's middle where the row has none.
int evn__interpolant_places(const evn__interpolant *interpolant);

/// y(t + θ dt) = c₀ + f₁ (c₁ + f₂ (c₂ + …)), 0 <= θ <= 1: how many terms.
int evn__interpolant_terms(const evn__interpolant *interpolant);

/// The value at θ, or `part`. Factor f_p is θ, or 1 − θ where EVN_FACTOR_MIRRORS
/// (kernels/shared.h): with more than one place powers of θ alone would lose as many digits as a
/// float has.
evn_value evn__interpolant_value(evn_graph *graph, const evn_value *terms, int count,
                                 evn_value part);

/// Of the displacement y(t + dt) − y(t), of those of the places, and of dt dy/dt at both ends.
typedef double evn__interpolant_weights[EVN__INTERPOLANT_TERMS - 1];

/// How the terms from c₂ on are sums of these.
void evn__interpolant_weigh(int places, evn__interpolant_weights weights[EVN__INTERPOLANT_TERMS]);

/// What a step is between its ends.
typedef struct evn__span {
    evn_value y, y_next;
    evn_value inside[EVN__INTERPOLANT_PLACES]; ///< y(t + θ dt) − y(t)
    evn_value rise, rise_next;                 ///< dt dy/dt at both ends
    int places;
} evn__span;

/// Lagrange's polynomial that is 1 at node `which` of `count` and 0 at the others: its value and
/// slope at θ.
void evn__lagrange(const double *nodes, int count, int which, double theta, double *value,
                   double *slope);

/// The terms that both ends and their slopes make, whatever the others are, of which there are
/// some.
void evn__interpolant_build_ends(evn_graph *graph, const evn__span *span,
                                 evn_value terms[EVN__INTERPOLANT_ENDS]);

/// The terms c_p.
void evn__interpolant_build(evn_graph *graph, const evn__span *span,
                            evn_value terms[EVN__INTERPOLANT_TERMS]);

#endif
