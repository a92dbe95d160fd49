// SPDX-License-Identifier: Apache-2.0
// Several sources in one program: each keeps its own names, macros and options.
#include "host/part.h"
#include "host/runtime.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(options_that_a_part_takes) {
    ck_assert(evn__part_takes(""));
    ck_assert(evn__part_takes("-DROWS=8 -DFAST"));
    ck_assert(!evn__part_takes("-DROWS=8 -cl-opt-disable"));
}
END_TEST

static int count(const char *text, const char *line) {
    int found = 0;
    for (const char *at = strstr(text, line); at; at = strstr(at + 1, line)) {
        ++found;
    }
    return found;
}

START_TEST(names_that_a_text_defines) {
    static const char text[] =
        "#define FIRST(x) \\\n    ((x) + later(x))\n"
        "// a comment with (brackets { and a word\n"
        "typedef float4 vector;\n"
        "typedef struct __attribute__((packed)) {\n    vector member;\n} loose;\n"
        "/* typedef int no_type; */\n"
        "CALL(of_a_macro)\n"
        "static __attribute__((noinline)) float two_words(const float argument) {\n"
        "#define INNER 3\n"
        "    const float local = FIRST(argument);\n"
        "    return local;\n"
        "}\n"
        "__kernel void run(__global float *y) {\n    y[0] = two_words(1);\n}\n";
    static const char *const names[] = {"vector", "loose", "two_words", "run"};
    static const char *const others[] = {"member",   "no_type", "CALL",  "of_a_macro",
                                         "argument", "local",   "later", "packed"};
    evn__text program = {0};
    evn__part_append(&program, "-DROWS=8 -DFAST", text, 12);
    TRY(program.status);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        char line[64];
        snprintf(line, sizeof(line), "#define %s %s__12\n", names[i], names[i]);
        ck_assert_msg(count(program.data, line) == 1, "%s", names[i]);
        snprintf(line, sizeof(line), "#undef %s\n", names[i]);
        ck_assert_msg(count(program.data, line) == 1, "%s", names[i]);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); ++i) {
        char line[64];
        snprintf(line, sizeof(line), "#define %s ", others[i]);
        ck_assert_msg(count(program.data, line) == 0, "%s", others[i]);
    }
    ck_assert_int_eq(count(program.data, "#define ROWS 8\n#define FAST 1\n"), 1);
    ck_assert_int_eq(count(program.data, "#undef ROWS\n#undef FAST\n"), 1);
    ck_assert_int_eq(count(program.data, "#undef FIRST\n"), 1);
    ck_assert_int_eq(count(program.data, "#undef INNER\n"), 1);
    free(program.data);
}
END_TEST

START_TEST(a_part_without_names) {
    evn__text program = {0};
    evn__part_append(&program, "", "", 1);
    TRY(program.status);
    ck_assert_str_eq(program.data, "\n");
    free(program.data);
}
END_TEST

static const char fill_text[] = "typedef real number;\n"
                                "#define TWICE(x) (2 * (x))\n"
                                "static number value(void) {\n"
                                "    return TWICE(FACTOR);\n"
                                "}\n"
                                "__kernel void fill(OUTPUT(y)) {\n"
                                "    OUTPUT_OF(y);\n"
                                "    y[get_global_id(0)] = value();\n"
                                "}\n";

static float run_fill(const evn__source *source) {
    evn__kernel *kernel;
    evn_buffer *y;
    float value = 0;
    TRY(evn_buffer_create(test_device(), sizeof(value), &y));
    TRY(evn__kernel_get(test_device(), source, "fill", &kernel));
    evn__argument argument = {.kind = EVN__ARGUMENT_BUFFER, .buffer = y};
    TRY(evn__kernel_launch(kernel, &argument, 1,
                           (evn__range){.dimensions = 1, .global = {1}, .local = {1}}));
    TRY(evn_buffer_read(y, 0, sizeof(value), &value));
    evn_buffer_destroy(&y);
    return value;
}

static uint64_t built(void) {
    evn_device_stats stats = evn_device_get_stats(test_device());
    return stats.programs_built + stats.programs_loaded;
}

/// Whatever device it is.
static void share_programs(void) {
    test_device()->quirks.costly_programs = true;
}

