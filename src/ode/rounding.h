// SPDX-License-Identifier: Apache-2.0
// Times as kernels see them.
#ifndef EVN_ODE_ROUNDING_H
#define EVN_ODE_ROUNDING_H

#include <stdbool.h>

/// By how much t + dt, rounded as kernels round, is beyond the end of a way that dt goes along; 0
/// where it is not. What is to be seen inside of the way is made shorter by it.
static inline double evn__rounded_over(bool fp64, double t, double dt, double end) {
    double sum = fp64 ? t + dt : (double)((float)t + (float)dt);
    double over = sum - (fp64 ? end : (double)(float)end);
    return over != 0 && (over > 0) == (dt > 0) ? over : 0;
}

#endif
