// SPDX-License-Identifier: Apache-2.0
// The error of an Adams step, and the order of the next one: of those a step of which would be
// known to be the longest (Shampine, Gordon 1975, chapter 7; Hairer, Nørsett, Wanner: Solving ODEs
// I, III.7).
#ifndef EVN_METHODS_ADAMS_ORDER_H
#define EVN_METHODS_ADAMS_ORDER_H

#include "methods/adams_formula.h"

typedef struct evn__adams_choice {
    evn_value error;  ///< at most 1 is acceptable; a control that takes the method for one of order
                      ///< 1 makes of it the length that is good for the next order
    evn_value raised; ///< by how much that is above 1
} evn__adams_choice;

/// Norms of what the first k differences, one fewer and one more predict of slopes and is not.
typedef struct evn__adams_sizes {
    evn_value here, lower, higher;
} evn__adams_sizes;

evn__adams_choice evn__adams_choose(const evn__step_build *step, const evn__adams *adams,
                                    const evn__adams_formula *formula,
                                    const evn__adams_sizes *sizes);

#endif
