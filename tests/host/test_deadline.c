// SPDX-License-Identifier: Apache-2.0
// A wait that lasts too long is told once, by its name; one that ends in time is not, nor is the
// time in which the process was stopped.
#include "base/clock.h"
#include "host/runtime.h"
#include "test.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// What was told. The device is no device: nothing is asked of it.
typedef struct notes {
    atomic_int count;
    char what[64];
    double seconds;
} notes;

static void note(void *user, const char *what, double seconds) {
    notes *n = user;
    snprintf(n->what, sizeof(n->what), "%s", what);
    n->seconds = seconds;
    ++n->count;
}

static void pause_for(double seconds) {
    struct timespec time = {(time_t)seconds, (long)(fmod(seconds, 1) * 1e9)};
    nanosleep(&time, NULL);
}

static void wait_until_told(const notes *n, double most) {
    double begun = evn__now();
    while (n->count == 0 && evn__now() - begun < most) {
        pause_for(0.01);
    }
}

START_TEST(too_long) {
    evn_device device = {0};
    notes n = {0};
    TRY(evn__device_set_deadline(&device, 0.2, note, &n));
    EVN__TIMED(&device, "a test", wait_until_told(&n, 30));
    EVN__TIMED(&device, "another", pause_for(0.5));
    evn__deadline_free(&device);
    ck_assert_int_eq(n.count, 1);
    ck_assert_str_eq(n.what, "a test");
    ck_assert_double_gt(n.seconds, 0.2);
}
END_TEST

/// Many waits that are shorter, and a pause between two.
START_TEST(in_time) {
    evn_device device = {0};
    notes n = {0};
    TRY(evn__device_set_deadline(&device, 10, note, &n));
    for (int i = 0; i < 100; ++i) {
        EVN__TIMED(&device, "a test", pause_for(0.001));
    }
    evn__deadline_free(&device);
    TRY(evn__device_set_deadline(&device, 0.1, note, &n));
    pause_for(0.4);
    evn__deadline_free(&device);
    ck_assert_int_eq(n.count, 0);
    TRY(evn__device_set_deadline(&device, 0, note, &n)); // however long
    EVN__TIMED(&device, "a test", pause_for(0.001));
    ck_assert_ptr_null(device.deadline);
}
END_TEST

/// Exit status 0: the stop was no wait, and the wait behind it was.
static int wait_stopped(void) {
    evn_device device = {0};
    notes n = {0};
    if (evn__device_set_deadline(&device, 4, note, &n) != EVN_OK) {
        return 3;
    }
    evn__deadline_begin(&device, "a test");
    raise(SIGSTOP);
    pause_for(0.7); // the next look is over
    int early = n.count;
    wait_until_told(&n, 60);
    evn__deadline_free(&device);
    return early > 0 ? 1 : n.count == 1 ? 0 : 2;
}

START_TEST(stopped) {
    int status = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        _exit(wait_stopped());
    }
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
    pause_for(5); // longer than the deadline
    kill(child, SIGCONT);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host/deadline");
    test_add(s, tcase_create("too_long"), too_long);
    test_add(s, tcase_create("in_time"), in_time);
    test_add(s, tcase_create("stopped"), stopped);
    return s;
}

int main(void) {
    return test_run(suite());
}
