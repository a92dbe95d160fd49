// SPDX-License-Identifier: Apache-2.0
// A forcing that is constant between its jumps: x is a polynomial of t there, which steps and
// gradients have to rounding, and nothing beyond a jump would.
#ifndef EVN_TEST_DRIVEN_H
#define EVN_TEST_DRIVEN_H

#include "problem.h"

enum { DRIVEN_ROWS = 3, DRIVEN_JUMPS = 2 };
extern const double driven_jumps[DRIVEN_JUMPS];

/// x' = w + b u(t), x [DRIVEN_ROWS, 1]; w' = c u(t), or w is constant.
problem driven_problem(bool evolves);

/// How much of w, b and c is in x(t) − x(t0).
typedef struct driven_shares {
    double w, b, c;
} driven_shares;

driven_shares driven_shares_of(double t0, double t);

/// The number of a weight; -1 where there is none of that name.
int driven_find(const problem *p, const char *name);

/// Its value; 0 where there is none of that name.
double driven_weight(const problem *p, const char *name);

/// What is observed, at `at` [points, DRIVEN_ROWS], and the gradient, from t0 [DRIVEN_ROWS] on.
void driven_check_points(const problem *p, const double *t0, const double *at, int points,
                         double within);
void driven_check_bars(const problem *p, const double *t0, const double *at, int points,
                       double within);

/// Options that know of the jumps.
evn_solver_options driven_across(const char *method, int steps, evn_gradient gradient);

#endif
