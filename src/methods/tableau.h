// SPDX-License-Identifier: Apache-2.0
#ifndef EVN_METHODS_TABLEAU_H
#define EVN_METHODS_TABLEAU_H

#include "methods/interpolant.h"
#include <stdbool.h>

enum {
    EVN__MAX_STAGES = 12,
    EVN__MAX_NODES = 2, ///< of a method's own, between the ends of its steps
};

/// A Runge–Kutta method, explicit or diagonally implicit: k_i = f(t + c_i dt, y + dt Σ_{j<=i} a_ij
/// k_j), y' = y + dt Σ b_i k_i, error = dt Σ e_i k_i; a second estimate, of lower order, is dt Σ
/// ẽ_i k_i. Names and orders are the steppers' that have them.
typedef struct evn__tableau {
    int stages;
    double c[EVN__MAX_STAGES];
    double a[EVN__MAX_STAGES * (EVN__MAX_STAGES - 1) / 2]; ///< row i from evn__tableau_a(i, 0)
    double b[EVN__MAX_STAGES], e[EVN__MAX_STAGES];
    double coarse[EVN__MAX_STAGES]; ///< ẽ; all zero where there is one estimate
    double diagonal;                ///< a_ii of all stages but the first, whose is 0
    evn__interpolant interpolant;
    /// Implicit: places θ of further states, each of which is solved for as a stage is, where x
    /// between the ends is wanted; 0: none.
    double nodes[EVN__MAX_NODES];
} evn__tableau;

enum {
#define EVN_TABLEAU(name, ...) EVN__TABLEAU_##name,
#include "methods/tableau.def"
#undef EVN_TABLEAU
#define EVN_IMPLICIT(name, ...) EVN__TABLEAU_##name,
#include "methods/implicit.def"
#undef EVN_IMPLICIT
    EVN__TABLEAUX ///< how many
};

extern const evn__tableau evn__tableaux[EVN__TABLEAUX];

/// a_ij, j <= i; stages count from 0.
double evn__tableau_a(const evn__tableau *tableau, int i, int j);

/// Evaluations of the right-hand side in a step without an estimate: stages behind the last one
/// that b has are none.
int evn__tableau_evaluations(const evn__tableau *tableau);

/// Whether a stage is behind the end of the step.
bool evn__tableau_overshoots(const evn__tableau *tableau);

/// How far the interval of stability reaches along the negative real axis: steps of x' = −λ x that
/// are longer than this / λ grow.
double evn__tableau_stability(const evn__tableau *tableau);

#endif
