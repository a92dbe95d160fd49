// SPDX-License-Identifier: Apache-2.0
// What the last bits of a run depend on besides its options: the program, the device, its driver
// and what it was tuned to. run.json keeps it, and a run that is resumed is compared with it.
#ifndef EVN_CLI_MADE_WITH_H
#define EVN_CLI_MADE_WITH_H

#include "cli/session.h"
#include <jansson.h>

/// Add "versions", "device" and "tuning" of an open session to run.json.
/// @return EVN_ERR_MEMORY
evn_status evn__made_with_show(const evn__session *session, json_t *run);

/// What differs between an open session and a run that was made with something else, as a new array
/// of objects {what, begun, now}; empty: the same bits.
evn_status evn__made_with_compare(const evn__session *session, const json_t *run, json_t **differs);

/// The differences as a clause; freed by the caller.
evn_status evn__made_with_text(const json_t *differs, char **text);

#endif
