// SPDX-License-Identifier: Apache-2.0
// Processes that compile for this one.
#ifndef EVN_HOST_COMPILERS_H
#define EVN_HOST_COMPILERS_H

#include "host/job.h"

/// Have the jobs done by as many processes as there are processors for, and wait for them. One that
/// dies, or takes longer than the device's compiler_seconds for a job, takes that job with it and
/// nothing else; what is not done in the end is simply not in the cache.
/// @param builds  of each job
void evn__compilers_run(const evn_device *device, const evn__job *jobs, evn__build *const *builds,
                        int count);

#endif
