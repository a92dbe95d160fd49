// SPDX-License-Identifier: Apache-2.0
// The path of weights that evolve by themselves, θ' = g(θ, t), by a solve of their own: θ at nodes,
// and from these the functions of t (dynamics/path_basis.h) that a system along it has as its
// weights (dynamics/path_system.h). Its gradient is that of its own steps; the lengths of adaptive
// ones count as given.
#ifndef EVN_GRADIENTS_WEIGHT_PATH_H
#define EVN_GRADIENTS_WEIGHT_PATH_H

#include "gradients/scheme.h"

typedef struct evn__weight_path evn__weight_path;

/// The options of the weights' own solve: adaptive, or with weight_steps of them.
evn_solver_options evn__weight_path_options(const evn_solver_options *options);

/// @param[in]  problem  outlives it
/// @param[out] along    the system of x along the path; the caller's
evn_status evn__weight_path_create(const evn__problem *problem, evn__system *along,
                                   evn__weight_path **path);
void evn__weight_path_destroy(evn__weight_path **path); ///< nulls; accepts NULL

/// Where component `index` of the state, a weight, is: at the beginning, to be written before a
/// solve; at the end, after it.
evn_binding evn__weight_path_begin(const evn__weight_path *path, int index);
evn_binding evn__weight_path_end(const evn__weight_path *path, int index);

/// From the first time at which a sample begins to the last at which one ends. Waits, but not for
/// fixed steps between the same times again.
/// @return EVN_ERR_ARGUMENT where samples go in both directions; EVN_ERR_SOLVER where the series is
///         not as exact as the tolerances; as solves
evn_status evn__weight_path_solve(evn__weight_path *path, const evn__passage *passage,
                                  evn_solution *solution);

/// From where to where, in the last solve.
void evn__weight_path_span(const evn__weight_path *path, double *t0, double *t1);

/// θ at so many times of the last solve, as evn__path_series_at; at both ends what is there.
evn_status evn__weight_path_at(const evn__weight_path *path, const double *times, int count,
                               const evn_binding *to, size_t stride);

/// The parameters of the system along the path: those of the passage, then the path's own.
const evn_binding *evn__weight_path_parameters(const evn__weight_path *path);

/// Where the cotangents of these are to go, before a gradient along the path; then the share of the
/// path is added to those of the passage.
const evn_binding *evn__weight_path_want(evn__weight_path *path, const evn__passage *passage);
evn_status evn__weight_path_gradient(evn__weight_path *path, const evn__passage *passage,
                                     evn_solution *solution);

/// With time_gradient, after such a gradient: in both ends of the way, by the weights' own solve
/// and by where the series is. First enqueue, then read, which waits.
evn_status evn__weight_path_take_times(const evn__weight_path *path);
evn_status evn__weight_path_read_times(const evn__weight_path *path, double *t0_bar,
                                       double *t1_bar);

evn_binding evn__weight_path_bar(const evn__weight_path *path, int index);
/// Of a gradient that solves backwards: the weight at the beginning, as it found it.
evn_binding evn__weight_path_reconstructed(const evn__weight_path *path, int index);

#endif
