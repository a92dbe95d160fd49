// SPDX-License-Identifier: Apache-2.0
// What a device can do beyond what the standard promises, found out by trying it: once a device and
// driver, in a process of its own, since a compiler may crash at it and a kernel may never end. The
// answers are kept in the cache folder. Where a probe cannot tell, the answer is no, and where none
// was made what host/quirks.c knows.
#ifndef EVN_HOST_PROBE_H
#define EVN_HOST_PROBE_H

#include "base/memory.h"
#include "evonode/device.h"

/// Take the answers that are kept for the device, if there are any, into its quirks.
/// @return EVN_ERR_MEMORY; a file that cannot be used is no error
evn_status evn__probes_open(evn_device *device);

/// Whether there are probes for the device and neither answers nor knowledge.
bool evn__probes_wanted(const evn_device *device);

/// Try everything, in this process; `answer` is called after each probe that has ended.
void evn__probes_run(evn_device *device, void (*answer)(const char *name, bool yes));

/// Keep answers, lines "NAME 0" or "NAME 1", and take them into the quirks; what is missing in
/// `text` is a no: the process that tried did not live to say it.
void evn__probes_keep(evn_device *device, const char *text);

#endif
