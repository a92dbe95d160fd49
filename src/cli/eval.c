// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/verb.h"
#include "cli/work.h"

static evn_status evaluate(evn__session *session, const char *task, const evn__command *command) {
    return evn__task_work(task)->evaluate(session, command->settings->subject);
}

static evn_status run(const evn__command *command) {
    return evn__reopen(command, evaluate);
}

const evn__verb evn__verb_eval = {"eval",         "RUN", "test the model of a run folder",
                                  EVN__VERB_EVAL, run,   ""};
