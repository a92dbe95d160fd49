// SPDX-License-Identifier: Apache-2.0
// evonode bench, compare and check.
#include "layered.h"
#include "program.h"
#include "result.h"
#include "test.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

static void write_result(const char *name, double factor) {
    char path[TEST_PATH];
    evn__bench_record record;
    test_result("A vendor", "A device", factor, &record);
    test_result_write(&record, test_path(path, "%s", name));
    evn__bench_record_free(&record);
}

static void expect(test_outcome result, const char *text) {
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_msg(strstr(result.out, text), "no '%s' in %s", text, result.out);
}

/// One row and the two limits; all that a file says of them and of the device.
START_TEST(measures) {
    expect(test_program("", "bench --quick --rows norm --json r.json"), "GroupNorm + ReLU");
    json_t *root = test_json("r.json");
    ck_assert_uint_eq(json_array_size(json_object_get(root, "rows")), 3);
    const json_t *row = json_array_get(json_object_get(root, "rows"), 2);
    ck_assert_str_eq(json_string_value(json_object_get(row, "key")), "norm");
    ck_assert_double_gt(test_number(row, "median"), 0);
    ck_assert_double_gt(test_number(row, "fraction_of_limit"), 0);
    ck_assert_double_le(test_number(row, "difference"), test_number(row, "tolerance"));
    ck_assert_uint_ge(json_array_size(json_object_get(row, "samples")), 5);
    const json_t *device = json_object_get(root, "device");
    ck_assert_str_eq(json_string_value(json_object_get(device, "name")),
                     evn_device_get_info(test_device())->name);
    ck_assert_double_eq(test_number(json_object_get(root, "selftest"), "wrong"), 0);
    json_decref(root);
    expect(test_program("", "bench compare r.json r.json --baseline r.json"), "same");
}
END_TEST

/// What a step and a training step give is compared with the reference as well.
START_TEST(agreement) {
    static const char *const keys[] = {"van_der_pol", "flow_100"};
    test_outcome result =
        test_program("", "bench --quick --rows %s,%s --json r.json", keys[0], keys[1]);
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *root = test_json("r.json");
    for (size_t i = 0; i < 2; ++i) {
        const json_t *row = json_array_get(json_object_get(root, "rows"), 2 + i);
        ck_assert_str_eq(json_string_value(json_object_get(row, "key")), keys[i]);
        ck_assert_double_gt(test_number(row, "difference"), 0);
        ck_assert_double_le(test_number(row, "difference"), test_number(row, "tolerance"));
        ck_assert_double_le(test_number(row, "tolerance"), 1e-2);
    }
    json_decref(root);
}
END_TEST

START_TEST(lacking) {
    test_outcome result = test_program("", "bench --quick --rows limit_fp16");
    ck_assert_int_eq(result.code, 0);
    bool has = evn_device_get_info(test_device())->has_fp16;
    ck_assert(has == !strstr(result.out, "not measured: the device does not compute in fp16"));
}
END_TEST

/// A kernel that is wrong is told in its row, does not stop the next one, and is no success.
START_TEST(wrong_kernel) {
    char path[TEST_PATH], copy[2 * TEST_PATH];
    const char *source = getenv("EVONODE_SOURCE");
    snprintf(copy, sizeof(copy), "cp -r '%s/kernels' '%s'", source, test_path(path, "kernels"));
    ck_assert_int_eq(system(copy), 0);
    snprintf(copy, sizeof(copy), "sed -i 's|R(1.0) / sqrt|R(2.0) / sqrt|' '%s'/normalize.cl", path);
    ck_assert_int_eq(system(copy), 0);
    test_outcome result =
        test_program("EVONODE_KERNEL_DIR=kernels", "bench --quick --rows norm,plan_1000");
    test_fails_with(result, EVN_ERR_DEVICE, "norm differs from the reference");
    ck_assert_ptr_nonnull(strstr(result.out, "WRONG"));
    ck_assert_ptr_nonnull(strstr(result.out, "plan of 1,000 nodes"));
}
END_TEST

/// Buffers that a self-test makes, with which each --submit begins.
static int selftest_buffers(void) {
    static const char key[] = "\nbuffers_made ";
    char path[TEST_PATH];
    test_outcome result = test_program(
        test_layer_variables("EVN_LAYER_COUNT='%s'", test_path(path, "count")), "selftest");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *counts = test_read("count", NULL);
    const char *found = strstr(counts, key);
    ck_assert_msg(found, "no buffers in %s", counts);
    int buffers = atoi(found + sizeof(key) - 1);
    free(counts);
    return buffers;
}

