// SPDX-License-Identifier: Apache-2.0
// A run folder opened again: what eval and its like begin with.
#ifndef EVN_CLI_REOPEN_H
#define EVN_CLI_REOPEN_H

#include "cli/session.h"
#include "cli/verb.h"
#include <jansson.h>

/// The settings of a run as its run.json has them, with those of `given` in their place, complete.
/// @param[in] solve  its last phase alone, to solve with (evn__settings_override); else all of them
/// @param[out] run       run.json; released by the caller with json_decref. The settings borrow
///                       texts from it
/// @param[out] settings  freed by the caller with evn__settings_free, also after a failure
evn_status evn__reopen_settings(const char *folder, const evn__settings *given, bool solve,
                                json_t **run, const evn__task_row **task, evn__settings *settings);

/// The run was trained on the classes that the session's data have.
/// @return EVN_ERR_DATA
evn_status evn__reopen_check(const json_t *run, const evn__session *session);

/// Read the run folder that the command names, with what the command line gives in the place of
/// what run.json says; build the task with its parameters; `use` the session.
evn_status evn__reopen(const evn__command *command,
                       evn_status (*use)(evn__session *session, const evn__command *command));

/// The same without the data that it was trained on, where its task can do without.
evn_status evn__reopen_learnt(const evn__command *command,
                              evn_status (*use)(evn__session *session,
                                                const evn__command *command));

/// The same without the data that it was trained on: to answer what the command line gives, in the
/// way of the run's task.
evn_status evn__reopen_to_predict(const evn__command *command);

#endif
