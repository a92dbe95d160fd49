// SPDX-License-Identifier: Apache-2.0
// Why samples came to a stop: whether an explicit method is wrong for them.
#include "base/memory.h"
#include "host/counting.h"
#include "integrator/outcome.h"
#include "integrator/stiffness.h"
#include "per_sample/sample_state.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct stop {
    evn__sample_solve *solve;
    const evn__passage *passage;
    double *memory;
    double *x, *ends, *dt; ///< of all rows: where they stand, as begins, and their last steps
} stop;

static const double *record_of(const evn__sample_solve *s, int row) {
    return s->host_record + (size_t)row * EVN_SAMPLE_RECORD;
}

static bool may_be_stiff(const evn__sample_solve *s, int row) {
    return evn__outcome_may_be_stiff(evn__outcome_of((int)record_of(s, row)[EVN_SAMPLE_STATUS]));
}

static bool any_may_be_stiff(const evn__sample_solve *s) {
    bool any = false;
    for (int i = 0; i < s->samples && !evn__device_is_counting(s->problem->device); ++i) {
        any = any || may_be_stiff(s, i);
    }
    return any;
}

static evn_status read_x(const stop *s) {
    const evn__sample_solve *solve = s->solve;
    return evn__real_read((evn_binding){solve->x, 0}, solve->fp64, s->x,
                          evn__sample_solve_elements(solve));
}

static evn_status write_x(const evn__sample_solve *s, const double *x) {
    return evn__real_write((evn_binding){s->x, 0}, s->fp64, x, evn__sample_solve_elements(s));
}

static evn_status slope_at(void *self, const double *x, double *slope) {
    const stop *s = self;
    const evn__sample_solve *solve = s->solve;
    EVN_TRY(write_x(solve, x));
    EVN_TRY(evn__sample_solve_start(solve, s->passage));
    return evn__real_read((evn_binding){solve->slope, 0}, solve->fp64, slope,
                          evn__sample_solve_elements(solve));
}

/// Samples begin where they stand, until the next solve says otherwise.
static evn_status stand(stop *s) {
    evn__sample_solve *solve = s->solve;
    size_t count = (size_t)solve->rows * EVN_SAMPLE_ENDS;
    memcpy(s->ends, solve->host_ends, sizeof(*s->ends) * count);
    for (int row = 0; row < solve->rows; ++row) {
        const double *record = record_of(solve, row);
        double *begin = s->ends + (size_t)row * EVN_SAMPLE_ENDS + EVN_SAMPLE_BEGIN;
        memcpy(begin, record + EVN_SAMPLE_T, 2 * sizeof(*begin));
        // One that was tried is no shorter than dt_min.
        double wanted = record[EVN_SAMPLE_WANTED];
        s->dt[row] = copysign(fmax(fabs(wanted), solve->problem->options->dt_min), wanted);
    }
    solve->written = false;
    return evn__real_write((evn_binding){solve->ends, 0}, solve->fp64, s->ends, count);
}

static evn_status measure(stop *s) {
    evn__sample_solve *solve = s->solve;
    const evn__slope f = {s, slope_at, (size_t)solve->rows, solve->size, solve->fp64};
    EVN_TRY(read_x(s));
    EVN_TRY(stand(s));
    evn_status status = evn__stiffness_find(&f, solve->stepper, s->x, s->dt, solve->decay);
    for (int row = 0; row < solve->rows; ++row) {
        solve->decay[row] = may_be_stiff(solve, row) ? solve->decay[row] : 0;
    }
    EVN_TRY(status);
    return write_x(solve, s->x);
}

evn_status evn__sample_solve_find_decay(evn__sample_solve *solve, const evn__passage *passage) {
    stop s = {.solve = solve, .passage = passage};
    size_t rows = (size_t)solve->rows, elements = evn__sample_solve_elements(solve);
    if (!any_may_be_stiff(solve)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&s.memory, elements + rows * (EVN_SAMPLE_ENDS + 1)));
    s.x = s.memory;
    s.ends = s.x + elements;
    s.dt = s.ends + rows * EVN_SAMPLE_ENDS;
    evn_status status = measure(&s);
    free(s.memory);
    return status;
}
