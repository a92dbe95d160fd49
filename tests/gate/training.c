// SPDX-License-Identifier: Apache-2.0
#include "cli/rehearsal.h"
#include "gate/write.h"
#include "host/forecast.h"

static evn_status rehearse(evn__session *session, const evn__settings *settings,
                           const char *folder) {
    evn__needs needs;
    EVN_TRY(evn__forecast_begin(session->device));
    evn_status status = evn__rehearse(session, settings, &(evn__variation){0}, &needs);
    if (status == EVN_OK) {
        status = gate_write_programs(session->device, folder);
    }
    evn_status ended = evn__forecast_end(session->device, false);
    return status == EVN_OK ? ended : status;
}

static evn_status write(evn__settings *settings, const char *folder, int count,
                        char *const *words) {
    const evn__task_row *row;
    evn__session session = {0};
    EVN_TRY(evn__settings_parse(settings, EVN__VERB_TRAIN, count, words));
    EVN_CHECK(settings->subject, EVN_ERR_USAGE, "which task is to be trained?");
    EVN_TRY(evn__task_find(settings->subject, EVN_ERR_USAGE, &row));
    row = evn__task_for(row, settings);
    EVN_TRY(evn__settings_complete(settings, row));
    evn_status status = evn__session_open(&session, row, settings);
    if (status == EVN_OK) {
        status = rehearse(&session, settings, folder);
    }
    evn__session_close(&session);
    return status;
}

evn_status gate_write_training(const char *folder, int count, char *const *words) {
    evn__settings settings;
    evn__settings_clear(&settings);
    evn_status status = write(&settings, folder, count, words);
    evn__settings_free(&settings);
    return status;
}
