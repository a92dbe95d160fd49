// SPDX-License-Identifier: Apache-2.0
#include "cli/open_device.h"

#include "base/number.h"
#include "cli/probe.h"
#include "host/deadline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 20 };   // seconds, then a line says what is waited for
enum { DEADLINE = 3600 }; // of a wait for the device: more than any known launch takes

static const int fatal[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
enum { FATAL = sizeof(fatal) / sizeof(fatal[0]) };

static void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; // in a signal handler nobody can be told
}

static volatile sig_atomic_t loading; // a driver may keep the handler of crashes, behind its own
static pid_t loader;                  // children of a driver have both handlers, too

static bool is_loading(void) {
    return loading && getpid() == loader;
}

static void on_crash(int number) {
    if (!is_loading()) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    say("evonode: an OpenCL driver crashed while it was loaded; to see which, and how to leave it "
        "out: evonode devices\n");
    _exit(EVN_ERR_DEVICE);
}

/// A program that a driver ends has done nothing, whatever the exit code.
static void on_end(void) {
    if (is_loading()) {
        say("evonode: an OpenCL driver ended the program while it was loaded; to see which, and "
            "how to leave it out: evonode devices\n");
        _exit(EVN_ERR_DEVICE);
    }
}

static void on_long(int number) {
    (void)number;
    say("evonode: still waiting for the OpenCL drivers to load; to see which one hangs, in another "
        "terminal: evonode devices\n");
}

/// A call that hangs does not return: the process ends with what is on the disk.
static void on_late(void *user, const char *what, double seconds) {
    char text[512];
    (void)user;
    evn__print(text, sizeof(text),
               "\nevonode: the device does not answer: %s has lasted %.0f s; its driver hangs, or "
               "needs longer: EVONODE_DEADLINE is in seconds, or off. A training goes on from its "
               "checkpoint, or begins again: evonode resume\n",
               what, seconds);
    say(text);
    _exit(EVN_ERR_DEADLINE);
}

static evn_status make_deadline(evn__deadline **deadline) {
    const char *text = getenv("EVONODE_DEADLINE");
    double seconds = DEADLINE;
    if (text && strcmp(text, "off") == 0) {
        seconds = 0;
    } else if (text && text[0]) {
        char *end;
        seconds = evn__read_real(text, &end);
        EVN_CHECK(end > text && *end == 0 && seconds > 0 && seconds <= 1e7, EVN_ERR_USAGE,
                  "EVONODE_DEADLINE is '%s', but should be seconds up to 10000000, or off", text);
    }
    return evn__deadline_create(seconds, on_late, NULL, deadline);
}

evn_status evn__open_device(const evn__settings *settings, evn_device **device) {
    struct sigaction crash = {.sa_handler = on_crash}, slow = {.sa_handler = on_long},
                     before[FATAL], before_alarm;
    evn__deadline *deadline;
    EVN_TRY(make_deadline(&deadline));
    for (int i = 0; i < FATAL; ++i) {
        sigaction(fatal[i], &crash, &before[i]);
    }
    slow.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &slow, &before_alarm);
    alarm(PATIENCE);
    atexit(on_end);
    loader = getpid();
    loading = 1;
    evn_status status = evn__device_open_under(settings->device, deadline, device);
    loading = 0;
    alarm(0);
    sigaction(SIGALRM, &before_alarm, NULL);
    for (int i = 0; i < FATAL; ++i) {
        struct sigaction now;
        if (sigaction(fatal[i], NULL, &now) == 0 && now.sa_handler == on_crash) { // not a driver's
            sigaction(fatal[i], &before[i], NULL);
        }
    }
    if (status == EVN_OK) {
        evn__probe_device(*device); // under the deadline: it compiles and waits
    }
    return status;
}
