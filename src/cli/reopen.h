// SPDX-License-Identifier: Apache-2.0
// A run folder opened again: what eval and its like begin with.
#ifndef EVN_CLI_REOPEN_H
#define EVN_CLI_REOPEN_H

#include "cli/session.h"
#include "cli/verb.h"

/// Read the run folder that the command names, with what the command line gives in the place of
/// what run.json says; build the model with its parameters; `use` the session.
evn_status evn__reopen(const evn__command *command,
                       evn_status (*use)(evn__session *session, const char *task,
                                         const evn__command *command));

#endif
