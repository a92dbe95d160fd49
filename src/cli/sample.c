// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/verb.h"

static evn_status sample(evn__session *session, const evn__command *command) {
    EVN_CHECK(session->row->sample, EVN_ERR_ARGUMENT,
              "%s is a run of the task %s; only a flow and a series have something to sample",
              command->settings->subject, session->row->name);
    return session->row->sample(session, command);
}

static evn_status run(const evn__command *command) {
    return evn__reopen_learnt(command, sample);
}

const evn__verb evn__verb_sample = {
    "sample",
    "RUN",
    "new points from a trained flow, values of a trained series",
    EVN__VERB_SAMPLE,
    run,
    "\nOf a flow these are lines of CSV with the columns that it was trained on (x and y of a\n"
    "density in the plane) and the logarithm of its density there, log_p. Of a series they are\n"
    "its quantities at the times of its file, at those of --times, or at --count times from its\n"
    "last row up to --until; beyond the data, what the model makes of them.\n"};
