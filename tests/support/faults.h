// SPDX-License-Identifier: Apache-2.0
// Runs of the program in which one call after the other goes wrong (tests/faults/shim.c), and what
// has to hold after each: the bits of the undisturbed run, or a documented exit code with a
// message; a run directory that can be gone on with, and in the end nothing in it that does not
// belong there.
#ifndef EVN_TEST_FAULTS_H
#define EVN_TEST_FAULTS_H

/// One in so many calls, another choice for each seed; EVN_FAULTS_SEED takes the place of this one.
typedef struct test_choice {
    int every;
    unsigned seed;
} test_choice;

enum { TEST_SCENARIOS = 6 };

/// Name of a scenario: train, resume, …; static storage.
const char *test_scenario_name(int scenario);

/// A scenario with each chosen call going wrong in a manner of its own (every = 1: in all manners).
/// @param[in] kind     "files" or "memory"
/// @param[in] manners  names of the shim's, with NULL behind the last
void test_scenario(int scenario, const char *kind, const char *const *manners, test_choice choice);

/// The same with calls of each entry point of OpenCL that fail, by the layer (tests/layer).
void test_scenario_opencl(int scenario, test_choice choice);

#endif
