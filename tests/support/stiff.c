// SPDX-License-Identifier: Apache-2.0
#include "stiff.h"

#include <math.h>
#include <string.h>

static evn_value column(evn_graph *f, evn_value x, int64_t index) {
    const int64_t start[] = {0, index};
    return evn_slice(f, x, start, EVN_SHAPE(evn_value_shape(f, x).dim[0], 1));
}

/// Σ factor[i] x_i
static evn_value sum_of(evn_graph *f, const evn_value *x, const double *factors, int count) {
    evn_value sum = EVN_NONE;
    for (int i = 0; i < count; ++i) {
        if (factors[i] != 0) {
            evn_value term = evn_scale(f, x[i], factors[i]);
            sum = sum == EVN_NONE ? term : evn_add(f, sum, term);
        }
    }
    return sum;
}

problem stiff_prothero_robinson(int batch, double lambda) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, 1), &t, &x);
    evn_value away = evn_sub(f, x, evn_cos(f, t));
    evn_output(f, "dx", evn_scale(f, away, -lambda));
    return problem_of(f, NULL);
}

problem stiff_cubes(double lambda) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 1), &t, &x);
    evn_value cosine = evn_cos(f, t), cube = evn_mul(f, x, evn_mul(f, x, x));
    evn_value away = evn_sub(f, cube, evn_mul(f, cosine, evn_mul(f, cosine, cosine)));
    evn_output(f, "dx", evn_sub(f, evn_scale(f, away, -lambda), evn_sin(f, t)));
    problem p = problem_of(f, NULL);
    p.x0[0] = 1;
    return p;
}

problem stiff_van_der_pol(int batch) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, 2), &t, &x);
    evn_value y = column(f, x, 0), z = column(f, x, 1), one = evn_constant(f, 1);
    evn_value damped = evn_mul(f, evn_sub(f, one, evn_mul(f, y, y)), z);
    const evn_value slopes[] = {z, evn_scale(f, evn_sub(f, damped, y), 1e6)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    problem p = problem_of(f, NULL);
    for (int i = 0; i < batch; ++i) {
        p.x0[2 * i] = 2;
        p.x0[2 * i + 1] = 0;
    }
    return p;
}

problem stiff_robertson(int batch) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, 3), &t, &x);
    evn_value a = column(f, x, 0), b = column(f, x, 1), c = column(f, x, 2);
    evn_value slow = evn_scale(f, a, 0.04), back = evn_scale(f, evn_mul(f, b, c), 1e4);
    evn_value fast = evn_scale(f, evn_mul(f, b, b), 3e7), made = evn_sub(f, slow, back);
    const evn_value slopes[] = {evn_neg(f, made), evn_sub(f, made, fast), fast};
    evn_output(f, "dx", evn_concat(f, slopes, 3, 1));
    problem p = problem_of(f, NULL);
    for (int i = 0; i < batch; ++i) {
        p.x0[3 * i] = 1;
        p.x0[3 * i + 1] = p.x0[3 * i + 2] = 0;
    }
    return p;
}

problem stiff_hires(void) {
    static const double linear[8][8] = {{-1.71, 0.43, 8.32},
                                        {1.71, -8.75},
                                        {0, 0, -10.03, 0.43, 0.035},
                                        {0, 8.32, 1.71, -1.12},
                                        {0, 0, 0, 0, -1.745, 0.43, 0.43},
                                        {0, 0, 0, 0.69, 1.71, -0.43, 0.69},
                                        {0, 0, 0, 0, 0, 0, -1.81},
                                        {0, 0, 0, 0, 0, 0, 1.81}};
    evn_value t, x, y[8], slopes[8];
    evn_graph *f = problem_begin(EVN_SHAPE(1, 8), &t, &x);
    for (int i = 0; i < 8; ++i) {
        y[i] = column(f, x, i);
    }
    evn_value met = evn_scale(f, evn_mul(f, y[5], y[7]), 280);
    for (int i = 0; i < 8; ++i) {
        slopes[i] = sum_of(f, y, linear[i], 8);
    }
    slopes[0] = evn_add(f, slopes[0], evn_constant(f, 0.0007));
    slopes[5] = evn_sub(f, slopes[5], met);
    slopes[6] = evn_add(f, slopes[6], met);
    slopes[7] = evn_sub(f, slopes[7], met);
    evn_output(f, "dx", evn_concat(f, slopes, 8, 1));
    problem p = problem_of(f, NULL);
    memset(p.x0, 0, sizeof(double) * 8);
    p.x0[0] = 1;
    p.x0[7] = 0.0057;
    return p;
}
