// SPDX-License-Identifier: Apache-2.0
// Steps of Adams' methods written out as one graph, whose coefficients are integrals of Lagrange's
// polynomials over the times of the steps before.
#ifndef EVN_TEST_WRITTEN_STEPS_H
#define EVN_TEST_WRITTEN_STEPS_H

#include "dynamics/system.h"
#include "methods/adams.h"
#include "methods/unroll.h"
#include "problem.h"

enum {
    WRITTEN_STEPS_MAX = 512,
    WRITTEN_STEPS_RESULTS = 512, ///< numbers of a gradient, at most
    WRITTEN_STEPS_STATES = PROBLEM_WEIGHTS + 1,
    WRITTEN_STEPS_ORDERS = EVN__ADAMS_ORDERS ///< of predictors, at most
};

/// x, then the weights of the dynamics; their slopes at the beginning of each step.
typedef struct written_steps {
    const problem *p;
    evn_graph *graph;
    evn__unroll *first;
    int count, steps;
    double times[WRITTEN_STEPS_MAX];
    evn_value inputs[WRITTEN_STEPS_STATES], at[WRITTEN_STEPS_STATES],
        slopes[WRITTEN_STEPS_MAX][WRITTEN_STEPS_STATES];
} written_steps;

/// At what the problem has; it outlives the steps.
void written_steps_begin(written_steps *w, const problem *p);

/// A step predicted by order `order`, corrected by one more; 0: a step of rk4.
void written_steps_add(written_steps *w, double t, double dt, int order);

/// x at the end, and the gradient of ⟨x1_bar, x⟩ in x, then in the weights, one after the other.
/// Frees the graph.
/// @return how many numbers the gradient has
int written_steps_gradient(written_steps *w, double *x1, double *all);

#endif
