// SPDX-License-Identifier: Apache-2.0
// Probes: what they find agrees with what is known, and what they find is kept.
#include "host/probe.h"

#include "base/json.h"
#include "host/runtime.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static int answers, progress = -1, vectors = -1;

static void note(const char *name, bool yes) {
    ++answers;
    *(strcmp(name, "groups_progress") == 0 ? &progress : &vectors) = yes;
}

START_TEST(agree) {
    const evn__quirks *quirks = evn__device_quirks(test_device());
    if (quirks->known) { // elsewhere a probe may never end: it is run in a process of its own
        evn__probes_run(test_device(), note);
        ck_assert_int_eq(answers, 2);
        ck_assert_int_eq(progress, quirks->groups_progress);
        ck_assert_int_eq(vectors, quirks->long_vectors);
    }
}
END_TEST

/// As a device of the same processor that nothing is known of.
static void forget(evn_device *device) {
    device->info.type = EVN_DEVICE_CPU;
    device->quirks.known = device->quirks.groups_progress = device->quirks.long_vectors = false;
}

START_TEST(kept) {
    evn_device *device;
    TRY(evn_device_open(NULL, &device));
    setenv("EVONODE_CACHE_DIR", test_folder(), 1);
    forget(device);
    ck_assert(evn__probes_wanted(device) == evn__memory_is_ordered());
    if (evn__memory_is_ordered()) {
        evn__probes_keep(device, "long_vectors 1\n"); // the other one did not end
        ck_assert(device->quirks.long_vectors && !device->quirks.groups_progress);
        forget(device);
        TRY(evn__probes_open(device));
        ck_assert(device->quirks.known && device->quirks.long_vectors);
        ck_assert(!device->quirks.groups_progress && !evn__probes_wanted(device));
        forget(device);
        strcpy(device->info.driver, "another"); // what was found is not about it
        TRY(evn__probes_open(device));
        ck_assert(!device->quirks.known && evn__probes_wanted(device));
        evn__probes_keep(device, NULL); // it crashed at the first
        ck_assert(device->quirks.known && !device->quirks.long_vectors);
    }
    setenv("EVONODE_CACHE_DIR", "off", 1); // nothing can be kept: it would be tried at each start
    forget(device);
    ck_assert(!evn__probes_wanted(device));
    device->info.type = EVN_DEVICE_GPU; // whose memory's order no probe can tell
    setenv("EVONODE_CACHE_DIR", test_folder(), 1);
    ck_assert(!evn__probes_wanted(device));
    evn_device_close(&device);
}
END_TEST

/// Nothing can be kept of a device whose driver's text is none; what is said next lacks nothing.
START_TEST(not_kept) {
    evn_device *device;
    TRY(evn_device_open(NULL, &device));
    setenv("EVONODE_CACHE_DIR", test_folder(), 1);
    forget(device);
    strcpy(device->info.driver, "\xff"); // no UTF-8
    evn__probes_keep(device, "long_vectors 1\n");
    TRY(evn__json_check());
    ck_assert(device->quirks.known && device->quirks.long_vectors);
    forget(device);
    TRY(evn__probes_open(device));
    ck_assert(!device->quirks.known);
    TRY(evn__json_check());
    evn_device_close(&device);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("probe");
    test_add(s, tcase_create("agree"), agree);
    test_add(s, tcase_create("kept"), kept);
    test_add(s, tcase_create("not_kept"), not_kept);
    return s;
}

int main(void) {
    return test_run(suite());
}
