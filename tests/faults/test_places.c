// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=7200 cases=test_calls.c
// The first call from each place in the program, in every manner.
#define CHOICE TEST_PLACES
#include "test_calls.c"
