// SPDX-License-Identifier: Apache-2.0
// Time that training leaves the device to others, or to cool.
#ifndef EVN_TRAIN_PAUSE_H
#define EVN_TRAIN_PAUSE_H

#include "evonode/trainer.h"

/// After a step of the optimiser that began at `begun` (evn__now): where the options ask for a
/// pause, wait for the device, then sleep.
evn_status evn__pause(evn_device *device, const evn_trainer_options *options, double begun);

/// @return EVN_ERR_ARGUMENT for a pause that is none
evn_status evn__pause_check(const evn_trainer_options *options);

#endif
