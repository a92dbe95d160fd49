// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=19800 cases=test_calls.c
// Every call, in every manner; ends before the job of a night does (nightly.yml).
#define CHOICE TEST_EVERY
#include "test_calls.c"
