// SPDX-License-Identifier: Apache-2.0
// What a process that compiles is asked to do, and how that is written into a socket.
#ifndef EVN_HOST_JOB_H
#define EVN_HOST_JOB_H

#include "host/build.h"

enum { EVN__JOB_ARGUMENTS = 128 };

/// Build a program, and launch a kernel of it once with nothing to do, in one work-group.
typedef struct evn__job {
    int build; ///< its number; the text comes with the first job of that number
    bool fp64;
    char kernel[128];                        ///< its name in the program; "": the program alone
    int count;                               ///< of its arguments
    unsigned char kinds[EVN__JOB_ARGUMENTS]; ///< evn__argument_kind
    int dimensions;
    size_t local[3];
} evn__job;

/// @param build  NULL: the other side knows it
/// @return whether all of it was written
bool evn__job_send(int socket, const evn__job *job, const evn__build *build);

/// @param[out] build  owned by the caller; NULL: one that was sent before
/// @return false at the end, or where the other side is gone
bool evn__job_receive(int socket, evn__job *job, evn__build **build);

/// The answer that a job is done.
bool evn__job_answer(int socket);

#endif
