// SPDX-License-Identifier: Apache-2.0
// OpenCL implementations for a test to see: the machine's own and broken ones (tests/icd/vendor.c).
#ifndef EVN_TEST_VENDORS_H
#define EVN_TEST_VENDORS_H

/// Make a folder of .icd files, in the test's folder: "own" for those that the test
/// itself sees, "dangling" for a link to nothing, any other word for a broken one with that fault.
/// Words are separated by spaces.
/// @return "OCL_ICD_VENDORS=…", as variables for test_program; static
const char *test_vendors(const char *words);

#endif
