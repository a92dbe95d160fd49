// SPDX-License-Identifier: Apache-2.0
// A training between two epochs, as a safetensors file from which it goes on exactly as it would
// have: the parameters by name, the optimiser's state as bytes of this kind of machine ("optimizer
// state"), the loss of each epoch so far ("losses"), the best parameters where a phase keeps them
// ("best parameters"), the task's own state where it has any ("task state"), and in the metadata
// where it stands. Random numbers need no state: they are functions of seed and epoch
// (base/random.h).
#ifndef EVN_TRAIN_CHECKPOINT_H
#define EVN_TRAIN_CHECKPOINT_H

#include "evonode/optimizer.h"
#include "train/fallback.h"
#include "train/mark.h"
#include "train/switch.h"

/// What is done so far.
typedef struct evn__position {
    int phase;              ///< the phase that is next, or under way
    int in_phase;           ///< its epochs; all of them when it has ended, however early
    int epoch;              ///< epochs of all phases
    evn__switch automatic;  ///< what an automatic phase has seen so far
    evn__fallback fallback; ///< of its gradient, on checkpoints
} evn__position;

/// What a checkpoint is of; all is borrowed.
typedef struct evn__checkpoint {
    evn__position *position;
    const evn_phase *phases;
    int phase_count;
    const evn_task *task;
    evn_optimizer *optimizer;
    const char *training; ///< a digest of all that decides how training goes on (phases.h)
    evn__mark *mark;      ///< of which run; its lines are read; NULL: of none known
    double *losses;       ///< [epochs of all phases], those that are done count
    float *best;          ///< [elements of the parameters], the best ones so far of a phase that
                          ///< keeps them; NULL: no phase does
} evn__checkpoint;

/// Write a file, whole or not at all. Waits for the device.
/// @return EVN_ERR_OUTPUT; EVN_ERR_NOT_FINITE, and nothing is written, when a parameter is not a
///         number
evn_status evn__checkpoint_write(const char *path, const evn__checkpoint *checkpoint);

/// Read one of a training with the same options; on failure nothing is changed.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA when it is of another training
evn_status evn__checkpoint_read(const char *path, const evn__checkpoint *checkpoint);

/// Read the parameters alone.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA when it is of another model
evn_status evn__checkpoint_parameters(const char *path, evn_parameters *parameters);

/// How many epochs were done when a file was written.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT when it is no checkpoint
evn_status evn__checkpoint_epochs(const char *path, int *epochs);

#endif
