// SPDX-License-Identifier: Apache-2.0
#include "host/tuning.h"
#include "tune/tuner.h"

#include "cli/open_device.h"
#include "cli/verb.h"

#include <stdio.h>
#include <stdlib.h>

static const double SECONDS = 180, QUICK_SECONDS = 15;

static void print_row(void *user, const evn__tuner_row *row) {
    (void)user;
    printf("  %-40s %9.3f  %9.3f  %6.2f  %-20s %5d%s\n", row->title, 1e3 * row->default_seconds,
           1e3 * row->seconds, row->default_seconds / row->seconds,
           row->winner[0] ? row->winner : "default", row->tried,
           row->complete ? "" : "  (out of time)");
    if (row->wrong > 0) {
        printf("    %d wrong; %s\n", row->wrong, row->reason);
    } else if (row->skipped > 0 && row->tried == 0) {
        printf("    %d skipped; %s\n", row->skipped, row->reason);
    }
    fflush(stdout);
}

static evn_status tune(evn_device *device, const evn__settings *settings) {
    const evn_device_info *info = evn_device_get_info(device);
    evn__tuner_options options = {.family = settings->family, .quick = settings->quick};
    options.seconds = settings->quick ? QUICK_SECONDS : SECONDS;
    if (settings->seconds > 0) {
        options.seconds = (double)settings->seconds;
    }
    const char *idle = evn__tuner_idle(device, &options);
    if (idle) {
        printf("%s, driver %s: nothing to choose on this device: %s\n", info->name, info->driver,
               idle);
        return EVN_OK;
    }
    printf("%s, driver %s; at most %.0f s\n\n  %-40s %9s  %9s  %6s  %-20s %5s\n", info->name,
           info->driver, options.seconds, "shape", "default", "best ms", "ratio", "variant",
           "tried");
    EVN_TRY(evn__tuner_run(device, &options, print_row, NULL));
    char *path;
    EVN_TRY(evn__tuning_save(device, &path));
    if (path) {
        printf("\n  written: %s\n", path);
    } else {
        printf("\n  not written: EVONODE_TUNE or EVONODE_CACHE_DIR disables it\n");
    }
    free(path);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    evn_device *device = NULL;
    EVN_TRY(evn__open_device(command->settings, &device));
    evn_status status = tune(device, command->settings);
    evn_device_close(&device);
    return status;
}

const evn__verb evn__verb_tune = {
    "tune",
    NULL,
    "find the fastest kernel variants of a device",
    EVN__VERB_TUNE,
    run,
    "\nFor the shapes of the models each variant is checked against plain C, at odd shapes too, "
    "and\n"
    "timed against the default, alternately; it must be 5 % faster. Times are of one operation, "
    "in\n"
    "milliseconds. Later runs on the device use the result; EVONODE_TUNE=off ignores it,\n"
    "evonode devices says whether it is used.\n"};
