// SPDX-License-Identifier: Apache-2.0
// The cache is forced on and empty: what other processes have compiled is loaded from it.
#include "base/files.h"
#include "host/forecast.h"
#include "host/runtime.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAMS = 12 }; // as many as other processes are worth (FEW_JOBS in host/forecast.c)

static const char text[] = "__kernel void twice(OUTPUT(y), INPUT(x), const int n, const real a) {\n"
                           "    OUTPUT_OF(y);\n"
                           "    INPUT_OF(x);\n"
                           "    const int i = get_global_id(0);\n"
                           "    if (i < n) {\n"
                           "        y[i] = NUMBER * x[i] + a;\n"
                           "    }\n"
                           "}\n";

static const evn__argument kinds[] = {{.kind = EVN__ARGUMENT_BUFFER},
                                      {.kind = EVN__ARGUMENT_BUFFER},
                                      {.kind = EVN__ARGUMENT_INT},
                                      {.kind = EVN__ARGUMENT_REAL}};
static const evn__range range = {.dimensions = 1, .global = {4}, .local = {2}};

static evn__kernel *get(evn_device *device, int number) {
    char options[32];
    evn__kernel *kernel;
    snprintf(options, sizeof(options), "-DNUMBER=%d", number);
    TRY(evn__kernel_get(device, &(evn__source){.text = text, .options = options}, "twice",
                        &kernel));
    return kernel;
}

/// y = number x + 1 for x = 1, ...
static void check(evn__kernel *kernel, int number) {
    float numbers[4] = {1, 2, 3, 4};
    evn_buffer *x, *y;
    TRY(evn_buffer_create(test_device(), sizeof(numbers), &x));
    TRY(evn_buffer_create(test_device(), sizeof(numbers), &y));
    TRY(evn_buffer_write(x, 0, sizeof(numbers), numbers));
    evn__argument arguments[] = {{.kind = EVN__ARGUMENT_BUFFER, .buffer = y},
                                 {.kind = EVN__ARGUMENT_BUFFER, .buffer = x},
                                 {.kind = EVN__ARGUMENT_INT, .integer = 4},
                                 {.kind = EVN__ARGUMENT_REAL, .real = 1}};
    TRY(evn__kernel_launch(kernel, arguments, 4, range));
    TRY(evn_buffer_read(y, 0, sizeof(numbers), numbers));
    for (int i = 0; i < 4; ++i) {
        ck_assert_float_eq(numbers[i], (float)(number * (i + 1) + 1));
    }
    evn_buffer_destroy(&x);
    evn_buffer_destroy(&y);
}

/// An own folder for our cache, empty.
static evn_device *open_device(const char *compiler, double seconds) {
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/cache", test_folder());
    setenv("EVONODE_CACHE", "force", 1);
    setenv("EVONODE_CACHE_DIR", folder, 1);
    evn_device *device = test_device();
    if (compiler) {
        TRY(evn__device_set_compiler(device, compiler, seconds));
    }
    return device;
}

/// Note so many programs, while counting, and have them compiled.
static void forecast(evn_device *device, int programs, bool wanted) {
    evn__device_count_begin(device);
    TRY(evn__forecast_begin(device));
    for (int i = 0; i < programs; ++i) {
        TRY(evn__kernel_launch(get(device, i), kinds, 4, range));
        TRY(evn__kernel_launch(get(device, i), kinds, 4, range)); // is noted once
    }
    evn__device_count_end(device);
    ck_assert_uint_eq(device->stats.programs_built + device->stats.programs_loaded, 0);
    TRY(evn__forecast_end(device, wanted));
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); // no process is left
    ck_assert_int_eq(errno, ECHILD);
}

/// All of them, which then compute.
static void compile(evn_device *device) {
    forecast(device, PROGRAMS, true);
    for (int i = 0; i < PROGRAMS; ++i) {
        check(get(device, i), i);
    }
    ck_assert_uint_eq(device->stats.programs_built + device->stats.programs_loaded, PROGRAMS);
}

static const char *write_script(const char *commands) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/compiler", test_folder());
    TRY(evn__file_write(path, commands, strlen(commands)));
    ck_assert_int_eq(chmod(path, 0700), 0);
    return path;
}

// Beside ------------------------------------------------------------------------------------------

START_TEST(others_compile) {
    evn_device *device = open_device(getenv("EVONODE_PROGRAM"), 60);
    compile(device);
    ck_assert_uint_eq(device->stats.programs_built, 0);
}
END_TEST

