// SPDX-License-Identifier: Apache-2.0
#include "layered.h"
#include "program.h"
#include "test.h"
#include "vendors.h"

#include <stdio.h>
#include <string.h>

static json_t *list_devices(void) {
    test_outcome result = test_program("", "devices --json");
    ck_assert_int_eq(result.code, 0);
    return test_json("printed.out");
}

START_TEST(json) {
    json_t *root = list_devices();
    const json_t *devices = json_object_get(root, "devices");
    json_int_t automatic = json_integer_value(json_object_get(root, "auto"));
    ck_assert_int_gt(json_array_size(devices), automatic);
    for (size_t i = 0; i < json_array_size(devices); ++i) {
        const json_t *device = json_array_get(devices, i);
        ck_assert_int_eq(json_integer_value(json_object_get(device, "index")), i);
        ck_assert_ptr_nonnull(json_string_value(json_object_get(device, "driver")));
        ck_assert(json_is_boolean(json_object_get(device, "fp64")));
    }
    const json_t *taken = json_array_get(devices, (size_t)automatic);
    ck_assert(json_is_true(json_object_get(taken, "usable")));
    ck_assert_int_gt(json_integer_value(json_object_get(taken, "compute_units")), 0);
    ck_assert_int_gt(json_integer_value(json_object_get(taken, "global_bytes")), 0);
    json_decref(root);
}
END_TEST

START_TEST(list) {
    json_t *root = list_devices();
    const json_t *first = json_array_get(json_object_get(root, "devices"), 0);
    char line[1024];
    snprintf(line, sizeof(line), "-- Device #0: %s\n",
             json_string_value(json_object_get(first, "name")));
    test_outcome result = test_program("", "devices");
    ck_assert_int_eq(result.code, 0);
    ck_assert_int_eq(strncmp(result.out, "Platform #0: ", 13), 0);
    ck_assert_ptr_nonnull(strstr(result.out, line));
    ck_assert_ptr_nonnull(strstr(result.out, "auto takes this one"));
    json_decref(root);
}
END_TEST

/// A driver may call its device what it likes; JSON and run.json may not.
START_TEST(names_that_are_no_utf8) {
    char path[TEST_PATH];
    test_changed_profile(path, "rx6600", "board_name = GPU \xe9\xff");
    const char *variables = test_layer_variables("EVN_LAYER_COSTUME='%s'", path);
    test_outcome result = test_program(variables, "devices --json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_decref(test_json("printed.out"));
    ck_assert_ptr_nonnull(strstr(result.out, "GPU ??"));
    result = test_program(variables, "train curve --width 8 --phase backprop:epochs=1 --out r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_decref(test_json("r/run.json"));
}
END_TEST

static const char NOTHING[] = "OCL_ICD_VENDORS=/nonexistent";

START_TEST(without_devices) {
    test_fails_with(test_program(NOTHING, "devices"), EVN_ERR_NO_DEVICE, "no OpenCL device");
    test_fails_with(test_program(NOTHING, "devices --json"), EVN_ERR_NO_DEVICE,
                    "OCL_ICD_VENDORS is");
    test_fails_with(test_program(NOTHING, "train digits --out r"), EVN_ERR_NO_DEVICE,
                    "OCL_ICD_VENDORS");
    ck_assert(!test_exists("r"));
}
END_TEST

START_TEST(wrong_names) {
    test_fails_with(test_program("", "train digits --out r --device nosuchthing"),
                    EVN_ERR_DEVICE_NAME, "nosuchthing");
    test_fails_with(test_program("", "train digits --out r --device 99:0"), EVN_ERR_DEVICE_NAME,
                    "99:0");
    test_fails_with(test_program("EVONODE_DEVICE=nosuchthing", "train digits --out r"),
                    EVN_ERR_DEVICE_NAME, "nosuchthing");
    ck_assert(!test_exists("r"));
}
END_TEST

// Broken implementations beside the machine's own
// --------------------------------------------------

/// The entry of that platform.
static const json_t *device_of(const json_t *root, const char *platform) {
    const json_t *devices = json_object_get(root, "devices");
    for (size_t i = 0; i < json_array_size(devices); ++i) {
        const json_t *device = json_array_get(devices, i);
        if (strcmp(json_string_value(json_object_get(device, "platform")), platform) == 0) {
            return device;
        }
    }
    ck_abort_msg("no device of %s", platform);
    return NULL;
}

/// Whatever is wrong with one platform, the others' devices are listed and train.
START_TEST(broken_platforms) {
    static const struct {
        const char *word, *reason;
    } faults[] = {
        {"fail", "clGetDeviceIDs: CL_OUT_OF_HOST_MEMORY (-6)"},
        {"refuse_1004", "CL_DEVICE_MAX_WORK_GROUP_SIZE: CL_INVALID_VALUE (-30)"},
        {"zero_1002", "answers nothing, or 0, to the query CL_DEVICE_MAX_COMPUTE_UNITS"},
        {"refuse_102b", "CL_DEVICE_NAME"},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); ++i) {
        char words[64];
        snprintf(words, sizeof(words), "own %s", faults[i].word);
        test_outcome result = test_program(test_vendors(words), "devices --json");
        ck_assert_msg(result.code == 0, "%s: %s", faults[i].word, result.err);
        json_t *root = test_json("printed.out");
        const json_t *device = device_of(root, "Broken Vendor");
        const char *said = json_string_value(json_object_get(device, "unusable"));
        ck_assert(json_is_false(json_object_get(device, "usable")));
        ck_assert_msg(strstr(said, faults[i].reason) != NULL, "%s: %s", faults[i].word, said);
        ck_assert_int_ge(json_integer_value(json_object_get(root, "auto")), 0);
        json_decref(root);
        test_fails_with(test_program(test_vendors(words), "train digits --device broken --out r"),
                        EVN_ERR_DEVICE_NAME, faults[i].reason);
    }
}
END_TEST

/// A driver that takes down whoever loads it takes down a child alone: it is named, and the list is
/// made without it.
START_TEST(driver_crashes) {
    test_outcome result = test_program(test_vendors("own crash dangling fail"), "devices --json");
    ck_assert_int_eq(result.code, EVN_ERR_DEVICE);
    ck_assert_msg(strstr(result.err, "broken-crash.so, which ") != NULL, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "signal 11"));
    json_t *root = test_json("printed.out");
    ck_assert_int_ge(json_integer_value(json_object_get(root, "auto")), 0);
    ck_assert_ptr_nonnull(device_of(root, "Broken Vendor")); // the other one, which only fails
    const json_t *finding = json_array_get(json_object_get(root, "findings"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(finding, "cause")), "library-crashes");
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_object_get(finding, "advice")), "OCL_ICD_VENDORS"));
    json_decref(root);
    result = test_program(test_vendors("crash"), "devices");
    test_fails_with(result, EVN_ERR_DEVICE, "leave it out");
    ck_assert_ptr_nonnull(strstr(result.out, "To mend it: "));
}
END_TEST

