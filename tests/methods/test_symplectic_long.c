// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=3600 cases=test_symplectic.c
// Ten thousand periods.
#define PERIODS 10000
#include "test_symplectic.c"
