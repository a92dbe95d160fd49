// SPDX-License-Identifier: Apache-2.0
#include "events/event_observations.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static evn_status create(evn__event_observations *o) {
    size_t all = evn__size_product((size_t)o->samples, (size_t)o->count);
    EVN_TRY(EVN_NEW(&o->starts, o->samples));
    if (o->count == 0) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&o->all, all));
    EVN_TRY(EVN_NEW(&o->times, all));
    EVN_TRY(EVN_NEW(&o->states, evn__size_product(all, o->total)));
    EVN_TRY(EVN_NEW(&o->host, evn__size_product(all, o->size)));
    return evn__real_create_for(o->problem->device, EVN__USE_STATES, o->problem->options->fp64,
                                evn__size_product(all, o->size), &o->series);
}

evn_status evn__event_observations_create(const evn__problem *problem, int samples, size_t size,
                                          size_t total, evn__event_observations *observations) {
    *observations = (evn__event_observations){.problem = problem,
                                              .samples = samples,
                                              .count = problem->options->observations,
                                              .size = size,
                                              .total = total};
    evn_status status = create(observations);
    if (status != EVN_OK) {
        evn__event_observations_free(observations);
    }
    return status;
}

void evn__event_observations_free(evn__event_observations *o) {
    evn_buffer_destroy(&o->series);
    free(o->all);
    free(o->times);
    free(o->states);
    free(o->starts);
    free(o->host);
    *o = (evn__event_observations){0};
}

/// By time, and then by number; backwards where the way goes so.
static int compare(const void *a, const void *b) {
    const evn__event_observation *p = a, *q = b;
    return p->t != q->t ? (p->t < q->t ? -1 : 1) : p->index - q->index;
}

static int compare_back(const void *a, const void *b) {
    return compare(b, a);
}

/// As evn__passage_observation, of a way that goes on behind the last one.
static double time_of(const evn__event_observations *o, int sample, int index,
                      const evn__passage *passage) {
    const evn__course *course = o->problem->course;
    double t0, t1;
    if (passage->samples && passage->samples->times) {
        return evn__passage_observation(o->problem, passage, sample, index);
    }
    evn__passage_ends(passage, sample, &t0, &t1);
    return evn__course_begin(course, index + 1 - course->starts, t0,
                             evn__course_stop(course, t0, t1));
}

static void begin_sample(evn__event_observations *o, int sample, const evn__passage *passage) {
    evn__event_observation *all = evn__event_observations_at(o, sample, 0);
    double t0, t1, *times = &o->times[(size_t)sample * (size_t)o->count];
    evn__passage_ends(passage, sample, &t0, &t1);
    for (int i = 0; i < o->count; ++i) {
        size_t place = (size_t)sample * (size_t)o->count + (size_t)i;
        double t = time_of(o, sample, i, passage);
        all[i] = (evn__event_observation){i, t, &o->states[place * o->total]};
    }
    qsort(all, (size_t)o->count, sizeof(*all), t1 < t0 ? compare_back : compare);
    o->starts[sample] = 0;
    for (int i = 0; i < o->count; ++i) {
        times[i] = all[i].t;
        o->starts[sample] += all[i].t == t0;
    }
}

void evn__event_observations_begin(evn__event_observations *o, const evn__passage *passage) {
    for (int i = 0; i < o->samples && o->count > 0; ++i) {
        begin_sample(o, i, passage);
    }
}

evn__event_observation *evn__event_observations_at(const evn__event_observations *o, int sample,
                                                   int index) {
    return &o->all[(size_t)sample * (size_t)o->count + (size_t)index];
}

evn_status evn__event_observations_write(const evn__event_observations *o) {
    for (int i = 0; i < o->samples; ++i) {
        for (int k = 0; k < o->count; ++k) {
            const evn__event_observation *one = evn__event_observations_at(o, i, k);
            size_t place = (size_t)one->index * (size_t)o->samples + (size_t)i;
            memcpy(o->host + place * o->size, one->x, sizeof(*o->host) * o->size);
        }
    }
    return o->count == 0
               ? EVN_OK
               : evn__real_write((evn_binding){o->series, 0}, o->problem->options->fp64, o->host,
                                 (size_t)o->count * (size_t)o->samples * o->size);
}
