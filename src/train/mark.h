// SPDX-License-Identifier: Apache-2.0
// Checkpoints that say of which run they are: a training knows its phases, a run directory also its
// seed, its data and what it has written so far.
#ifndef EVN_TRAIN_MARK_H
#define EVN_TRAIN_MARK_H

#include "base/hash.h"
#include "evonode/trainer.h"

/// Hashes that the metadata of a checkpoint keep. Zero-initialise; "": not known, not compared.
typedef struct evn__mark {
    char run[EVN__HASH_TEXT];     ///< of what decides how it goes on: options, seed, data
    char network[EVN__HASH_TEXT]; ///< of its network file
    char lines[EVN__HASH_TEXT];   ///< of its metrics so far
} evn__mark;

/// As evn_trainer_save and evn_trainer_restore; what is restored has to be of the same run, and
/// mark->lines becomes that of the checkpoint. One of an earlier version has none.
/// @param[in,out] mark  NULL: of any run
evn_status evn__trainer_save(const evn_trainer *trainer, const char *path, const evn__mark *mark);
evn_status evn__trainer_restore(evn_trainer *trainer, const char *path, evn__mark *mark,
                                int *epochs);

#endif
