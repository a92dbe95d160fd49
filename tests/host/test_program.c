// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"
#include "host/device_file.h"
#include "host/runtime.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char scale_text[] = "#ifndef FACTOR\n"
                                 "#define FACTOR 2\n"
                                 "#endif\n"
                                 "__kernel void scale(OUTPUT(y), INPUT(x), const int n,\n"
                                 "                    const real shift, const ulong big) {\n"
                                 "    OUTPUT_OF(y);\n"
                                 "    INPUT_OF(x);\n"
                                 "    const int i = get_global_id(0);\n"
                                 "    if (i < n) {\n"
                                 "        y[i] = FACTOR * x[i] + shift + (real)(big >> 40);\n"
                                 "    }\n"
                                 "}\n"
                                 "__kernel void nothing(OUTPUT(y)) {\n"
                                 "    OUTPUT_OF(y);\n"
                                 "}\n";

static uint64_t built(void) {
    evn_device_stats stats = evn_device_get_stats(test_device());
    return stats.programs_built + stats.programs_loaded;
}

// Build -------------------------------------------------------------------------------------------

START_TEST(build_error_shows_the_log) {
    evn__kernel *kernel;
    evn__source source = {.text = "__kernel void broken(OUTPUT(y)) {\n"
                                  "    OUTPUT_OF(y);\n"
                                  "    y[0] = no_such_variable;\n"
                                  "}\n",
                          .options = "-DWIDTH=3"};
    ck_assert_int_eq(evn__kernel_get(test_device(), &source, "broken", &kernel), EVN_ERR_BUILD);
    const char *message = evn_error_message();
    ck_assert_msg(strstr(message, "no_such_variable") != NULL, "%s", message);
    ck_assert_msg(strstr(message, "-DWIDTH=3") != NULL, "%s", message);
    ck_assert_msg(strstr(message, evn_device_get_info(test_device())->name) != NULL, "%s", message);
    bool counts_lines = !strstr(evn_device_get_info(test_device())->platform_name, "Oclgrind");
    if (counts_lines) { // Oclgrind takes no notice of #line
        ck_assert_msg(strstr(message, "generated.cl:3") != NULL, "%s", message);
    }
}
END_TEST

/// The user's options come last, and kernels built so are others.
START_TEST(build_options_are_added) {
    evn__kernel *kernel;
    char before[EVN__HASH_TEXT], with[EVN__HASH_TEXT];
    evn__source source = {.text = scale_text, .options = "-DFACTOR=7"};
    evn__kernels_digest(before);
    setenv("EVONODE_BUILD_OPTIONS", "-cl-opt-disable -DFACTOR=no_such_factor", 1);
    evn__kernels_digest(with);
    ck_assert_str_ne(before, with);
    ck_assert_int_eq(evn__kernel_get(test_device(), &source, "scale", &kernel), EVN_ERR_BUILD);
    ck_assert_msg(strstr(evn_error_message(), "-cl-opt-disable") != NULL, "%s",
                  evn_error_message());
    setenv("EVONODE_BUILD_OPTIONS", "-cl-opt-disable", 1);
    TRY(evn__kernel_get(test_device(), &source, "scale", &kernel));
    unsetenv("EVONODE_BUILD_OPTIONS");
    evn__kernels_digest(with);
    ck_assert_str_eq(before, with);
}
END_TEST

START_TEST(unknown_names_are_refused) {
    evn__kernel *kernel;
    evn__source source = {.text = scale_text};
    ck_assert_int_eq(evn__kernel_get(test_device(), &source, "absent", &kernel), EVN_ERR_BUILD);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "absent"));
    source = (evn__source){.family = "no_such_family"};
    ck_assert_int_eq(evn__kernel_get(test_device(), &source, "absent", &kernel), EVN_ERR_BUILD);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no_such_family"));
}
END_TEST

static evn__kernel *get(const char *text, const char *options, const char *name) {
    evn__kernel *kernel;
    evn__source source = {.text = text, .options = options};
    TRY(evn__kernel_get(test_device(), &source, name, &kernel));
    return kernel;
}

