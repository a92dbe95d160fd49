// SPDX-License-Identifier: Apache-2.0
#include "layered.h"
#include "test.h"

#include "evonode/device.h"
#include <stdlib.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * KIB };

/// This process in a costume; the profile's values are those that the tests below expect.
static test_cl wear(const char *profile) {
    test_under_layer("EVN_LAYER_COSTUME", profile);
    return test_cl_open();
}

static test_cl wear_m1(void) {
    char path[TEST_PATH];
    return wear(test_profile(path, "apple_m1"));
}

/// What evonode sees, too: its description comes from the same queries.
START_TEST(description) {
    char path[TEST_PATH];
    test_under_layer("EVN_LAYER_COSTUME", test_profile(path, "rx7900xtx"));
    const evn_device_info *info = evn_device_get_info(test_device());
    ck_assert_int_eq(info->type, EVN_DEVICE_GPU);
    ck_assert_str_eq(info->platform_name, "AMD Accelerated Parallel Processing");
    ck_assert_str_eq(info->name, "AMD Radeon RX 7900 XTX"); // by the extension for it
    ck_assert_int_eq(info->compute_units, 48);
    ck_assert_int_eq(info->clock_mhz, 2526);
    ck_assert_uint_eq(info->local_bytes, 64 * KIB);
    ck_assert_uint_eq(info->max_work_group, 256);
    ck_assert(info->has_fp64 && info->has_fp16);
    ck_assert_int_eq(info->sub_groups, EVN_SUB_GROUPS_REDUCE);
    ck_assert_int_eq(info->sub_group_language, 200);
}
END_TEST

static void check_sub_groups(const char *profile, evn_sub_groups sub_groups, int language) {
    test_under_layer("EVN_LAYER_COSTUME", profile);
    const evn_device_info *info = evn_device_get_info(test_device());
    ck_assert_int_eq(info->sub_groups, sub_groups);
    ck_assert_int_eq(info->sub_group_language, language);
}

START_TEST(sub_groups_of_intel) {
    char path[TEST_PATH];
    check_sub_groups(test_profile(path, "irisxe"), EVN_SUB_GROUPS_INTEL, 120);
}
END_TEST

START_TEST(sub_groups_of_3) {
    char path[TEST_PATH];
    check_sub_groups(test_profile(path, "malig610"), EVN_SUB_GROUPS_REDUCE, 300);
}
END_TEST

START_TEST(sub_groups_that_shuffle) {
    char path[TEST_PATH];
    const char *list = "extensions = cl_khr_subgroups cl_khr_subgroup_shuffle";
    check_sub_groups(test_changed_profile(path, "malig610", list), EVN_SUB_GROUPS_SHUFFLE, 300);
}
END_TEST

/// OpenCL 3.0 with none says so in their number.
START_TEST(no_sub_groups) {
    char path[TEST_PATH];
    check_sub_groups(test_profile(path, "rtx3060"), EVN_SUB_GROUPS_NONE, 0);
}
END_TEST

/// OpenCL C 1.2 has no functions for them.
START_TEST(sub_groups_without_language) {
    char path[TEST_PATH];
    const char *old = "c_version = OpenCL C 1.2";
    check_sub_groups(test_changed_profile(path, "vega8", old), EVN_SUB_GROUPS_NONE, 0);
}
END_TEST

static void check_fma(const char *line, bool soft) {
    char path[TEST_PATH];
    test_under_layer("EVN_LAYER_COSTUME", test_changed_profile(path, "cpu_avx2", line));
    ck_assert_int_eq(evn_device_get_info(test_device())->soft_fma, soft);
}

START_TEST(soft_fma) {
    check_fma("fma = no", true);
}
END_TEST

START_TEST(hard_fma) {
    check_fma("fma = yes", false);
}
END_TEST

#define ASK(parameter, value) clGetDeviceInfo(cl.device, (parameter), sizeof(value), &(value), NULL)

