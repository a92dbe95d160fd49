// SPDX-License-Identifier: Apache-2.0
// Times as kernels see them. A stage at the end of a step is seen at t + dt, rounded, which must
// not be beyond the end of the way, where f may be anything.
#ifndef EVN_ODE_ROUNDING_H
#define EVN_ODE_ROUNDING_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

/// By how much t + dt is seen beyond the end of a way that dt goes along; 0 where it is not, and
/// without a dt.
static inline double evn__rounded_over(bool fp64, double t, double dt, double end) {
    double sum = fp64 ? t + dt : (double)((float)t + (float)dt);
    double over = sum - (fp64 ? end : (double)(float)end);
    return (over > 0 && dt > 0) || (over < 0 && dt < 0) ? over : 0;
}

// Twins: evn_over, evn_shorter and evn_earlier in kernels/control.cl.

/// dt, shorter by what rounding needs, and then a number of the kernels' precision.
static inline double evn__rounded_length(bool fp64, double t, double dt, double end) {
    double over = evn__rounded_over(fp64, t, dt, end), seen = fp64 ? dt : (double)(float)dt;
    double shorter = fp64 ? seen - over : (double)((float)seen - (float)over);
    if (evn__rounded_over(fp64, t, shorter, end) != 0) { // by less than a digit of dt
        shorter =
            fp64 ? seen - seen * DBL_EPSILON : (double)((float)seen - (float)seen * FLT_EPSILON);
    }
    return over == 0 ? dt : shorter;
}

/// t, earlier by what rounding needs.
static inline double evn__rounded_begin(bool fp64, double t, double dt, double end) {
    double earlier = t - evn__rounded_over(fp64, t, dt, end), back = dt > 0 ? -INFINITY : INFINITY;
    bool still = evn__rounded_over(fp64, earlier, dt, end) != 0;
    return !still ? earlier
           : fp64 ? nextafter(earlier, back)
                  : (double)nextafterf((float)earlier, (float)back);
}

#endif