START_TEST(same_source_is_compiled_once) {
    char copy[sizeof(scale_text)]; // equal text elsewhere in memory
    memcpy(copy, scale_text, sizeof(copy));
    evn__kernel *plain = get(scale_text, NULL, "scale");
    uint64_t before = built();
    ck_assert_ptr_eq(get(copy, "", "scale"), plain);
    ck_assert_ptr_ne(get(copy, NULL, "nothing"), plain);
    ck_assert_uint_eq(built(), before);
    evn__kernel *other = get(scale_text, "-DFACTOR=3", "scale");
    ck_assert_ptr_ne(other, plain);
    ck_assert_ptr_eq(get(copy, "-DFACTOR=3", "scale"), other);
    ck_assert_uint_eq(built(), before + 1);
}
END_TEST

static void write_file(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    TRY(evn__file_write(path, text, strlen(text)));
}

START_TEST(kernel_folder_replaces_what_is_built_in) {
    evn__kernel *kernel;
    evn__source source = {.family = "own"};
    static const char *const heads[] = {"common", "elementwise", "variant"};
    for (int i = 0; i < 3; ++i) {
        char name[32];
        const char *text;
        TRY(evn__kernel_text(heads[i], &text));
        snprintf(name, sizeof(name), "%s.cl", heads[i]);
        write_file(name, text);
    }
    write_file("own.cl", "__kernel void own(OUTPUT(y)) {\n    OUTPUT_OF(y);\n    y[0] = 5;\n}\n");
    setenv("EVONODE_KERNEL_DIR", test_folder(), 1);
    TRY(evn__kernel_get(test_device(), &source, "own", &kernel));
    source.family = "not_there";
    ck_assert_int_eq(evn__kernel_get(test_device(), &source, "x", &kernel), EVN_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "EVONODE_KERNEL_DIR"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "not_there.cl"));
    unsetenv("EVONODE_KERNEL_DIR");
}
END_TEST

/// Where clang's header is left out, a text that needs it is compiled with it, to the same numbers.
START_TEST(undeclared_functions_are_found) {
    static const char power_text[] = "__kernel void power(OUTPUT(y), const real x) {\n"
                                     "    OUTPUT_OF(y);\n"
                                     "    y[0] = pow(x, R(3.0));\n"
                                     "}\n";
    evn_device *device = test_device();
    device->quirks.reads_builtins = true; // elsewhere the guard means nothing
    evn__kernel *kernel = get(power_text, NULL, "power");
    evn_buffer *y;
    float found;
    TRY(evn_buffer_create(device, 4, &y));
    evn__argument arguments[] = {{.kind = EVN__ARGUMENT_BUFFER, .buffer = y},
                                 {.kind = EVN__ARGUMENT_REAL, .real = 2}};
    TRY(evn__kernel_launch(kernel, arguments, 2,
                           (evn__range){.dimensions = 1, .global = {1}, .local = {1}}));
    TRY(evn_buffer_read(y, 0, 4, &found));
    ck_assert_float_eq(found, 8);
    evn_buffer_destroy(&y);
    test_expect_undeclared(device->undeclared); // 1 with PoCL
    if (strstr(evn_device_get_info(device)->platform_name, "Portable Computing Language")) {
        ck_assert_int_eq(device->undeclared, 1);
    }
}
END_TEST

// Launch ------------------------------------------------------------------------------------------

enum { COUNT = 5, OFFSET = 2 };

