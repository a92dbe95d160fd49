// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "cli/console.h"
#include "cli/reopen.h"
#include "cli/verb.h"
#include "evonode/version.h"
#include "host/timing.h"
#include "io/metrics_json.h"
#include "io/run_checkpoints.h"
#include "io/run_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/// The parameters of a run that was stopped may be those of the middle of an epoch.
static evn_status warn_unfinished(const char *folder) {
    json_t *summary;
    EVN_TRY(evn__run_summary(folder, &summary));
    if (!summary) {
        evn__console_unfinished(folder);
    }
    json_decref(summary);
    return EVN_OK;
}

static json_t *show_solver(const evn_solver_options *solver) {
    return solver->steps > 0
               ? json_pack("{s:s, s:i}", "method", solver->method, "steps", solver->steps)
               : json_pack("{s:s, s:f, s:f}", "method", solver->method, "rtol", solver->rtol,
                           "atol", solver->atol);
}

/// The test part, and what else the task's row measures.
static evn_status measure(const evn__session *session, const char *folder, evn_metrics *metrics,
                          json_t *evaluation) {
    const evn_solver_options *solver = evn__session_solver(session);
    const evn__evaluation *more = session->row->evaluate;
    const char *device = evn_device_get_info(session->device)->name;
    evn__json_put(evaluation, "evonode", json_string(evn_version()));
    evn__json_put(evaluation, "task", json_string(session->row->name));
    evn__json_put(evaluation, "solver", show_solver(solver));
    evn__json_put(evaluation, "device", json_string(device));
    EVN_TRY(more ? more->measure(session, folder, metrics, evaluation)
                 : evn_task_evaluate(&session->task, solver, EVN_TEST, 0, metrics));
    double longest = evn__device_longest(session->device)->seconds;
    EVN_TRY(longest > 0 ? evn_metrics_set(metrics, "longest_launch", "s", EVN_BETTER_LOWER, longest)
                        : EVN_OK);
    evn__metrics_show(metrics, evaluation);
    return EVN_OK;
}

static evn_status print_json(const json_t *evaluation) {
    char *text;
    EVN_TRY(evn__json_print(evaluation, JSON_INDENT(2), 9, &text));
    printf("%s\n", text);
    free(text);
    return EVN_OK;
}

static evn_status print(const evn__session *session, const evn__settings *given,
                        const evn_metrics *metrics, const json_t *evaluation) {
    if (given->json) {
        return print_json(evaluation);
    }
    evn__console_evaluation(session->row, given->subject,
                            given->best ? evn__run_checkpoint_name(EVN__CHECKPOINT_BEST) : NULL,
                            session->device, evn__session_solver(session), metrics);
    return session->row->evaluate ? session->row->evaluate->print(evaluation) : EVN_OK;
}

static evn_status evaluate(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    evn_metrics metrics = {0};
    EVN_TRY(given->best ? EVN_OK : warn_unfinished(given->subject));
    // A run of somebody else is only read, and what it keeps is of its model.
    bool kept = access(given->subject, W_OK) == 0 && !given->best;
    json_t *evaluation = json_object();
    if (given->best) {
        evn__json_put(evaluation, "checkpoint", json_string("best"));
    }
    evn_status status = measure(session, kept ? given->subject : NULL, &metrics, evaluation);
    if (status == EVN_OK && kept) {
        status = evn__run_evaluation_write(given->subject, evaluation);
    }
    if (status == EVN_OK) {
        status = print(session, given, &metrics, evaluation);
    }
    json_decref(evaluation);
    return status;
}

static evn_status run(const evn__command *command) {
    return evn__reopen(command, evaluate);
}

const evn__verb evn__verb_eval = {
    "eval",
    "RUN",
    "test a trained model",
    EVN__VERB_EVAL,
    run,
    "\nOf images it says for each class how many of the answers are right (precision), how many "
    "of\n"
    "the class were found (recall) and F1, which classes are taken for which, and how far the\n"
    "probabilities are from the frequencies (expected calibration error over 15 bins, Brier\n"
    "score). The run directory gets evaluation.json with all of it and, of images, the pictures\n"
    "confusion and reliability (png and svg). With --best, of a run that is not finished, it gets\n"
    "none.\n"};
