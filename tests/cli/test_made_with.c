// SPDX-License-Identifier: Apache-2.0
// What decides about the bits of a run besides its options is compared before it goes on.
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The run "r", as where it was killed before its first checkpoint.
static void make_unfinished(void) {
    char path[TEST_PATH];
    test_outcome result =
        test_program("", "train curve --width 4 --phase backprop:epochs=1 --out r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_eq(remove(test_path(path, "r/summary.json")), 0);
}

/// Write run.json anew with another value for one thing that the run was made with.
static void change_run(const json_t *run, const char *object, const char *member) {
    char path[TEST_PATH];
    json_t *changed = json_deep_copy(run), *in = changed;
    if (member[0]) {
        in = json_object_get(changed, object);
        ck_assert_ptr_nonnull(json_object_get(in, member));
    }
    json_object_set_new(in, member[0] ? member : object, json_string("another"));
    json_object_del(changed, "hash"); // it is meant
    ck_assert_int_eq(json_dump_file(changed, test_path(path, "r/run.json"), 0), 0);
    json_decref(changed);
}

/// Each of the things that decide about bits is compared.
START_TEST(made_with_each_thing_else) {
    static const char *const rows[][3] = {
        {"versions", "evonode", "version of evonode: another, now "},
        {"versions", "sources", "sources of evonode: another, now "},
        {"versions", "kernels", "kernels: another, now "},
        {"versions", "compiler", "compiler of evonode: another, now "},
        {"device", "name", "(device: another, now "},
        {"device", "driver", "driver: another, now "},
        {"device", "version", "version of OpenCL: another, now "},
        {"device", "platform", "(platform: another, now "},
        {"device", "platform_version", "version of the platform: another, now "},
        {"device", "compute_units", "number of compute units: another, now "},
        {"tuning", "", "(tuning: another, now none)"}};
    make_unfinished();
    json_t *run = test_json("r/run.json");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
        change_run(run, rows[i][0], rows[i][1]);
        test_fails_with(test_program("", "resume r --same"), EVN_ERR_DATA, rows[i][2]);
    }
    json_decref(run);
}
END_TEST

/// Kernels of a folder take the place of those that are built in: no version says so.
START_TEST(made_with_other_kernels) {
    char command[4 * TEST_PATH];
    snprintf(command, sizeof(command),
             "cp -r '%s/kernels' '%s' && echo '// other' >> '%s/kernels/common.cl'",
             getenv("EVONODE_SOURCE"), test_folder(), test_folder());
    ck_assert_int_eq(system(command), 0);
    make_unfinished();
    test_fails_with(test_program("EVONODE_KERNEL_DIR=kernels", "resume r --same"), EVN_ERR_DATA,
                    "(kernels: ");
}
END_TEST

/// With nothing else there is nothing to say.
START_TEST(made_with_the_same) {
    make_unfinished();
    test_outcome result = test_program("", "resume r --same");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_null(strstr(result.err, "warning"));
}
END_TEST

int main(void) {
    Suite *s = suite_create("made_with");
    test_add(s, tcase_create("rows"), made_with_each_thing_else);
    test_add(s, tcase_create("kernels"), made_with_other_kernels);
    test_add(s, tcase_create("same"), made_with_the_same);
    return test_run(s);
}
