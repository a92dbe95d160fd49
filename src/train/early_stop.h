// SPDX-License-Identifier: Apache-2.0
// Phases that may end before their epochs are over: what is measured for that, with each summary.
// The rules are those of train/switch.h.
#ifndef EVN_TRAIN_EARLY_STOP_H
#define EVN_TRAIN_EARLY_STOP_H

#include "evonode/trainer.h"

/// As a phase begins, or goes on from a checkpoint: compile what it needs, and measure where it
/// starts from. Waits.
evn_status evn__early_stop_begin(evn_trainer *trainer);

/// At a summary, whose metrics have the training loss: measure, add that to the metrics, and end
/// the phase where it is time to, with the reason in epoch->ended. Waits where it measures.
/// @return EVN_ERR_NOT_FINITE for a loss of the held-out part
evn_status evn__early_stop_look(evn_trainer *trainer, evn_epoch *epoch);

/// As a phase has ended: the parameters at the least loss, where they are what it is to end with.
evn_status evn__early_stop_finish(evn_trainer *trainer);

#endif
