// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/report.h"
#include "cli/verb.h"

static evn_status evaluate(evn__session *session, const evn__command *command) {
    evn_metrics metrics = {0};
    const evn_solver_options *solver = evn__session_solver(session);
    EVN_TRY(evn_task_evaluate(&session->task, solver, EVN_TEST, 0, &metrics));
    evn__report_evaluation(session->row, command->settings->subject, session->device, solver,
                           &metrics);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    return evn__reopen(command, evaluate);
}

const evn__verb evn__verb_eval = {"eval", "RUN", "test a trained model", EVN__VERB_EVAL, run, ""};
