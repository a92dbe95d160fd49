// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=1500 cases=test_model.c
#define EVOLUTIONS 3
#include "test_model.c"
