// SPDX-License-Identifier: Apache-2.0
#include "layered.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Files of a folder whose names end so; the first one's name without the ending, too.
static int count_files(const char *folder, const char *ending, char name[TEST_PATH]) {
    int count = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (const struct dirent *entry; (entry = readdir(list));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && strcmp(dot, ending) == 0 && ++count == 1) {
            snprintf(name, TEST_PATH, "%.*s", (int)(dot - entry->d_name), entry->d_name);
        }
    }
    closedir(list);
    return count;
}

static void check_text(const char *folder, const char *name, const char *ending, const char *text) {
    char file[TEST_PATH];
    snprintf(file, sizeof(file), "%s/%s%s", folder, name, ending);
    char *written = test_read(file, NULL);
    ck_assert_str_eq(written, text);
    free(written);
}

/// A launch in a work-group of the program's choice, and one without.
static void launch(const test_cl *cl, cl_kernel kernel) {
    const size_t global = 4, local = 2;
    cl_int code;
    cl_mem y = clCreateBuffer(cl->context, CL_MEM_READ_WRITE, sizeof(float), NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(clSetKernelArg(kernel, 0, sizeof(y), &y), CL_SUCCESS);
    for (int i = 0; i < 4; ++i) {
        ck_assert_int_eq(clEnqueueNDRangeKernel(cl->queue, kernel, 1, NULL, &global,
                                                i % 2 ? &local : NULL, 0, NULL, NULL),
                         CL_SUCCESS);
    }
    ck_assert_int_eq(clFinish(cl->queue), CL_SUCCESS);
    clReleaseMemObject(y);
}

/// Byte by byte as the program gave it, a costume below or none; once, however often it is built.
static void check_program(const char *folder) {
    const char *text = "// 1.0\n__kernel void k(__global float *y) {\n  y[0] = 1;\n}";
    char path[TEST_PATH], name[TEST_PATH];
    cl_int code;
    test_under_layer("EVN_LAYER_WRITE", test_path(path, "%s", folder));
    test_cl cl = test_cl_open();
    for (int i = 0; i < 2; ++i) {
        cl_kernel kernel = test_cl_kernel(&cl, text, &code);
        ck_assert_int_eq(code, CL_SUCCESS);
        launch(&cl, kernel);
        clReleaseKernel(kernel);
    }
    ck_assert_int_eq(count_files(path, ".cl", name), 1);
    ck_assert_int_eq(count_files(path, ".options", name), 1);
    check_text(folder, name, ".cl", text);
    check_text(folder, name, ".options", "-cl-std=CL1.2");
    // Each time that one is made; a size of work-groups once.
    check_text(folder, name, ".kernels", "k\nk 2\nk\n");
    test_cl_close(&cl);
}

START_TEST(program) {
    check_program("written");
}
END_TEST

START_TEST(in_costume) {
    char path[TEST_PATH];
    test_under_layer("EVN_LAYER_COSTUME", test_profile(path, "apple_m1"));
    check_program("written");
}
END_TEST

/// What does not build is wanted, too: it is what a compiler is to be asked about.
START_TEST(refused) {
    char path[TEST_PATH], name[TEST_PATH];
    cl_int code;
    test_under_layer("EVN_LAYER_WRITE", test_path(path, "written"));
    test_cl cl = test_cl_open();
    ck_assert_ptr_null(test_cl_kernel(&cl, "kernel void k() { wrong }", &code));
    ck_assert_int_eq(count_files(path, ".cl", name), 1);
    test_cl_close(&cl);
}
END_TEST

/// A run's programs, each with its options.
START_TEST(training) {
    char path[TEST_PATH], name[TEST_PATH];
    test_path(path, "written");
    test_outcome result =
        test_program(test_layer_variables("EVONODE_CACHE_DIR=off EVN_LAYER_WRITE='%s'", path),
                     "train curve --phase backprop:epochs=1 --out r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_gt(count_files(path, ".cl", name), 3);
    ck_assert_int_eq(count_files(path, ".cl", name), count_files(path, ".options", name));
}
END_TEST

START_TEST(no_folder) {
    test_layer_refuses(test_layer_variables("EVN_LAYER_WRITE=/nonexistent/folder"),
                       "/nonexistent/folder cannot be made");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("write");
    test_add(suite, tcase_create("program"), program);
    test_add(suite, tcase_create("in_costume"), in_costume);
    test_add(suite, tcase_create("refused"), refused);
    test_add(suite, tcase_create("training"), training);
    test_add(suite, tcase_create("no_folder"), no_folder);
    return test_run(suite);
}
