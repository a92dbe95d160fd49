// SPDX-License-Identifier: Apache-2.0
#include "host/job.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/// How long what follows a job is; 0: no build.
typedef struct sizes {
    size_t text, head, options;
} sizes;

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 // where it is missing, whoever sends must not mind SIGPIPE
#endif

static bool put(int socket, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t sent = send(socket, at, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return false;
        }
        at += sent > 0 ? sent : 0;
        bytes -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool get(int socket, void *data, size_t bytes) {
    char *at = data;
    while (bytes > 0) {
        ssize_t got = recv(socket, at, bytes, 0);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        at += got > 0 ? got : 0;
        bytes -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool evn__job_send(int socket, const evn__job *job, const evn__build *build) {
    sizes s = {0};
    if (build) {
        s = (sizes){build->text.size, build->head, build->options.size};
    }
    return put(socket, job, sizeof(*job)) && put(socket, &s, sizeof(s)) &&
           (!build ||
            (put(socket, build->text.data, s.text) && put(socket, build->options.data, s.options)));
}

static bool get_text(int socket, evn__text *text, size_t bytes) {
    text->data = malloc(bytes + 1);
    if (!text->data || !get(socket, text->data, bytes)) {
        return false;
    }
    text->data[bytes] = 0;
    text->size = bytes;
    return true;
}

bool evn__job_receive(int socket, evn__job *job, evn__build **build) {
    sizes s;
    *build = NULL;
    if (!get(socket, job, sizeof(*job)) || !get(socket, &s, sizeof(s))) {
        return false;
    }
    if (s.text == 0) {
        return true;
    }
    evn__build *fresh = calloc(1, sizeof(*fresh));
    if (!fresh || !get_text(socket, &fresh->text, s.text) ||
        !get_text(socket, &fresh->options, s.options)) {
        evn__build_free(NULL, fresh);
        return false;
    }
    fresh->head = s.head;
    *build = fresh;
    return true;
}

bool evn__job_answer(int socket) {
    return put(socket, "", 1);
}
