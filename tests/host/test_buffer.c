// SPDX-License-Identifier: Apache-2.0
#include "evonode/buffer.h"
#include "host/counting.h"
#include "host/guard.h"
#include "host/kernel.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 7 }; // odd: zones then begin off the alignment of wide vectors

static evn_buffer *buffer_of(size_t bytes) {
    evn_buffer *buffer;
    TRY(evn_buffer_create(test_device(), bytes, &buffer));
    return buffer;
}

// Copies ------------------------------------------------------------------------------------------

/// Writes that do not wait, of pairs and of odd sizes: what is written is what the data was then.
START_TEST(small_writes) {
    enum { WRITES = 64, MAX_COUNT = 300 };
    static float out[WRITES * MAX_COUNT], value[MAX_COUNT];
    evn_buffer *buffer = buffer_of(sizeof(out));
    for (int i = 0; i < WRITES; ++i) {
        int count = i % 2 ? 2 : MAX_COUNT - i;
        for (int k = 0; k < count; ++k) {
            value[k] = (float)(i * MAX_COUNT + k);
        }
        TRY(evn_buffer_write(buffer, (size_t)i * sizeof(value), (size_t)count * sizeof(*value),
                             value));
    }
    TRY(evn_buffer_read(buffer, 0, sizeof(out), out));
    for (int i = 0; i < WRITES; ++i) {
        for (int k = 0; k < (i % 2 ? 2 : MAX_COUNT - i); ++k) {
            ck_assert_float_eq(out[i * MAX_COUNT + k], (float)(i * MAX_COUNT + k));
        }
    }
    evn_buffer_destroy(&buffer);
}
END_TEST

START_TEST(copies_arrive_at_their_offsets) {
    float in[COUNT] = {1, 2, 3, 4, 5, 6, 7}, out[COUNT];
    evn_buffer *a = buffer_of(sizeof(in)), *b = buffer_of(sizeof(in));
    ck_assert_uint_eq(evn_buffer_bytes(a), sizeof(in));
    TRY(evn_buffer_write(a, 0, sizeof(in), in));
    TRY(evn_buffer_write(a, 8, 4, &(float){30}));
    TRY(evn_buffer_zero(b, 0, sizeof(in)));
    TRY(evn_buffer_copy(b, 4, a, 8, 12));
    TRY(evn_buffer_copy(b, 20, b, 4, 8)); // within one buffer
    TRY(evn_buffer_zero(b, 8, 4));
    TRY(evn_buffer_read(b, 0, sizeof(out), out));
    const float expected[COUNT] = {0, 30, 0, 5, 0, 30, 4};
    ck_assert_mem_eq(out, expected, sizeof(out));
    TRY(evn_buffer_read(b, 12, 4, out));
    ck_assert_float_eq(out[0], 5);
    evn_buffer_destroy(&a);
    evn_buffer_destroy(&b);
    ck_assert_ptr_null(b);
    evn_buffer_destroy(&b);
}
END_TEST

START_TEST(copies_of_nothing_do_nothing) {
    evn_buffer *a = buffer_of(8);
    evn_device_stats before = evn_device_get_stats(test_device());
    TRY(evn_buffer_write(a, 8, 0, NULL));
    TRY(evn_buffer_read(a, 8, 0, NULL));
    TRY(evn_buffer_copy(a, 0, a, 0, 0));
    TRY(evn_buffer_zero(a, 8, 0));
    evn_device_stats after = evn_device_get_stats(test_device());
    ck_assert_int_eq(memcmp(&before, &after, sizeof(before)), 0);
    evn_buffer_destroy(&a);
}
END_TEST

START_TEST(copies_out_of_bounds_are_refused) {
    char data[16] = {0};
    evn_buffer *a = buffer_of(8), *b = buffer_of(8);
    ck_assert_int_eq(evn_buffer_write(a, 0, 9, data), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_buffer_write(a, 9, 0, data), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_buffer_read(a, 4, 5, data), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_buffer_read(a, 4, (size_t)-2, data), EVN_ERR_ARGUMENT); // wraps around
    ck_assert_int_eq(evn_buffer_copy(a, 0, b, 4, 8), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_buffer_copy(a, 4, b, 0, 8), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_buffer_copy(a, 0, a, 2, 4), EVN_ERR_ARGUMENT); // overlap
    ck_assert_int_eq(evn_buffer_zero(a, 2, 4), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_buffer_zero(a, 0, 3), EVN_ERR_ARGUMENT);
    evn_buffer_destroy(&a);
    evn_buffer_destroy(&b);
}
END_TEST

// Accounting --------------------------------------------------------------------------------------

START_TEST(account_follows_buffers) {
    evn_device *device = test_device();
    uint64_t start = evn_device_get_stats(device).bytes_now;
    evn_buffer *a = buffer_of(1000), *b = buffer_of(500);
    evn_buffer_destroy(&a);
    evn_device_stats stats = evn_device_get_stats(device);
    ck_assert_uint_eq(stats.bytes_now, start + 500);
    ck_assert_uint_eq(stats.bytes_peak, start + 1500);
    evn_device_reset_peak(device);
    ck_assert_uint_eq(evn_device_get_stats(device).bytes_peak, start + 500);
    evn_buffer_destroy(&b);
    ck_assert_uint_eq(evn_device_get_stats(device).bytes_now, start);
}
END_TEST

