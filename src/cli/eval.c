// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "io/run_directory.h"

/// The parameters of a run that was stopped may be those of the middle of an epoch.
static evn_status warn_unfinished(const char *folder) {
    json_t *summary;
    EVN_TRY(evn__run_summary(folder, &summary));
    if (!summary) {
        evn__report_unfinished(folder);
    }
    json_decref(summary);
    return EVN_OK;
}

static evn_status evaluate(evn__session *session, const evn__command *command) {
    evn_metrics metrics = {0};
    EVN_TRY(warn_unfinished(command->settings->subject));
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