START_TEST(answers) {
    test_cl cl = wear_m1();
    cl_bool unified = CL_FALSE;
    size_t sizes[3] = {0}, timer = 0, size = 0;
    cl_device_fp_config doubles = CL_FP_FMA;
    char name[64] = "", short_text[2];
    ck_assert_int_eq(ASK(CL_DEVICE_HOST_UNIFIED_MEMORY, unified), CL_SUCCESS);
    ck_assert(unified);
    ck_assert_int_eq(ASK(CL_DEVICE_MAX_WORK_ITEM_SIZES, sizes), CL_SUCCESS);
    ck_assert_uint_eq(sizes[2], 256);
    ck_assert_int_eq(ASK(CL_DEVICE_PROFILING_TIMER_RESOLUTION, timer), CL_SUCCESS);
    ck_assert_uint_eq(timer, 1000);
    ck_assert_int_eq(ASK(CL_DEVICE_DOUBLE_FP_CONFIG, doubles), CL_SUCCESS);
    ck_assert_uint_eq(doubles, 0);
    ck_assert_int_eq(clGetDeviceInfo(cl.device, CL_DEVICE_NAME, sizeof(name), name, &size), 0);
    ck_assert_str_eq(name, "Apple M1");
    ck_assert_uint_eq(size, sizeof("Apple M1"));
    ck_assert_int_eq(ASK(CL_DEVICE_NAME, short_text), CL_INVALID_VALUE);
    ck_assert_int_eq(ASK(0x4038, name), CL_INVALID_VALUE); // AMD's board name: not on this device
    test_cl_close(&cl);
}
END_TEST

START_TEST(types) {
    test_cl cl = wear_m1();
    cl_uint count = 0;
    const cl_device_type gpu = CL_DEVICE_TYPE_GPU, cpu = CL_DEVICE_TYPE_CPU;
    ck_assert_int_eq(clGetDeviceIDs(cl.platform, gpu, 0, NULL, &count), CL_SUCCESS);
    ck_assert_int_eq(clGetDeviceIDs(cl.platform, cpu, 0, NULL, &count), CL_DEVICE_NOT_FOUND);
    cl_int code;
    cl_context_properties of[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)cl.platform, 0};
    cl_context context = clCreateContextFromType(of, gpu, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    clReleaseContext(context);
    ck_assert_ptr_null(clCreateContextFromType(of, cpu, NULL, NULL, &code));
    ck_assert_int_eq(code, CL_DEVICE_NOT_FOUND);
    test_cl_close(&cl);
}
END_TEST

static const char STORE[] = "__kernel void k(__global int *y) { y[get_global_id(0)] = 7; }";

/// Launch, and wait where it went well: PoCL compiles on a thread, which must have ended at exit.
static cl_int launch(const test_cl *cl, cl_kernel kernel, size_t global, size_t local) {
    cl_int code =
        clEnqueueNDRangeKernel(cl->queue, kernel, 1, NULL, &global, &local, 0, NULL, NULL);
    return code == CL_SUCCESS ? clFinish(cl->queue) : code;
}

