// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=7200 cases=test_memory.c
// Every one of what that takes a part of.
#define EVERY 1
#include "test_memory.c"
