// SPDX-License-Identifier: Apache-2.0
// --launch-limit: what launches take is found out before the work, which is cut so that none takes
// longer. What solves for points or rows of its own cuts these itself (host/timing.h).
#ifndef EVN_CLI_LAUNCH_LIMIT_H
#define EVN_CLI_LAUNCH_LIMIT_H

#include "cli/session.h"

/// Whether the option is right.
/// @param[in] text  NULL: it was not given
/// @return EVN_ERR_USAGE
evn_status evn__launch_limit_check(const char *text);

/// Before a training: time the launches, where --launch-limit or the device asks for it; compute
/// batches in parts so that none is longer, and warn where no parts help. session->longest is the
/// longest.
/// @param[in] fixed  the parts must stay as they are: a run goes on, and is timed alone
evn_status evn__launch_fit(evn__session *session, evn__settings *settings, bool fixed);

/// The same for the use of what is learnt, with a source and without a task.
evn_status evn__launch_cut(evn__session *session, evn__settings *settings);

/// Around the use: some of the launches are timed. At the end session->longest is the longest; warn
/// where it was too long, else say it where it was asked for.
void evn__launch_begin(evn__session *session);
void evn__launch_end(evn__session *session, const evn__settings *settings);

#endif
