// SPDX-License-Identifier: Apache-2.0
#include "ref/ref.h"

#include <math.h>

// fmax passes over NaN: what is not finite must be looked at before.
double evn__ref_difference(const double *got, const double *expected, size_t count) {
    double worst = 0, scale = 1;
    for (size_t i = 0; i < count; ++i) {
        if (isnan(got[i]) != isnan(expected[i]) || isinf(got[i]) != isinf(expected[i])) {
            return INFINITY;
        }
        if (isfinite(expected[i])) {
            worst = fmax(worst, fabs(got[i] - expected[i]));
            scale = fmax(scale, fabs(expected[i]));
        }
    }
    return worst / scale;
}
