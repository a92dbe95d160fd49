// SPDX-License-Identifier: Apache-2.0
#include "cli/interruption.h"

#include "evonode/status.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t deferred, asked;
static pid_t owner; // its children have the handler, too, and say nothing

static void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; // in a signal handler nobody can be told
}

static void on_signal(int number) {
    if (deferred && !asked) {
        asked = 1;
        return;
    }
    if (getpid() == owner) {
        say("\nevonode: interrupted by ");
        say(number == SIGINT ? "SIGINT" : number == SIGTERM ? "SIGTERM" : "SIGHUP");
        say("; what is on the disk stays as it is\n");
    }
    _exit(EVN_ERR_INTERRUPTED);
}

static void take(int number, bool also_ignored) {
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigemptyset(&action.sa_mask);
    if (also_ignored || (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)) {
        sigaction(number, &action, NULL);
    }
}

void evn__interruption_begin(void) {
    owner = getpid();
    take(SIGINT, false);
    take(SIGTERM, false);
    take(SIGHUP, false);
}

void evn__interruption_defer(void) {
    deferred = 1;
    take(SIGINT, true);
    take(SIGTERM, true);
    take(SIGHUP, false);
}

bool evn__interruption_asked(void) {
    return asked;
}
