// SPDX-License-Identifier: Apache-2.0
#include "cli/trust.h"

#include "cli/console.h"
#include "host/tuning.h"

#include <stdio.h>

evn_status evn__trust_begin(evn__session *session) {
    return evn__first_use_begin(session->device, &session->first_use);
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

evn_status evn__trust_check(evn__session *session, const evn__settings *settings) {
    evn__first_use_result result;
    evn__console_activity("checking the device's results, at its first use");
    evn_status status = evn__first_use_check(session->first_use, &result);
    evn__console_clear();
    evn__first_use_end(&session->first_use);
    EVN_TRY(status);
    bool off = result.plans > 0 && result.known + result.checked + result.families == 0;
    snprintf(session->selftest, sizeof(session->selftest), "%s",
             result.wrong > 0 ? result.what
             : off            ? "off"
                              : "right");
    if (result.wrong == 0) {
        return EVN_OK;
    }
    EVN_TRY(settings->force ? EVN_OK : refuse(session, &result));
    evn__console_distrust(session->selftest);
    return EVN_OK;
}
