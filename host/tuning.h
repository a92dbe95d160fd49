// SPDX-License-Identifier: Apache-2.0
// Tuned variants of a device: a table from shape class to the name of a kernel variant, and its
// file, one a device, as JSON: format, what it was measured with (platform, device, driver, text of
// the kernels), "variants". A file for another driver or kernel version, or a damaged one, is
// ignored; evn__tuning_describe gives the reason. EVONODE_TUNE=off: neither read nor written.
#ifndef EVN_HOST_TUNING_H
#define EVN_HOST_TUNING_H

#include "base/memory.h"
#include "evonode/device.h"

#include <jansson.h>

/// Read the device's file into its table.
/// @return EVN_ERR_MEMORY; a file that cannot be used is no error
evn_status evn__tuning_open(evn_device *device);

/// The variant chosen for `key`, borrowed until the table changes; NULL: none.
const char *evn__tuning_find(const evn_device *device, const char *key);

/// Choose a variant for `key`, in memory alone; NULL takes the choice back. Plans that exist keep
/// theirs.
evn_status evn__tuning_set(evn_device *device, const char *key, const char *variant);

/// Write the table, over an older file at once.
/// @param[out] path  of the file, freed by the caller; NULL where tuning is off
/// @return EVN_ERR_OUTPUT
evn_status evn__tuning_save(const evn_device *device, char **path);

/// Append one line, without its end: how the device is tuned, or why it is not.
void evn__tuning_describe(const evn_device_info *info, evn__text *line);

/// The choices, an object from shape class to variant, freed by the caller; NULL without memory.
json_t *evn__tuning_json(const evn_device *device);

/// Hash of the choices, 32 digits; "" when there are none.
evn_status evn__tuning_digest(const evn_device *device, char digest[33]);

#endif
