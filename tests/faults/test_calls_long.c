// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=28800 cases=test_calls.c
// Every call, in every manner.
#define CHOICE TEST_EVERY
#include "test_calls.c"
