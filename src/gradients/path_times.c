// SPDX-License-Identifier: Apache-2.0
#include "gradients/path_times.h"

#include "base/memory.h"
#include "gradients/time_gradient.h"
#include <stdlib.h>

struct evn__path_times {
    const evn__scheme *x;
    evn__weight_path *path;
    evn__time_gradient *of_x;
    int samples;           ///< of x
    double *begins, *ends; ///< [samples]: each one's share in where the path begins and ends
};

// Life --------------------------------------------------------------------------------------------

static evn_status create(evn__path_times *t) {
    evn_shape shape = evn__system_state_shape(t->x->problem->system, 0);
    t->samples = shape.rank > 0 ? (int)shape.dim[0] : 1;
    EVN_TRY(EVN_NEW(&t->begins, t->samples));
    EVN_TRY(EVN_NEW(&t->ends, t->samples));
    return evn__time_gradient_create(t->x->problem, t->x->methods, &t->of_x);
}

evn_status evn__path_times_create(const evn__scheme *x, evn__weight_path *path,
                                  evn__path_times **times) {
    EVN_TRY(EVN_NEW(times, 1));
    **times = (evn__path_times){.x = x, .path = path};
    evn_status status = create(*times);
    if (status != EVN_OK) {
        evn__path_times_destroy(times);
    }
    return status;
}

void evn__path_times_destroy(evn__path_times **times) {
    evn__path_times *t = *times;
    if (t) {
        evn__time_gradient_destroy(&t->of_x);
        free(t->begins);
        free(t->ends);
        free(t);
        *times = NULL;
    }
}

// The ends of the path ----------------------------------------------------------------------------

/// Whether the path begins, and ends, with a sample: of those that have a way, if any has.
static void find_ends(const evn__path_times *t, const evn__passage *passage, int sample) {
    double t0, t1, own0, own1;
    evn__weight_path_span(t->path, &t0, &t1);
    evn__passage_ends(passage, sample, &own0, &own1);
    bool counts = own0 != own1 || t0 == t1;
    t->begins[sample] = counts && own0 == t0;
    t->ends[sample] = counts && own1 == t1;
}

static double sum_of(const double *numbers, int count) {
    double sum = 0;
    for (int i = 0; i < count; ++i) {
        sum += numbers[i];
    }
    return sum;
}

/// Several that begin first, or end last, have equal shares; where all have the times of the batch
/// these add up to it.
static void share_ends(const evn__path_times *t, const evn__passage *passage) {
    int samples = passage->samples || evn__time_gradient_samples(t->of_x) > 1 ? t->samples : 1;
    for (int i = 0; i < samples; ++i) {
        find_ends(t, passage, i);
    }
    double begin = sum_of(t->begins, samples), end = sum_of(t->ends, samples);
    for (int i = 0; i < samples; ++i) {
        t->begins[i] = begin > 0 ? t->begins[i] / begin : 0;
        t->ends[i] = end > 0 ? t->ends[i] / end : 0;
    }
}

// A gradient --------------------------------------------------------------------------------------

evn_status evn__path_times_begin(evn__path_times *t, const evn__passage *passage) {
    share_ends(t, passage);
    evn__time_gradient_begin(t->of_x, passage);
    return evn__time_gradient_start(t->of_x, 0, t->x->methods->begin(t->x, 0));
}

evn_status evn__path_times_take(const evn__path_times *t, const evn__passage *passage) {
    EVN_TRY(evn__time_gradient_take(t->of_x, t->x, passage));
    return evn__weight_path_take_times(t->path);
}

evn_status evn__path_times_read(const evn__path_times *t, double *bars, double *end_bars) {
    double t0_bar = 0, t1_bar = 0;
    EVN_TRY(evn__time_gradient_read_moments(t->of_x, bars));
    EVN_TRY(evn__weight_path_read_times(t->path, &t0_bar, &t1_bar));
    for (size_t i = 0; i < evn__time_gradient_samples(t->of_x); ++i) {
        bars[i] += t->begins[i] * t0_bar;
        end_bars[i] = t->ends[i] * t1_bar;
    }
    return EVN_OK;
}
