// SPDX-License-Identifier: Apache-2.0
// What every training has in common: its list of phases, and a solver with learnt weights.
#ifndef EVN_TRAIN_PHASES_H
#define EVN_TRAIN_PHASES_H

#include "evonode/trainer.h"

/// Check the phases of the options and copy them. *phases is freed by the caller.
/// @return EVN_ERR_ARGUMENT with what is wrong in which phase
evn_status evn__phases_copy(const evn_trainer_options *options, evn_phase **phases);

/// Epochs of `count` phases together.
int evn__phases_epochs(const evn_phase *phases, int count);

/// A solver whose weights are parameters. Zero-initialise.
typedef struct evn__learnt_solver {
    evn_solver *solver;
    evn_binding *weights, *weights_bar; ///< values and gradients, as evn_solve wants them
} evn__learnt_solver;

/// Compile; the parameters have the dynamics' weights by name and are allocated.
evn_status evn__learnt_solver_create(evn_device *device, const evn_dynamics *dynamics,
                                     const evn_parameters *parameters,
                                     const evn_solver_options *options, evn__learnt_solver *learnt);
void evn__learnt_solver_free(evn__learnt_solver *learnt);

#endif
