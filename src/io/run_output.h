// SPDX-License-Identifier: Apache-2.0
// Files that verbs write where the user says, which may be in a run directory beside the run's own.
#ifndef EVN_IO_RUN_OUTPUT_H
#define EVN_IO_RUN_OUTPUT_H

#include "io/run_lock.h"

/// Claim the place of a file that is going to be written, which may be a symbolic link: its folder
/// is there, it is none that makes up a run, whose results it would replace, and where its folder
/// is a run's, no training writes there until the lock is released (evn__run_lock_release).
/// @param[out] lock  none where the folder is no run's, and after a failure
/// @return EVN_ERR_OUTPUT; EVN_ERR_FILE where it cannot be seen whether there is a run;
///         EVN_ERR_MEMORY
evn_status evn__run_output_claim(const char *path, evn__run_lock *lock);

#endif
