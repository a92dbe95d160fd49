// SPDX-License-Identifier: Apache-2.0
// What training and evaluation work with: device, phases, and what the task trains.
#ifndef EVN_CLI_SESSION_H
#define EVN_CLI_SESSION_H

#include "cli/settings.h"
#include "train/curve.h"
#include "train/flow.h"

typedef struct evn__session {
    evn_device *device;
    evn_phase phases[EVN__PHASES_MAX];
    evn_trainer_options options; ///< phases point into the session
    int phase;                   ///< whose solver evaluates: the last that was trained
    evn_dataset *dataset;        ///< images
    evn_trainer *trainer;        ///< images
    evn__curve *curve;           ///< the curve
    const evn__density *density; ///< flows
    evn__flow *flow;             ///< flows
} evn__session;

/// Translate the settings, which must be complete, read the task's data and open the device.
/// Zero-initialise the session before.
evn_status evn__session_open(evn__session *session, const char *task, evn__settings *settings);
void evn__session_close(evn__session *session);

#endif
