// SPDX-License-Identifier: Apache-2.0
#include "host/compilers.h"
#include "base/clock.h"
#include "base/memory.h"
#include "host/forecast.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    MOST = 8,      ///< processes: each takes some 150 MB with PoCL
    JOBS_EACH = 6, ///< at least: what it does first, PoCL's own functions, is as long
};

typedef struct compiler {
    pid_t process; ///< 0: none (any more)
    int socket;
    int job;      ///< that it does; −1: none
    double since; ///< when it got that
    int *numbers; ///< per build of the device: what it knows it by, −1: not sent
    int known;    ///< how many it knows
    evn__build *last;
} compiler;

typedef struct crew {
    const evn_device *device;
    const evn__job *jobs;
    evn__build *const *builds;
    bool *taken; ///< per job
    int count;
    compiler compilers[MOST];
    int size;
} crew;

// Begin and end -----------------------------------------------------------------------------------

static int count_compilers(int jobs) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int most = processors < MOST ? (int)processors : MOST;
    return most < jobs / JOBS_EACH ? most : jobs / JOBS_EACH;
}

/// Its standard input is the socket; what it prints, such as a compiler's warnings, is nobody's.
static bool spawn(const char *program, const char *selector, int socket, pid_t *process) {
    posix_spawn_file_actions_t actions;
    char *const words[] = {(char *)program, EVN__COMPILER_WORD, (char *)selector, NULL};
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return false;
    }
    bool done =
        posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn(process, program, &actions, NULL, words, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return done;
}

static bool start(const evn_device *device, compiler *h) {
    int pair[2];
    char selector[32];
    snprintf(selector, sizeof(selector), "%d:%d", device->info.platform, device->info.device);
    *h = (compiler){.job = -1};
    if (EVN_NEW(&h->numbers, device->build_count) != EVN_OK ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        return false;
    }
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    fcntl(pair[1], F_SETFD, FD_CLOEXEC);
    // A text that fills the socket waits until the process reads it: no longer than for a job.
    struct timeval limit = {.tv_sec = (time_t)device->compiler_seconds + 1};
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    bool done = spawn(device->compiler, selector, pair[1], &h->process);
    close(pair[1]);
    h->socket = pair[0];
    if (!done) {
        close(pair[0]);
        h->process = 0;
    }
    for (int i = 0; i < device->build_count; ++i) {
        h->numbers[i] = -1;
    }
    return done;
}

/// Nothing is lost: implementations write their caches under temporary names.
static void end(compiler *h) {
    if (h->process > 0) {
        close(h->socket);
        kill(h->process, SIGKILL);
        while (waitpid(h->process, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    h->process = 0;
    h->job = -1;
}

// Jobs --------------------------------------------------------------------------------------------

static bool is_begun(const crew *c, const evn__build *build) {
    for (int i = 0; i < c->count; ++i) {
        if (c->taken[i] && c->builds[i] == build) {
            return true;
        }
    }
    return false;
}

/// How much a process would rather have a job: of the program that it has loaded, of one that
/// nobody has compiled, of any.
static int rank(const crew *c, const compiler *h, int job) {
    return c->builds[job] == h->last ? 2 : is_begun(c, c->builds[job]) ? 0 : 1;
}

static int choose(const crew *c, const compiler *h) {
    int best = -1, highest = -1;
    for (int i = 0; i < c->count; ++i) {
        int own = c->taken[i] ? -1 : rank(c, h, i);
        if (own > highest) {
            highest = own;
            best = i;
        }
    }
    return best;
}

static int find_build(const evn_device *device, const evn__build *build) {
    int i = 0;
    while (device->builds[i] != build) {
        ++i;
    }
    return i;
}

/// The next job, if there is any.
static void give(crew *c, compiler *h) {
    int next = choose(c, h);
    h->job = next;
    if (next < 0) {
        return;
    }
    evn__job job = c->jobs[next];
    int *number = &h->numbers[find_build(c->device, c->builds[next])];
    bool fresh = *number < 0;
    *number = fresh ? h->known++ : *number;
    job.build = *number;
    h->last = c->builds[next];
    h->since = evn__now();
    c->taken[next] = true;
    if (!evn__job_send(h->socket, &job, fresh ? c->builds[next] : NULL)) {
        end(h);
    }
}

static void hear(crew *c, compiler *h) {
    char answer;
    if (recv(h->socket, &answer, 1, 0) == 1) {
        give(c, h);
    } else {
        end(h);
    }
}

/// Wait for any answer; false when nobody has a job any more.
static bool wait_once(crew *c) {
    struct pollfd sockets[MOST];
    compiler *of[MOST];
    int busy = 0;
    for (int i = 0; i < c->size; ++i) {
        if (c->compilers[i].job >= 0) {
            of[busy] = &c->compilers[i];
            sockets[busy++] = (struct pollfd){.fd = c->compilers[i].socket, .events = POLLIN};
        }
    }
    if (busy == 0) {
        return false;
    }
    poll(sockets, (nfds_t)busy, 100);
    for (int i = 0; i < busy; ++i) {
        if (sockets[i].revents) {
            hear(c, of[i]);
        } else if (evn__now() - of[i]->since > c->device->compiler_seconds) {
            end(of[i]);
        }
    }
    return true;
}

void evn__compilers_run(const evn_device *device, const evn__job *jobs, evn__build *const *builds,
                        int count) {
    crew c = {.device = device, .jobs = jobs, .builds = builds, .count = count};
    if (EVN_NEW(&c.taken, count) != EVN_OK) {
        return;
    }
    for (int wanted = count_compilers(count); c.size < wanted; ++c.size) {
        if (!start(device, &c.compilers[c.size])) {
            free(c.compilers[c.size].numbers);
            break;
        }
    }
    for (int i = 0; i < c.size; ++i) {
        give(&c, &c.compilers[i]);
    }
    while (wait_once(&c)) {
    }
    for (int i = 0; i < c.size; ++i) {
        end(&c.compilers[i]);
        free(c.compilers[i].numbers);
    }
    free(c.taken);
}