START_TEST(account_is_not_touched_by_failures) {
    evn_device *device = test_device();
    evn_device_stats before = evn_device_get_stats(device);
    evn_buffer *buffer;
    size_t huge = (size_t)evn_device_get_info(device)->max_allocation_bytes + 1;
    ck_assert_int_eq(evn_buffer_create(device, huge, &buffer), EVN_ERR_DEVICE_MEMORY);
    ck_assert_ptr_null(buffer);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "bytes are held"));
    ck_assert_int_eq(evn_buffer_create(device, 0, &buffer), EVN_ERR_ARGUMENT);
    evn_device_stats after = evn_device_get_stats(device);
    ck_assert_int_eq(memcmp(&before, &after, sizeof(before)), 0);
}
END_TEST

// Guard zones -------------------------------------------------------------------------------------

static const char planted[] = "__kernel void store(OUTPUT(y), const int at) {\n"
                              "    OUTPUT_OF(y);\n"
                              "    y[at] = R(1.0);\n"
                              "}\n"
                              "__kernel void increment(OUTPUT(y), const int at) {\n"
                              "    OUTPUT_OF(y);\n"
                              "    y[at] += R(1.0);\n"
                              "}\n"
                              "__kernel void copy(OUTPUT(y), INPUT(x), const int at) {\n"
                              "    OUTPUT_OF(y);\n"
                              "    INPUT_OF(x);\n"
                              "    y[at] = x[at];\n"
                              "}\n"
                              "__kernel void load(OUTPUT(y), INPUT(x), const int at) {\n"
                              "    OUTPUT_OF(y);\n"
                              "    INPUT_OF(x);\n"
                              "    y[0] = x[at];\n"
                              "}\n";

/// Run one work-item of a kernel above; x may be NULL.
static void run(const char *name, bool fp64, evn_buffer *y, evn_buffer *x, int at) {
    evn__source source = {.text = planted, .fp64 = fp64};
    evn__kernel *kernel;
    evn__argument arguments[3] = {{.kind = EVN__ARGUMENT_BUFFER, .buffer = y}};
    int count = 1;
    if (x) {
        arguments[count++] = (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = x};
    }
    arguments[count++] = (evn__argument){.kind = EVN__ARGUMENT_INT, .integer = at};
    TRY(evn__kernel_get(test_device(), &source, name, &kernel));
    TRY(evn__kernel_launch(kernel, arguments, count, (evn__range){.dimensions = 1, .global = {1}}));
}

static void expect_damage(evn_buffer **buffer, const char *where) {
    uint64_t before = evn__device_guard_failures(test_device());
    ck_assert_int_eq(evn__buffer_check_guard(*buffer), EVN_ERR_DEVICE);
    ck_assert_msg(strstr(evn_error_message(), where) != NULL, "%s", evn_error_message());
    evn_buffer_destroy(buffer);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), before + 1);
}

static void guard_on(void) {
    evn__device_guard(test_device(), true);
}

static void guard_off(void) {
    evn__device_guard(test_device(), false);
}

START_TEST(guard_lets_right_kernels_pass) {
    float data[COUNT] = {0};
    evn_buffer *y = buffer_of(sizeof(data)), *x = buffer_of(sizeof(data));
    uint64_t before = evn__device_guard_failures(test_device());
    TRY(evn_buffer_zero(x, 0, sizeof(data)));
    for (int at = 0; at < COUNT; ++at) {
        run("copy", false, y, x, at);
        run("increment", false, y, NULL, at);
    }
    TRY(evn__buffer_check_guard(x));
    TRY(evn__buffer_check_guard(y));
    TRY(evn_buffer_read(y, 0, sizeof(data), data));
    for (int i = 0; i < COUNT; ++i) {
        ck_assert_float_eq(data[i], 1);
    }
    evn_buffer_destroy(&y);
    evn_buffer_destroy(&x);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), before);
}
END_TEST

