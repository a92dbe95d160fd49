// SPDX-License-Identifier: Apache-2.0
#include "train/pause.h"

#include "base/clock.h"
#include "base/status.h"
#include <time.h>

evn_status evn__pause_check(const evn_trainer_options *options) {
    EVN_CHECK(options->pause_seconds >= 0 && options->pause_seconds <= 3600 &&
                  options->pause_share >= 0 && options->pause_share <= 0.99,
              EVN_ERR_ARGUMENT,
              "a pause of %g s, or of the share %g of the time; give 0 to 3600, and 0 to 0.99",
              options->pause_seconds, options->pause_share);
    return EVN_OK;
}

evn_status evn__pause(evn_device *device, const evn_trainer_options *options, double begun) {
    if (options->pause_seconds == 0 && options->pause_share == 0) {
        return EVN_OK;
    }
    EVN_TRY(evn_device_finish(device));
    double worked = evn__now() - begun;
    double seconds =
        options->pause_seconds + worked * options->pause_share / (1 - options->pause_share);
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL); // a signal ends it early, as it should
    return EVN_OK;
}
