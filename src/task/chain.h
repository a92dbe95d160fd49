// SPDX-License-Identifier: Apache-2.0
// The stages of a model compiled for a device: plans and solvers, each taking what the one before
// gave, and the gradient back through all of them.
#ifndef EVN_TASK_CHAIN_H
#define EVN_TASK_CHAIN_H

#include "evonode/model.h"
#include "evonode/solver.h"

typedef struct evn__chain evn__chain;

/// @param[in] model   with allocated parameters; borrowed
/// @param[in] solver  of every ODE among the stages
/// @param[in] trains  with the gradient that the solver's options name
evn_status evn__chain_create(evn_device *device, const evn_model *model,
                             const evn_solver_options *solver, bool trains, evn__chain **chain);
void evn__chain_destroy(evn__chain **chain); ///< nulls; accepts NULL

/// @param[in]  images    [B, H, W, C]; must stay as they are until the gradient is taken
/// @param[out] x         what the last stage gives; memory of the chain, valid until its next run
/// @param[out] solution  sums over the ODEs; all zero where there is none
evn_status evn__chain_forward(evn__chain *chain, evn_binding images, evn_binding *x,
                              evn_solution *solution);

/// After it: the gradients of the stages' weights, from the cotangent of that x.
evn_status evn__chain_gradient(evn__chain *chain, evn_binding x_bar, evn_solution *solution);

/// As evn_solver_reconstruction, the largest over the ODEs; zeros where there is none.
evn_status evn__chain_reconstruction(evn__chain *chain, double *x_error, double *theta_error);
/// As evn_solver_apart, the largest over the ODEs.
evn_status evn__chain_apart(evn__chain *chain, double *x_apart, double *theta_apart);
/// As evn_solver_watched, the worst over the ODEs.
evn_status evn__chain_watched(evn__chain *chain, double *worst);

#endif
