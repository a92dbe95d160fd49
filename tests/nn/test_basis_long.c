// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=1500 cases=test_basis.c
#define SMOOTH 4
#include "test_basis.c"
