// SPDX-License-Identifier: Apache-2.0
// The network file of a run, which it keeps as network.json, and its hash in run.json, by which it
// is known again.
#ifndef EVN_CLI_KEPT_NETWORK_H
#define EVN_CLI_KEPT_NETWORK_H

#include "cli/settings.h"
#include "evonode/network.h"
#include <jansson.h>

/// Put the hash of a network's text into run.json.
/// @param[in] network  NULL: a shipped one, which needs none
void evn__kept_network_show(const evn_network *network, json_t *run);

/// Let the settings of a run name the file that it kept, whatever has become of the one it was
/// given, and the hash, borrowed from run.json. The file is not read.
/// @return EVN_ERR_OUTPUT when its path is too long; EVN_ERR_MEMORY
evn_status evn__kept_network_take(const char *folder, const json_t *run, evn__settings *settings);

/// Read the network file that the settings name; one that a run kept has to fit its hash.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_MEMORY
evn_status evn__kept_network_read(const evn__settings *settings, evn_network **network);

#endif
