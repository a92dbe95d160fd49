// SPDX-License-Identifier: Apache-2.0
// What was found right on a device, or out about it, kept between runs in the cache folder: a file
// for another driver, version of evonode or tuning is as good as none.
#ifndef EVN_HOST_CHECKED_H
#define EVN_HOST_CHECKED_H

#include "evonode/device.h"

typedef struct evn__checked evn__checked;

/// Read the device's file. Where there is no cache folder it is empty, and nothing is kept.
/// @return EVN_ERR_MEMORY; a file that cannot be used is no error
evn_status evn__checked_open(const evn_device *device, evn__checked **checked);
void evn__checked_close(evn__checked **checked); ///< nulls; accepts NULL

bool evn__checked_has(const evn__checked *checked, const char *name);
evn_status evn__checked_add(evn__checked *checked, const char *name);

/// Write it. A failure is ignored: what is not kept is checked again.
void evn__checked_save(evn__checked *checked);

#endif