/// y = factor x + 0.5 + 3 on COUNT elements that start at OFFSET; the rest must keep its −1.
static void check_scale(bool fp64, const char *options, double factor) {
    evn__kernel *kernel;
    evn_buffer *x, *y;
    double wide[COUNT + OFFSET + 1];
    float narrow[COUNT + OFFSET + 1];
    void *data = fp64 ? (void *)wide : (void *)narrow;
    size_t bytes = fp64 ? sizeof(wide) : sizeof(narrow);
    TRY(evn_buffer_create(test_device(), bytes, &x));
    TRY(evn_buffer_create(test_device(), bytes, &y));
    for (int i = 0; i < COUNT + OFFSET + 1; ++i) {
        wide[i] = i;
        narrow[i] = (float)i;
    }
    TRY(evn_buffer_write(x, 0, bytes, data));
    for (int i = 0; i < COUNT + OFFSET + 1; ++i) {
        wide[i] = narrow[i] = -1;
    }
    TRY(evn_buffer_write(y, 0, bytes, data));
    evn__source source = {.text = scale_text, .options = options, .fp64 = fp64};
    evn__argument arguments[] = {
        {.kind = EVN__ARGUMENT_BUFFER, .buffer = y, .offset = OFFSET},
        {.kind = EVN__ARGUMENT_BUFFER, .buffer = x, .offset = 1},
        {.kind = EVN__ARGUMENT_INT, .integer = COUNT},
        {.kind = EVN__ARGUMENT_REAL, .real = 0.5},
        {.kind = EVN__ARGUMENT_UINT64, .integer = (int64_t)3 << 40},
    };
    evn__range range = {.dimensions = 1, .global = {COUNT}, .local = {4}}; // rounded up to 8
    TRY(evn__kernel_get(test_device(), &source, "scale", &kernel));
    TRY(evn__kernel_launch(kernel, arguments, 5, range));
    TRY(evn_buffer_read(y, 0, bytes, data));
    for (int i = 0; i < COUNT + OFFSET + 1; ++i) {
        bool inside = i >= OFFSET && i < OFFSET + COUNT;
        double expected = inside ? factor * (i - OFFSET + 1) + 3.5 : -1;
        ck_assert_double_eq(fp64 ? wide[i] : narrow[i], expected);
    }
    evn_buffer_destroy(&x);
    evn_buffer_destroy(&y);
}

START_TEST(launch_passes_every_kind_of_argument) {
    check_scale(false, NULL, 2);
    check_scale(false, "-DFACTOR=7", 7);
    if (evn_device_get_info(test_device())->has_fp64) {
        check_scale(true, "", 2);
    }
}
END_TEST

START_TEST(launch_counts) {
    evn__kernel *kernel;
    evn_buffer *y;
    TRY(evn_buffer_create(test_device(), 4, &y));
    TRY(evn__kernel_get(test_device(), &(evn__source){.text = scale_text}, "nothing", &kernel));
    evn__argument argument = {.kind = EVN__ARGUMENT_BUFFER, .buffer = y};
    evn_device_stats before = evn_device_get_stats(test_device());
    TRY(evn__kernel_launch(kernel, &argument, 1,
                           (evn__range){.dimensions = 2, .global = {3, 1}, .local = {1, 1}}));
    TRY(evn__kernel_launch(kernel, &argument, 1, (evn__range){.dimensions = 2, .global = {3, 0}}));
    evn_device_stats after = evn_device_get_stats(test_device());
    ck_assert_uint_eq(after.launches, before.launches + 1); // the second had nothing to do
    ck_assert_uint_eq(after.waits, before.waits);
    evn_buffer_destroy(&y);
}
END_TEST

/// Buffers one after the other, mostly in the memory of the one before, and other numbers:
/// arguments that were set before do not stay.
START_TEST(launch_sees_new_arguments) {
    static const char keep_text[] = "__kernel void keep(OUTPUT(y), const int number) {\n"
                                    "    OUTPUT_OF(y);\n"
                                    "    y[0] = number;\n"
                                    "}\n";
    const int numbers[] = {0, 0, -1, 5, 5, 0};
    evn__kernel *kernel;
    TRY(evn__kernel_get(test_device(), &(evn__source){.text = keep_text}, "keep", &kernel));
    for (int i = 0; i < 6; ++i) {
        evn_buffer *y;
        float found;
        TRY(evn_buffer_create(test_device(), 8, &y));
        TRY(evn_buffer_write(y, 0, 8, (float[]){-7, -7}));
        for (size_t offset = 0; offset < 2; ++offset) {
            evn__argument arguments[] = {
                {.kind = EVN__ARGUMENT_BUFFER, .buffer = y, .offset = offset},
                {.kind = EVN__ARGUMENT_INT, .integer = numbers[i]}};
            TRY(evn__kernel_launch(kernel, arguments, 2,
                                   (evn__range){.dimensions = 1, .global = {1}, .local = {1}}));
            TRY(evn_buffer_read(y, 4 * offset, 4, &found));
            ck_assert_float_eq(found, (float)numbers[i]);
        }
        evn_buffer_destroy(&y);
    }
}
END_TEST

