// SPDX-License-Identifier: Apache-2.0
// Files of results: what is written is read, and what was changed, is foreign or newer is refused.
#include "base/json_hash.h"
#include "bench/about.h"
#include "bench/record.h"
#include "bench/submission.h"
#include "bench/suite.h"
#include "host/tuning.h"
#include "host/wait.h"
#include "program.h"
#include "result.h"
#include "sweep.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_one(char path[TEST_PATH]) {
    evn__bench_record record;
    test_result("A vendor", "A device", 1, &record);
    test_result_write(&record, test_path(path, "a.json"));
    evn__bench_record_free(&record);
}

START_TEST(round_trip) {
    char path[TEST_PATH];
    evn__bench_record record;
    write_one(path);
    TRY(evn__bench_record_read(path, &record));
    ck_assert_int_eq(record.count, 5);
    ck_assert_str_eq(evn__bench_record_device(&record), "A device");
    ck_assert_double_eq_tol(record.limits.flops, 1e12, 1);
    const evn__bench_result *row = evn__bench_record_find(&record, "conv2d");
    ck_assert_int_eq(row->time.count, EVN__BENCH_SAMPLES);
    ck_assert_double_eq_tol(row->time.median, 1e-3, 1e-9);
    ck_assert_double_eq_tol(row->time.low, 0.99e-3, 1e-9);
    ck_assert_double_eq_tol(row->difference, 1e-6, 1e-12);
    ck_assert(isnan(evn__bench_record_find(&record, "mnist_euler")->difference));
    ck_assert_int_eq(evn__bench_record_find(&record, "limit_fp16")->time.count, 0);
    ck_assert_ptr_null(evn__bench_record_find(&record, "no such row"));
    ck_assert_str_eq(record.rows[4].reason, "the device does not compute in fp16");
    ck_assert(record.rows[4].lacking);
    evn__bench_record_free(&record);
}
END_TEST

/// Write a.json with `from` replaced by `to`, and expect a refusal that says `text`.
static void refused(const char *from, const char *to, const char *text) {
    char path[TEST_PATH], changed[1 << 16];
    evn__bench_record record;
    size_t size;
    write_one(path);
    char *data = test_read("a.json", &size);
    char *place = strstr(data, from);
    ck_assert_msg(place, "no %s in %s", from, data);
    snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(place - data), data, to,
             place + strlen(from));
    free(data);
    test_write("a.json", changed, strlen(changed));
    ck_assert_int_eq(evn__bench_record_read(path, &record), EVN_ERR_FORMAT);
    ck_assert_msg(strstr(evn_error_message(), text), "%s", evn_error_message());
    ck_assert_msg(strstr(evn_error_message(), "a.json"), "%s", evn_error_message());
}

START_TEST(damaged) {
    refused("\"median\": 0.001", "\"median\": 0.0001", "hash does not fit");
    refused("\"A device\"", "\"Another\"", "hash does not fit");
    refused("\"evonode bench\"", "\"something\"", "no result of evonode bench");
    refused("\"format\": 1", "\"format\": 2", "newer evonode");
    refused("{", "[", "no result of evonode bench");
    refused("\"hash\"", "\"hish\"", "hash does not fit");
}
END_TEST

START_TEST(not_there) {
    evn__bench_record record;
    ck_assert_int_eq(evn__bench_record_read("/nowhere/a.json", &record), EVN_ERR_FILE);
}
END_TEST

/// Samples that do not make the median that is said, under a hash that fits.
START_TEST(samples_that_do_not_fit) {
    char path[TEST_PATH];
    evn__bench_record record;
    test_result("A vendor", "A device", 1, &record);
    test_result_row(&record, "conv2d")->time.median *= 2;
    test_result_write(&record, test_path(path, "b.json"));
    evn__bench_record_free(&record);
    ck_assert_int_eq(evn__bench_record_read(path, &record), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "number 3"));
}
END_TEST

/// Put text into the member of an object, by its JSON; NULL: take it away.
static void put(json_t *object, const char *name, const char *value) {
    json_object_del(object, name);
    if (value) {
        json_t *read = json_loads(value, JSON_DECODE_ANY, NULL);
        ck_assert_msg(read && json_object_set_new(object, name, read) == 0, "%s", value);
    }
}

