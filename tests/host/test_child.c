// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "host/child.h"
#include "sweep.h"
#include "test.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void say_much(void *user, int out) {
    for (int i = 0; i < 20000; ++i) { // more than a pipe holds
        evn__child_write(out, user, strlen(user));
    }
}

static void crash(void *user, int out) {
    evn__child_write(out, user, strlen(user));
    raise(SIGSEGV);
}

static void leave(void *user, int out) {
    (void)user, (void)out;
    _exit(3);
}

static void hang(void *user, int out) {
    evn__child_write(out, user, strlen(user));
    for (;;) {
        pause();
    }
}

static evn__child_result run(void (*work)(void *user, int out), double seconds) {
    evn__child_result result;
    TRY(evn__child_run(work, "words ", seconds, &result));
    return result;
}

START_TEST(ends) {
    evn__child_result result = run(say_much, 60);
    ck_assert_int_eq(result.end, EVN__CHILD_DONE);
    ck_assert_uint_eq(result.data.size, 6 * 20000);
    free(result.data.data);
    result = run(crash, 60);
    ck_assert_int_eq(result.end, EVN__CHILD_CRASHED);
    ck_assert_int_eq(result.signal, SIGSEGV);
    ck_assert_str_eq(result.data.data, "words "); // what it said before counts
    free(result.data.data);
    result = run(leave, 60);
    ck_assert_int_eq(result.end, EVN__CHILD_CRASHED);
    ck_assert_int_eq(result.signal, 0);
    ck_assert_ptr_null(result.data.data);
    double begun = evn__now();
    result = run(hang, 0.3);
    ck_assert_int_eq(result.end, EVN__CHILD_LATE);
    ck_assert_double_ge(evn__now() - begun, 0.3);
    ck_assert_str_eq(result.data.data, "words ");
    free(result.data.data);
}
END_TEST

static int held[2];

/// Whoever reads from `held` waits until this has ended.
static void hold(void *user, int out) {
    evn__child_write(held[1], "x", 1);
    hang(user, out);
}

/// One that is killed while it waits leaves no child behind that goes on for ever, with its locks.
START_TEST(ends_without_its_parent) {
    char word;
    ck_assert_int_eq(pipe(held), 0);
    pid_t parent = fork();
    ck_assert_int_ge(parent, 0);
    if (parent == 0) {
        run(hold, 0.9);
        _exit(0);
    }
    close(held[1]);
    ck_assert_int_eq(read(held[0], &word, 1), 1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    struct pollfd end = {.fd = held[0], .events = POLLIN};
    ck_assert_int_eq(poll(&end, 1, 10000), 1);
    ck_assert_int_eq(read(held[0], &word, 1), 0);
    close(held[0]);
}
END_TEST

static void say_more(void *user, int out) {
    (void)user;
    static const char words[20000]; // in several parts
    evn__child_write(out, words, sizeof(words));
}

/// What has failed has nothing that would have to be freed.
static evn_status hear(void) {
    evn__child_result result;
    EVN_TRY(evn__child_run(say_more, NULL, 60, &result));
    bool right = result.end == EVN__CHILD_NONE || result.data.size == 20000;
    free(result.data.data);
    EVN_CHECK(right, EVN_ERR_INTERNAL, "%zu bytes were heard", result.data.size);
    return EVN_OK;
}

START_TEST(faults) {
    static const test_deed deed = {.name = "hear", .run = hear};
    test_sweep_begin();
    test_sweep(&deed);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("child");
    test_add(s, tcase_create("ends"), ends);
    test_add(s, tcase_create("ends_without_its_parent"), ends_without_its_parent);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
