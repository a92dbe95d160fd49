// SPDX-License-Identifier: Apache-2.0
// However a signal asks the program to end, it ends with the documented code, by no signal.
#include "evonode/status.h"
#include "program.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POLLS = 6000 }; // of 10 ms

static void pause_shortly(void) {
    const struct timespec pause = {0, 10000000};
    nanosleep(&pause, NULL);
}

/// Whether the process has a handler of SIGTERM, as the program from its beginning; where the
/// system does not say, after a while.
static bool catches(pid_t process) {
    char path[64], line[256];
    unsigned long long caught = 0;
    snprintf(path, sizeof(path), "/proc/%ld/status", (long)process);
    FILE *file = fopen(path, "r");
    if (!file) {
        const struct timespec while_it_starts = {0, 300000000};
        nanosleep(&while_it_starts, NULL);
        return true;
    }
    while (fgets(line, sizeof(line), file)) {
        sscanf(line, "SigCgt: %llx", &caught);
    }
    fclose(file);
    return caught >> (SIGTERM - 1) & 1;
}

static void wait_until_it_catches(pid_t process) {
    int i = 0;
    while (i < POLLS && !catches(process)) {
        pause_shortly();
        ++i;
    }
    ck_assert_int_lt(i, POLLS);
}

static void wait_for(const char *name) {
    int i = 0;
    while (i < POLLS && !test_exists(name)) {
        pause_shortly();
        ++i;
    }
    ck_assert_int_lt(i, POLLS);
}

static const struct {
    const char *words;
    int signal;
    const char *name;
} at_once[] = {
    {"train curve --out t", SIGTERM, "SIGTERM"}, // nothing is there yet that would be kept
    {"eval r", SIGINT, "SIGINT"},
    {"compress r --out c", SIGHUP, "SIGHUP"},
    {"gradcheck r", SIGHUP, "SIGHUP"},
    {"tune --quick", SIGTERM, "SIGTERM"},
    {"selftest", SIGINT, "SIGINT"},
    {"bench --quick", SIGHUP, "SIGHUP"},
    {"devices", SIGTERM, "SIGTERM"},
};
enum { AT_ONCE = sizeof(at_once) / sizeof(at_once[0]) };

START_TEST(every_verb) {
    char said[64];
    test_outcome result = test_program("", "train curve --width 8 --epochs 1 --out r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    for (int i = 0; i < AT_ONCE; ++i) {
        pid_t process = test_program_start("", "%s", at_once[i].words);
        wait_until_it_catches(process);
        ck_assert_int_eq(kill(process, at_once[i].signal), 0);
        result = test_program_end(process);
        snprintf(said, sizeof(said), "evonode: interrupted by %s", at_once[i].name);
        ck_assert_msg(result.signal == 0, "%s: ended by the signal", at_once[i].words);
        test_fails_with(result, EVN_ERR_INTERRUPTED, said);
    }
    ck_assert(!test_exists("t"));
}
END_TEST

static pid_t begin_long_epoch(void) {
    pid_t process = test_program_start("", "train digits --filters 16 --batch 2 --out r "
                                           "--phase backprop:steps=2,epochs=3");
    wait_for("r/run.json");
    return process;
}

START_TEST(before_the_first_epoch) {
    for (int i = 0; i < 2; ++i) {
        static const int signals[] = {SIGTERM, SIGHUP};
        pid_t process = begin_long_epoch();
        ck_assert_int_eq(kill(process, signals[i]), 0);
        test_fails_with(test_program_end(process), EVN_ERR_INTERRUPTED, "no whole epoch yet");
        ck_assert(test_exists("r/model.safetensors") && !test_exists("r/summary.json"));
        char path[TEST_PATH];
        process = test_program_start("", "resume r");
        wait_until_it_catches(process);
        ck_assert_int_eq(kill(process, signals[i]), 0);
        test_fails_with(test_program_end(process), EVN_ERR_INTERRUPTED, "interrupted by");
        ck_assert_int_eq(remove(test_path(path, "r/run.json")), 0);
    }
}
END_TEST

/// While the process is stopped both signals gather.
START_TEST(second_signal) {
    pid_t process = begin_long_epoch();
    ck_assert_int_eq(kill(process, SIGSTOP), 0);
    ck_assert_int_eq(kill(process, SIGINT), 0);
    ck_assert_int_eq(kill(process, SIGTERM), 0);
    ck_assert_int_eq(kill(process, SIGCONT), 0);
    test_fails_with(test_program_end(process), EVN_ERR_INTERRUPTED, "evonode: interrupted by SIG");
    ck_assert(!test_exists("r/model.safetensors"));
}
END_TEST

/// As under nohup.
START_TEST(ignored_before) {
    ck_assert(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    pid_t process = test_program_start("", "devices");
    wait_until_it_catches(process);
    ck_assert_int_eq(kill(process, SIGHUP), 0);
    test_outcome result = test_program_end(process);
    ck_assert_msg(result.code == 0, "%d: %s", result.code, result.err);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("interruption");
    TCase *c = tcase_create("every_verb");
    tcase_add_test(c, every_verb);
    suite_add_tcase(s, c);
    c = tcase_create("training");
    tcase_add_test(c, before_the_first_epoch);
    tcase_add_test(c, second_signal);
    suite_add_tcase(s, c);
    c = tcase_create("ignored");
    tcase_add_test(c, ignored_before);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