/// Write c.json, sealed, of a result whose root, or whose row number 3, has another member.
static void write_other(char path[TEST_PATH], bool in_row, const char *name, const char *value) {
    char *text;
    write_one(path);
    json_t *root = test_json("a.json");
    json_object_del(root, "hash");
    put(in_row ? json_array_get(json_object_get(root, "rows"), 2) : root, name, value);
    TRY(evn__json_print_hashed(root, 0, 9, &text));
    json_decref(root);
    test_write("c.json", text, strlen(text));
    free(text);
    test_path(path, "c.json");
}

/// What a result must have, under a hash that fits.
START_TEST(incomplete) {
    static const char row3[] = "number 3 has no name, or no samples";
    char long_text[2048];
    memset(long_text, 'x', sizeof(long_text));
    long_text[0] = long_text[sizeof(long_text) - 2] = '"';
    long_text[sizeof(long_text) - 1] = 0;
    const struct {
        bool in_row;
        const char *name, *value, *says;
    } cases[] = {
        {false, "rows", NULL, "it has no rows"},
        {false, "rows", "[]", "it has no rows"},
        {false, "device", NULL, "it has no device"},
        {true, "key", NULL, row3},
        {true, "key", "\"\"", row3},
        {true, "name", NULL, row3},
        {true, "name", long_text, row3},
        {true, "group", "3", row3},
        {true, "key", "\"limit_fp32\"", "it has the row limit_fp32 twice"},
        {true, "samples", NULL, row3},
        {true, "samples", "[]", row3},
        {true, "samples", "[\"fast\"]", row3},
        {true, "samples", "[0]", row3},
        {true, "samples", "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", row3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        char path[TEST_PATH];
        evn__bench_record record;
        write_other(path, cases[i].in_row, cases[i].name, cases[i].value);
        ck_assert_int_eq(evn__bench_record_read(path, &record), EVN_ERR_FORMAT);
        ck_assert_msg(strstr(evn_error_message(), cases[i].says), "%zu: %s", i,
                      evn_error_message());
    }
}
END_TEST

/// A row that failed says why; a device without a name has none.
START_TEST(failed_row) {
    char path[TEST_PATH];
    evn__bench_record record;
    test_result("A vendor", "A device", 1, &record);
    evn__bench_result *row = test_result_row(&record, "conv2d");
    row->time.count = 0;
    snprintf(row->reason, sizeof(row->reason), "no memory");
    json_object_del(json_object_get(record.about, "device"), "name");
    test_result_write(&record, test_path(path, "d.json"));
    evn__bench_record_free(&record);
    TRY(evn__bench_record_read(path, &record));
    row = test_result_row(&record, "conv2d");
    ck_assert(row->time.count == 0 && !row->lacking);
    ck_assert_str_eq(row->reason, "no memory");
    ck_assert_str_eq(evn__bench_record_device(&record), "");
    evn__bench_record_free(&record);
}
END_TEST

static char swept[TEST_PATH];

static evn_status read_swept(void) {
    char *text = NULL;
    evn__bench_record record;
    EVN_TRY(evn__bench_record_read(swept, &record));
    bool right = record.count == 5 && evn__bench_record_find(&record, "conv2d")->time.count > 0;
    evn_status status = evn__bench_record_print(&record, &text);
    free(text);
    evn__bench_record_free(&record);
    return right ? status : evn_error_set(EVN_ERR_INTERNAL, "the result is read wrongly");
}

START_TEST(faults) {
    test_sweep_begin();
    write_one(swept);
    test_sweep(&(test_deed){.name = "read and printed", .run = read_swept});
}
END_TEST

/// What is read back from where --submit would write it.
static evn_status submitted(evn__bench_record *record, const char *folder) {
    char root[TEST_PATH];
    evn__text path = {0};
    TRY(evn__bench_submission_place(test_path(root, "%s", folder), record->about, &path));
    test_result_write(record, path.data);
    evn__bench_record_free(record);
    TRY(evn__bench_record_read(path.data, record));
    evn__text again = {0}; // nothing is written over it
    ck_assert_int_eq(evn__bench_submission_place(root, record->about, &again), EVN_ERR_OUTPUT);
    evn_status status = evn__bench_submission_check(path.data, record);
    free(again.data);
    free(path.data);
    evn__bench_record_free(record);
    return status;
}

START_TEST(submission) {
    evn__bench_record record;
    test_result("Advanced Micro Devices, Inc.", "Radeon RX 6600 (gfx1032)", 1, &record);
    TRY(submitted(&record, "."));
    ck_assert(test_exists(
        "results/advanced-micro-devices-inc/radeon-rx-6600-gfx1032-3.1-2026-11-29.json"));
    test_result("A vendor", "wrong kernels", 1, &record);
    test_result_row(&record, "conv2d")->difference = 1e-3;
    ck_assert_int_eq(submitted(&record, "."), EVN_ERR_DATA);
    test_result("A vendor", "kernels that give no number", 1, &record);
    test_result_row(&record, "conv2d")->difference = INFINITY;
    ck_assert_int_eq(submitted(&record, "."), EVN_ERR_DATA);
    test_result("A vendor", "quick", 1, &record);
    json_object_set_new(record.about, "quick", json_true());
    ck_assert_int_eq(submitted(&record, "."), EVN_ERR_DATA);
    test_result("A vendor", "untested", 1, &record);
    json_object_del(record.about, "selftest");
    ck_assert_int_eq(submitted(&record, "."), EVN_ERR_DATA);
    test_result("A vendor", "wrong test", 1, &record);
    json_object_set_new(json_object_get(record.about, "selftest"), "wrong", json_integer(1));
    ck_assert_int_eq(submitted(&record, "."), EVN_ERR_DATA);
    test_result("A vendor", "talks", 1, &record);
    json_object_set_new(json_object_get(record.about, "host"), "compiler",
                        json_string("/home/somebody/bin/cc"));
    ck_assert_int_eq(submitted(&record, "."), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "a path is in it"));
}
END_TEST

