// SPDX-License-Identifier: Apache-2.0
// Kernels with a known fault each, and one without: a simulator that is to find faults must find
// these, and nothing else. Never run where the faults would really happen.
#include "host/kernel.h"
#include "test.h"
#include <string.h>

enum { COUNT = 8 };

static const char text[] = "__kernel void sound(OUTPUT(y)) {\n"
                           "    y_buffer[y_offset + get_global_id(0)] = 1;\n"
                           "}\n"
                           "__kernel void store_outside(OUTPUT(y)) {\n"
                           "    y_buffer[y_offset + get_global_id(0) + 1] = 1;\n"
                           "}\n"
                           // What is loaded changes nothing: no comparison of results sees it.
                           "__kernel void load_outside(OUTPUT(y)) {\n"
                           "    const size_t i = y_offset + get_global_id(0);\n"
                           "    y_buffer[i] = 0 * y_buffer[i + get_global_size(0)] + 1;\n"
                           "}\n"
                           "__kernel void race(OUTPUT(y)) {\n"
                           "    y_buffer[y_offset] += get_global_id(0) + 1;\n"
                           "}\n";

static void launch(const char *name) {
    ck_assert_ptr_nonnull(strstr(evn_device_get_info(test_device())->platform_name, "Oclgrind"));
    evn__kernel *kernel;
    evn_buffer *y;
    TRY(evn_buffer_create(test_device(), COUNT * sizeof(float), &y));
    TRY(evn_buffer_zero(y, 0, COUNT * sizeof(float)));
    TRY(evn__kernel_get(test_device(), &(evn__source){.text = text}, name, &kernel));
    TRY(evn__kernel_launch(kernel, &(evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = y}, 1,
                           (evn__range){.dimensions = 1, .global = {COUNT}, .local = {2}}));
    evn_buffer_destroy(&y);
}

START_TEST(sound) {
    launch("sound");
}
END_TEST

START_TEST(store_outside) {
    launch("store_outside");
}
END_TEST

START_TEST(load_outside) {
    launch("load_outside");
}
END_TEST

START_TEST(race) {
    launch("race");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("planted");
    test_add(s, tcase_create("sound"), sound);
    test_add(s, tcase_create("store_outside"), store_outside);
    test_add(s, tcase_create("load_outside"), load_outside);
    test_add(s, tcase_create("race"), race);
    return s;
}

int main(void) {
    return test_run(suite());
}
