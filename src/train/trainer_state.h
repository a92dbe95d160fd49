// SPDX-License-Identifier: Apache-2.0
// What the files of the trainer share: trainer.c has its life and the loop, summary.c what is told
// of epochs, early_stop.c what ends a phase before they are over.
#ifndef EVN_TRAIN_TRAINER_STATE_H
#define EVN_TRAIN_TRAINER_STATE_H

#include "base/hash.h"
#include "base/memory.h"
#include "evonode/trainer.h"
#include "train/checkpoint.h"
#include "train/gradient.h"
#include "train/programs.h"

struct evn_trainer {
    evn_device *device;
    evn_task task; ///< borrowed
    evn_trainer_options options;
    evn_phase *phases;
    evn_parameters *parameters; ///< the task's
    evn_optimizer *optimizer;
    evn__gradient_mean *mean;
    evn__programs programs;
    double *losses; ///< [epochs]
    float *best;    ///< the parameters at the least loss of what is held out; NULL: no phase asks
    evn__position at;
    char digest[EVN__HASH_TEXT]; ///< of the options
    bool within;                 ///< an epoch is under way: parameters are not those of `at`
    evn__arena arena;
};

/// The phase that is under way.
const evn_phase *evn__trainer_phase(const evn_trainer *trainer);

/// What is counted, for messages: "epoch" or "iteration".
const char *evn__trainer_unit(const evn_trainer *trainer);

/// The last epoch that is done.
int evn__trainer_last_epoch(const evn_trainer *trainer);

/// Batches in an epoch.
int64_t evn__trainer_batches(const evn_trainer *trainer);

/// Whether what is done ends a summary, be training stopped or not.
bool evn__trainer_summary_is_due(const evn_trainer *trainer);

/// Summaries in the phase that is under way.
int evn__trainer_summary_count(const evn_trainer *trainer);

#endif
