// SPDX-License-Identifier: Apache-2.0
#include "tune/selftest.h"

#include "cli/open_device.h"
#include "cli/verb.h"

#include <stdio.h>

static void print_row(void *user, const evn__selftest_row *row) {
    (void)user;
    printf("  %-20s %-9s %5d  %9.1e  %9.0e  %s%s%s\n", row->family, row->fp64 ? "double" : "single",
           row->cases, row->error, row->tolerance, row->wrong == 0 ? "ok" : "WRONG",
           row->reason[0] ? ": " : "", row->reason);
    fflush(stdout);
}

static evn_status test(evn_device *device) {
    int wrong;
    const evn_device_info *info = evn_device_get_info(device);
    printf("%s, driver %s\n\n  %-20s %-9s %5s  %9s  %9s\n", info->name, info->driver, "kernels",
           "precision", "cases", "error", "allowed");
    EVN_TRY(evn__selftest(device, NULL, print_row, NULL, &wrong));
    EVN_CHECK(wrong == 0, EVN_ERR_DEVICE,
              "%d cases differ from the reference on %s: its results cannot be trusted; update its "
              "driver (now %s), or take another --device",
              wrong, info->name, info->driver);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    evn_device *device = NULL;
    EVN_TRY(evn__open_device(command->settings, &device));
    evn_status status = test(device);
    evn_device_close(&device);
    return status;
}

const evn__verb evn__verb_selftest = {
    "selftest",
    NULL,
    "check every kernel family of a device against plain C",
    EVN__VERB_SELFTEST,
    run,
    "\nSmall odd shapes, in single and double precision, with the variants that the device is\n"
    "tuned to. Ends with 7 where a result differs by more than is allowed: the error is the\n"
    "largest difference over the largest result.\n"};
