// SPDX-License-Identifier: Apache-2.0
// Threads of implementations that compute on the host's own processors.
#ifndef EVN_HOST_AFFINITY_H
#define EVN_HOST_AFFINITY_H

/// Before the first call of OpenCL: have PoCL keep each of its threads on a processor. Otherwise
/// threads that are woken after a pause share one for tens of milliseconds, until the scheduler
/// moves them apart. Sets POCL_AFFINITY in the environment unless it is set, and only where this
/// process may run on all processors, since PoCL does not ask which.
void evn__affinity_prepare(void);

/// Before the first call of OpenCL in a process that compiles beside others: PoCL compiles in one
/// of the threads that it launches from, and kept on a processor, those of all would share the
/// first.
void evn__affinity_release(void);

#endif
