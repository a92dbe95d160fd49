// SPDX-License-Identifier: Apache-2.0
// Whatever becomes of drawing, the process goes on, with a status that says it and no file.
#include "plot/canvas.h"
#include "program.h"
#include "test.h"

#include "base/clock.h"
#include <plplot/plplot.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void line(const void *user) {
    (void)user;
    plenv(0, 1, 0, 1, 0, 0);
}

static void crash(const void *user) {
    (void)user;
    raise(SIGSEGV);
}

static void leave(const void *user) {
    _exit(*(const int *)user);
}

static void hang(const void *user) {
    (void)user;
    for (;;) {
        pause();
    }
}

void plexit(const char *message); // PLplot's own way to end, in no public header

static void end(const void *user) {
    plexit(user);
}

static void refuse(const void *user) {
    (void)user;
    plenv(1, 1, 0, 1, 0, 0); // no extent
}

static const int well = 0, badly = 3;

static const struct {
    void (*draw)(const void *user);
    const void *user;
    evn_status status;
    const char *says;
} ends[] = {
    {crash, NULL, EVN_ERR_OUTPUT, "a crash (signal 11)"},
    {leave, &badly, EVN_ERR_OUTPUT, "a crash (signal 0)"},
    {leave, &well, EVN_ERR_OUTPUT, "ended too early"},
    {hang, NULL, EVN_ERR_OUTPUT, "within 1 seconds"},
    {end, "no ink", EVN_ERR_OUTPUT, "no ink"},
    {end, "plinit: Insufficient memory", EVN_ERR_MEMORY, "Insufficient memory"},
    {end, "", EVN_ERR_OUTPUT, "it gives no reason"},
    {refuse, NULL, EVN_ERR_OUTPUT, "cannot draw"},
};

START_TEST(bad_ends) {
    setenv("EVONODE_DEADLINE", "1", 1);
    double begun = evn__now();
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); ++i) {
        evn_status status =
            evn__canvas_save(test_folder(), "bad", 400, 300, ends[i].draw, ends[i].user);
        ck_assert_msg(status == ends[i].status, "%zu: %s", i, evn_error_message());
        ck_assert_msg(strstr(evn_error_message(), ends[i].says), "%zu: %s", i, evn_error_message());
        ck_assert(!test_exists("bad.png") && !test_exists("bad.svg"));
    }
    ck_assert_double_lt(evn__now() - begun, 60);
    setenv("EVONODE_DEADLINE", "off", 1);
    TRY(evn__canvas_save(test_folder(), "good", 400, 300, line, NULL));
    ck_assert(test_exists("good.png") && test_exists("good.svg"));
    TRY(evn__canvas_save_png(test_folder(), "alone", 400, 300, line, NULL));
    ck_assert(test_exists("alone.png") && !test_exists("alone.svg"));
}
END_TEST

/// Where there is no process, or no descriptor, for it.
START_TEST(no_child) {
    struct rlimit most;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &most), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, most.rlim_max}), 0);
    evn_status status = evn__canvas_save(test_folder(), "none", 400, 300, line, NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &most), 0);
    ck_assert_int_eq(status, EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no process can be had"));
}
END_TEST

START_TEST(long_paths) {
    char folder[5000];
    memset(folder, 'x', sizeof(folder));
    folder[4090] = 0;
    ck_assert_int_eq(evn__canvas_save(folder, "a", 400, 300, line, NULL), EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "too long"));
    ck_assert_int_eq(evn__canvas_write("picture", 400, 300, line, NULL), EVN_ERR_ARGUMENT);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("canvas");
    test_add(s, tcase_create("bad_ends"), bad_ends);
    test_add(s, tcase_create("no_child"), no_child);
    test_add(s, tcase_create("long_paths"), long_paths);
    return s;
}

int main(void) {
    return test_run(suite());
}
