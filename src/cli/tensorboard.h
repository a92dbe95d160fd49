// SPDX-License-Identifier: Apache-2.0
// A training's event file, with what was asked for as text.
#ifndef EVN_CLI_TENSORBOARD_H
#define EVN_CLI_TENSORBOARD_H

#include "cli/training.h"
#include "exchange/events.h"

/// Begin the file of this process in the run directory, after training->so_far is known; NULL where
/// --tensorboard is not given.
evn_status evn__tensorboard_begin(const evn__training *training, const evn__settings *settings,
                                  evn__events **events);

#endif