START_TEST(dead_compilers_are_done_without) {
    evn_device *device = open_device("/nonexistent/compiler", 60);
    compile(device);
    ck_assert_uint_eq(device->stats.programs_built, PROGRAMS);
}
END_TEST

START_TEST(compilers_may_die_at_work) {
    evn_device *device = open_device(write_script("#!/bin/sh\nhead -c 2000 >/dev/null\n"), 60);
    compile(device);
    ck_assert_uint_eq(device->stats.programs_built, PROGRAMS);
}
END_TEST

START_TEST(slow_compilers_are_ended) {
    evn_device *device = open_device(write_script("#!/bin/sh\nexec sleep 1000\n"), 0.2);
    compile(device);
    ck_assert_uint_eq(device->stats.programs_built, PROGRAMS);
}
END_TEST

/// A compiler that says that it has begun.
static const char *write_witness(void) {
    char script[1024];
    snprintf(script, sizeof(script), "#!/bin/sh\necho >>%s/begun\nexec %s \"$@\"\n", test_folder(),
             getenv("EVONODE_PROGRAM"));
    return write_script(script);
}

static bool has_begun(void) {
    char path[512];
    snprintf(path, sizeof(path), "%s/begun", test_folder());
    return unlink(path) == 0;
}

/// The first forecast leaves a mark; the second, of another start, asks nobody.
START_TEST(what_was_compiled_is_not_asked_for) {
    evn_device *other, *device = open_device(write_witness(), 60);
    compile(device);
    ck_assert(has_begun());
    TRY(evn_device_open(NULL, &other));
    TRY(evn__device_set_compiler(other, device->compiler, 60));
    forecast(other, PROGRAMS, true);
    ck_assert(!has_begun());
    check(get(device, 7), 7);
    evn_device_close(&other);
}
END_TEST

START_TEST(few_are_not_asked_for) {
    evn_device *device = open_device(write_witness(), 60);
    forecast(device, PROGRAMS - 1, true);
    ck_assert(!has_begun());
    check(get(device, 5), 5);
    ck_assert_uint_eq(device->stats.programs_built, 1); // the others wait for their use
}
END_TEST

START_TEST(unwanted_are_not_asked_for) {
    evn_device *device = open_device(write_witness(), 60);
    forecast(device, PROGRAMS, false);
    ck_assert(!has_begun());
    check(get(device, 3), 3);
}
END_TEST

START_TEST(errors_come_with_the_use) {
    evn_device *device = open_device(NULL, 0);
    evn__kernel *broken;
    evn__source source = {.text = "__kernel void broken(OUTPUT(y)) {\n    no_such_thing();\n}\n"};
    evn__device_count_begin(device);
    TRY(evn__forecast_begin(device));
    TRY(evn__kernel_get(device, &source, "broken", &broken));
    evn__device_count_end(device);
    TRY(evn__forecast_end(device, true));
    ck_assert_int_eq(evn__kernel_get(device, &source, "broken", &broken), EVN_ERR_BUILD);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no_such_thing"));
    check(get(device, 6), 6);
}
END_TEST

START_TEST(groups_are_known) {
    evn_device *device = open_device(NULL, 0);
    const evn__range wide = {.dimensions = 2, .global = {8, 4}, .local = {4, 3}};
    evn__device_count_begin(device);
    TRY(evn__forecast_begin(device));
    evn__kernel *launched = get(device, 0), *other = get(device, 1);
    TRY(evn__kernel_launch(launched, kinds, 4, wide));
    TRY(evn__kernel_launch(launched, kinds, 4, range));
    TRY(evn__kernel_launch(other, kinds, 4, (evn__range){.dimensions = 1, .global = {4}}));
    ck_assert_uint_eq(evn__forecast_group(device, launched), 12);
    ck_assert_uint_eq(evn__forecast_group(device, other), 0);
    evn__device_count_end(device);
    TRY(evn__forecast_end(device, false));
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("forecast");
    test_add(all, tcase_create("others_compile"), others_compile);
    test_add(all, tcase_create("dead"), dead_compilers_are_done_without);
    test_add(all, tcase_create("dying"), compilers_may_die_at_work);
    test_add(all, tcase_create("slow"), slow_compilers_are_ended);
    test_add(all, tcase_create("marked"), what_was_compiled_is_not_asked_for);
    test_add(all, tcase_create("few"), few_are_not_asked_for);
    test_add(all, tcase_create("unwanted"), unwanted_are_not_asked_for);
    test_add(all, tcase_create("errors"), errors_come_with_the_use);
    test_add(all, tcase_create("groups"), groups_are_known);
    return all;
}

int main(void) {
    return test_run(suite());
}
