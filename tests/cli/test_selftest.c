// SPDX-License-Identifier: Apache-2.0
// The self-test at the first use of a device. One that computes wrongly is played by its kernels.
// TEST: timeout=600
#include "test.h"
#include "base/embedded.h"
#include "base/files.h"
#include "base/memory.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Products of convolutions that are a thousandth too large: training would go on without a word.
static const char FAULT[] = "#undef fma\n#define fma(a, b, c) ((R(1.001) * (a)) * (b) + (c))\n";

/// A folder of kernels of which one file begins with the fault.
static void plant(const char *name, const char *fault) {
    char path[TEST_PATH];
    TRY(evn__folder_make(test_path(path, "kernels"), 0700));
    for (const evn__embedded *file = evn__embedded_kernels; file->name; ++file) {
        evn__text text = {0};
        evn__text_append(&text, "%s%s", strcmp(file->name, name) == 0 ? fault : "",
                         (const char *)file->data);
        TRY(text.status);
        TRY(evn__file_write(test_path(path, "kernels/%s", file->name), text.data, text.size));
        free(text.data);
    }
}

static const char SHORT[] = "train digits --limit 32 --filters 8 --phase adjoint:epochs=1 --out";

/// With a cache of the test's own.
static test_outcome train(bool faulty, const char *more) {
    char variables[3 * TEST_PATH], cache[TEST_PATH], kernels[TEST_PATH];
    snprintf(variables, sizeof(variables), "EVONODE_SELFTEST= EVONODE_CACHE_DIR=%s %s%s",
             test_path(cache, "cache"), faulty ? "EVONODE_KERNEL_DIR=" : "",
             faulty ? test_path(kernels, "kernels") : "");
    return test_program(variables, "%s %s", SHORT, more);
}

static void expect_verdict(const char *file, const char *text) {
    json_t *run = test_json(file);
    const char *verdict = json_string_value(json_object_get(run, "selftest"));
    ck_assert_ptr_nonnull(verdict);
    ck_assert_msg(strstr(verdict, text) != NULL, "%s", verdict);
    json_decref(run);
}

START_TEST(wrong_device) {
    plant("conv2d.cl", FAULT);
    test_outcome result = train(true, "r");
    test_fails_with(result, EVN_ERR_DEVICE, "computes wrongly");
    ck_assert_ptr_nonnull(strstr(result.err, "--force"));
    ck_assert(!test_exists("r"));
    result = train(true, "r"); // a wrong result is never kept as a right one
    test_fails_with(result, EVN_ERR_DEVICE, "computes wrongly");
    result = train(true, "r --force");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "warning: --force: the device computes wrongly"));
    expect_verdict("r/run.json", "off by");
    result = test_program("EVONODE_SELFTEST=off", "%s s", SHORT);
    ck_assert_msg(result.code == 0, "%s", result.err);
    expect_verdict("s/run.json", "off");
}
END_TEST

/// What only the errors of adaptive steps have is found before the phase that is trained by fixed
/// ones begins, and not again once it was right.
START_TEST(wrong_in_a_later_phase) {
    static const char fixed[] = "train digits --limit 32 --filters 8 --phase "
                                "backprop:steps=2,epochs=1";
    char variables[3 * TEST_PATH], cache[TEST_PATH], kernels[TEST_PATH];
    plant("common.cl", "#undef fabs\n#define fabs(x) (R(1.1) * fmax((x), -(x)))\n");
    snprintf(variables, sizeof(variables), "EVONODE_SELFTEST= EVONODE_CACHE_DIR=%s %s%s",
             test_path(cache, "cache"), "EVONODE_KERNEL_DIR=", test_path(kernels, "kernels"));
    test_outcome result = test_program(variables, "%s --out a", fixed);
    ck_assert_msg(result.code == 0, "%s", result.err);
    expect_verdict("a/run.json", "right");
    result = test_program(variables, "%s --phase adjoint:epochs=1 --out b", fixed);
    test_fails_with(result, EVN_ERR_DEVICE, "computes wrongly");
    ck_assert(!test_exists("b"));
    result = test_program(variables, "%s --phase adjoint:epochs=1 --force --out b", fixed);
    ck_assert_msg(result.code == 0, "%s", result.err);
    expect_verdict("b/run.json", "off by");
}
END_TEST

/// What was right once is not checked again, unless something is new.
START_TEST(right_device) {
    char folder[TEST_PATH], command[2 * TEST_PATH], path[256], line[2 * TEST_PATH];
    test_outcome result = train(false, "r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    expect_verdict("r/run.json", "right");
    snprintf(command, sizeof(command), "ls %s/selftest-*.json", test_path(folder, "cache"));
    FILE *list = popen(command, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), list));
    pclose(list);
    line[strcspn(line, "\n")] = 0;
    snprintf(path, sizeof(path), "%.200s", strrchr(line, '/') + 1);
    size_t size, again;
    snprintf(line, sizeof(line), "cache/%s", path);
    char *before = test_read(line, &size);
    ck_assert_ptr_nonnull(strstr(before, "\"right\": {"));
    ck_assert_ptr_nonnull(strstr(before, ": true"));
    result = train(false, "s");
    ck_assert_int_eq(result.code, 0);
    char *after = test_read(line, &again);
    ck_assert_uint_eq(size, again);
    ck_assert_mem_eq(before, after, size);
    free(before);
    free(after);
    plant("conv2d.cl", FAULT); // other kernels: what is known is of no use
    test_fails_with(train(true, "t"), EVN_ERR_DEVICE, "computes wrongly");
}
END_TEST

/// Biases in front of a normalisation have gradients of nothing but rounding, and what follows
/// makes it large: that is the network's, and no fault of a device. A fault is still found.
START_TEST(gradients_that_are_zero) {
    static const char network[] =
        "{\"stem\": [{\"layer\": \"conv\", \"filters\": 32}, \"norm\", \"relu\","
        " {\"layer\": \"conv\", \"filters\": 32, \"size\": 4, \"stride\": 2}, {\"layer\": "
        "\"conv\", \"filters\": 8}],\n"
        " \"head\": [\"norm\", \"relu\", \"global-pool\","
        " {\"layer\": \"dense\", \"units\": \"classes\"}]}\n";
    static const char more[] = "--network deep.json --limit 256 --phase backprop:epochs=1";
    char variables[3 * TEST_PATH], cache[TEST_PATH], kernels[TEST_PATH];
    test_write("deep.json", network, strlen(network));
    snprintf(variables, sizeof(variables), "EVONODE_SELFTEST= EVONODE_CACHE_DIR=%s",
             test_path(cache, "cache"));
    test_outcome result = test_program(variables, "train digits %s --out r", more);
    ck_assert_msg(result.code == 0, "%s", result.err);
    plant("conv2d.cl", FAULT);
    snprintf(variables, sizeof(variables),
             "EVONODE_SELFTEST= EVONODE_CACHE_DIR=%s EVONODE_KERNEL_DIR=%s", cache,
             test_path(kernels, "kernels"));
    result = test_program(variables, "train digits %s --out w", more);
    test_fails_with(result, EVN_ERR_DEVICE, "computes wrongly");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("selftest");
    test_add(s, tcase_create("wrong_device"), wrong_device);
    test_add(s, tcase_create("wrong_in_a_later_phase"), wrong_in_a_later_phase);
    test_add(s, tcase_create("right_device"), right_device);
    test_add(s, tcase_create("zero_gradients"), gradients_that_are_zero);
    return s;
}

int main(void) {
    return test_run(suite());
}
