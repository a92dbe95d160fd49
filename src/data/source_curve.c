// SPDX-License-Identifier: Apache-2.0
#include "data/curve.h"

#include "base/status.h"
#include "evonode/source.h"

#include <math.h>
#include <stddef.h>

enum { POINTS = EVN__CURVE_POINTS, DIMENSIONS = EVN__CURVE_DIMENSIONS };

void evn__curve_at(double t, double s[EVN__CURVE_DIMENSIONS]) {
    s[0] = sin(t) * cos(t);
    s[1] = sin(t) * sin(t) + cosh(t) * cosh(t);
    s[2] = exp(t);
}

static evn_source_info info(const void *self) {
    (void)self;
    return (evn_source_info){.sample = EVN_SHAPE(DIMENSIONS),
                             .target = EVN_SHAPE(POINTS, DIMENSIONS),
                             .has_target = true,
                             .batch = 1,
                             .batches = {1, 1}};
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    (void)self;
    (void)batch;
    double s[DIMENSIONS];
    for (int i = 0; i <= POINTS; ++i) {
        float *to = i == 0 ? samples : targets + (i - 1) * DIMENSIONS;
        evn__curve_at(i / (double)POINTS, s);
        for (int k = 0; k < DIMENSIONS; ++k) {
            to[k] = (float)s[k];
        }
    }
    weights[0] = 1;
    *filled = 1;
    return EVN_OK;
}

static void destroy(void *self) {
    (void)self; // a formula
}

static const evn_source_methods methods = {info, fill, destroy};

evn_status evn_source_curve(evn_source *source) {
    EVN_REQUIRE(source);
    *source = (evn_source){&methods, NULL};
    return EVN_OK;
}
