// SPDX-License-Identifier: Apache-2.0
// Work that may crash or hang, in a child process with a time limit: others' libraries run there.
#ifndef EVN_HOST_CHILD_H
#define EVN_HOST_CHILD_H

#include "base/memory.h"

typedef enum evn__child_end {
    EVN__CHILD_DONE,
    EVN__CHILD_CRASHED,
    EVN__CHILD_LATE, ///< it was ended when its time was over
    EVN__CHILD_NONE, ///< the system had no process left, or no pipe to it: nothing was done
} evn__child_end;

typedef struct evn__child_result {
    evn__child_end end;
    int signal;     ///< that it crashed by; 0: it ended by itself, with an exit code
    int error;      ///< errno where nothing was done; else 0
    evn__text data; ///< what it wrote; freed by the caller, and none after a failure
} evn__child_result;

/// Call `work` in a child and collect what it writes to `out`. A child whose parent is killed ends
/// soon after its time is over. Where the calling process has used OpenCL, `work` may not: an
/// implementation's threads do not survive a fork.
/// @return EVN_ERR_MEMORY; EVN_ERR_FILE where it cannot be heard; whatever becomes of the child is
/// in the result
evn_status evn__child_run(void (*work)(void *user, int out), void *user, double seconds,
                          evn__child_result *result);

/// Write all of it; for use in `work`. What cannot be written is lost.
void evn__child_write(int out, const void *data, size_t bytes);

#endif
