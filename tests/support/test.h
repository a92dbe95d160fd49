// SPDX-License-Identifier: Apache-2.0
// What every test program shares. A program is one Check suite; CTest runs each of its cases in a
// process of its own (CK_RUN_CASE), without fork: an OpenCL context does not survive one.
#ifndef EVN_TEST_H
#define EVN_TEST_H

#include "evonode/device.h"
#include <check.h>
#include <stdint.h>

/// Fails the test with the recorded message unless the call returns EVN_OK.
#define TRY(call)                                                                                  \
    do {                                                                                           \
        evn_status test_status_ = (call);                                                          \
        ck_assert_msg(test_status_ == EVN_OK, "%s: %s (%s)", #call, evn_error_message(),           \
                      evn_error_place());                                                          \
    } while (0)

/// The exit status of a case of which the device can run no test.
enum { TEST_SKIPPED = 77 };

/// Run the suite; the program's exit status.
int test_run(Suite *suite);

/// Add a case of one test.
void test_add(Suite *suite, TCase *tcase, const TTest *test);

/// Whether all of a case runs (EVN_TESTS_WHOLE), as in label long, or what the quick suite has time
/// for. Such a case says "// whole: long" behind its tcase_create.
bool test_is_whole(void);

/// Add `test` for each _i of `first` .. `end` - 1; where not all of a case runs, for one in
/// `share`: evenly spread, the first and the last among them.
void test_add_share(TCase *tcase, const TTest *test, int first, int end, int share);

/// What the test is working on, printed where it fails; NULL: nothing in particular. Copied.
void test_note(const char *text);

/// The device under test (EVONODE_DEVICE, else auto), opened once a process; fails without one.
evn_device *test_device(void);

/// Ends the test, which does not count, on a device without double precision.
void test_needs_fp64(void);

/// Ends the test, which does not count, on a device without functions of sub-groups.
void test_needs_sub_groups(void);

/// So many programs of this process call functions that kernels/builtins.h lacks; else that fails.
void test_expect_undeclared(int programs);

/// From here on lowering takes the device under test for one of `type`: kernels for GPUs are right
/// on CPUs too. Returns what it was taken for before.
evn_device_type test_act_as(evn_device_type type);

/// From here on lowering takes the device under test for one with so much local memory. Returns
/// what it was taken for before.
uint64_t test_grant_local(uint64_t bytes);

/// Fill with reproducible numbers, uniform in [low, high).
void test_uniform(uint64_t seed, double low, double high, double *data, int64_t count);

/// max |a − b| / max(1, max |b|); NaN anywhere gives infinity.
double test_difference(const double *a, const double *b, int64_t count);

/// max |a − b| / max |b|; NaN anywhere gives infinity.
double test_relative_difference(const double *a, const double *b, int64_t count);

/// A folder of this process's own under the system's temporary one, removed at exit.
const char *test_folder(void);

/// The path of a file in it that has so many bytes, which may be more than a path can have; into
/// `path`, which has room for it, and which is returned.
const char *test_stretch(size_t length, const char *name, char *path);

/// To be called before the first test_folder(): in memory, where there is such a place, for what is
/// done so often that it should wait for no disk.
void test_folder_in_memory(void);

#endif
