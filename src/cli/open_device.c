// SPDX-License-Identifier: Apache-2.0
#include "cli/open_device.h"

#include "cli/probe.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 20 }; // seconds, then a line says what is waited for

static const int fatal[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
enum { FATAL = sizeof(fatal) / sizeof(fatal[0]) };

static void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; // in a signal handler nobody can be told
}

static void on_crash(int number) {
    (void)number;
    say("evonode: an OpenCL driver crashed while it was loaded; to see which, and how to leave it "
        "out: evonode devices\n");
    _exit(EVN_ERR_DEVICE);
}

static void on_long(int number) {
    (void)number;
    say("evonode: still waiting for the OpenCL drivers to load; to see which one hangs, in another "
        "terminal: evonode devices\n");
}

evn_status evn__open_device(const evn__settings *settings, evn_device **device) {
    struct sigaction crash = {.sa_handler = on_crash}, slow = {.sa_handler = on_long},
                     before[FATAL], before_alarm;
    for (int i = 0; i < FATAL; ++i) {
        sigaction(fatal[i], &crash, &before[i]);
    }
    slow.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &slow, &before_alarm);
    alarm(PATIENCE);
    evn_status status = evn_device_open(settings->device, device);
    alarm(0);
    sigaction(SIGALRM, &before_alarm, NULL);
    for (int i = 0; i < FATAL; ++i) {
        struct sigaction now;
        if (sigaction(fatal[i], NULL, &now) == 0 && now.sa_handler == on_crash) { // not a driver's
            sigaction(fatal[i], &before[i], NULL);
        }
    }
    if (status == EVN_OK) {
        evn__probe_device(*device);
    }
    return status;
}
