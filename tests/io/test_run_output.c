// SPDX-License-Identifier: Apache-2.0
// Where a file may be written beside a run, and that nobody trains there meanwhile.
#include "io/run_output.h"

#include "io/run_directory.h"
#include "program.h"
#include "sweep.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

static void make_run(void) {
    char path[TEST_PATH];
    evn__run_directory *directory;
    json_t *run = json_pack("{s:i}", "format", 1);
    TRY(evn__run_directory_create(test_path(path, "r"), &directory));
    TRY(evn__run_directory_begin(directory, run));
    evn__run_directory_destroy(&directory);
    json_decref(run);
}

/// Whether the place can be claimed, and then whether it is in a run, which is locked.
static evn_status claim(const char *name, bool *locked) {
    char path[TEST_PATH];
    evn__run_lock lock;
    evn_status status = evn__run_output_claim(test_path(path, "%s", name), &lock);
    *locked = lock.file != 0;
    evn__run_lock_release(&lock);
    return status;
}

static void refuses(const char *name, const char *reason) {
    bool locked;
    ck_assert_msg(claim(name, &locked) == EVN_ERR_OUTPUT, "%s", name);
    ck_assert_msg(strstr(evn_error_message(), reason), "%s", evn_error_message());
    ck_assert_msg(!locked, "%s", name);
}

static void link_to(const char *target, const char *name) {
    char path[TEST_PATH];
    ck_assert_int_eq(symlink(target, test_path(path, "%s", name)), 0);
}

START_TEST(places) {
    bool locked;
    char too_long[4200];
    evn__run_lock lock;
    make_run();
    TRY(claim("r/mine.html", &locked));
    ck_assert(locked);
    TRY(claim("run.json", &locked)); // where no run is
    ck_assert(!locked);
    TRY(evn__run_output_claim("mine.html", &lock)); // in this folder
    refuses("r/metrics.csv", "a file of the run itself");
    refuses("none/x", "the folder of");
    memset(too_long, '/', sizeof(too_long));
    strcpy(too_long + sizeof(too_long) - 2, "x");
    ck_assert_int_eq(evn__run_output_claim(too_long, &lock), EVN_ERR_OUTPUT);
    too_long[4090] = 0; // the folder fits, and not with a name
    ck_assert_int_eq(evn__run_output_claim(too_long, &lock), EVN_ERR_OUTPUT);
}
END_TEST

/// It is written where a link leads, be something there or not.
START_TEST(links) {
    bool locked;
    make_run();
    link_to("r/run.json", "own");
    link_to("r/new", "new");
    link_to("new", "again");
    link_to("circle", "circle");
    link_to("x", "x.csv");
    refuses("own", "a file of the run itself");
    TRY(claim("again", &locked));
    ck_assert(locked);
    refuses("circle", "circle");
    TRY(claim("x.csv", &locked));
    ck_assert(!locked);
    TRY(evn__run_output_claim("/dev/stdout", &(evn__run_lock){0}));
}
END_TEST

/// What writes beside a run keeps trainings out, and is kept out by one, not by others that write.
START_TEST(one_training) {
    char folder[TEST_PATH], path[TEST_PATH];
    bool locked;
    evn__run_lock training, one;
    make_run();
    TRY(evn__run_lock_take(test_path(folder, "r"), true, &training));
    refuses("r/x", "another process is writing the run");
    evn__run_lock_release(&training);
    TRY(evn__run_output_claim(test_path(path, "r/x"), &one));
    TRY(claim("r/y", &locked));
    ck_assert_int_eq(evn__run_lock_take(folder, true, &training), EVN_ERR_OUTPUT);
    evn__run_lock_release(&one);
    TRY(evn__run_lock_take(folder, true, &training));
    evn__run_lock_release(&training);
}
END_TEST

static char linked[TEST_PATH];

static evn_status claim_linked(void) {
    evn__run_lock lock;
    EVN_TRY(evn__run_output_claim(linked, &lock));
    evn__run_lock_release(&lock); // none, where nothing may be written
    return EVN_OK;
}

START_TEST(faults) {
    static const test_deed deed = {.name = "claim", .run = claim_linked};
    test_sweep_begin();
    make_run();
    link_to("r/new", "linked");
    test_path(linked, "linked");
    test_sweep(&deed);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("run_output");
    test_add(s, tcase_create("places"), places);
    test_add(s, tcase_create("links"), links);
    test_add(s, tcase_create("one_training"), one_training);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
