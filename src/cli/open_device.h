// SPDX-License-Identifier: Apache-2.0
// Opening the device of a verb: drivers are loaded here, and may crash or hang.
#ifndef EVN_CLI_OPEN_DEVICE_H
#define EVN_CLI_OPEN_DEVICE_H

#include "cli/settings.h"
#include "evonode/device.h"

/// As evn_device_open with --device. A driver that crashes meanwhile ends the program with 7 and a
/// word on how to find it; one that takes long draws a line on standard error.
evn_status evn__open_device(const evn__settings *settings, evn_device **device);

#endif
