// SPDX-License-Identifier: Apache-2.0
// A query that fails is no answer: a device is described as it is, or is not used.
#include "host/runtime.h"
#include "layered.h"
#include "sweep.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

/// A query of which the device says that it does not know it: a mandatory one is missed by name,
/// and of any other the answer is 0, or none, and nothing else of the device. Whether it was such a
/// one.
static bool describe_without(const test_cl *cl, long call, const evn_device_info *usual,
                             int *nothing) {
    evn_device_info info;
    char plan[64];
    snprintf(plan, sizeof(plan), "any:%ld:%d", call, CL_INVALID_VALUE);
    test_plan_opencl(plan);
    TRY(evn__device_describe(cl->platform, cl->device, &info));
    test_plan_opencl(NULL);
    if (!info.usable) {
        ck_assert_msg(strstr(info.unusable, "CL_INVALID_VALUE"), "call %ld: '%s'", call,
                      info.unusable);
        return false;
    }
    ck_assert_msg(info.name[0], "call %ld", call); // the driver's own where there is no board's
    ck_assert_uint_eq(info.global_bytes, usual->global_bytes);
    ck_assert_int_eq(info.has_fp64, usual->has_fp64);
    ck_assert(!info.vendor[0] || strcmp(info.vendor, usual->vendor) == 0);
    ck_assert(!info.unified || usual->unified);
    ck_assert(info.min_sub_group == 0 || info.min_sub_group == usual->min_sub_group);
    ck_assert(info.sub_groups == EVN_SUB_GROUPS_NONE || info.sub_groups == usual->sub_groups);
    *nothing += (usual->vendor[0] && !info.vendor[0]) + (usual->unified && !info.unified);
    return true;
}

/// Of all that a device is asked. What it may not know of is 0 where it says so, and there alone.
START_TEST(queries_that_fail) {
    evn_device_info info;
    char plan[64];
    test_sweep_opencl_begin();
    test_cl cl = test_cl_open();
    test_plan_opencl(NULL);
    TRY(evn__device_describe(cl.platform, cl.device, &info));
    long calls = test_plan_opencl(NULL);
    ck_assert_msg(info.usable, "%s", info.unusable);
    const evn_device_info usual = info;
    ck_assert_int_ge(calls, 20);
    int unknown = 0, nothing = 0;
    for (long call = 1; call <= calls; ++call) {
        snprintf(plan, sizeof(plan), "any:%ld:%d", call, CL_OUT_OF_RESOURCES);
        test_plan_opencl(plan);
        TRY(evn__device_describe(cl.platform, cl.device, &info));
        test_plan_opencl(NULL);
        ck_assert_msg(!info.usable && strstr(info.unusable, "CL_OUT_OF_RESOURCES"),
                      "call %ld of %ld: '%s'", call, calls, info.unusable);
        unknown += describe_without(&cl, call, &usual, &nothing);
    }
    ck_assert_int_ge(unknown, 4);
    ck_assert_int_ge(nothing, 1);
    test_cl_close(&cl);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("describe");
    test_add(suite, tcase_create("queries"), queries_that_fail);
    return test_run(suite);
}