START_TEST(misplaced) {
    char path[TEST_PATH];
    evn__bench_record record;
    test_result("A vendor", "A device", 1, &record);
    test_result_write(&record, test_path(path, "results/a-vendor/mine.json"));
    ck_assert_int_eq(evn__bench_submission_check(path, &record), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "a-vendor/a-device-3.1-2026-11-29.json"));
    evn__bench_record_free(&record);
}
END_TEST

START_TEST(paths_are_hidden) {
    char text[] = "In file (/root/.cache/x.cl) line 3: and C:\\temp too, 1/2";
    evn__bench_hide_paths(text);
    ck_assert_str_eq(text, "In file (…) line 3: and … too, …");
    char plain[] = "no memory";
    evn__bench_hide_paths(plain);
    ck_assert_str_eq(plain, "no memory");
}
END_TEST

static void supply(const char *name, const char *file, const char *value) {
    char path[TEST_PATH], command[2 * TEST_PATH];
    snprintf(command, sizeof(command), "mkdir -p '%s'", test_path(path, "supplies/%s", name));
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof(command), "supplies/%s/%s", name, file);
    test_write(command, value, strlen(value));
}

static void expect_power(const char *source, size_t batteries) {
    char path[TEST_PATH];
    json_t *power = evn__bench_power(test_path(path, "supplies"));
    ck_assert_str_eq(json_string_value(json_object_get(power, "source")), source);
    ck_assert_uint_eq(json_array_size(json_object_get(power, "batteries")), batteries);
    json_decref(power);
}

START_TEST(power) {
    expect_power("unknown", 0);
    supply("AC", "type", "Mains\n");
    supply("AC", "online", "1\n");
    expect_power("mains", 0);
    supply("BAT0", "type", "Battery\n");
    supply("BAT0", "status", "Discharging\n");
    supply("BAT0", "capacity", "81\n");
    expect_power("battery", 1);
    supply("BAT0", "status", "Charging\n");
    expect_power("mains", 1);
    supply("AC", "online", "0\n");
    expect_power("unknown", 1);
    supply("ucsi-source-psy-USBC000:001", "type", "USB\n");
    supply("ucsi-source-psy-USBC000:001", "online", "0\n");
    expect_power("unknown", 1);
    supply("ucsi-source-psy-USBC000:001", "online", "1\n"); // the one plug of many laptops
    expect_power("mains", 1);
    supply("ucsi-source-psy-USBC000:001", "online", "2\n");
    expect_power("mains", 1);
    supply("hidpp_battery_0", "type", "Battery\n"); // a mouse's
    supply("hidpp_battery_0", "scope", "Device\n");
    supply("hidpp_battery_0", "status", "Discharging\n");
    expect_power("mains", 1);
}
END_TEST

