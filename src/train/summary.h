// SPDX-License-Identifier: Apache-2.0
// The summary of an epoch, or of some iterations: sums while it is under way, progress, and what is
// told at its end (evn_epoch).
#ifndef EVN_TRAIN_SUMMARY_H
#define EVN_TRAIN_SUMMARY_H

#include "evonode/trainer.h"

typedef struct evn__summary {
    evn_epoch epoch;      ///< what will be told
    evn_tally sum, shown; ///< of it, what progress has already shown
    double nfe_forward, nfe_backward, rate;
    double decay;   ///< the fastest that bounded steps of a solve forward; 0: none did
    double loading; ///< seconds for batches that the device had to wait for
    bool drained;   ///< nothing is enqueued: the device waits for the next batch
    int64_t batches;
    double started, progressed;
} evn__summary;

void evn__summary_begin(evn_trainer *trainer, evn__summary *summary);

/// Tell progress, if that is asked for and some time has passed.
/// @param[in] done  batches of the epoch
void evn__summary_show_progress(const evn_trainer *trainer, int64_t done, evn__summary *summary);

/// Look how far the adjoint's solves backwards have ended from the true start (train/fallback.h).
/// @param[in] take  gradients that are due to come from checkpoints do so from here on
evn_status evn__summary_look_back(evn_trainer *trainer, bool take, evn__summary *summary);

/// Measure what there is to measure at the end, and tell all of it. Waits.
evn_status evn__summary_end(evn_trainer *trainer, evn__summary *summary);

#endif
