// SPDX-License-Identifier: Apache-2.0
#include "methods/interpolant.h"

#include "methods/tableau.h"
#include <string.h>

typedef struct row {
    const char *method;
    double middle[EVN__MAX_STAGES];
} row;

static const row rows[] = {
    // Shampine 1986: for the pair of Dormand and Prince.
    {"dopri5",
     {6025192743. / 60171106304, 0, 51252292925. / 130801643196, -2691868925. / 90256659456,
      187940372067. / 3189068634112, -1776094331. / 39487288512, 11237099. / 470086768}},
    // Tsitouras 2011: his interpolant in the middle.
    {"tsit5",
     {0.10741235230099333, 0.01135625, 0.39560903056051677, -0.34475214352596795,
      1.3161853649581685, -1.0170608542936344, 0.03125}},
};

const double *evn__interpolant_middle(const evn__stepper *stepper) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); ++i) {
        if (strcmp(rows[i].method, stepper->name) == 0) {
            return rows[i].middle;
        }
    }
    return NULL;
}

/// Σ weights of displacement, middle, dt·slope and dt·slope_next.
static evn_value combine(evn_graph *g, const evn_value parts[4], const double weights[4]) {
    evn_value sum = evn_constant(g, 0);
    for (int i = 0; i < 4; ++i) {
        sum = evn_add(g, sum, evn_scale(g, parts[i], weights[i]));
    }
    return sum;
}

void evn__interpolant_build(evn_graph *graph, const evn__span *span,
                            evn_value terms[EVN__INTERPOLANT_TERMS]) {
    static const double weights[][4] = {{-5, 16, -4, 1}, {14, -32, 5, -3}, {-8, 16, -2, 2}};
    const evn_value parts[] = {evn_sub(graph, span->y_next, span->y), span->middle,
                               evn_mul(graph, span->dt, span->slope),
                               evn_mul(graph, span->dt, span->slope_next)};
    terms[0] = span->y;
    terms[1] = parts[2];
    for (int p = 2; p < EVN__INTERPOLANT_TERMS; ++p) {
        terms[p] = combine(graph, parts, weights[p - 2]);
    }
}
