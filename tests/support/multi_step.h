// SPDX-License-Identifier: Apache-2.0
// Steps of Adams' methods written out as one graph, whose coefficients are integrals of Lagrange's
// polynomials over the times of the steps before.
#ifndef EVN_TEST_MULTI_STEP_H
#define EVN_TEST_MULTI_STEP_H

#include "ode/adams.h"
#include "ode/unroll.h"
#include "problem.h"

enum {
    MULTI_STEP_STEPS = 512,
    MULTI_STEP_RESULTS = 512, ///< numbers of a gradient, at most
    MULTI_STEP_STATES = PROBLEM_WEIGHTS + 1,
    MULTI_STEP_ORDERS = EVN__ADAMS_ORDERS ///< of predictors, at most
};

/// x, then the weights of the dynamics; their slopes at the beginning of each step.
typedef struct multi_step {
    const problem *p;
    evn_graph *graph;
    evn__unroll *first;
    int count, steps;
    double times[MULTI_STEP_STEPS];
    evn_value inputs[MULTI_STEP_STATES], at[MULTI_STEP_STATES], slopes[MULTI_STEP_STEPS][MULTI_STEP_STATES];
} multi_step;

/// At what the problem has; it outlives the steps.
void multi_step_begin(multi_step *w, const problem *p);

/// A step predicted by order `order`, corrected by one more; 0: a step of rk4.
void multi_step_step(multi_step *w, double t, double dt, int order);

/// x at the end, and the gradient of ⟨x1_bar, x⟩ in x, then in the weights, one after the other.
/// Frees the graph.
/// @return how many numbers the gradient has
int multi_step_gradient(multi_step *w, double *x1, double *all);

#endif
