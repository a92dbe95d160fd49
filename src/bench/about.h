// SPDX-License-Identifier: Apache-2.0
// All about a measurement but its numbers: device, driver, compiler, tuning, self-test, power. No
// name of a user or a host, and no path.
#ifndef EVN_BENCH_ABOUT_H
#define EVN_BENCH_ABOUT_H

#include "evonode/device.h"
#include <jansson.h>

/// @param[in] selftest  whether to run the self-test, which takes seconds
/// @param[out] about    an object, released by the caller
/// @return EVN_ERR_MEMORY; as evn__selftest. Kernels that are wrong are no failure
evn_status evn__bench_about(evn_device *device, bool quick, bool selftest, json_t **about);

/// What the platform says of its power: {"source": "mains", "battery" or "unknown", "batteries":
/// [{"status", "percent"}]}. `folder` is that of the system's power supplies.
json_t *evn__bench_power(const char *folder);

/// Where the system has them.
extern const char evn__bench_power_folder[];

/// Replace all words of `text` that are paths by "…".
void evn__bench_hide_paths(char *text);

#endif
