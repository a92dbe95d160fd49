// SPDX-License-Identifier: Apache-2.0
// Small ODE problems with their device memory: what the tests of solvers and gradients share.
#ifndef EVN_TEST_PROBLEM_H
#define EVN_TEST_PROBLEM_H

#include "evonode/solver.h"
#include "test.h"

enum { PROBLEM_WEIGHTS = 32, PROBLEM_OBSERVATIONS = 8 };

typedef struct problem {
    evn_dynamics *dynamics;
    evn_solver *solver;
    bool fp64;
    int x_count, x1_count, weight_count; ///< x1_count: with the observations of the options
    int weight_size[PROBLEM_WEIGHTS];
    double *x0, *x0_bar; ///< host, [x_count]
    double *x1, *x1_bar; ///< host, [x1_count]; x1_bar is ones at first
    double *weight[PROBLEM_WEIGHTS], *weight_bar_host[PROBLEM_WEIGHTS];
    evn_buffer *buffer; ///< x0, x1_bar, weights and their cotangents
    evn_binding x0_at, x1_bar_at, weights[PROBLEM_WEIGHTS], weights_bar[PROBLEM_WEIGHTS];
    evn_solution solution, backward;
    uint64_t loads; ///< waits of problem_try for what it writes
} problem;

/// Take over the dynamics; all host numbers zero but x1_bar.
problem problem_new(evn_dynamics *dynamics);

/// A right-hand side with its inputs "t" and "x"; "dx" is to be added.
evn_graph *problem_begin(evn_shape shape, evn_value *t, evn_value *x);
/// The problem of that and, where weights evolve, of g, or NULL; takes both over.
problem problem_of(evn_graph *f, evn_graph *g);

problem problem_growth(bool fp64); ///< x' = x, x [1], x0 = 1
problem problem_square(void);      ///< x' = x²
problem problem_linear(void);      ///< x' = x W, x [2, 4], W a fixed skew-dominated matrix
double problem_linear_error(const problem *p, double t); ///< max |x1 − exact(t)|
void problem_linear_start(double *x0);

/// NODE-EW on x [3, 2]: f = tanh(x W + t·v) V with W evolving by g = tanh(A W) + t·W·s, A and s
/// parameters of g; V, v constant. Random numbers from `seed`.
problem problem_node_ew(uint64_t seed);
/// The same on x [rows, 2].
problem problem_node_ew_of(int rows, uint64_t seed);

/// x' = tanh(tanh(x U) W) Wᵀ V + t·s on x [2, 3], with 24 units: the slopes of the cotangents of U,
/// W and V are sums of products with few rows, W's of two; that of s is not. Numbers from `seed`.
problem problem_wide(uint64_t seed);

/// x' = 2 tanh(x U) V − 2 x + t on x [rows, 2], each row by itself; constant weights.
problem problem_network(int rows);

/// Steps of each sample's own, with rtol = atol.
evn_solver_options problem_own_steps(evn_gradient gradient, double tolerance, bool fp64);

/// Make the solver and the device memory, in place of those made before; options->fp64 decides
/// the precision.
void problem_prepare(problem *p, const evn_solver_options *options);
/// Write x0 and the weights, solve.
evn_status problem_try(problem *p, double t0, double t1, evn_binding *x1);
/// The same, must succeed; x1 is read back.
void problem_solve(problem *p, double t0, double t1);
/// Gradient for x1_bar; x0_bar and weight_bar_host are read back.
void problem_gradient(problem *p);
void problem_free(problem *p);

/// Largest |derivative − central difference of ⟨x1_bar, x1⟩ at t = 1| over the entries of `at`,
/// relative to their size.
double problem_against_differences(problem *p, double *at, const double *derivative, int count);

/// The gradient along the way from 0 to 1 against these, in the first of the elements of x and of
/// each weight, as many as are said; resets.
void problem_check_differences(problem *p, const evn_solver_options *options, int of_x,
                               int of_weights, double bound);

/// Those along the way from 0 to 1, in x and then in each weight, one after the other, of another
/// solver than before.
/// @return how many numbers
int problem_all_gradients(problem *p, const evn_solver_options *options, double *all);

/// The last gradients of two of the same problem, relative to the largest element of q's.
void problem_check_same_gradients(const problem *p, const problem *q, double within);

#endif
