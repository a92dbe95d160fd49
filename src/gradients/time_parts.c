// SPDX-License-Identifier: Apache-2.0
#include "gradients/time_parts.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

// Life --------------------------------------------------------------------------------------------

static evn_status create(evn__time_parts *tp, const evn__problem *whole, const evn__scheme *inner) {
    int observations = whole->options->observations;
    EVN_TRY(evn__time_gradient_create(inner->problem, inner->methods, &tp->part));
    tp->samples = evn__time_gradient_samples(tp->part);
    tp->moments = 1 + (size_t)(observations > 0 ? observations : 1);
    tp->part_count = evn__time_gradient_moments(tp->part);
    EVN_TRY(EVN_NEW(&tp->bars, tp->moments * tp->samples));
    tp->jump_count = whole->options->jump_count;
    EVN_TRY(EVN_NEW(&tp->jumps, tp->jump_count));
    return EVN_NEW(&tp->of_part, tp->part_count * tp->samples);
}

evn_status evn__time_parts_create(const evn__problem *whole, const evn__scheme *inner,
                                  evn__time_parts **parts) {
    EVN_TRY(EVN_NEW(parts, 1));
    evn_status status = create(*parts, whole, inner);
    if (status != EVN_OK) {
        evn__time_parts_destroy(parts);
    }
    return status;
}

void evn__time_parts_destroy(evn__time_parts **parts) {
    evn__time_parts *tp = *parts;
    if (tp) {
        evn__time_gradient_destroy(&tp->part);
        free(tp->bars);
        free(tp->jumps);
        free(tp->of_part);
        free(tp);
        *parts = NULL;
    }
}

// A gradient --------------------------------------------------------------------------------------

void evn__time_parts_clear(evn__time_parts *tp) {
    memset(tp->bars, 0, sizeof(*tp->bars) * tp->moments * tp->samples);
    memset(tp->jumps, 0, sizeof(*tp->jumps) * (size_t)tp->jump_count);
}

evn_status evn__time_parts_take(evn__time_parts *tp, const evn__scheme *inner,
                                const evn__passage *passage, const evn__seams *seams, int place) {
    for (int i = 0; i < seams->layout.count; ++i) {
        EVN_TRY(evn__time_gradient_start(tp->part, i, evn__seams_state(seams, place, i)));
    }
    evn__time_gradient_begin(tp->part, passage);
    EVN_TRY(evn__time_gradient_take(tp->part, inner, passage));
    return evn__time_gradient_read_moments(tp->part, tp->of_part);
}

double evn__time_parts_begin_bar(const evn__time_parts *tp, size_t sample) {
    return tp->of_part[sample];
}

double evn__time_parts_observed_bar(const evn__time_parts *tp, size_t index, size_t sample) {
    return tp->of_part[(1 + index) * tp->samples + sample];
}

double evn__time_parts_end_bar(const evn__time_parts *tp, bool observes, size_t sample) {
    double given = observes ? 0 : evn__time_parts_observed_bar(tp, 0, sample);
    return given + tp->of_part[(tp->part_count - 1) * tp->samples + sample];
}

double *evn__time_parts_observation(const evn__time_parts *tp, size_t index, size_t sample) {
    return &tp->bars[(1 + index) * tp->samples + sample];
}

double *evn__time_parts_meeting(const evn__time_parts *tp, const evn__parts *of, int index,
                                size_t sample) {
    return index == 0          ? &tp->bars[sample]
           : index < of->count ? &tp->jumps[of->all[index].jump]
                               : &tp->bars[(tp->moments - 1) * tp->samples + sample];
}