/// One that ends whoever loads it, without a word, is a crash, too.
START_TEST(driver_leaves) {
    test_outcome result = test_program(test_vendors("own leave"), "devices");
    test_fails_with(result, EVN_ERR_DEVICE, "broken-leave.so, which ");
    test_fails_with(test_program(test_vendors("own leave"), "train digits --out l"), EVN_ERR_DEVICE,
                    "ended the program");
}
END_TEST

/// One whose child ends, as where it would load a module, has ended nothing.
START_TEST(driver_forks) {
    test_outcome result = test_program(test_vendors("own fork"), "train digits --dry-run");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_msg(!strstr(result.err, "driver"), "%s", result.err);
}
END_TEST

START_TEST(driver_hangs) {
    char variables[2048];
    snprintf(variables, sizeof(variables), "EVONODE_DRIVER_SECONDS=2 %s", test_vendors("own hang"));
    test_outcome result = test_program(variables, "devices");
    test_fails_with(result, EVN_ERR_DEVICE, "did not answer within 2 seconds");
    ck_assert_ptr_nonnull(strstr(result.out, "auto takes this one: "));
}
END_TEST

/// The run ends by the driver's fault, but says so and what to do.
START_TEST(training_meets_crash) {
    test_outcome result = test_program(test_vendors("own crash"), "train digits --out r");
    test_fails_with(result, EVN_ERR_DEVICE, "evonode devices");
    ck_assert(!test_exists("r"));
}
END_TEST

/// A platform without a device is no missing driver.
START_TEST(silent_platforms) {
    test_fails_with(test_program(test_vendors("none"), "devices"), EVN_ERR_NO_DEVICE,
                    "Broken Vendor is there, but gives no device");
    test_fails_with(test_program(test_vendors("none"), "train digits --out r"), EVN_ERR_NO_DEVICE,
                    "Broken Vendor is there, but gives no device");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("devices");
    TCase *c = tcase_create("list");
    tcase_add_test(c, json);
    tcase_add_test(c, list);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, without_devices);
    tcase_add_test(c, wrong_names);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("broken_platforms"), broken_platforms);
    test_add(s, tcase_create("driver_crashes"), driver_crashes);
    test_add(s, tcase_create("driver_leaves"), driver_leaves);
    test_add(s, tcase_create("driver_forks"), driver_forks);
    test_add(s, tcase_create("driver_hangs"), driver_hangs);
    test_add(s, tcase_create("training_meets_crash"), training_meets_crash);
    test_add(s, tcase_create("silent_platforms"), silent_platforms);
    test_add(s, tcase_create("names_that_are_no_utf8"), names_that_are_no_utf8);
    return s;
}

int main(void) {
    return test_run(suite());
}
