// SPDX-License-Identifier: Apache-2.0
#include "cli/trust.h"

#include "cli/console.h"
#include "host/tuning.h"
#include "task/evaluate.h"
#include "train/fallback.h"

#include <stdio.h>

evn_status evn__trust_begin(evn__session *session) {
    return session->first_use ? EVN_OK : evn__first_use_begin(session->device, &session->first_use);
}

static evn_status refuse(const evn__session *session, const evn__first_use_result *result) {
    const evn_device_info *info = evn_device_get_info(session->device);
    char tuning[33];
    EVN_TRY(evn__tuning_digest(session->device, tuning));
    EVN_FAIL(
        EVN_ERR_DEVICE,
        "%s computes wrongly what this run needs, in %d of %d parts: %s; its results cannot be "
        "trusted: update its driver (now %s)%s, or take another --device; --force goes on all "
        "the same",
        info->name, result->wrong, result->checked + result->families, result->what, info->driver,
        tuning[0] ? ", set EVONODE_TUNE=off, since it is tuned" : "");
}

static const char *verdict(const evn__session *session, const evn__first_use_result *result) {
    bool off = result->plans > 0 && result->known + result->checked + result->families == 0;
    return result->wrong > 0    ? result->what
           : session->unchecked ? "right where checked; for the rest there was no memory"
           : off                ? "off"
                                : "right";
}

/// The plans that there are now. What was wrong before stays what is said.
static evn_status check(evn__session *session, const evn__settings *settings) {
    evn__first_use_result result;
    evn__console_activity("checking the device's results, at its first use");
    evn_status status = evn__first_use_check(session->first_use, &result);
    evn__console_clear();
    EVN_TRY(status);
    session->unchecked = session->unchecked || result.unchecked > 0;
    if (session->distrusted) {
        return EVN_OK;
    }
    session->distrusted = result.wrong > 0;
    snprintf(session->selftest, sizeof(session->selftest), "%s", verdict(session, &result));
    if (!session->distrusted) {
        return EVN_OK;
    }
    EVN_TRY(settings->force ? EVN_OK : refuse(session, &result));
    evn__console_distrust(session->selftest);
    return EVN_OK;
}

evn_status evn__trust_check(evn__session *session, const evn__settings *settings) {
    evn_status status = check(session, settings);
    evn__first_use_end(&session->first_use);
    return status;
}

// Later phases ------------------------------------------------------------------------------------

/// As the phase will be trained. Where there is no memory for it now, it stays unchecked.
static evn_status check_phase(evn__session *session, const evn__settings *settings,
                              const evn_phase *phase) {
    const evn_task *task = &session->task;
    const evn_solver_options solver = evn__fallback_solver(phase, task, EVN__FALLBACK_NONE);
    void *program = NULL;
    evn__error_clear();
    evn_status status = evn__task_result(
        task, "compile", task->methods->compile(task->self, &solver, true, &program));
    if (status == EVN_ERR_DEVICE_MEMORY || status == EVN_ERR_MEMORY) {
        evn__error_clear();
        session->unchecked = true;
        return EVN_OK;
    }
    EVN_TRY(status);
    status = check(session, settings);
    task->methods->release(program);
    return status;
}

evn_status evn__trust_later_phases(evn__session *session, const evn__settings *settings) {
    bool fresh, first = true;
    EVN_TRY(evn__first_use_foresees(session->first_use, &fresh));
    for (int i = 0; i < session->options.phase_count && fresh && !session->distrusted; ++i) {
        bool trained = session->phases[i].epochs > 0;
        EVN_TRY(trained && !first ? check_phase(session, settings, &session->phases[i]) : EVN_OK);
        first = first && !trained;
    }
    bool all = fresh && !session->distrusted && !session->unchecked;
    return all ? evn__first_use_keep_foreseen(session->first_use) : EVN_OK;
}
