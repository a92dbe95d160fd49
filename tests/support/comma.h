// SPDX-License-Identifier: Apache-2.0
// A locale whose decimal point is a comma, for tests of what must not change with it.
#ifndef EVN_TEST_COMMA_H
#define EVN_TEST_COMMA_H

#include <stdbool.h>

/// Set one for the process: an installed one, or one that is made in the test's folder. False, and
/// says so, where neither can be had.
bool comma_enter(void);
void comma_leave(void);

#endif
