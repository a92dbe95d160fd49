// SPDX-License-Identifier: Apache-2.0
// Options that name a place to write: whatever the verb, a run that is trained there, and what runs
// are made of, are left alone.
#include "io/run_lock.h"
#include "program.h"
#include "test.h"

#include <stdlib.h>

/// Each option that names a file, with %s for it, and how it ends where it may write.
static const struct {
    const char *format;
    int code;
} files[] = {
    {"sample made --count 3 --out %s", 0},
    {"density made at.csv --out %s", EVN_ERR_ARGUMENT}, // no flow
    {"export made --safetensors %s", 0},
    {"report made --out %s", 0},
    {"describe node --svg %s", 0},
    {"bench compare none.json --html %s", EVN_ERR_FILE},
    {"bench --rows sum_* --json %s", -1},    // takes long
    {"export made --batch 1 --onnx %s", -1}, // needs protobuf-c
};
enum { FILES = sizeof(files) / sizeof(files[0]) };

static test_outcome run(int file, const char *place) {
    char command[TEST_PATH];
    snprintf(command, sizeof(command), files[file].format, place);
    test_note(command);
    return test_program("", "%s", command);
}

static void make_runs(void) {
    char line[2 * TEST_PATH];
    test_outcome result = test_program("", "train curve --width 8 --epochs 1 --out made");
    ck_assert_msg(result.code == 0, "%s", result.err);
    snprintf(line, sizeof(line), "cp -a '%s/made' '%s/busy'", test_folder(), test_folder());
    ck_assert_int_eq(system(line), 0);
    test_write("at.csv", "x,y\n0,0\n", 8);
}

START_TEST(places) {
    char folder[TEST_PATH];
    evn__run_lock training;
    make_runs();
    TRY(evn__run_lock_take(test_path(folder, "busy"), true, &training));
    for (int i = 0; i < FILES; ++i) {
        test_fails_with(run(i, "busy/x"), EVN_ERR_OUTPUT,
                        "another process is writing the run busy");
        test_fails_with(run(i, "none/x"), EVN_ERR_OUTPUT, "the folder of none/x is not there");
        test_fails_with(run(i, "made/run.json"), EVN_ERR_OUTPUT, "a file of the run itself");
    }
    test_fails_with(test_program("", "compare made --out busy"), EVN_ERR_OUTPUT, "another process");
    ck_assert(!test_exists("busy/x"));
    evn__run_lock_release(&training);
    for (int i = 0; i < FILES; ++i) {
        if (files[i].code >= 0) {
            test_outcome result = run(i, "busy/x");
            ck_assert_msg(result.code == files[i].code, "%s", result.err);
            ck_assert_msg(files[i].code != 0 || test_exists("busy/x"), "%s", files[i].format);
        }
    }
    ck_assert_int_eq(test_program("", "report made --out -").code, 0);
    ck_assert(!test_exists("-"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("options");
    test_add(s, tcase_create("places"), places);
    return s;
}

int main(void) {
    return test_run(suite());
}
