// SPDX-License-Identifier: Apache-2.0
// Times as kernels see them. A stage at the end of a step is seen at t + dt, rounded, which must
// not be beyond the end of the way, where f may be anything.
#ifndef EVN_INTEGRATOR_ROUNDING_H
#define EVN_INTEGRATOR_ROUNDING_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

/// As the kernels see it.
static inline double evn__rounded(bool fp64, double x) {
    return fp64 ? x : (double)(float)x;
}

/// Distance of the times beside t that the kernels see.
static inline double evn__rounded_apart(bool fp64, double t) {
    return fp64 ? nextafter(fabs(t), (double)INFINITY) - fabs(t)
                : (double)(nextafterf(fabsf((float)t), INFINITY) - fabsf((float)t));
}

/// Whether a step of dt from t on is seen to come to another time.
static inline bool evn__rounded_moves(bool fp64, double t, double dt) {
    return fp64 ? t + dt != t : (float)t + (float)dt != (float)t;
}

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

/// A step as its stages see it.
typedef struct evn__seen_step {
    double t, dt;
    bool halved; ///< it is the first of two
} evn__seen_step;

/// A step of dt from t on, on the way from begin to end, none of whose stages is seen beyond these.
/// Twin: evn_set_step in kernels/control.cl.
static inline evn__seen_step evn__rounded_step(bool fp64, double t, double dt, double begin,
                                               double end) {
    double digit = fp64 ? DBL_EPSILON : (double)FLT_EPSILON;
    double now = evn__rounded(fp64, t), first = evn__rounded(fp64, begin);
    double over = evn__rounded_over(fp64, now, dt, end);
    double earlier = evn__rounded(fp64, evn__rounded_begin(fp64, now, dt, end));
    bool coarse = fabs(over) > fabs(evn__rounded(fp64, end) - first) * digit;
    bool outside = dt > 0 ? earlier < first : earlier > first;
    evn__seen_step step = {.t = now, .dt = dt};
    if (coarse && !outside) {
        step.t = earlier;
    } else if (coarse && fabs(dt) > 4 * fabs(over)) {
        step.dt = dt / 2;
        step.halved = true;
    } else if (over != 0) {
        step.dt = evn__rounded_length(fp64, now, dt, end);
    }
    return step;
}

/// The longest first step over a way, at most `longest` > 0 (0: no limit), of a solve to end: no
/// evaluation behind it may be seen beyond the end.
static inline double evn__rounded_span(bool fp64, double begin, double way, double longest,
                                       double end) {
    double span = longest > 0 && longest < fabs(way) ? copysign(longest, way) : way;
    return evn__rounded_length(fp64, begin, span, end);
}

#endif
