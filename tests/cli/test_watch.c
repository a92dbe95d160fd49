// SPDX-License-Identifier: Apache-2.0
// evonode train --watch: a page at this machine's own address while training runs, and no longer.
#include "program.h"
#include "test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SMALL "train digits --filters 8 --limit 64 --phase backprop:steps=1,lr=0.1,epochs="

enum { ANSWER = 1 << 20 };

static void pause_a_little(void) {
    nanosleep(&(struct timespec){0, 20000000}, NULL);
}

static pid_t start_watched(const char *arguments) {
    char path[TEST_PATH];
    unlink(test_path(path, "printed.err")); // of another run, it names another address
    return test_program_start("", SMALL "%s", arguments);
}

/// The port that the program says it serves at; 0: it ended without.
static int find_port(pid_t process) {
    int port = 0;
    for (int i = 0; i < 3000 && port == 0; ++i) {
        char *text = test_exists("printed.err") ? test_read("printed.err", NULL) : calloc(1, 1);
        char *url = strstr(text, "watch  http://127.0.0.1:");
        if (url && strchr(url, '\n')) {
            port = atoi(url + strlen("watch  http://127.0.0.1:"));
        }
        free(text);
        pause_a_little();
    }
    ck_assert_msg(port > 0, "process %d says no address", (int)process);
    return port;
}

/// The whole answer to a request; "" where nobody listens.
static const char *ask(int port, const char *request) {
    static char answer[ANSWER];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    size_t used = 0;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&at, sizeof(at)) == 0) {
        ck_assert_int_eq(send(connection, request, strlen(request), MSG_NOSIGNAL),
                         (int)strlen(request));
        for (ssize_t got = 1; got > 0 && used < ANSWER - 1; used += (size_t)(got > 0 ? got : 0)) {
            got = recv(connection, answer + used, ANSWER - 1 - used, 0);
        }
    }
    close(connection);
    answer[used] = 0;
    return answer;
}

static const char *get(int port, const char *path, const char *host) {
    char request[256];
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
             path, host);
    return ask(port, request);
}

/// Not without libmicrohttpd, which the program says.
static bool can_serve(void) {
    test_outcome result = test_program("", SMALL "1 --watch --out can");
    bool without = strstr(result.err, "without libmicrohttpd") != NULL;
    ck_assert_msg(result.code == (without ? EVN_ERR_USAGE : 0), "%s", result.err);
    return !without;
}

START_TEST(serves) {
    test_outcome plain = test_program("", SMALL "3 --out a");
    ck_assert_msg(plain.code == 0, "%s", plain.err);
    if (!can_serve()) {
        return;
    }
    pid_t process = start_watched("100000 --watch --out w");
    int port = find_port(process);
    const char *page = get(port, "/", "localhost");
    for (int i = 0; i < 500 && strstr(page, "has not begun"); ++i) {
        pause_a_little();
        page = get(port, "/", "localhost");
    }
    ck_assert_msg(strncmp(page, "HTTP/1.1 200", 12) == 0, "%s", page);
    ck_assert(strstr(page, "<script>") && strstr(page, "</html>") && strstr(page, "no-store"));
    const char *progress = get(port, "/progress.json", "127.0.0.1:1");
    ck_assert_ptr_nonnull(strstr(progress, "\"ended\":false"));
    for (int i = 0; i < 500 && strstr(progress, "begins"); ++i) {
        pause_a_little();
        progress = get(port, "/progress.json", "localhost");
    }
    ck_assert_msg(strstr(progress, "epoch ") != NULL, "%s",
                  progress); // or within one, where it is slow
    ck_assert_ptr_nonnull(strstr(get(port, "/main.html", "127.0.0.1"), "<h1>"));
    ck_assert_ptr_nonnull(strstr(get(port, "/main.html", "LocalHost"), "<h1>"));
    ck_assert(strncmp(get(port, "/", "elsewhere.example"), "HTTP/1.1 403", 12) == 0);
    ck_assert(strncmp(get(port, "/", "localhost.example"), "HTTP/1.1 403", 12) == 0);
    ck_assert(strncmp(get(port, "/run.json", "localhost"), "HTTP/1.1 404", 12) == 0);
    ck_assert(strncmp(get(port, "/../a/run.json", "localhost"), "HTTP/1.1 404", 12) == 0);
    ck_assert(strncmp(ask(port, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                                "Connection: close\r\n\r\n"),
                      "HTTP/1.1 405", 12) == 0);
    ck_assert(!strstr(ask(port, "nonsense\r\n\r\n"), "200 OK"));
    ck_assert_int_eq(kill(process, SIGINT), 0);
    test_outcome result = test_program_end(process);
    ck_assert_int_eq(result.code, EVN_ERR_INTERRUPTED);
    ck_assert_str_eq(get(port, "/", "localhost"), "");
    char *run = test_read("w/run.json", NULL);
    ck_assert_ptr_null(strstr(run, "\"watch\"")); // it is no part of what was trained
    free(run);

    // Watched or not, what is learnt is the same.
    size_t sizes[2];
    ck_assert_int_eq(test_program("", SMALL "3 --watch --out c").code, 0);
    char *alone = test_read("a/model.safetensors", &sizes[0]);
    char *watched = test_read("c/model.safetensors", &sizes[1]);
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_mem_eq(alone, watched, sizes[0]);
    free(alone);
    free(watched);
}
END_TEST

/// A page that is being looked at sees the end before it goes.
START_TEST(ends) {
    if (!can_serve()) {
        return;
    }
    pid_t process = start_watched("60 --watch --out e");
    int port = find_port(process);
    bool ended = false;
    for (int i = 0; i < 6000 && !ended; ++i) {
        ended = strstr(get(port, "/progress.json", "localhost"), "\"ended\":true") != NULL;
        pause_a_little();
    }
    ck_assert(ended);
    ck_assert_ptr_nonnull(strstr(get(port, "/main.html", "localhost"), "<td>finished</td>"));
    test_outcome result = test_program_end(process);
    ck_assert_msg(result.code == 0, "%s", result.err);
}
END_TEST

START_TEST(refused) {
    test_fails_with(test_program("", SMALL "1 --watch-address 127.0.0.1 --out r"), EVN_ERR_USAGE,
                    "give --watch too");
    test_fails_with(test_program("", SMALL "1 --watch 99999 --out r"), EVN_ERR_USAGE, "65535");
    test_fails_with(test_program("", SMALL "1 --watch --watch-address localhost --out r"),
                    EVN_ERR_USAGE, "");
    ck_assert(!test_exists("r"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("watch");
    test_add(s, tcase_create("serves"), serves);
    test_add(s, tcase_create("ends"), ends);
    test_add(s, tcase_create("refused"), refused);
    return s;
}

int main(void) {
    return test_run(suite());
}
