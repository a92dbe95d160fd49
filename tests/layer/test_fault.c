// SPDX-License-Identifier: Apache-2.0
// Each entry point's call fails where it is to, and evonode says so and loses nothing.
#include "evonode/buffer.h"
#include "layered.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static test_cl open_with(const char *fault) {
    test_under_layer("EVN_LAYER_FAULT", fault);
    return test_cl_open();
}

START_TEST(once) {
    test_cl cl = open_with("clFinish:2:-36,clFlush:1:-5:on");
    ck_assert_int_eq(clFinish(cl.queue), CL_SUCCESS);
    ck_assert_int_eq(clFinish(cl.queue), CL_INVALID_COMMAND_QUEUE);
    ck_assert_int_eq(clFinish(cl.queue), CL_SUCCESS);
    ck_assert_int_eq(clFlush(cl.queue), CL_OUT_OF_RESOURCES);
    ck_assert_int_eq(clFlush(cl.queue), CL_OUT_OF_RESOURCES);
    test_cl_close(&cl);
}
END_TEST

START_TEST(object) {
    cl_int code;
    test_cl cl = open_with("clCreateBuffer:1:-4");
    cl_mem buffer = clCreateBuffer(cl.context, CL_MEM_READ_WRITE, 16, NULL, &code);
    ck_assert_ptr_null(buffer);
    ck_assert_int_eq(code, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    buffer = clCreateBuffer(cl.context, CL_MEM_READ_WRITE, 16, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    clReleaseMemObject(buffer);
    test_cl_close(&cl);
}
END_TEST

/// A write that is taken: what waits next gives its error, once.
static void check_late(const char *fault, bool by_read) {
    int data[4] = {0};
    cl_int code;
    test_cl cl = open_with(fault);
    cl_mem buffer = clCreateBuffer(cl.context, CL_MEM_READ_WRITE, 16, NULL, &code);
    ck_assert_int_eq(clEnqueueFillBuffer(cl.queue, buffer, data, 4, 0, 16, 0, NULL, NULL),
                     CL_SUCCESS);
    ck_assert_int_eq(clFlush(cl.queue), CL_SUCCESS);
    ck_assert_int_eq(clEnqueueReadBuffer(cl.queue, buffer, by_read, 0, 16, data, 0, NULL, NULL),
                     by_read ? CL_OUT_OF_RESOURCES : CL_SUCCESS);
    ck_assert_int_eq(clFinish(cl.queue), by_read ? CL_SUCCESS : CL_OUT_OF_RESOURCES);
    ck_assert_int_eq(clFinish(cl.queue), CL_SUCCESS);
    clReleaseMemObject(buffer);
    test_cl_close(&cl);
}

START_TEST(late_finish) {
    check_late("clEnqueueFillBuffer:1:-5:late", false);
}
END_TEST

START_TEST(late_read) {
    check_late("clEnqueueFillBuffer:1:-5:late", true);
}
END_TEST

/// Whatever call it was that went well: here that which makes the queue.
START_TEST(late_any) {
    check_late("any:4:-5:late", true);
}
END_TEST

/// What is let go, and what is asked for by name.
START_TEST(other_kinds) {
    test_cl cl = open_with("clRetainContext:1:-6,clReleaseContext:1:-5,"
                           "clGetExtensionFunctionAddressForPlatform:2:-5,"
                           "clCreateCommandQueueWithPropertiesKHR:1:-6");
    const char *name = "clCreateCommandQueueWithPropertiesKHR";
    ck_assert_int_eq(clRetainContext(cl.context), CL_OUT_OF_HOST_MEMORY);
    ck_assert_int_eq(clReleaseContext(cl.context), CL_OUT_OF_RESOURCES);
    cl_command_queue(CL_API_CALL * create)(cl_context, cl_device_id, const cl_ulong *, cl_int *);
    void *found = clGetExtensionFunctionAddressForPlatform(cl.platform, name);
    memcpy(&create, &found, sizeof(create));
    cl_int code = CL_SUCCESS;
    if (found) { // an extension
        ck_assert_ptr_null(create(cl.context, cl.device, NULL, &code));
        ck_assert_int_eq(code, CL_OUT_OF_HOST_MEMORY);
    }
    ck_assert_ptr_null(clGetExtensionFunctionAddressForPlatform(cl.platform, name));
    test_cl_close(&cl);
}
END_TEST

/// Each of them, failing from its first, second or third call on: a run ends with an exit code for
/// it and names the code, or, where the program can do without, goes on.
static const struct {
    const char *fault;
    int code;         ///< exit code; 0: the run goes well
    const char *text; ///< in the message
} runs[] = {
    {"clGetPlatformInfo:1:-30:on", EVN_ERR_NO_DEVICE, "CL_PLATFORM_NAME"},
    {"clGetDeviceInfo:1:-6", EVN_ERR_NO_DEVICE, "CL_DEVICE_EXTENSIONS"},
    {"clCreateContext:1:-6", EVN_ERR_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
    {"clCreateCommandQueue:1:-5", EVN_ERR_DEVICE, "CL_OUT_OF_RESOURCES"},
    {"clCreateBuffer:1:-4", EVN_ERR_DEVICE_MEMORY, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
    {"clCreateBuffer:5:-61", EVN_ERR_DEVICE_MEMORY, "CL_INVALID_BUFFER_SIZE"},
    {"clCreateProgramWithSource:1:-6:on", EVN_ERR_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
    {"clBuildProgram:1:-11:on", EVN_ERR_BUILD, "CL_BUILD_PROGRAM_FAILURE"},
    {"clBuildProgram:1:-11", 0, ""}, // as from a cache that another process was writing
    {"clBuildProgram:1:-6:on", EVN_ERR_MEMORY, "free some memory of this machine"},
    {"clBuildProgram:2:-2:on", EVN_ERR_DEVICE, "try again, and then another --device"},
    {"clCreateKernel:1:-5", EVN_ERR_DEVICE, "CL_OUT_OF_RESOURCES"},
    {"clCreateKernel:2:-46", EVN_ERR_BUILD, "CL_INVALID_KERNEL_NAME"},
    {"clGetKernelInfo:1:-48", EVN_ERR_DEVICE, "CL_INVALID_KERNEL"},
    {"clGetKernelWorkGroupInfo:1:-48", EVN_ERR_DEVICE, "CL_INVALID_KERNEL"},
    {"clSetKernelArg:3:-49", EVN_ERR_DEVICE, "CL_INVALID_ARG_INDEX"},
    {"clEnqueueNDRangeKernel:2:-5", EVN_ERR_DEVICE, "CL_OUT_OF_RESOURCES"},
    {"clEnqueueNDRangeKernel:1:-5:late", EVN_ERR_DEVICE, "CL_OUT_OF_RESOURCES"},
    {"clEnqueueWriteBuffer:1:-5", EVN_ERR_DEVICE, "CL_OUT_OF_RESOURCES"},
    {"clEnqueueReadBuffer:1:-14:on", EVN_ERR_DEVICE, "CL_EXEC_STATUS_ERROR"},
    {"clFinish:1:-36:on", EVN_ERR_DEVICE, "CL_INVALID_COMMAND_QUEUE"},
};
enum { RUNS = sizeof(runs) / sizeof(runs[0]) };

START_TEST(training) {
    const char *fault = runs[_i].fault;
    test_outcome result = test_program(
        test_layer_variables("EVONODE_CACHE_DIR=off EVN_LAYER_FAULT=%s", fault),
        "train curve --width 8 --optimizer adam --phase backprop:epochs=2 --out r%d", _i);
    ck_assert_msg(result.code == runs[_i].code && strstr(result.err, runs[_i].text),
                  "%s: ended with %d instead of %d, or without '%s': %s", fault, result.code,
                  runs[_i].code, runs[_i].text, result.err);
}
END_TEST

/// A driver that hangs ends the run after a while, by name, and its checkpoint is as good as
/// before.
START_TEST(hanging) {
    static const struct {
        const char *fault, *text;
        bool compiles; // else that is done before, since it can last as long as the deadline
    } calls[] = {{"clFinish:1:-36:hang", "clFinish", false},
                 {"clEnqueueReadBuffer:9:-5:hang", "clEnqueueReadBuffer", false},
                 {"clBuildProgram:2:-11:hang", "clBuildProgram", true}};
    test_outcome warm = test_program(test_layer_variables("EVONODE_CACHE_DIR=warm"),
                                     "train curve --width 8 --optimizer adam --phase "
                                     "backprop:epochs=40 --out warmed");
    ck_assert_msg(warm.code == 0, "%s", warm.err);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); ++i) {
        test_outcome result = test_program(
            test_layer_variables("EVONODE_DEADLINE=4 EVONODE_CACHE_DIR=%s EVN_LAYER_FAULT=%s",
                                 calls[i].compiles ? "off" : "warm", calls[i].fault),
            "train curve --width 8 --optimizer adam --phase backprop:epochs=40 --out h%zu", i);
        test_fails_with(result, EVN_ERR_DEADLINE, calls[i].text);
        char summary[64];
        snprintf(summary, sizeof(summary), "h%zu/summary.json", i);
        ck_assert(!test_exists(summary));
    }
    test_outcome result = test_program("", "resume h0");
    ck_assert_msg(result.code == 0, "%s", result.err);
    test_fails_with(test_program("EVONODE_DEADLINE=soon", "train curve --out s"), EVN_ERR_USAGE,
                    "EVONODE_DEADLINE");
}
END_TEST

/// A driver may hang in any call: before there is a device, and where it should not wait.
static const struct {
    const char *variables, *fault;
} hangs[] = {
    {"", "clCreateContext"},
    {"", "clCreateCommandQueue"},
    {"", "clCreateBuffer"},
    {"", "clCreateKernel"},
    {"", "clSetKernelArg"},
    {"", "clEnqueueNDRangeKernel"},
    {"", "clEnqueueFillBuffer"},
    {"", "clFlush"},
    {"EVONODE_GUARD=1", "clEnqueueWriteBuffer"}, // of a guard zone
};
enum { HANGS = sizeof(hangs) / sizeof(hangs[0]) };

START_TEST(hanging_anywhere) {
    static const char *const train = "train digits --model node --limit 8 --filters 2 --batch 4 "
                                     "--phase backprop:solver=euler,steps=1 --out";
    if (!test_exists("warm")) { // what is compiled may take as long as the deadline
        test_outcome warm = test_program("EVONODE_CACHE_DIR=warm", "%s w", train);
        ck_assert_msg(warm.code == 0, "%s", warm.err);
    }
    const char *variables = test_layer_variables("%s EVONODE_CACHE_DIR=warm EVONODE_DEADLINE=5 "
                                                 "EVN_LAYER_FAULT=%s:1:-5:hang",
                                                 hangs[_i].variables, hangs[_i].fault);
    test_fails_with(test_program(variables, "%s a%d", train, _i), EVN_ERR_DEADLINE,
                    hangs[_i].fault);
}
END_TEST

/// Binaries are built, too, where they are loaded from the cache.
START_TEST(hanging_on_a_binary) {
    static const char *const train = "train curve --width 8 --phase backprop:epochs=1 --out";
    static const char *const cache = "EVONODE_CACHE=force EVONODE_CACHE_DIR=cached";
    test_outcome result = test_program(cache, "%s b0", train);
    ck_assert_msg(result.code == 0, "%s", result.err);
    char variables[256];
    snprintf(variables, sizeof(variables), "%s EVONODE_DEADLINE=10 EVN_LAYER_FAULT=%s", cache,
             "clBuildProgram:1:-11:hang");
    result = test_program(test_layer_variables("%s", variables), "%s b1", train);
    test_fails_with(result, EVN_ERR_DEADLINE, "loading compiled kernels (clBuildProgram)");
}
END_TEST

START_TEST(wrong_faults) {
    static const struct {
        const char *fault, *message;
    } wrong[] = {
        {"clNothing:1:-5", "entries.def has no clNothing"},
        {"clFinish:0:-5", "calls count from 1"},
        {"clFinish:1:5", "codes are below 0"},
        {"clFinish:1", "is no NAME:K:CODE"},
        {"clFinish:1:-5:later", "\"later\" is neither on nor late"},
        {"clCreateBuffer:1:-4:late", "only what is enqueued can fail late"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        test_layer_refuses(test_layer_variables("EVN_LAYER_FAULT=%s", wrong[i].fault),
                           wrong[i].message);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fault");
    test_add(suite, tcase_create("once"), once);
    test_add(suite, tcase_create("object"), object);
    test_add(suite, tcase_create("late_finish"), late_finish);
    test_add(suite, tcase_create("late_read"), late_read);
    test_add(suite, tcase_create("late_any"), late_any);
    test_add(suite, tcase_create("other_kinds"), other_kinds);
    TCase *runs_case = tcase_create("training");
    tcase_add_loop_test(runs_case, training, 0, RUNS);
    suite_add_tcase(suite, runs_case);
    test_add(suite, tcase_create("hanging"), hanging);
    TCase *anywhere = tcase_create("hanging_anywhere");
    tcase_add_loop_test(anywhere, hanging_anywhere, 0, HANGS);
    suite_add_tcase(suite, anywhere);
    test_add(suite, tcase_create("hanging_on_a_binary"), hanging_on_a_binary);
    test_add(suite, tcase_create("wrong_faults"), wrong_faults);
    return test_run(suite);
}
