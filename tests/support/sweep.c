// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sweep.h"

#include "base/json.h"
#include "layered.h"
#include "seed.h"
#include "test.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLAN = 64, NOTE = 256 };

static long plan_faults(const char *plan) {
    static long (*function)(const char *);
    if (!function) {
        *(void **)&function = dlsym(RTLD_DEFAULT, "evn_faults_plan");
        ck_assert_msg(function, "the shim is not preloaded");
    }
    return function(plan);
}

void test_sweep_begin(void) {
    char *argv[] = {program_invocation_name, NULL};
    const char *shim = getenv("EVONODE_FAULTS");
    if (dlsym(RTLD_DEFAULT, "evn_faults_plan")) {
        evn__json_watch(); // as the program does
        return;
    }
    if (!shim || dlsym(RTLD_DEFAULT, "__asan_init")) { // which wants to be loaded first
        exit(TEST_SKIPPED);
    }
    setenv("LD_PRELOAD", shim, 1);
    test_folder_in_memory();
    // What glibc keeps for the next one counts as held.
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0", 1);
    execv("/proc/self/exe", argv);
    ck_abort_msg("cannot begin anew with %s", shim);
}

/// Bytes that this process has allocated and not freed.
static size_t held(void) {
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

/// How calls go wrong, and what may come of it beside success.
typedef struct fault {
    const char *kind, *manner;
    evn_status status[5]; ///< with EVN_OK behind the last
} fault;

static const fault faults[] = {
    {"memory", "ENOMEM", {EVN_ERR_MEMORY}},
    {"memory", "ENOMEM:on", {EVN_ERR_MEMORY}},
    {"files", "EIO", {EVN_ERR_FILE, EVN_ERR_OUTPUT}},
    {"files", "EIO:on", {EVN_ERR_FILE, EVN_ERR_OUTPUT}},
    {"files", "EACCES", {EVN_ERR_FILE, EVN_ERR_OUTPUT}},
    {"files", "ENOLCK", {EVN_ERR_FILE, EVN_ERR_OUTPUT}}, // there are disks without locks
    {"files", "EINTR", {EVN_OK}},
    {"files", "short", {EVN_OK}},
    {"queries", "EIO", {EVN_ERR_FILE, EVN_ERR_OUTPUT}},
    {"queries", "ENOMEM", {EVN_ERR_MEMORY, EVN_ERR_FILE, EVN_ERR_OUTPUT}},
    {"queries", "EIO:on", {EVN_ERR_FILE, EVN_ERR_OUTPUT}},
};

static bool is_expected(evn_status status, const fault *f) {
    const evn_status *expected = f->status;
    while (*expected != EVN_OK && *expected != status) {
        ++expected;
    }
    return *expected == status && (status == EVN_OK || evn_error_message()[0]);
}

static evn_status do_with(const test_deed *deed, const char *plan, long *calls) {
    if (deed->prepare) {
        deed->prepare();
    }
    evn__error_clear();
    plan_faults(plan);
    evn_status status = deed->run();
    *calls = plan_faults(NULL);
    return status;
}

static void sweep(const test_deed *deed, const fault *f) {
    char plan[PLAN], note[NOTE];
    long calls, made;
    snprintf(plan, sizeof(plan), "%s:0:", f->kind);
    ck_assert_msg(do_with(deed, plan, &calls) == EVN_OK, "%s: %s", deed->name, evn_error_message());
    test_note(NULL);
    size_t before = held();
    for (long call = 1; call <= calls; ++call) {
        snprintf(plan, sizeof(plan), "%s:%ld:%s", f->kind, call, f->manner);
        snprintf(note, sizeof(note), "%s, %s", deed->name, plan);
        test_note(note);
        evn_status status = do_with(deed, plan, &made);
        ck_assert_msg(status == EVN_OK || is_expected(status, f), "%s: %s, %s", note,
                      evn_status_name(status), evn_error_message());
    }
    ck_assert_msg(do_with(deed, NULL, &made) == EVN_OK, "%s, undisturbed: %s", deed->name,
                  evn_error_message());
    test_note(NULL);
    ck_assert_msg(deed->uncounted || held() <= before, "%s, %s:%s: %zu bytes were not freed",
                  deed->name, f->kind, f->manner, held() - before);
}

void test_sweep(const test_deed *deed) {
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); ++i) {
        sweep(deed, &faults[i]);
    }
}

// Calls of OpenCL ---------------------------------------------------------------------------------

static const fault opencl_faults[] = {
    {"any", "-5", {EVN_ERR_DEVICE, EVN_ERR_DEVICE_MEMORY, EVN_ERR_BUILD}},
    {"any", "-6", {EVN_ERR_MEMORY}},
    {"any", "-36", {EVN_ERR_DEVICE, EVN_ERR_BUILD}},
    {"any", "-5:on", {EVN_ERR_DEVICE, EVN_ERR_DEVICE_MEMORY, EVN_ERR_BUILD}},
    {"any", "-36:on", {EVN_ERR_DEVICE, EVN_ERR_BUILD}},
};
enum { OPENCL_FAULTS = sizeof(opencl_faults) / sizeof(opencl_faults[0]) };

long test_plan_opencl(const char *plan) {
    static long (*function)(const char *);
    if (!function) {
        void *layer = dlopen(getenv("EVONODE_LAYER"), RTLD_NOW | RTLD_NOLOAD);
        ck_assert_msg(layer, "no call of OpenCL has loaded the layer");
        *(void **)&function = dlsym(layer, "evn_layer_plan");
        ck_assert_msg(function, "the layer has no plans");
    }
    return function(plan);
}

void test_sweep_opencl_begin(void) {
    test_under_layer("EVN_LAYER_FAULT", "any:999999999:-5");
}

static void fail_call(const test_deed *deed, long call, const fault *f) {
    char plan[PLAN], note[NOTE];
    snprintf(plan, sizeof(plan), "%s:%ld:%s", f->kind, call, f->manner);
    snprintf(note, sizeof(note), "%s, %s", deed->name, plan);
    test_note(note);
    evn__error_clear();
    test_plan_opencl(plan);
    evn_status status = deed->run();
    test_plan_opencl(NULL);
    ck_assert_msg(status == EVN_OK || is_expected(status, f), "%s: %s, %s", note,
                  evn_status_name(status), evn_error_message());
    TRY(evn_device_finish(test_device()));
}

void test_sweep_opencl(const test_deed *deed, int most) {
    test_plan_opencl(NULL);
    TRY(deed->run());
    long calls = test_plan_opencl(NULL), every = calls / most + 1;
    ck_assert_int_gt(calls, 0);
    for (long i = 0, call = (long)test_seed() % every + 1; call <= calls; ++i) {
        fail_call(deed, call, &opencl_faults[i % OPENCL_FAULTS]);
        call += every;
    }
    TRY(deed->run());
    test_note(NULL);
}
