// SPDX-License-Identifier: Apache-2.0
// A solve by a one-step method written out as one graph, which the reference pulls back: what the
// discrete gradients of solvers are to be.
#ifndef EVN_TEST_WRITTEN_SOLVE_H
#define EVN_TEST_WRITTEN_SOLVE_H

#include "integrator/trail.h"
#include "methods/unroll.h"
#include "problem.h"

enum {
    WRITTEN_SOLVE_RESULTS = 512, ///< numbers of a gradient, at most
    WRITTEN_SOLVE_STATES = PROBLEM_WEIGHTS + 1
};

/// x, then the weights of the dynamics, and the loss: the product of what was observed and x1_bar.
typedef struct written_solve {
    const problem *p;
    evn_graph *graph;
    evn__unroll *unroll;
    int count, observed;
    evn_value first[WRITTEN_SOLVE_STATES], at[WRITTEN_SOLVE_STATES], pair[WRITTEN_SOLVE_STATES],
        sum;
} written_solve;

/// At what the problem has; it outlives the solve.
void written_solve_begin(written_solve *w, const problem *p, const char *method);
void written_solve_step(written_solve *w, double t, double dt);
/// Of the reversible method over that base method.
void written_solve_reversible_step(written_solve *w, double t, double dt, double coupling);
/// The loss gets the share of x where it is now.
void written_solve_observe(written_solve *w);
/// Gradients in x, then in the weights, one after the other; frees the graph.
/// @return how many numbers
int written_solve_gradient(written_solve *w, double *all);

/// The steps that an integrator accepts from 0 to 1; evn__trail_free.
void written_solve_accepted(const problem *p, const evn_solver_options *options, evn__trail *trail);

#endif
