// SPDX-License-Identifier: Apache-2.0
// Whether a session's device computes rightly what the session is going to compute.
#ifndef EVN_CLI_TRUST_H
#define EVN_CLI_TRUST_H

#include "cli/session.h"

/// Remember what is made on the device of the session, which has just been opened.
evn_status evn__trust_begin(evn__session *session);

/// Check it, once for each plan, device and driver; session->selftest says what came of it.
/// @return EVN_ERR_DEVICE where the device computes wrongly and --force was not given
evn_status evn__trust_check(evn__session *session, const evn__settings *settings);

#endif
