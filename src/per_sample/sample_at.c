// SPDX-License-Identifier: Apache-2.0
// x of each sample at any times of the last solve, from what the chunks of its attempts have kept.
#include "base/number.h"
#include "kernels/shared.h"
#include "per_sample/sample_state.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

/// A time behind an end by some roundings becomes the end.
static evn_status check_time(const evn__sample_solve *s, int sample, int index, double *t) {
    const double *ends = s->host_ends + (size_t)sample * EVN_SAMPLE_ENDS;
    double t0 = ends[EVN_SAMPLE_BEGIN] + ends[EVN_SAMPLE_BEGIN + 1];
    double t1 = ends[EVN_SAMPLE_END] + ends[EVN_SAMPLE_END + 1];
    double low = fmin(t0, t1), high = fmax(t0, t1);
    double rounding = 4 * DBL_EPSILON * fmax(fabs(t0), fabs(t1));
    EVN_CHECK(*t >= low - rounding && *t <= high + rounding, EVN_ERR_ARGUMENT,
              "sample %d: time %d is %.17g, which is not between t0 = %.17g and t1 = %.17g of the "
              "last solve",
              sample, index, *t, t0, t1);
    *t = fmin(fmax(*t, low), high);
    return EVN_OK;
}

/// As kernels read them: pairs [count, B, 2].
static evn_status set_times(const evn__sample_solve *s, const double *times, bool own, int count,
                            double *pairs) {
    for (int sample = 0; sample < s->samples; ++sample) {
        const double *of = own ? times + (size_t)sample * (size_t)count : times;
        for (int j = 0; j < count; ++j) {
            size_t at = (size_t)j * (size_t)s->samples + (size_t)sample;
            double t = of[j];
            EVN_TRY(check_time(s, sample, j, &t));
            evn__sample_pair(s->fp64, t, pairs + 2 * at);
        }
    }
    return EVN_OK;
}

static evn_status interpolate(const evn__sample_solve *s, evn_buffer *times, int count,
                              evn_binding to) {
    evn__interpolation in = {.device = s->problem->device,
                             .fp64 = s->fp64,
                             .samples = s->samples,
                             .rows = s->rows,
                             .observations = count,
                             .size = (int)s->size,
                             .terms = s->terms,
                             .attempts = s->together};
    evn__located located = {.ends = s->ends, .times = times};
    EVN_TRY(evn__interpolation_get(&in));
    EVN_TRY(evn__interpolation_begin(&in, &located, s->begin, to));
    for (int i = 0; i < s->used; ++i) {
        const evn__sample_chunk *chunk = &s->chunks[i];
        located = evn__sample_solve_locate(s, i, chunk);
        located.times = times;
        EVN_TRY(evn__interpolation_steps(&in, &located, chunk->starts, chunk->later_terms, to));
    }
    return EVN_OK;
}

static evn_status at(const evn__sample_solve *s, const double *times, bool own, int count,
                     double *pairs, evn_buffer **buffer, evn_binding to) {
    size_t numbers = 2 * (size_t)count * (size_t)s->samples;
    EVN_TRY(set_times(s, times, own, count, pairs));
    EVN_TRY(evn__real_create_for(s->problem->device, EVN__USE_STATES, s->fp64, numbers, buffer));
    EVN_TRY(evn__real_write((evn_binding){*buffer, 0}, s->fp64, pairs, numbers));
    return interpolate(s, *buffer, count, to);
}

evn_status evn__sample_solve_at(evn__sample_solve *solve, const double *times, bool own, int count,
                                evn_binding to) {
    evn_buffer *buffer = NULL;
    double *pairs = NULL;
    EVN_TRY(EVN_NEW(&pairs, evn__size_product(2 * (size_t)count, (size_t)solve->samples)));
    evn_status status = at(solve, times, own, count, pairs, &buffer, to);
    evn_buffer_destroy(&buffer);
    free(pairs);
    return status;
}