/// A group above what the device allows is made smaller, and every element is still computed once.
START_TEST(launch_fits_the_group) {
    static const char count_text[] =
        "__kernel void count(OUTPUT(y), const int width, const int height) {\n"
        "    OUTPUT_OF(y);\n"
        "    const int i = get_global_id(0), k = get_global_id(1);\n"
        "    if (i < width && k < height) {\n"
        "        y[k * width + i] += 1;\n"
        "    }\n"
        "}\n";
    enum { WIDTH = 130, HEIGHT = 9 };
    float counts[WIDTH * HEIGHT];
    size_t most = (size_t)evn_device_get_info(test_device())->max_work_group;
    evn__kernel *kernel;
    evn_buffer *y;
    TRY(evn_buffer_create(test_device(), sizeof(counts), &y));
    TRY(evn_buffer_zero(y, 0, sizeof(counts)));
    TRY(evn__kernel_get(test_device(), &(evn__source){.text = count_text}, "count", &kernel));
    evn__argument arguments[] = {{.kind = EVN__ARGUMENT_BUFFER, .buffer = y},
                                 {.kind = EVN__ARGUMENT_INT, .integer = WIDTH},
                                 {.kind = EVN__ARGUMENT_INT, .integer = HEIGHT}};
    TRY(evn__kernel_launch(
        kernel, arguments, 3,
        (evn__range){.dimensions = 2, .global = {WIDTH, HEIGHT}, .local = {most + 1, 3}}));
    TRY(evn_buffer_read(y, 0, sizeof(counts), counts));
    for (int i = 0; i < WIDTH * HEIGHT; ++i) {
        ck_assert_float_eq(counts[i], 1);
    }
    evn_buffer_destroy(&y);
}
END_TEST

START_TEST(launch_refuses_wrong_arguments) {
    evn__kernel *kernel;
    evn_buffer *y;
    TRY(evn_buffer_create(test_device(), 4, &y));
    TRY(evn__kernel_get(test_device(), &(evn__source){.text = scale_text}, "nothing", &kernel));
    evn__argument buffer = {.kind = EVN__ARGUMENT_BUFFER, .buffer = y};
    evn__argument past = {.kind = EVN__ARGUMENT_BUFFER, .buffer = y, .offset = 2};
    evn__argument two[] = {buffer, {.kind = EVN__ARGUMENT_INT, .integer = 1}};
    evn__argument wide = {.kind = EVN__ARGUMENT_INT, .integer = (int64_t)1 << 31};
    evn__range one = {.dimensions = 1, .global = {1}};
    ck_assert_int_eq(evn__kernel_launch(kernel, NULL, 0, one), EVN_ERR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "nothing"));
    ck_assert_int_eq(evn__kernel_launch(kernel, two, 2, one), EVN_ERR_INTERNAL);
    ck_assert_int_eq(evn__kernel_launch(kernel, &past, 1, one), EVN_ERR_INTERNAL);
    ck_assert_int_eq(evn__kernel_launch(kernel, &wide, 1, one), EVN_ERR_INTERNAL);
    TRY(evn__kernel_launch(kernel, &buffer, 1, one));
    evn_buffer_destroy(&y);
}
END_TEST

// Fma -------------------------------------------------------------------------------------------

