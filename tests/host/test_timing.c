// SPDX-License-Identifier: Apache-2.0
// Timing of launches nests and may be sparse; work is cut by what a trial of it takes.
#include "host/runtime.h"
#include "host/timing.h"
#include "test.h"

#include <string.h>

START_TEST(timings_nest) {
    evn_device *device = test_device();
    evn__timing none = evn__device_time_begin(device, 1);
    ck_assert_int_eq(none.every, 0);
    evn__longest_add(device, "outer", 0.2);
    evn__timing outer = evn__device_time_begin(device, EVN__TIMING_SPARSE);
    evn__longest_add(device, "inner", 0.5);
    evn__longest_add(device, "shorter", 0.3);
    evn__longest_launch longest = evn__device_time_end(device, outer);
    ck_assert_str_eq(longest.kernel, "inner");
    ck_assert_double_eq(longest.seconds, 0.5);
    ck_assert_str_eq(evn__device_longest(device)->kernel, "outer");
    longest = evn__device_time_end(device, none);
    ck_assert_double_eq(longest.seconds, 0.2);
    ck_assert_double_eq(evn__device_longest(device)->seconds, 0);
}
END_TEST

/// Of each kernel the first, then one in so many, in each timing; none while nothing is timed.
START_TEST(some_launches_are_timed) {
    evn_device *device = test_device();
    evn__kernel kernels[2] = {{.device = device}, {.device = device}};
    int timed[2] = {0};
    ck_assert(!evn__timing_takes(&kernels[0]));
    evn__timing before = evn__device_time_begin(device, EVN__TIMING_SPARSE);
    ck_assert(evn__timing_takes(&kernels[0]));
    for (int i = 1; i < 3 * EVN__TIMING_SPARSE; ++i) {
        timed[0] += evn__timing_takes(&kernels[0]);
    }
    ck_assert_int_eq(timed[0], 2);
    ck_assert(evn__timing_takes(&kernels[1]));
    evn__device_time_end(device, before);
    before = evn__device_time_begin(device, 1);
    ck_assert(evn__timing_takes(&kernels[0]) && evn__timing_takes(&kernels[0]));
    evn__device_time_end(device, before);
    before = evn__device_time_begin(device, EVN__TIMING_SPARSE);
    ck_assert(evn__timing_takes(&kernels[0]) && !evn__timing_takes(&kernels[0]));
    evn__device_time_end(device, before);
}
END_TEST

static evn_status launch_zero(evn_device *device, evn_buffer *buffer) {
    static const char text[] = "__kernel void allowed_zero(__global int *a, const ulong offset) {\n"
                               "    a[get_global_id(0)] = 0;\n"
                               "}\n";
    evn__kernel *kernel;
    evn__source source = {.text = text};
    EVN_TRY(evn__kernel_get(device, &source, "allowed_zero", &kernel));
    evn__argument argument = {.kind = EVN__ARGUMENT_BUFFER, .buffer = buffer};
    return evn__kernel_launch(kernel, &argument, 1, (evn__range){1, {1}, {1}});
}

/// What is launched behind the time is given up, and says which kernel; then all is as before.
START_TEST(launches_are_given_up) {
    evn_device *device = test_device();
    evn_buffer *buffer;
    TRY(evn_buffer_create(device, sizeof(int), &buffer));
    evn__device_allow(device, 600);
    TRY(launch_zero(device, buffer));
    uint64_t launches = evn_device_get_stats(device).launches;
    evn__device_allow(device, 1e-9);
    ck_assert_int_eq(launch_zero(device, buffer), EVN_ERR_DEADLINE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "before kernel allowed_zero"));
    ck_assert_uint_eq(evn_device_get_stats(device).launches, launches);
    evn__device_allow(device, 0);
    TRY(launch_zero(device, buffer));
    TRY(evn_device_finish(device));
    evn_buffer_destroy(&buffer);
}
END_TEST

/// Work whose longest launch takes `fixed` seconds, and `shared` ones over the parts.
typedef struct work {
    evn_device *device;
    double fixed, shared;
    int calls;
    evn_status status;
} work;

static evn_status do_part(void *user, int64_t parts) {
    work *w = user;
    ++w->calls;
    evn__longest_add(w->device, "part", w->fixed + w->shared / (double)parts);
    return w->status;
}

static int64_t parts_of(work *w, double limit, int64_t size, double *longest) {
    evn__longest_launch most;
    int64_t parts;
    w->device = test_device();
    w->calls = 0;
    evn__device_limit_launches(w->device, limit);
    TRY(evn__device_cut(w->device, size, do_part, w, &parts, &most));
    *longest = most.seconds;
    return parts;
}

START_TEST(work_is_cut) {
    double longest;
    work w = {.shared = 0.375};
    evn__timing before = evn__device_time_begin(test_device(), EVN__TIMING_SPARSE);
    ck_assert_int_eq(parts_of(&w, 0, 100, &longest), 1); // there is no limit
    ck_assert_int_eq(w.calls, 0);
    ck_assert_int_eq(parts_of(&w, 0.5, 100, &longest), 1); // it is kept
    ck_assert_int_eq(w.calls, 2);
    ck_assert_int_eq(parts_of(&w, 0.125, 99, &longest), 3);
    ck_assert_double_eq(longest, 0.125);
    ck_assert_int_eq(parts_of(&w, 0.125, 100, &longest), 4); // parts are equal
    w.fixed = 0.0625;
    ck_assert_int_eq(parts_of(&w, 0.125, 1024, &longest), 8); // 4 were not enough
    ck_assert_int_eq(w.calls, 6);
    ck_assert_int_eq(parts_of(&w, 0.03125, 1024, &longest), 1); // parts do not help enough
    ck_assert_double_eq(longest, 0.4375);
    ck_assert_int_eq(parts_of(&w, 0.125, 1, &longest), 1); // there are none
    ck_assert_double_eq(longest, 0.4375);
    w.status = EVN_ERR_DEVICE;
    int64_t parts;
    ck_assert_int_eq(evn__device_cut(w.device, 8, do_part, &w, &parts, NULL), EVN_ERR_DEVICE);
    evn__device_limit_launches(w.device, 0);
    ck_assert_double_eq(evn__device_time_end(w.device, before).seconds, 0);
    ck_assert_int_eq(w.device->timing.every, 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("timing");
    test_add(s, tcase_create("timings_nest"), timings_nest);
    test_add(s, tcase_create("some_launches_are_timed"), some_launches_are_timed);
    test_add(s, tcase_create("launches_are_given_up"), launches_are_given_up);
    test_add(s, tcase_create("work_is_cut"), work_is_cut);
    return test_run(s);
}
