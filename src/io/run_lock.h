// SPDX-License-Identifier: Apache-2.0
// Who may write into a run directory: one training, or several of those that look at a finished
// run. The file DIR/lock is locked, and stays: to remove it would let two in. A lock ends with its
// process, however that ends, and not before.
#ifndef EVN_IO_RUN_LOCK_H
#define EVN_IO_RUN_LOCK_H

#include "base/status.h"
#include <stdbool.h>

/// Of a folder; 0 is none.
typedef struct evn__run_lock {
    int file; ///< descriptor + 1
} evn__run_lock;

/// What the file is called in the folder.
extern const char evn__run_lock_name[];

/// Take the lock of a folder that is there, for one writer (`alone`) or with others of their kind.
/// What killed writers left half-written in the folder is removed. With others it is none where
/// nothing may be written.
/// @return EVN_ERR_OUTPUT when another process has it, or it cannot be had
evn_status evn__run_lock_take(const char *folder, bool alone, evn__run_lock *lock);

/// Whether the folder still is the one whose lock was taken, neither removed nor moved.
bool evn__run_lock_holds(const evn__run_lock *lock, const char *folder);

void evn__run_lock_release(evn__run_lock *lock); ///< zeroes; accepts none

#endif
