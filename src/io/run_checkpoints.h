// SPDX-License-Identifier: Apache-2.0
// The checkpoints of a run: the newest one, the one before, and the one of the least loss. An older
// one is the same file as the newest under a second name, until a newer one takes the first name,
// so that at no moment there is none.
#ifndef EVN_IO_RUN_CHECKPOINTS_H
#define EVN_IO_RUN_CHECKPOINTS_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef enum evn__generation {
    EVN__CHECKPOINT_NEWEST,
    EVN__CHECKPOINT_BEFORE,
    EVN__CHECKPOINT_BEST,
    EVN__CHECKPOINTS
} evn__generation;

/// File name of a generation; static storage.
const char *evn__run_checkpoint_name(evn__generation generation);

/// Path of a generation.
/// @return EVN_ERR_OUTPUT when it is too long
evn_status evn__run_checkpoint(const char *folder, evn__generation generation, char *path,
                               size_t size);

/// Whether the run has one from which it can go on.
/// @return EVN_ERR_OUTPUT when the path is too long; EVN_ERR_FILE
evn_status evn__run_has_checkpoint(const char *folder, bool *has);
evn_status evn__run_has_best(const char *folder, bool *has);

/// Give the newest one, if there is one, the name of an older generation too.
/// @return EVN_ERR_OUTPUT; EVN_ERR_FILE
evn_status evn__run_checkpoint_keep(const char *folder, evn__generation older);

/// Go back to an older one: it is the newest again, and none is before it.
/// @return EVN_ERR_FILE when there is none; EVN_ERR_OUTPUT
evn_status evn__run_checkpoint_return(const char *folder, evn__generation older);

/// Remove all: the run is finished, or begins again.
/// @return EVN_ERR_OUTPUT
evn_status evn__run_checkpoints_remove(const char *folder);

#endif
