// SPDX-License-Identifier: Apache-2.0
#ifndef EVN_ODE_TABLEAU_H
#define EVN_ODE_TABLEAU_H

#include <limits.h>
#include <stdbool.h>

enum {
    EVN__MAX_STAGES = 7,
    EVN__MAX_STEPS = INT_MAX / EVN__MAX_STAGES - 1, ///< whose evaluations can still be counted
};

/// An explicit Runge–Kutta method: k_i = f(t + c_i dt, y + dt Σ_{j<i} a_ij k_j),
/// y' = y + dt Σ b_i k_i, error = dt Σ e_i k_i.
typedef struct evn__tableau {
    const char *name;
    int stages, order, error_order;
    bool fsal;
    double c[EVN__MAX_STAGES];
    double a[EVN__MAX_STAGES * (EVN__MAX_STAGES - 1) / 2]; ///< row i from evn__tableau_a(i, 0)
    double b[EVN__MAX_STAGES], e[EVN__MAX_STAGES];
} evn__tableau;

/// NULL when there is no method of that name.
const evn__tableau *evn__tableau_find(const char *name);

/// a_ij, j < i; stages count from 0.
double evn__tableau_a(const evn__tableau *tableau, int i, int j);

#endif
