// SPDX-License-Identifier: Apache-2.0
#include "integrator/stiffness.h"

#include "base/memory.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ITERATIONS = EVN__STIFFNESS_EVALUATIONS - 1 };

static double dot(const double *a, const double *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

/// J v for v of length 1, by a difference over a part of the state's size.
static evn_status multiply(const evn__slope *f, const double *x, const double *at_x,
                           const double *v, double *moved, double *product) {
    double size = sqrt(dot(x, x, f->count));
    double step = (f->fp64 ? 1e-7 : 1e-3) * (size > 0 ? size : 1);
    for (size_t i = 0; i < f->count; ++i) {
        moved[i] = x[i] + step * v[i];
    }
    EVN_TRY(f->at(f->self, moved, product));
    for (size_t i = 0; i < f->count; ++i) {
        product[i] = (product[i] - at_x[i]) / step;
    }
    return EVN_OK;
}

static bool normalise(double *v, size_t count) {
    double size = sqrt(dot(v, v, count));
    for (size_t i = 0; i < count; ++i) {
        v[i] /= size;
    }
    return size > 0 && isfinite(size);
}

/// No direction is left out, and none is favoured.
static void spread(double *v, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        v[i] = (i % 2 ? -1 : 1) * (1 + 0.1 * (double)(i % 7));
    }
}

static evn_status iterate(const evn__slope *f, const double *x, double *work, double *quotient,
                          double *growth) {
    double *at_x = work, *v = work + f->count, *product = v + f->count, *moved = product + f->count;
    EVN_TRY(f->at(f->self, x, at_x));
    spread(v, f->count);
    normalise(v, f->count);
    for (int i = 0; i < ITERATIONS; ++i) {
        EVN_TRY(multiply(f, x, at_x, v, moved, product));
        *quotient = dot(v, product, f->count);
        *growth = sqrt(dot(product, product, f->count));
        if (!normalise(product, f->count)) {
            return EVN_OK;
        }
        double *next = product;
        product = v;
        v = next;
    }
    return EVN_OK;
}

evn_status evn__stiffness_rate(const evn__slope *f, const double *x, bool forward, double *rate) {
    double *work = NULL, quotient = 0, growth = 0;
    const double mostly = 0.7; // of an eigenvalue is real
    *rate = 0;
    EVN_TRY(EVN_NEW(&work, 4 * f->count));
    evn_status status = iterate(f, x, work, &quotient, &growth);
    free(work);
    double decay = forward ? -quotient : quotient;
    *rate = isfinite(growth) && decay > mostly * growth ? decay : 0;
    return status;
}
