// SPDX-License-Identifier: Apache-2.0
#include "test.h"
#include "host/runtime.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static evn_device *device;
static char *note;
static int unavailable; // tests that the device cannot run
static char folder[256];
static int undeclared;

void test_note(const char *text) {
    free(note);
    note = text ? strdup(text) : NULL;
}

void test_add(Suite *suite, TCase *tcase, const TTest *test) {
    tcase_add_test(tcase, test);
    suite_add_tcase(suite, tcase);
}

bool test_is_whole(void) {
    return getenv("EVN_TESTS_WHOLE") != NULL;
}

void test_add_share(TCase *tcase, const TTest *test, int first, int end, int share) {
    int last = end - first - 1, parts = test_is_whole() ? last : last / share;
    parts = parts == 0 && last > 0 ? 1 : parts;
    for (int k = 0; k <= parts; ++k) {
        int i = first + (parts == 0 ? 0 : (2 * k * last + parts) / (2 * parts));
        tcase_add_loop_test(tcase, test, i, i + 1);
    }
}

void test_expect_undeclared(int programs) {
    undeclared = programs;
}

void test_needs_fp64(void) {
    if (!evn_device_get_info(test_device())->has_fp64) {
        unavailable++;
        ck_abort_msg("not run: it needs double precision, which this device has not");
    }
}

void test_needs_sub_groups(void) {
    if (evn_device_get_info(test_device())->sub_groups == EVN_SUB_GROUPS_NONE) {
        unavailable++;
        ck_abort_msg("not run: it needs functions of sub-groups, which this device has not");
    }
}

int test_run(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner) - unavailable;
    int ran = srunner_ntests_run(runner);
    srunner_free(runner);
    if (failed > 0 && note) {
        fprintf(stderr, "%s\n", note);
    }
    test_note(NULL);
    if (device && device->undeclared != undeclared) {
        fprintf(stderr, "%d programs call functions that kernels/builtins.h lacks; add these\n",
                device->undeclared - undeclared);
        failed++;
    }
    // Not at exit: the compiler inside PoCL registers destructors as it goes, which would run
    // first, under a kernel that is still being compiled.
    evn_device_close(&device);
    if (ran == 0) {
        fprintf(stderr, "no test of that name ran: that is a failure\n");
    }
    if (failed == 0 && ran > 0 && unavailable == ran) {
        return TEST_SKIPPED;
    }
    return failed == 0 && ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

evn_device *test_device(void) {
    if (!device) {
        TRY(evn_device_open(NULL, &device));
    }
    return device;
}

evn_device_type test_act_as(evn_device_type type) {
    // The device is ours; only the view that others get of it is constant.
    static evn_device_info own; // what the device is, which there is one of
    evn_device_info *info = (evn_device_info *)evn_device_get_info(test_device());
    if (!own.name[0]) {
        own = *info;
    }
    evn_device_type before = info->type;
    info->type = type;
    // A GPU says that its registers hold one number; a CPU that says so has narrow work-items.
    bool foreign = type == EVN_DEVICE_CPU && own.type != EVN_DEVICE_CPU;
    info->vector_width = foreign && own.vector_width < 4 ? 4 : own.vector_width;
    return before;
}

uint64_t test_grant_local(uint64_t bytes) {
    evn_device_info *info = (evn_device_info *)evn_device_get_info(test_device());
    uint64_t before = info->local_bytes;
    info->local_bytes = bytes;
    return before;
}

// SplitMix64 (Steele, Lea, Flood 2014): tests must not depend on the random numbers they test.
static uint64_t next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void test_uniform(uint64_t seed, double low, double high, double *data, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        data[i] = low + (high - low) * ldexp((double)(next(&seed) >> 11), -53);
    }
}

static double difference(const double *a, const double *b, int64_t count, double scale) {
    double worst = 0;
    for (int64_t i = 0; i < count; ++i) {
        if (isnan(a[i]) || isnan(b[i])) {
            return INFINITY;
        }
        worst = fmax(worst, fabs(a[i] - b[i]));
        scale = fmax(scale, fabs(b[i]));
    }
    return worst / scale;
}

double test_difference(const double *a, const double *b, int64_t count) {
    return difference(a, b, count, 1);
}

double test_relative_difference(const double *a, const double *b, int64_t count) {
    return difference(a, b, count, 0);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static void remove_folder(void) {
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void test_folder_in_memory(void) {
    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 1);
    }
}

const char *test_folder(void) {
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof(folder), "%s/evonode-test-XXXXXX", base ? base : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        atexit(remove_folder);
    }
    return folder;
}

const char *test_stretch(size_t length, const char *name, char *path) {
    enum { DETOUR = 200 }; // long ones: each part of a path is looked up
    size_t used = (size_t)sprintf(path, "%s", test_folder()), end = length - strlen(name) - 1;
    ck_assert_uint_le(used, end);
    snprintf(path + used, DETOUR + 2, "/%0*d", DETOUR, 0);
    mkdir(path, 0777);
    while (used + DETOUR + 6 < end) {
        path[used++] = '/';
        memset(path + used, '0', DETOUR);
        memcpy(path + used + DETOUR, "/..", 3);
        used += DETOUR + 3;
    }
    memset(path + used, '/', end - used);
    sprintf(path + end, "/%s", name);
    return path;
}
