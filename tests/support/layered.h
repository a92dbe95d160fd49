// SPDX-License-Identifier: Apache-2.0
// The OpenCL layer (tests/layer/README.md) under a test: in its own process or a program's.
#ifndef EVN_TEST_LAYERED_H
#define EVN_TEST_LAYERED_H

#include "evonode/cl.h"
#include "program.h"

/// From the first OpenCL call on, which must come later, the process runs under the layer.
void test_under_layer(const char *variable, const char *value);

/// Variables for test_program: the layer and "VARIABLE=value" with value from a format.
const char *test_layer_variables(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// The layer does not start with these variables: exit code 2 and this in the message.
void test_layer_refuses(const char *variables, const char *message);

/// A profile of the tree into `path`; returns path.
const char *test_profile(char path[TEST_PATH], const char *name);

/// A copy of a profile in the test's folder with `line` in the place of the line of its key; a line
/// that is no "key = value" is put at the end. Into `path`; returns path.
const char *test_changed_profile(char path[TEST_PATH], const char *name, const char *line);

/// The first device, with a context and a queue.
typedef struct test_cl {
    cl_platform_id platform;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
} test_cl;
test_cl test_cl_open(void);
void test_cl_close(test_cl *cl);

/// A program's kernel "k"; NULL, and the code of what refused it.
cl_kernel test_cl_kernel(const test_cl *cl, const char *text, cl_int *code);

#endif
