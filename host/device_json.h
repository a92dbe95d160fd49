// SPDX-License-Identifier: Apache-2.0
// What a device says of itself, as JSON: of lists and of results.
#ifndef EVN_HOST_DEVICE_JSON_H
#define EVN_HOST_DEVICE_JSON_H

#include "evonode/device.h"

#include <jansson.h>

/// @return an object that the caller owns, NULL where memory is lacking. Its place in the listing
///         and whether it can be used are not in it.
json_t *evn__device_json(const evn_device_info *info);

/// The same of a device that is open, with what it has to be asked for: version of OpenCL C,
/// caches, extensions in the order of their names.
json_t *evn__device_json_open(const evn_device *device);

#endif
