// SPDX-License-Identifier: Apache-2.0
// evonode tune and its file, and evonode selftest.
#include "program.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char VARIABLES[] = "EVONODE_TUNE=on EVONODE_CACHE_DIR=cache";

/// Name of the one file in the cache folder.
static void find_file(char name[TEST_PATH]) {
    char folder[TEST_PATH];
    DIR *entries = opendir(test_path(folder, "cache"));
    ck_assert_ptr_nonnull(entries);
    name[0] = 0;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (strncmp(entry->d_name, "tune-", 5) == 0) {
            ck_assert_msg(!name[0], "%s and %s", name, entry->d_name);
            snprintf(name, TEST_PATH, "cache/%s", entry->d_name);
        }
    }
    closedir(entries);
    ck_assert(name[0] != 0);
}

/// What `devices` says of the device under test.
static void expect_devices(const char *variables, const char *text) {
    test_outcome result = test_program(variables, "devices");
    ck_assert_int_eq(result.code, 0);
    ck_assert_str_eq(result.err, "");
    ck_assert_msg(strstr(result.out, text), "no '%s' in %s", text, result.out);
}

/// Tune for as short as can be, then give the file a choice, so that it has one on every machine.
static void tune(char name[TEST_PATH]) {
    test_outcome result =
        test_program(VARIABLES, "tune --quick --family conv2d --seconds 1 --device '%s'",
                     evn_device_get_info(test_device())->name);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "digits: 32x3x3"));
    ck_assert_ptr_nonnull(strstr(result.out, "written: "));
    find_file(name);
    json_t *root = test_json(name);
    json_object_set_new(json_object_get(root, "variants"), "fp32 matmul nn 2x3 3x4 2x4",
                        json_string("tiles 4x2x16 in 1x1"));
    char *text = json_dumps(root, 0);
    test_write(name, text, strlen(text));
    free(text);
    json_decref(root);
}

/// Replace one entry of the file by a text.
static void change(const char *name, const char *entry, json_t *value) {
    json_t *root = test_json(name);
    ck_assert_ptr_nonnull(json_object_get(root, entry));
    json_object_set_new(root, entry, value);
    char *text = json_dumps(root, 0);
    test_write(name, text, strlen(text));
    free(text);
    json_decref(root);
}

START_TEST(file) {
    char name[TEST_PATH];
    expect_devices(VARIABLES, "not tuned: evonode tune --device");
    tune(name);
    expect_devices(VARIABLES, "tuned: ");
    expect_devices("EVONODE_TUNE=off EVONODE_CACHE_DIR=cache", "EVONODE_TUNE disables it");
    // What a second tuning of one family does not look at stays.
    test_outcome result = test_program(VARIABLES, "tune --quick --family conv2d --seconds 1");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *root = test_json(name);
    const json_t *variants = json_object_get(root, "variants");
    ck_assert_ptr_nonnull(json_object_get(variants, "fp32 matmul nn 2x3 3x4 2x4"));
    json_decref(root);
}
END_TEST

START_TEST(another_device) {
    static const char *const entries[] = {"driver", "device", "platform_version", "kernels"};
    char name[TEST_PATH], text[128];
    for (int i = 0; i < 4; ++i) {
        tune(name);
        change(name, entries[i], json_string("another"));
        snprintf(text, sizeof(text), "measured with another %s", entries[i]);
        expect_devices(VARIABLES, text);
    }
    tune(name); // over it
    change(name, "format", json_integer(99));
    expect_devices(VARIABLES, "measured with another format");
}
END_TEST

START_TEST(damaged) {
    char name[TEST_PATH];
    tune(name);
    change(name, "variants", json_pack("{s:i}", "fp32 matmul nn 2x3 3x4 2x4", 7));
    expect_devices(VARIABLES, "not an object of names");
    static const char *const texts[] = {"", "{", "[]", "{\"format\": 1, \"format\": 1}",
                                        "\xff\xfe"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); ++i) {
        test_write(name, texts[i], strlen(texts[i]));
        expect_devices(VARIABLES, "tuning ignored: ");
    }
    // A run says nothing of it.
    test_outcome result = test_program(VARIABLES, "train digits --out r --model node --filters 4 "
                                                  "--limit 64 --phase backprop:steps=1,epochs=1");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_null(strstr(result.err, "tun"));
    json_t *run = test_json("r/run.json");
    ck_assert_ptr_null(json_object_get(run, "tuning"));
    json_decref(run);
}
END_TEST

START_TEST(recorded) {
    char name[TEST_PATH];
    tune(name);
    test_outcome result = test_program(VARIABLES, "train digits --out r --model node --filters 4 "
                                                  "--limit 64 --phase backprop:steps=1,epochs=1");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *run = test_json("r/run.json");
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(run, "tuning"))), 32);
    json_decref(run);
}
END_TEST

START_TEST(usage) {
    test_fails_with(test_program("", "tune --family pool2d"), EVN_ERR_USAGE,
                    "matmul, conv2d, normalize, krylov or samples");
    test_fails_with(test_program("", "tune digits"), EVN_ERR_USAGE, "unexpected argument");
    test_fails_with(test_program("", "tune --seconds 0"), EVN_ERR_USAGE, "seconds");
    test_fails_with(test_program("", "selftest --device nowhere"), EVN_ERR_DEVICE_NAME, "nowhere");
}
END_TEST

/// Work-groups of one item have nothing to add up.
START_TEST(nothing_to_choose) {
    if (evn_device_get_info(test_device())->type == EVN_DEVICE_CPU) {
        test_outcome result = test_program(VARIABLES, "tune --family normalize --device '%s'",
                                           evn_device_get_info(test_device())->name);
        ck_assert_int_eq(result.code, 0);
        ck_assert_ptr_nonnull(strstr(result.out, "nothing to choose on this device: "));
        ck_assert_ptr_null(strstr(result.out, "variant"));
    }
}
END_TEST

START_TEST(selftest) {
    test_outcome result = test_program("", "selftest");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "conv2d_weight_grad"));
    ck_assert_ptr_null(strstr(result.out, "WRONG"));
}
END_TEST

/// A kernel that is wrong must be found: one file replaced, the others as they are.
START_TEST(selftest_finds) {
    char path[TEST_PATH], copy[2 * TEST_PATH];
    const char *source = getenv("EVONODE_SOURCE");
    ck_assert_ptr_nonnull(source);
    snprintf(copy, sizeof(copy), "mkdir '%s' && cp '%s'/kernels/*.cl '%s'",
             test_path(path, "kernels"), source, path);
    ck_assert_int_eq(system(copy), 0);
    snprintf(copy, sizeof(copy), "sed -i 's/- largest - shift/- largest/' '%s'/softmax.cl", path);
    ck_assert_int_eq(system(copy), 0);
    test_outcome result = test_program("EVONODE_KERNEL_DIR=kernels", "selftest");
    test_fails_with(result, EVN_ERR_DEVICE, "differ from the reference");
    ck_assert_ptr_nonnull(strstr(result.out, "WRONG"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("tune");
    test_add(s, tcase_create("file"), file);
    test_add(s, tcase_create("another_device"), another_device);
    test_add(s, tcase_create("damaged"), damaged);
    test_add(s, tcase_create("recorded"), recorded);
    test_add(s, tcase_create("usage"), usage);
    test_add(s, tcase_create("nothing_to_choose"), nothing_to_choose);
    test_add(s, tcase_create("selftest"), selftest);
    test_add(s, tcase_create("selftest_finds"), selftest_finds);
    return s;
}

int main(void) {
    return test_run(suite());
}
