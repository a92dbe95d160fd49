// SPDX-License-Identifier: Apache-2.0
// Whether a session's device computes rightly what the session is going to compute.
#ifndef EVN_CLI_TRUST_H
#define EVN_CLI_TRUST_H

#include "cli/session.h"

/// Remember what is made on the device of the session, unless that has begun.
evn_status evn__trust_begin(evn__session *session);

/// Check it, once for each plan, device and driver; session->selftest says what came of it.
/// @return EVN_ERR_DEVICE where the device computes wrongly and --force was not given
evn_status evn__trust_check(evn__session *session, const evn__settings *settings);

/// Check what later phases will be trained with, one phase at a time, where a rehearsal has shown
/// plans that were not there in an earlier run. The task must be made, and nothing be trained.
/// @return as evn__trust_check
evn_status evn__trust_later_phases(evn__session *session, const evn__settings *settings);

#endif
