// SPDX-License-Identifier: Apache-2.0
// --memory-limit: a training makes do with less device memory, or is refused before it begins.
#ifndef EVN_CLI_MEMORY_LIMIT_H
#define EVN_CLI_MEMORY_LIMIT_H

#include "cli/rehearsal.h"

/// Whether the option is right.
/// @param[in] text     NULL: it was not given
/// @param[in] resumes  where it may also be off
/// @return EVN_ERR_USAGE
evn_status evn__memory_limit_check(const char *text, bool resumes);

/// Rehearse; compute batches in parts where --memory-limit asks for it (then also
/// settings->micro_batches says so); refuse what does not fit, with what would.
/// Where there is a limit, be it auto, an adjoint that may fall back on checkpoints must fit with
/// these.
/// @param[in] fixed  batches, parts and gradients must stay as they are: a run goes on
/// @return EVN_ERR_DEVICE_MEMORY; EVN_ERR_USAGE for a limit that is none
evn_status evn__memory_fit(evn__session *session, evn__settings *settings, bool fixed,
                           evn__needs *needs);

#endif