START_TEST(patterns) {
    TRY(evn__bench_options_check(&(evn__bench_options){.rows = NULL}));
    TRY(evn__bench_options_check(&(evn__bench_options){.rows = "nothing,conv2d_*grad"}));
    TRY(evn__bench_options_check(&(evn__bench_options){.rows = "training steps"}));
    ck_assert_int_eq(evn__bench_options_check(&(evn__bench_options){.rows = "conv"}),
                     EVN_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "conv2d_stem"));
}
END_TEST

START_TEST(drift) {
    evn__bench_time time = {.count = 9, .samples = {1, 1, 1, 2, 2, 2, 3, 3, 3}};
    evn__bench_summarise(&time);
    ck_assert_double_eq(time.drift, 2);
    ck_assert_double_eq(time.median, 2);
    ck_assert_double_eq(time.low, 1);
    ck_assert_double_eq(time.high, 3);
    ck_assert_double_eq(time.best, 1);
}
END_TEST

/// What a page needs to tell two drivers of one device apart.
START_TEST(device_and_tuning) {
    json_t *about;
    TRY(evn__tuning_set(test_device(), "a class", "a variant"));
    TRY(evn__bench_about(test_device(), true, false, &about));
    TRY(evn__tuning_set(test_device(), "a class", NULL));
    const json_t *device = json_object_get(about, "device");
    const json_t *extensions = json_object_get(device, "extensions");
    ck_assert_int_eq(json_is_true(json_object_get(device, "unified")),
                     evn_device_get_info(test_device())->unified);
    ck_assert(json_is_string(json_object_get(device, "sub_groups")));
    ck_assert_ptr_eq(strstr(json_string_value(json_object_get(device, "opencl_c")), "OpenCL C "),
                     json_string_value(json_object_get(device, "opencl_c")));
    ck_assert_int_ge(json_integer_value(json_object_get(device, "cache_bytes")), 0);
    ck_assert_int_gt((int)json_array_size(extensions), 0);
    for (size_t i = 0; i < json_array_size(extensions); ++i) {
        const char *name = json_string_value(json_array_get(extensions, i));
        ck_assert_msg(strncmp(name, "cl_", 3) == 0 && !strchr(name, ' '), "'%s'", name);
    }
    const json_t *tuned = json_object_get(about, "tuned");
    ck_assert_str_eq(json_string_value(json_object_get(tuned, "a class")), "a variant");
    json_decref(about);
}
END_TEST

static void look_how_it_waits(void *user, const evn__bench_record *record,
                              const evn__bench_result *row) {
    (void)record;
    (void)row;
    ++*(int *)user;
    ck_assert_int_eq(evn__device_wait_as(test_device(), EVN__WAITING_SPINS), EVN__WAITING_SPINS);
}

/// A sleep between looks would be a part of what is measured.
START_TEST(waits_spin) {
    int rows = 0;
    evn__bench_record record;
    const evn__bench_options options = {
        .rows = "limit_wait", .quick = true, .report = look_how_it_waits, .user = &rows};
    evn__waiting before = evn__device_wait_as(test_device(), EVN__WAITING_UNKNOWN);
    TRY(evn__bench_run(test_device(), &options, &record));
    ck_assert_int_eq(evn__device_wait_as(test_device(), before), EVN__WAITING_UNKNOWN);
    ck_assert_int_gt(rows, 0);
    evn__bench_record_free(&record);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("record");
    test_add(s, tcase_create("round_trip"), round_trip);
    test_add(s, tcase_create("damaged"), damaged);
    test_add(s, tcase_create("not_there"), not_there);
    test_add(s, tcase_create("samples_that_do_not_fit"), samples_that_do_not_fit);
    test_add(s, tcase_create("incomplete"), incomplete);
    test_add(s, tcase_create("failed_row"), failed_row);
    test_add(s, tcase_create("faults"), faults);
    test_add(s, tcase_create("submission"), submission);
    test_add(s, tcase_create("misplaced"), misplaced);
    test_add(s, tcase_create("paths_are_hidden"), paths_are_hidden);
    test_add(s, tcase_create("power"), power);
    test_add(s, tcase_create("patterns"), patterns);
    test_add(s, tcase_create("drift"), drift);
    test_add(s, tcase_create("device_and_tuning"), device_and_tuning);
    test_add(s, tcase_create("waits_spin"), waits_spin);
    return s;
}

int main(void) {
    return test_run(suite());
}
