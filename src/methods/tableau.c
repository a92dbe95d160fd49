// SPDX-License-Identifier: Apache-2.0
#include "methods/tableau.h"

#include <math.h>

#define ARRAY(...)                                                                                 \
    { __VA_ARGS__ }

const evn__tableau evn__tableaux[EVN__TABLEAUX] = {
#define EVN_TABLEAU(name, stages, order, error_order, fsal, c, a, b, e, coarse, interpolant)       \
    {stages, c, a, b, e, coarse, 0, interpolant, ARRAY(0)},
#include "methods/tableau.def"
#undef EVN_TABLEAU
#define EVN_IMPLICIT(name, stages, order, error_order, fsal, diagonal, c, a, b, e, interpolant,    \
                     nodes)                                                                        \
    {stages, c, a, b, e, ARRAY(0), diagonal, interpolant, nodes},
#include "methods/implicit.def"
#undef EVN_IMPLICIT
};

double evn__tableau_a(const evn__tableau *tableau, int i, int j) {
    return j < i ? tableau->a[i * (i - 1) / 2 + j] : i > 0 ? tableau->diagonal : 0;
}

int evn__tableau_evaluations(const evn__tableau *tableau) {
    int count = tableau->stages;
    while (tableau->b[count - 1] == 0) {
        --count;
    }
    return count;
}

bool evn__tableau_overshoots(const evn__tableau *tableau) {
    bool overshoots = false;
    for (int i = 0; i < tableau->stages; ++i) {
        overshoots = overshoots || tableau->c[i] > 1;
    }
    return overshoots;
}

/// What a step makes of x' = z x, dt = 1, from 1.
static double stability_function(const evn__tableau *tableau, double z) {
    double k[EVN__MAX_STAGES], result = 1;
    for (int i = 0; i < tableau->stages; ++i) {
        double x = 1;
        for (int j = 0; j < i; ++j) {
            x += evn__tableau_a(tableau, i, j) * k[j];
        }
        k[i] = z * x / (1 - z * evn__tableau_a(tableau, i, i));
        result += tableau->b[i] * k[i];
    }
    return result;
}

double evn__tableau_stability(const evn__tableau *tableau) {
    const double step = 1e-3, rounding = 1e-9;
    double reach = step;
    while (fabs(stability_function(tableau, -reach)) <= 1 + rounding) {
        reach += step;
    }
    return reach - step;
}
