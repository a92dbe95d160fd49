// SPDX-License-Identifier: Apache-2.0
// Runs of the program in which one call after the other goes wrong, and what has to hold after
// each: the bits of the undisturbed run, or a documented exit code with a message; a run directory
// that can be gone on with, and in the end nothing in it that does not belong there.
#ifndef EVN_TEST_FAULTS_H
#define EVN_TEST_FAULTS_H

/// Of which calls: of the system for files, to ask for files, allocations, and PLplot's
/// (tests/faults/shim.c), of OpenCL's entry points, and of those in which a driver may hang
/// (tests/layer/fault.c).
typedef enum test_fault_kind {
    TEST_FILES,
    TEST_QUERIES,
    TEST_MEMORY,
    TEST_DRAWING,
    TEST_OPENCL,
    TEST_HANGING
} test_fault_kind;

/// A seeded part of the calls in one manner each (seed.h); of each place in the program the first
/// call; every call, or of tens of thousands a seeded part. These two in all manners, in
/// EVN_FAULTS_PARTS equal parts, of which this is EVN_FAULTS_PART, from 1. Or, of a training, the
/// last calls in the first manner, back to one that leaves its summary and a checkpoint.
typedef enum test_choice { TEST_PART, TEST_PLACES, TEST_EVERY, TEST_END } test_choice;

/// The number of a scenario; fails where there is none.
int test_scenario_find(test_fault_kind kind, const char *verb);

/// A scenario with each chosen call going wrong. Prints how many there were and how they ended, and
/// each that ended wrongly.
void test_scenario(int number, test_choice choice);

#endif
