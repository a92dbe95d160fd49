// SPDX-License-Identifier: Apache-2.0
#include "layered.h"

#include "program.h"
#include "test.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *layer(void) {
    const char *path = getenv("EVONODE_LAYER");
    ck_assert_msg(path, "EVONODE_LAYER must name the layer");
    return path;
}

void test_under_layer(const char *variable, const char *value) {
    setenv("OPENCL_LAYERS", layer(), 1);
    setenv(variable, value, 1);
}

const char *test_layer_variables(const char *format, ...) {
    static char text[4 * TEST_PATH];
    int length = snprintf(text, sizeof(text), "OPENCL_LAYERS='%s' ", layer());
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof(text) - (size_t)length, format, arguments);
    va_end(arguments);
    return text;
}

void test_layer_refuses(const char *variables, const char *message) {
    test_outcome result = test_program(variables, "selftest"); // devices asks by child processes
    ck_assert_msg(result.code == 2 && strstr(result.err, message),
                  "ended with %d, without '%s':\n%s", result.code, message, result.err);
}

const char *test_profile(char path[TEST_PATH], const char *name) {
    const char *source = getenv("EVONODE_SOURCE");
    ck_assert_msg(source, "EVONODE_SOURCE must name the source folder");
    snprintf(path, TEST_PATH, "%s/tests/layer/profiles/%s.profile", source, name);
    return path;
}

const char *test_changed_profile(char path[TEST_PATH], const char *name, const char *line) {
    char original[TEST_PATH], text[4096];
    FILE *in = fopen(test_profile(original, name), "r");
    FILE *out = fopen(test_path(path, "changed.profile"), "w");
    ck_assert_ptr_nonnull(in);
    ck_assert_ptr_nonnull(out);
    size_t key = strcspn(line, "=");
    while (fgets(text, sizeof(text), in)) {
        bool same = line[key] && strncmp(text, line, key) == 0 && text[key] == '=';
        if (!same) {
            fputs(text, out);
        }
    }
    fprintf(out, "%s\n", line);
    fclose(in);
    fclose(out);
    return path;
}

#define CL(call) ck_assert_int_eq((call), CL_SUCCESS)

test_cl test_cl_open(void) {
    test_cl cl;
    cl_int code;
    CL(clGetPlatformIDs(1, &cl.platform, NULL));
    CL(clGetDeviceIDs(cl.platform, CL_DEVICE_TYPE_ALL, 1, &cl.device, NULL));
    cl.context = clCreateContext(NULL, 1, &cl.device, NULL, NULL, &code);
    CL(code);
    cl.queue = clCreateCommandQueue(cl.context, cl.device, 0, &code);
    CL(code);
    return cl;
}

void test_cl_close(test_cl *cl) {
    CL(clReleaseCommandQueue(cl->queue));
    CL(clReleaseContext(cl->context));
}

cl_kernel test_cl_kernel(const test_cl *cl, const char *text, cl_int *code) {
    cl_program program = clCreateProgramWithSource(cl->context, 1, &text, NULL, code);
    CL(*code);
    *code = clBuildProgram(program, 1, &cl->device, "-cl-std=CL1.2", NULL, NULL);
    cl_kernel kernel = *code == CL_SUCCESS ? clCreateKernel(program, "k", code) : NULL;
    CL(clReleaseProgram(program)); // a kernel keeps it
    return kernel;
}
