// SPDX-License-Identifier: Apache-2.0
// The list of phases of a training, as the trainer keeps it.
#ifndef EVN_TRAIN_PHASES_H
#define EVN_TRAIN_PHASES_H

#include "base/hash.h"
#include "base/memory.h"
#include "evonode/trainer.h"

/// Check the phases of the options for a task and copy them, with their texts, into the arena.
/// @return EVN_ERR_ARGUMENT with what is wrong in which phase
evn_status evn__phases_copy(const evn_trainer_options *options, const evn_task *task,
                            evn__arena *arena, evn_phase **phases);

/// What a later phase would be refused for, before the first has trained for hours.
evn_status evn__phases_check_solvers(const evn_trainer_options *options, const evn_task *task);

/// A digest of what decides how a training goes on besides its task: phases, optimiser,
/// accumulation.
evn_status evn__phases_digest(const evn_trainer_options *options, char digest[EVN__HASH_TEXT]);

/// Epochs of `count` phases together.
int evn__phases_epochs(const evn_phase *phases, int count);

#endif
