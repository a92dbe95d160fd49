// SPDX-License-Identifier: Apache-2.0
// A solver whose weights are parameters that are learnt.
#ifndef EVN_TASK_LEARNT_SOLVER_H
#define EVN_TASK_LEARNT_SOLVER_H

#include "evonode/parameters.h"
#include "evonode/solver.h"

/// Zero-initialise.
typedef struct evn__learnt_solver {
    evn_solver *solver;
    evn_binding *weights, *weights_bar; ///< values and gradients, as evn_solve wants them
} evn__learnt_solver;

/// Whether the options can solve for floats, and train: a gradient is needed for it.
/// @return EVN_ERR_ARGUMENT
evn_status evn__learnt_solver_check(const evn_solver_options *options, bool trains);

/// Compile; the parameters have the dynamics' weights by name and are allocated.
evn_status evn__learnt_solver_create(evn_device *device, const evn_dynamics *dynamics,
                                     const evn_parameters *parameters,
                                     const evn_solver_options *options, evn__learnt_solver *learnt);
void evn__learnt_solver_free(evn__learnt_solver *learnt);

#endif