START_TEST(cheap_programs_are_left_alone) {
    const evn__source sources[] = {{.text = fill_text, .options = "-DFACTOR=13"},
                                   {.text = fill_text, .options = "-DFACTOR=15"}};
    uint64_t before = built();
    test_device()->quirks.costly_programs = false;
    TRY(evn__kernels_prepare(test_device(), sources, 2));
    ck_assert_uint_eq(built(), before);
}
END_TEST

START_TEST(one_text_with_several_options_is_one_program) {
    const evn__source sources[] = {{.text = fill_text, .options = "-DFACTOR=3"},
                                   {.text = fill_text, .options = "-DFACTOR=5"},
                                   {.text = fill_text, .options = "-DFACTOR=3"},
                                   {.text = fill_text, .options = "-DFACTOR=7 -cl-opt-disable"},
                                   {.text = fill_text, .options = "-DFACTOR=9"}};
    uint64_t before = built();
    TRY(evn__kernels_prepare(test_device(), sources, 3));
    ck_assert_uint_eq(built(), before + 1);
    TRY(evn__kernels_prepare(test_device(), sources,
                             5)); // one is missing: it waits until asked for
    ck_assert_uint_eq(built(), before + 1);
    const float expected[] = {6, 10, 6, 14, 18};
    for (int i = 0; i < 5; ++i) {
        ck_assert_float_eq(run_fill(&sources[i]), expected[i]);
    }
    ck_assert_uint_eq(built(), before + 3);
}
END_TEST

START_TEST(families_are_parts) {
    const evn__source sources[] = {
        {.family = "matmul", .options = "-DROWS=4 -DVECTORS=1 -DWIDTH=4"},
        {.family = "matmul", .options = "-DROWS=8 -DVECTORS=2 -DWIDTH=16"},
        {.family = "conv2d", .options = "-DROWS=4 -DVECTORS=1 -DWIDTH=4"},
        {.family = "reduce", .options = "-DLANES=4"},
        {.family = "reduce", .options = "-DLANES=16"},
        {.family = "normalize", .options = "-DLANES=8 -DVECTORS=2"},
        {.family = "softmax"},
        {.family = "pool2d", .options = "-DLANES=1"},
        {.family = "layout", .options = ""},
        {.family = "solve", .options = ""},
        {.family = "optimizer", .options = ""}};
    static const char *const names[] = {
        "matmul",      "matmul",      "conv2d", "sum_columns", "sum_rows", "normalize_groups",
        "log_softmax", "mean_pool2d", "pad",    "solve",       "adam"};
    uint64_t before = built();
    TRY(evn__kernels_prepare(test_device(), sources, 11));
    for (int i = 0; i < 11; ++i) {
        evn__kernel *kernel;
        TRY(evn__kernel_get(test_device(), &sources[i], names[i], &kernel));
    }
    ck_assert_uint_eq(built(), before + 1);
}
END_TEST

START_TEST(an_error_in_a_part_shows_the_log) {
    const evn__source sources[] = {
        {.text = fill_text, .options = "-DFACTOR=11"},
        {.text = "__kernel void broken(OUTPUT(y)) {\n    y_buffer[0] = no_such_variable;\n}\n"}};
    ck_assert_int_eq(evn__kernels_prepare(test_device(), sources, 2), EVN_ERR_BUILD);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no_such_variable"));
    ck_assert_float_eq(run_fill(&sources[0]), 22);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("part");
    TCase *text = tcase_create("text");
    tcase_add_test(text, options_that_a_part_takes);
    tcase_add_test(text, names_that_a_text_defines);
    tcase_add_test(text, a_part_without_names);
    suite_add_tcase(s, text);
    TCase *program = tcase_create("program");
    tcase_add_checked_fixture(program, share_programs, NULL);
    tcase_add_test(program, cheap_programs_are_left_alone);
    tcase_add_test(program, one_text_with_several_options_is_one_program);
    tcase_add_test(program, families_are_parts);
    tcase_add_test(program, an_error_in_a_part_shows_the_log);
    suite_add_tcase(s, program);
    return s;
}

int main(void) {
    return test_run(suite());
}
