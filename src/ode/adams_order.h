// SPDX-License-Identifier: Apache-2.0
// The error of an Adams step, and the order of the next one: of those a step of which would be
// known to be the longest (Shampine, Gordon 1975, chapter 7; Hairer, Nørsett, Wanner: Solving ODEs
// I, III.7).
#ifndef EVN_ODE_ADAMS_ORDER_H
#define EVN_ODE_ADAMS_ORDER_H

#include "ode/adams_formula.h"

typedef struct evn__adams_choice {
    evn_value error;  ///< at most 1 is acceptable; a control that takes the method for one of order
                      ///< 1 makes of it the length that is good for the next order
    evn_value raised; ///< by how much that is above 1
} evn__adams_choice;

/// @param[in] sizes  [K, 1]: the norm of what the first i differences predict of slopes and is not
evn__adams_choice evn__adams_choose(const evn__step_build *step, const evn__adams *adams,
                                    const evn__adams_formula *formula, evn_value sizes);

#endif