START_TEST(guard_catches_stores) {
    static const struct {
        const char *kernel;
        int at;
        const char *where;
    } cases[] = {
        {"store", COUNT, "byte 0 after its end"}, {"store", COUNT + 100, "byte 400 after its end"},
        {"store", -1, "byte 4 before its start"}, {"store", -1000, "byte 4000 before its start"},
        {"increment", COUNT, "after its end"},    {"copy", COUNT, "after its end"},
        {"copy", COUNT + 1, "after its end"},     {"copy", -1, "before its start"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        evn_buffer *y = buffer_of(COUNT * 4), *x = buffer_of(COUNT * 4);
        run(cases[i].kernel, false, y, strcmp(cases[i].kernel, "copy") == 0 ? x : NULL,
            cases[i].at);
        TRY(evn__buffer_check_guard(x));
        expect_damage(&y, cases[i].where);
        evn_buffer_destroy(&x);
    }
}
END_TEST

START_TEST(guard_catches_stores_of_doubles) {
    if (!evn_device_get_info(test_device())->has_fp64) {
        return;
    }
    evn_buffer *y = buffer_of(COUNT * 8);
    run("increment", true, y, NULL, COUNT);
    expect_damage(&y, "after its end");
    y = buffer_of(COUNT * 8);
    run("store", true, y, NULL, -1);
    expect_damage(&y, "before its start");
}
END_TEST

START_TEST(guard_makes_loads_show) {
    float fresh[COUNT];
    evn_buffer *y = buffer_of(4), *x = buffer_of(COUNT * 4);
    TRY(evn_buffer_read(x, 0, sizeof(fresh), fresh));
    for (int i = 0; i < COUNT; ++i) {
        ck_assert_msg(isnan(fresh[i]), "element %d was never written and is a number", i);
    }
    TRY(evn_buffer_zero(x, 0, sizeof(fresh)));
    static const int outside[] = {COUNT, COUNT + 1, -1, -2};
    for (int i = 0; i < 4; ++i) {
        run("load", false, y, x, outside[i]);
        TRY(evn_buffer_read(y, 0, 4, fresh));
        ck_assert_msg(isnan(fresh[0]), "a load at %d gave %g", outside[i], fresh[0]);
    }
    evn_buffer_destroy(&x);
    evn_buffer_destroy(&y);
}
END_TEST

START_TEST(guard_changes_no_account) {
    evn_device_stats before = evn_device_get_stats(test_device());
    evn_buffer *a = buffer_of(100);
    evn_device_stats after = evn_device_get_stats(test_device());
    ck_assert_uint_eq(after.bytes_now, before.bytes_now + 100);
    ck_assert_uint_eq(after.writes, before.writes);
    ck_assert_uint_eq(after.waits, before.waits);
    evn_buffer_destroy(&a);
}
END_TEST

START_TEST(guard_can_be_set_outside) {
    evn_device *device;
    evn_buffer *buffer;
    float fresh;
    setenv("EVONODE_GUARD", "1", 1);
    TRY(evn_device_open(NULL, &device));
    unsetenv("EVONODE_GUARD");
    TRY(evn_buffer_create(device, 4, &buffer));
    TRY(evn_buffer_read(buffer, 0, 4, &fresh));
    ck_assert(isnan(fresh));
    TRY(evn__buffer_check_guard(buffer));
    evn_buffer_destroy(&buffer);
    evn_device_close(&device);
}
END_TEST

/// A limit is one of what is held, whoever asks; counting has none.
START_TEST(a_limit_is_kept) {
    evn_buffer *one = buffer_of(1 << 16), *two = NULL;
    uint64_t held = evn_device_get_stats(test_device()).bytes_now;
    evn__device_limit(test_device(), held + (1 << 16));
    ck_assert_int_eq(evn_buffer_create(test_device(), (1 << 16) + 1, &two), EVN_ERR_DEVICE_MEMORY);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "more than the limit of"));
    TRY(evn_buffer_create(test_device(), 1 << 16, &two));
    ck_assert_uint_eq(evn_device_get_stats(test_device()).bytes_now, held + (1 << 16));
    evn_buffer *three = NULL;
    ck_assert_int_eq(evn_buffer_create(test_device(), 1, &three), EVN_ERR_DEVICE_MEMORY);
    evn__device_limit(test_device(), 0);
    TRY(evn_buffer_create(test_device(), 1, &three));
    evn_buffer_destroy(&one);
    evn_buffer_destroy(&two);
    evn_buffer_destroy(&three);
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("buffer");
    TCase *copies = tcase_create("copies");
    tcase_add_test(copies, copies_arrive_at_their_offsets);
    tcase_add_test(copies, small_writes);
    tcase_add_test(copies, copies_of_nothing_do_nothing);
    tcase_add_test(copies, copies_out_of_bounds_are_refused);
    suite_add_tcase(all, copies);
    TCase *account = tcase_create("account");
    tcase_add_test(account, account_follows_buffers);
    tcase_add_test(account, account_is_not_touched_by_failures);
    tcase_add_test(account, a_limit_is_kept);
    suite_add_tcase(all, account);
    TCase *guard = tcase_create("guard");
    tcase_add_checked_fixture(guard, guard_on, guard_off);
    tcase_add_test(guard, copies_arrive_at_their_offsets);
    tcase_add_test(guard, guard_lets_right_kernels_pass);
    tcase_add_test(guard, guard_catches_stores);
    tcase_add_test(guard, guard_catches_stores_of_doubles);
    tcase_add_test(guard, guard_makes_loads_show);
    tcase_add_test(guard, guard_changes_no_account);
    tcase_add_test(guard, guard_can_be_set_outside);
    suite_add_tcase(all, guard);
    return all;
}

int main(void) {
    return test_run(suite());
}
