// SPDX-License-Identifier: Apache-2.0
#include "cli/probe.h"

#include "host/child.h"
#include "host/probe.h"
#include "tune/first_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double SECONDS = 20; // both take a fifth of one on PoCL, and more on a busy machine

static void print_answer(const char *name, bool yes) {
    printf("%s %d\n", name, yes);
    fflush(stdout); // the next one may be the last
}

evn_status evn__probe_main(const char *selector) {
    evn_device *device;
    EVN_TRY(evn_device_open(selector, &device));
    evn__probes_run(device, print_answer);
    evn_device_close(&device);
    return EVN_OK;
}

#if defined(__linux__)

/// A new program: what OpenCL has begun in this one does not survive a fork.
static void run_again(void *user, int out) {
    if (dup2(out, STDOUT_FILENO) >= 0) {
        execl("/proc/self/exe", "evonode", "--probe", (const char *)user, (char *)NULL);
    }
}

void evn__probe_device(evn_device *device) {
    char place[32];
    evn__child_result result;
    const evn_device_info *info = evn_device_get_info(device);
    if (evn__selftest_is_off() || !evn__probes_wanted(device)) {
        return;
    }
    snprintf(place, sizeof(place), "%d:%d", info->platform, info->device);
    evn_status status = evn__child_run(run_again, place, SECONDS, &result);
    if (status == EVN_OK && result.end != EVN__CHILD_NONE) {
        evn__probes_keep(device, result.data.data);
    }
    free(result.data.data);
}

#else // how a program finds itself is not known here: what the quirks say must do

void evn__probe_device(evn_device *device) {
    (void)device;
}

#endif
