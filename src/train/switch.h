// SPDX-License-Identifier: Apache-2.0
// When to leave a phase before its epochs are over. Backprop along a coarse grid is cheap, but it
// trains that grid; it is left when the finer solver no longer agrees, or when it gains no more.
// Few samples can be learnt by heart; a phase on them is left when others gain no more.
#ifndef EVN_TRAIN_SWITCH_H
#define EVN_TRAIN_SWITCH_H

#include "evonode/trainer.h"

/// Zero-initialise at the start of a phase.
typedef struct evn__switch {
    double best; ///< lowest loss of the phase that counted as a gain
    int epochs;  ///< so far
    int stalled; ///< since the last gain
} evn__switch;

/// Whether the phase ends after an epoch, and why.
/// @param[in] train_loss  of the epoch
/// @param[in] own, next   loss of the same training batches with this phase's solver and with the
///                        next one's
/// It ends when `next` exceeds `own` by more than a tenth of it and 0.001, or is no number, or when
/// the training loss has not fallen by a hundredth in three epochs.
evn_switch evn__switch_now(evn__switch *state, double train_loss, double own, double next);

/// The same of the loss of a part that is held out, which is looked at `looks` times in the phase:
/// it ends when a quarter of them, and five, have not been below the lowest. state->stalled is 0
/// where this one is.
evn_switch evn__switch_held_out(evn__switch *state, double loss, int looks);

#endif
