// SPDX-License-Identifier: Apache-2.0
// Calls of the system and allocations of this very process, each of which goes wrong once: what a
// few lines of a program do is walked through to its last failure, in milliseconds
// (tests/faults/shim.c makes them fail, preloaded).
#ifndef EVN_TEST_SWEEP_H
#define EVN_TEST_SWEEP_H

#include "evonode/status.h"
#include <stdbool.h>

typedef struct test_deed {
    const char *name;
    void (*prepare)(void); ///< before each time; NULL: nothing
    /// What is done, without Check; it frees all that it has made, also when it fails.
    /// EVN_ERR_INTERNAL, which no fault may cause, where what it made is not right.
    evn_status (*run)(void);
    bool uncounted; ///< what is left in memory: drivers, and threads, keep some as they like
} test_deed;

/// To be called first in such a test: begins the program anew with the shim, in which it returns.
/// Ends the program as skipped where the shim cannot be.
void test_sweep_begin(void);

/// Do it once for each of its calls, and have that go wrong, alone and with all later ones: it
/// succeeds all the same, or fails with a status that such a call may cause and a message. In the
/// end there is no memory more than before. Interrupted calls and short ones make nothing fail.
void test_sweep(const test_deed *deed);

/// The same of calls of OpenCL, of a process that first calls test_sweep_opencl_begin: about `most`
/// faults, a seeded part of all (EVN_FAULTS_SEED). What succeeds all the same gives what is right.
void test_sweep_opencl_begin(void);
void test_sweep_opencl(const test_deed *deed, int most);

/// Of such a process the calls of OpenCL that fail from now on, as in EVN_LAYER_FAULT; NULL: none.
/// Returns how many calls there have been since the last plan.
long test_plan_opencl(const char *plan);

#endif
