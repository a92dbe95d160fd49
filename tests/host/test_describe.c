// SPDX-License-Identifier: Apache-2.0
// A query that fails is no answer: a device is described as it is, or is not used.
#include "host/runtime.h"
#include "layered.h"
#include "sweep.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

/// Of all that a device is asked. What it may not know of is 0 where it says so, and there alone.
START_TEST(queries_that_fail) {
    evn_device_info info;
    char plan[64];
    test_sweep_opencl_begin();
    test_cl cl = test_cl_open();
    test_plan_opencl(NULL);
    evn__device_describe(cl.platform, cl.device, &info);
    long calls = test_plan_opencl(NULL);
    ck_assert_msg(info.usable, "%s", info.unusable);
    ck_assert_int_ge(calls, 20);
    for (long call = 1; call <= calls; ++call) {
        snprintf(plan, sizeof(plan), "any:%ld:%d", call, CL_OUT_OF_RESOURCES);
        test_plan_opencl(plan);
        evn__device_describe(cl.platform, cl.device, &info);
        test_plan_opencl(NULL);
        ck_assert_msg(!info.usable && strstr(info.unusable, "CL_OUT_OF_RESOURCES"),
                      "call %ld of %ld: '%s'", call, calls, info.unusable);
    }
    test_cl_close(&cl);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("describe");
    test_add(suite, tcase_create("queries"), queries_that_fail);
    return test_run(suite);
}
