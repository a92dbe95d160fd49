// SPDX-License-Identifier: Apache-2.0
#include "integrator/stiffness.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

enum { ITERATIONS = 16 };

/// What is known of one row.
typedef struct direction {
    double step; ///< of differences
    double quotient, growth;
    bool ended; ///< J v is 0, or no number
} direction;

/// The power method, of all rows at once.
typedef struct power {
    const evn__slope *f;
    const double *x;
    double *at_x, *v, *product, *moved; ///< [rows, count]
    double *memory;
    direction *row; ///< [rows]
} power;

static double dot(const double *a, const double *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
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
    normalise(v, count);
}

static evn_status begin(power *p) {
    const evn__slope *f = p->f;
    size_t count = f->count, all = f->rows * count;
    EVN_TRY(EVN_NEW(&p->memory, 4 * all));
    EVN_TRY(EVN_NEW(&p->row, f->rows));
    p->at_x = p->memory;
    p->v = p->at_x + all;
    p->product = p->v + all;
    p->moved = p->product + all;
    for (size_t row = 0; row < f->rows; ++row) {
        const double *x = p->x + row * count;
        double size = sqrt(dot(x, x, count));
        p->row[row].step = (f->fp64 ? 1e-7 : 1e-3) * (size > 0 ? size : 1);
        spread(p->v + row * count, count);
    }
    return f->at(f->self, p->x, p->at_x);
}

/// J v for v of length 1, by differences over a part of the state's size.
static evn_status multiply(const power *p) {
    size_t count = p->f->count, all = p->f->rows * count;
    for (size_t i = 0; i < all; ++i) {
        p->moved[i] = p->x[i] + p->row[i / count].step * p->v[i];
    }
    EVN_TRY(p->f->at(p->f->self, p->moved, p->product));
    for (size_t i = 0; i < all; ++i) {
        p->product[i] = (p->product[i] - p->at_x[i]) / p->row[i / count].step;
    }
    return EVN_OK;
}

/// From v to J v, of length 1 again.
static void go_on(const power *p, size_t row) {
    size_t count = p->f->count;
    double *v = p->v + row * count, *product = p->product + row * count;
    direction *d = &p->row[row];
    if (d->ended) {
        return;
    }
    d->quotient = dot(v, product, count);
    d->growth = sqrt(dot(product, product, count));
    d->ended = !normalise(product, count);
    for (size_t i = 0; i < count && !d->ended; ++i) {
        v[i] = product[i];
    }
}

static evn_status iterate(power *p) {
    EVN_TRY(begin(p));
    for (int n = 0; n < ITERATIONS; ++n) {
        EVN_TRY(multiply(p));
        for (size_t row = 0; row < p->f->rows; ++row) {
            go_on(p, row);
        }
    }
    return EVN_OK;
}

/// The rate, where it bounds steps to about dt.
static double bounding(const direction *d, double reach, double dt) {
    const double mostly = 0.7; // of an eigenvalue is real
    double decay = dt > 0 ? -d->quotient : d->quotient;
    bool decays = isfinite(d->growth) && decay > mostly * d->growth;
    return decays && decay * fabs(dt) > reach / 4 ? decay : 0;
}

evn_status evn__stiffness_find(const evn__slope *f, const evn__stepper *stepper, const double *x,
                               const double *dt, double *decay) {
    power p = {.f = f, .x = x};
    double reach = evn__stepper_stability(stepper);
    evn_status status = isinf(reach) ? EVN_OK : iterate(&p);
    for (size_t row = 0; row < f->rows; ++row) {
        decay[row] = status == EVN_OK && p.row ? bounding(&p.row[row], reach, dt[row]) : 0;
    }
    free(p.memory);
    free(p.row);
    return status;
}