START_TEST(work_groups) {
    test_cl cl = wear_m1();
    cl_int code;
    size_t most = 0, multiple = 0;
    cl_kernel kernel = test_cl_kernel(&cl, STORE, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    clGetKernelWorkGroupInfo(kernel, cl.device, CL_KERNEL_WORK_GROUP_SIZE, sizeof(most), &most,
                             NULL);
    ck_assert_uint_eq(most, 256);
    clGetKernelWorkGroupInfo(kernel, cl.device, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE,
                             sizeof(multiple), &multiple, NULL);
    ck_assert_uint_eq(multiple, 32);
    cl_mem buffer = clCreateBuffer(cl.context, CL_MEM_READ_WRITE, 2048, NULL, &code);
    clSetKernelArg(kernel, 0, sizeof(buffer), &buffer);
    ck_assert_int_eq(launch(&cl, kernel, 512, 256), CL_SUCCESS);
    ck_assert_int_eq(launch(&cl, kernel, 512, 512), CL_INVALID_WORK_ITEM_SIZE);
    ck_assert_int_eq(launch(&cl, kernel, 500, 256), CL_INVALID_WORK_GROUP_SIZE);
    size_t global[2] = {32, 16}, local[2] = {32, 16};
    ck_assert_int_eq(
        clEnqueueNDRangeKernel(cl.queue, kernel, 2, NULL, global, local, 0, NULL, NULL),
        CL_INVALID_WORK_GROUP_SIZE);
    int result[512];
    clEnqueueReadBuffer(cl.queue, buffer, CL_TRUE, 0, sizeof(result), result, 0, NULL, NULL);
    ck_assert_int_eq(result[511], 7);
    clReleaseMemObject(buffer);
    clReleaseKernel(kernel);
    test_cl_close(&cl);
}
END_TEST

START_TEST(local_memory) {
    test_cl cl = wear_m1();
    cl_int code;
    cl_mem buffer = clCreateBuffer(cl.context, CL_MEM_READ_WRITE, 4096, NULL, &code);
    cl_kernel kernel =
        test_cl_kernel(&cl,
                       "__kernel void k(__global int *y, __local int *z) {\n"
                       "    __local int own[4096];\n"
                       "    own[get_local_id(0)] = z[get_local_id(0)] = get_local_id(0);\n"
                       "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                       "    y[get_global_id(0)] = own[63 - get_local_id(0)] + z[0];\n}\n",
                       &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    clSetKernelArg(kernel, 0, sizeof(buffer), &buffer);
    clSetKernelArg(kernel, 1, 16 * KIB, NULL);
    ck_assert_int_eq(launch(&cl, kernel, 64, 64), CL_SUCCESS);
    clSetKernelArg(kernel, 1, 16 * KIB + 4, NULL);
    ck_assert_int_eq(launch(&cl, kernel, 64, 64), CL_OUT_OF_RESOURCES);
    clReleaseMemObject(buffer);
    clReleaseKernel(kernel);
    test_cl_close(&cl);
}
END_TEST

static cl_int allocate(const test_cl *cl, size_t bytes, cl_mem *buffer) {
    cl_int code = CL_SUCCESS;
    *buffer = clCreateBuffer(cl->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    return code;
}

START_TEST(allocations) {
    char path[TEST_PATH];
    cl_mem first, second;
    test_cl cl = wear(test_changed_profile(path, "apple_m1",
                                           "allocation_bytes = 3 MiB\n"
                                           "# and a small whole"));
    ck_assert_int_eq(allocate(&cl, 3 * MIB, &first), CL_SUCCESS);
    ck_assert_int_eq(allocate(&cl, 3 * MIB + 1, &second), CL_INVALID_BUFFER_SIZE);
    ck_assert_ptr_null(second);
    clReleaseMemObject(first);
    test_cl_close(&cl);
}
END_TEST

START_TEST(whole_memory) {
    char path[TEST_PATH];
    cl_mem first, second;
    test_cl cl = wear(test_changed_profile(path, "apple_m1", "global_bytes = 4 MiB"));
    for (int i = 0; i < 3; ++i) { // what is released is there again
        ck_assert_int_eq(allocate(&cl, 3 * MIB, &first), CL_SUCCESS);
        ck_assert_int_eq(allocate(&cl, 2 * MIB, &second), CL_MEM_OBJECT_ALLOCATION_FAILURE);
        clReleaseMemObject(first);
    }
    test_cl_close(&cl);
}
END_TEST

START_TEST(sub_buffers) {
    char path[TEST_PATH];
    cl_mem whole;
    cl_int code;
    test_cl cl = wear(test_changed_profile(path, "apple_m1", "align_bits = 4096"));
    ck_assert_int_eq(allocate(&cl, MIB, &whole), CL_SUCCESS);
    cl_buffer_region region = {.origin = 512, .size = 512};
    cl_mem part =
        clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    clReleaseMemObject(part);
    region.origin = 256;
    clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    ck_assert_int_eq(code, CL_MISALIGNED_SUB_BUFFER_OFFSET);
    clReleaseMemObject(whole);
    test_cl_close(&cl);
}
END_TEST

static void check_build(const char *profile, const char *text, cl_int expected) {
    char path[TEST_PATH];
    cl_int code;
    test_cl cl = wear(test_profile(path, profile));
    cl_kernel kernel = test_cl_kernel(&cl, text, &code);
    ck_assert_int_eq(code, expected);
    if (kernel) {
        clReleaseKernel(kernel);
    }
    test_cl_close(&cl);
}

static const char DOUBLE[] = "__kernel void k(__global float *y) { double x = y[0]; y[0] = x; }";

START_TEST(double_refused) {
    check_build("apple_m1", DOUBLE, CL_BUILD_PROGRAM_FAILURE);
}
END_TEST

START_TEST(double_allowed) {
    check_build("rx7900xtx", DOUBLE, CL_SUCCESS);
}
END_TEST

/// A constant without f is float there, and the macros are those of the costume.
START_TEST(macros) {
    check_build("apple_m1",
                "#if defined(cl_khr_fp64) || !defined(cl_khr_byte_addressable_store)\n"
                "#error macros\n"
                "#endif\n"
                "__kernel void k(__global float *y) { y[0] = sizeof(1.0) == 4 ? 1.0 : y[-1]; }\n",
                CL_SUCCESS);
}
END_TEST

/// Wrong profiles end the process.
static void check_refused(const char *line, const char *message) {
    char path[TEST_PATH];
    test_changed_profile(path, "apple_m1", line);
    test_layer_refuses(test_layer_variables("EVN_LAYER_COSTUME='%s'", path), message);
}

START_TEST(wrong_profiles) {
    check_refused("lokal_bytes = 3", "no key is named \"lokal_bytes\"");
    check_refused("local_bytes = many", "local_bytes: \"many\" is no number");
    check_refused("local_bytes = -1", "local_bytes: \"-1\" is no number");
    check_refused("local_bytes = 1 KB", "\"KB\" is no unit");
    check_refused("compute_units = 5000000000", "compute_units: 5000000000 is too large");
    check_refused("unified = maybe", "\"maybe\" is none of yes, no");
    check_refused("type = npu", "\"npu\" is none of gpu, cpu, accelerator");
    check_refused("work_items = 256 256", "work_items has not three numbers");
    check_refused("nonsense", "no \"key = value\": nonsense");
    check_refused("vendor = A\nvendor = B", "vendor is there twice");
    test_layer_refuses(test_layer_variables("EVN_LAYER_COSTUME=/nonexistent"),
                       "/nonexistent cannot be read");
}
END_TEST

START_TEST(line_of_error) {
    char path[TEST_PATH];
    const char text[] = "# a comment\nname = A # another\n\nunified = 1\n";
    test_write("wrong.profile", text, sizeof(text) - 1);
    test_layer_refuses(
        test_layer_variables("EVN_LAYER_COSTUME='%s'", test_path(path, "wrong.profile")),
        "wrong.profile:4: unified: \"1\" is none of yes, no");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("costume");
    test_add(suite, tcase_create("description"), description);
    test_add(suite, tcase_create("sub_groups_of_intel"), sub_groups_of_intel);
    test_add(suite, tcase_create("sub_groups_of_3"), sub_groups_of_3);
    test_add(suite, tcase_create("sub_groups_that_shuffle"), sub_groups_that_shuffle);
    test_add(suite, tcase_create("no_sub_groups"), no_sub_groups);
    test_add(suite, tcase_create("sub_groups_without_language"), sub_groups_without_language);
    test_add(suite, tcase_create("soft_fma"), soft_fma);
    test_add(suite, tcase_create("hard_fma"), hard_fma);
    test_add(suite, tcase_create("answers"), answers);
    test_add(suite, tcase_create("types"), types);
    test_add(suite, tcase_create("work_groups"), work_groups);
    test_add(suite, tcase_create("local_memory"), local_memory);
    test_add(suite, tcase_create("allocations"), allocations);
    test_add(suite, tcase_create("whole_memory"), whole_memory);
    test_add(suite, tcase_create("sub_buffers"), sub_buffers);
    test_add(suite, tcase_create("double_refused"), double_refused);
    test_add(suite, tcase_create("double_allowed"), double_allowed);
    test_add(suite, tcase_create("macros"), macros);
    test_add(suite, tcase_create("wrong_profiles"), wrong_profiles);
    test_add(suite, tcase_create("line_of_error"), line_of_error);
    return test_run(suite);
}