/// A device that fails behind the first row: the file is written, can be taken, and has the
/// reasons; the code is that of the failure.
START_TEST(submits_failures) {
    enum { OF_FIRST_ROW = 3 };
    char path[TEST_PATH];
    glob_t found;
    const char *faults = test_layer_variables("EVN_LAYER_FAULT=clCreateBuffer:%d:%d:on",
                                              selftest_buffers() + OF_FIRST_ROW + 1,
                                              CL_MEM_OBJECT_ALLOCATION_FAILURE);
    test_outcome result = test_program(faults, "bench --submit .");
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "failed: no room for a buffer");
    ck_assert_ptr_nonnull(strstr(result.out, "written: ./results/"));
    ck_assert_int_eq(glob(test_path(path, "results/*/*.json"), 0, NULL, &found), 0);
    ck_assert_uint_eq(found.gl_pathc, 1);
    expect(test_program("", "bench check '%s'", found.gl_pathv[0]), "can be taken");
    json_t *root = json_load_file(found.gl_pathv[0], 0, NULL);
    const json_t *rows = json_object_get(root, "rows"), *last;
    ck_assert_double_gt(test_number(json_array_get(rows, 0), "median"), 0);
    last = json_array_get(rows, json_array_size(rows) - 1);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(last, "failed")), "no room"));
    json_decref(root);
    globfree(&found);
}
END_TEST

START_TEST(compares) {
    write_result("a.json", 1);
    write_result("b.json", 1.5);
    expect(test_program("", "bench compare a.json b.json"), "slower");
    expect(test_program("", "bench compare a.json b.json --markdown"),
           "| the row conv2d | 1 | 1.5 |");
    expect(test_program("", "bench compare b.json a.json --html p.html"), "faster");
    ck_assert(test_exists("p.html"));
    // Before anything is read.
    test_fails_with(test_program("", "bench compare none.json --html nowhere/p.html"),
                    EVN_ERR_OUTPUT, "the folder of nowhere/p.html is not there");
    test_fails_with(test_program("", "bench compare b.json --baseline a.json"), EVN_ERR_SLOWER,
                    "4 rows are slower than the baseline by more than 10 %, or fail: limit_fp32");
    expect(test_program("", "bench compare b.json --baseline a.json --tolerance 0.6"), "0.67");
    expect(test_program("", "bench compare a.json --baseline b.json"), "1.50");
}
END_TEST

START_TEST(files) {
    write_result("results/a-vendor/a-device-3.1-2026-11-29.json", 1);
    write_result("other.json", 1);
    test_write("broken.json", "{", 1);
    expect(test_program("", "bench check results/a-vendor/a-device-3.1-2026-11-29.json"),
           "can be taken");
    test_fails_with(test_program("", "bench check other.json"), EVN_ERR_DATA, "has to be called");
    test_fails_with(test_program("", "bench check broken.json"), EVN_ERR_FORMAT, "broken.json");
    test_fails_with(test_program("", "bench compare other.json broken.json"), EVN_ERR_FORMAT,
                    "broken.json is no result");
    test_fails_with(test_program("", "bench compare nowhere.json"), EVN_ERR_FILE, "nowhere.json");
}
END_TEST

START_TEST(usage) {
    test_fails_with(test_program("", "bench compare"), EVN_ERR_USAGE, "takes 1 to");
    test_fails_with(test_program("", "bench nothing"), EVN_ERR_USAGE, "has no 'nothing'");
    test_fails_with(test_program("", "bench --rows nothing"), EVN_ERR_USAGE,
                    "there are limit_fp32");
    test_fails_with(test_program("", "bench --submit --quick"), EVN_ERR_USAGE, "full length");
    test_fails_with(test_program("", "bench --html p.html"), EVN_ERR_USAGE, "bench compare");
    test_fails_with(test_program("", "bench compare a.json --rows norm"), EVN_ERR_USAGE,
                    "for measuring");
    test_fails_with(test_program("", "bench compare a.json --tolerance 1"), EVN_ERR_USAGE,
                    "needs a --baseline");
    test_fails_with(test_program("", "bench --json nowhere/r.json"), EVN_ERR_OUTPUT, "nowhere");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("bench");
    test_add(s, tcase_create("measures"), measures);
    test_add(s, tcase_create("agreement"), agreement);
    test_add(s, tcase_create("lacking"), lacking);
    test_add(s, tcase_create("wrong_kernel"), wrong_kernel);
    test_add(s, tcase_create("submits_failures"), submits_failures);
    test_add(s, tcase_create("compares"), compares);
    test_add(s, tcase_create("files"), files);
    test_add(s, tcase_create("usage"), usage);
    return s;
}

int main(void) {
    return test_run(suite());
}