/// (1 + 2⁻ⁿ)(1 − 2⁻ⁿ) − 1 is −2⁻²ⁿ where it is rounded once, 0 where the product is, which the
/// pragma forbids to leave out.
static const char fma_text[] = "#pragma OPENCL FP_CONTRACT OFF\n"
                               "__kernel void rounding(OUTPUT(y), const real tiny) {\n"
                               "    OUTPUT_OF(y);\n"
                               "    y[0] = MULTIPLY_ADD(1 + tiny, 1 - tiny, -R(1.0));\n"
                               "}\n"
                               "__kernel void names(OUTPUT(y)) {\n"
                               "    OUTPUT_OF(y);\n"
                               "#ifdef EVN_SOFT_FMA\n"
                               "    y[0] = 1;\n"
                               "#else\n"
                               "    y[0] = 0;\n"
                               "#endif\n"
                               "}\n";

/// y[0] of a kernel of fma_text.
static double run_fma(const char *name, bool fp64, const char *options, double tiny) {
    evn__kernel *kernel;
    evn_buffer *y;
    float narrow;
    double wide;
    evn__source source = {.text = fma_text, .options = options, .fp64 = fp64};
    TRY(evn_buffer_create(test_device(), 8, &y));
    TRY(evn__kernel_get(test_device(), &source, name, &kernel));
    evn__argument arguments[] = {{.kind = EVN__ARGUMENT_BUFFER, .buffer = y},
                                 {.kind = EVN__ARGUMENT_REAL, .real = tiny}};
    TRY(evn__kernel_launch(kernel, arguments, tiny > 0 ? 2 : 1,
                           (evn__range){.dimensions = 1, .global = {1}, .local = {1}}));
    TRY(evn_buffer_read(y, 0, fp64 ? 8 : 4, fp64 ? (void *)&wide : (void *)&narrow));
    evn_buffer_destroy(&y);
    return fp64 ? wide : (double)narrow;
}

static void check_fma(bool soft) {
    test_device()->info.soft_fma = soft;
    ck_assert_double_eq(run_fma("names", false, NULL, 0), soft);
    ck_assert_double_eq(run_fma("names", false, "-cl-std=CL1.2", 0), soft);
    ck_assert_double_eq(run_fma("rounding", false, NULL, 0x1p-14), soft ? 0 : -0x1p-28);
    if (evn_device_get_info(test_device())->has_fp64) { // whose fma is not asked about
        ck_assert_double_eq(run_fma("names", true, NULL, 0), 0);
        ck_assert_double_eq(run_fma("rounding", true, NULL, 0x1p-30), -0x1p-60);
    }
}

/// What the device says reaches the kernels, and products are rounded where fma is software. Each
/// in a process of its own: a program is not compiled again for the same device.
START_TEST(soft_fma_is_left_out) {
    check_fma(true);
}
END_TEST

START_TEST(fma_is_used) {
    check_fma(false);
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("program");
    TCase *build = tcase_create("build");
    tcase_add_test(build, build_error_shows_the_log);
    tcase_add_test(build, build_options_are_added);
    tcase_add_test(build, unknown_names_are_refused);
    tcase_add_test(build, same_source_is_compiled_once);
    tcase_add_test(build, kernel_folder_replaces_what_is_built_in);
    tcase_add_test(build, undeclared_functions_are_found);
    suite_add_tcase(all, build);
    TCase *launch = tcase_create("launch");
    tcase_add_test(launch, launch_passes_every_kind_of_argument);
    tcase_add_test(launch, launch_counts);
    tcase_add_test(launch, launch_sees_new_arguments);
    tcase_add_test(launch, launch_fits_the_group);
    tcase_add_test(launch, launch_refuses_wrong_arguments);
    suite_add_tcase(all, launch);
    test_add(all, tcase_create("soft_fma"), soft_fma_is_left_out);
    test_add(all, tcase_create("fma"), fma_is_used);
    return all;
}

int main(void) {
    return test_run(suite());
}
