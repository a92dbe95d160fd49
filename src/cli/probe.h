// SPDX-License-Identifier: Apache-2.0
// Probes of a device (host/probe.h) in a process of their own: this program once more.
#ifndef EVN_CLI_PROBE_H
#define EVN_CLI_PROBE_H

#include "evonode/device.h"

/// What that process does: opens the device, prints the answers.
evn_status evn__probe_main(const char *selector);

/// Have the device probed, where that is wanted. Nothing here makes a run fail.
void evn__probe_device(evn_device *device);

#endif
