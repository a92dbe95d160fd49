// SPDX-License-Identifier: Apache-2.0
#include "host/child.h"

#include "base/clock.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

void evn__child_write(int out, const void *data, size_t bytes) {
    evn__write_all(out, data, bytes); // where nobody reads, nobody is to be told
}

/// Where the system tells of it: a child that outlives its parent would hold the lock of its run.
static void end_with(pid_t parent) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent) {
        _exit(1);
    }
}

/// A second or two after its parent would have ended it: one whose parent is gone ends by itself.
static void set_alarm(double seconds) {
    struct itimerval end = {.it_value.tv_sec = (time_t)(seconds < 1e9 ? seconds : 1e9) + 2};
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    setitimer(ITIMER_REAL, &end, NULL);
}

/// No core file and no noise: the parent says what happened.
static void begin_child(void (*work)(void *user, int out), void *user, double seconds, int out) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    set_alarm(seconds);
    int quiet = open("/dev/null", O_WRONLY);
    if (quiet >= 0) {
        dup2(quiet, STDOUT_FILENO);
        dup2(quiet, STDERR_FILENO);
    }
    static const int fatal[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); ++i) {
        signal(fatal[i], SIG_DFL);
    }
    work(user, out);
    _exit(0); // no exit handlers: they are the parent's, or those of the library under suspicion
}

static evn_status append(evn__text *text, const char *data, size_t bytes) {
    char *grown = realloc(text->data, text->size + bytes + 1);
    EVN_CHECK(grown, EVN_ERR_MEMORY, "no memory for what a child process says");
    text->data = grown;
    memcpy(text->data + text->size, data, bytes);
    text->size += bytes;
    text->data[text->size] = 0;
    return EVN_OK;
}

/// Until it closes its end, or the time is over: then `late`.
static evn_status collect(int in, double deadline, evn__text *data, bool *late) {
    char part[4096];
    for (*late = false;;) {
        double left = deadline - evn__now();
        struct pollfd wait = {.fd = in, .events = POLLIN};
        if (left <= 0) {
            *late = true;
            return EVN_OK;
        }
        int ready = poll(&wait, 1, left < 60 ? (int)(1e3 * left) + 1 : 60000);
        if (ready == 0) {
            continue;
        }
        ssize_t got = ready > 0 ? read(in, part, sizeof(part)) : -1;
        if (got == 0) {
            return EVN_OK;
        }
        EVN_CHECK(got > 0 || errno == EINTR, EVN_ERR_FILE,
                  "cannot read what a child process says: %s; try again", strerror(errno));
        if (got > 0) {
            EVN_TRY(append(data, part, (size_t)got));
        }
    }
}

/// It has closed its end: it is about to be gone, or was a moment ago.
static void end_child(pid_t child, bool late, evn__child_result *result) {
    int state = 0;
    if (late) {
        kill(child, SIGKILL);
    }
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
    result->signal = WIFSIGNALED(state) && !late ? WTERMSIG(state) : 0;
    bool well = WIFEXITED(state) && WEXITSTATUS(state) == 0;
    result->end = late ? EVN__CHILD_LATE : well ? EVN__CHILD_DONE : EVN__CHILD_CRASHED;
}

evn_status evn__child_run(void (*work)(void *user, int out), void *user, double seconds,
                          evn__child_result *result) {
    int ends[2];
    *result = (evn__child_result){.end = EVN__CHILD_NONE};
    if (pipe(ends) != 0) {
        result->error = errno;
        return EVN_OK;
    }
    pid_t parent = getpid(), child = fork();
    result->error = child < 0 ? errno : 0;
    if (child == 0) {
        end_with(parent);
        close(ends[0]);
        begin_child(work, user, seconds, ends[1]);
    }
    close(ends[1]);
    evn_status status = EVN_OK;
    if (child > 0) {
        bool late;
        status = collect(ends[0], evn__now() + seconds, &result->data, &late);
        end_child(child, late || status != EVN_OK, result);
    }
    close(ends[0]);
    if (status != EVN_OK) {
        free(result->data.data);
        result->data = (evn__text){0};
    }
    return status;
}
