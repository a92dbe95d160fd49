// SPDX-License-Identifier: Apache-2.0
// What training and evaluation work with: data set, device and trainer, from the settings.
#ifndef EVN_CLI_SESSION_H
#define EVN_CLI_SESSION_H

#include "cli/settings.h"

typedef struct evn__session {
    evn_dataset *dataset;
    evn_device *device;
    evn_phase phases[EVN__PHASES_MAX];
    evn_trainer_options options; ///< phases point into the session
    evn_trainer *trainer;        ///< NULL until it is created from the options
} evn__session;

/// Read the data, open the device and translate the settings, which must be complete; where they
/// do not give the number of filters, it is filled in. Zero-initialise the session before.
evn_status evn__session_open(evn__session *session, const char *task, evn__settings *settings);
void evn__session_close(evn__session *session);

#endif
