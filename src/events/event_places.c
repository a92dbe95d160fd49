// SPDX-License-Identifier: Apache-2.0
#include "events/event_places.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

evn_status evn__event_places_create(int samples, size_t size, evn__event_places *places) {
    size_t all = evn__size_product((size_t)samples, size);
    *places = (evn__event_places){.samples = samples, .size = size};
    evn_status status = EVN_NEW(&places->first, samples);
    status = status == EVN_OK ? EVN_NEW(&places->own, samples) : status;
    status = status == EVN_OK ? EVN_NEW(&places->t_bar, samples) : status;
    status = status == EVN_OK ? EVN_NEW(&places->at_start, all) : status;
    status = status == EVN_OK ? EVN_NEW(&places->at_end, all) : status;
    if (status != EVN_OK) {
        evn__event_places_free(places);
    }
    return status;
}

void evn__event_places_free(evn__event_places *places) {
    free(places->all);
    free(places->first);
    free(places->own);
    free(places->t_bar);
    free(places->at_start);
    free(places->at_end);
    *places = (evn__event_places){0};
}

static bool is_zero(const double *values, size_t count) {
    size_t i = 0;
    while (values && i < count && values[i] == 0) {
        ++i;
    }
    return !values || i == count;
}

/// Cotangents of x at one end of a sample.
static void add(const evn__event_places *p, double *sums, int row, const double *x_bar) {
    double *sum = sums + (size_t)row * p->size;
    for (size_t i = 0; x_bar && i < p->size; ++i) {
        sum[i] += x_bar[i];
    }
}

static evn_status put(evn__event_places *p, const evn__event_place *place) {
    if (place->t_bar == 0 && is_zero(place->x_bar, p->size)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_RESERVE(p->all, p->capacity, p->count + 1));
    p->all[p->count++] = *place;
    return EVN_OK;
}

/// The events that ended samples are at their ends.
static evn_status gather_events(evn__event_places *p, const evn__event_search *search,
                                const evn_event_bars *bars) {
    int found = bars->occurrences ? evn__event_search_count(search) : 0;
    for (int i = 0; i < p->samples; ++i) {
        bool ended = bars->t_bar && evn__event_search_terminal(search, i) >= 0;
        p->t_bar[i] = ended ? bars->t_bar[i] : 0;
    }
    for (int i = 0; i < found; ++i) {
        const evn__event_found *one = evn__event_search_found(search, i);
        const evn_occurrence_bar *bar = &bars->occurrences[i];
        const evn__event_place place = {.row = one->row,
                                        .event = one->event,
                                        .t = one->t,
                                        .t_bar = bar->t_bar,
                                        .x = one->x,
                                        .x_bar = bar->x_bar};
        if (one->ends) {
            p->t_bar[one->row] += bar->t_bar;
            add(p, p->at_end, one->row, bar->x_bar);
        } else {
            EVN_TRY(put(p, &place));
        }
    }
    return EVN_OK;
}

static evn_status gather_observations(evn__event_places *p, const evn__event_search *search,
                                      const double *observed) {
    const evn__event_observations *o = evn__event_search_observations(search);
    for (int row = 0; row < p->samples; ++row) {
        double end = evn__event_search_solution(search, row).t;
        for (int k = 0; k < o->count; ++k) {
            const evn__event_observation *one = evn__event_observations_at(o, row, k);
            size_t at = (size_t)one->index * (size_t)p->samples + (size_t)row;
            const double *x_bar = observed + at * p->size;
            const evn__event_place place = {
                .row = row, .event = -1, .t = one->t, .x = one->x, .x_bar = x_bar};
            if (k < o->starts[row]) {
                add(p, p->at_start, row, x_bar);
            } else if (one->t == end) {
                add(p, p->at_end, row, x_bar);
            } else {
                EVN_TRY(put(p, &place));
            }
        }
    }
    return EVN_OK;
}

static int compare(const void *a, const void *b) {
    const evn__event_place *p = a, *q = b;
    if (p->row != q->row) {
        return p->row - q->row;
    }
    return p->way != q->way ? (p->way < q->way ? -1 : 1) : p->event - q->event;
}

/// By sample, and along the way.
static void sort(evn__event_places *p, const double *t0) {
    for (int i = 0; i < p->count; ++i) {
        p->all[i].way = fabs(p->all[i].t - t0[p->all[i].row]);
    }
    if (p->count > 0) {
        qsort(p->all, (size_t)p->count, sizeof(*p->all), compare);
    }
    for (int i = p->count - 1; i >= 0; --i) {
        int row = p->all[i].row;
        p->first[row] = i;
        p->most = ++p->own[row] > p->most ? p->own[row] : p->most;
    }
}

evn_status evn__event_places_gather(evn__event_places *p, const evn__event_search *search,
                                    const double *t0, const evn_event_bars *bars,
                                    const double *observed) {
    size_t samples = (size_t)p->samples, all = samples * p->size;
    p->count = p->most = 0;
    memset(p->own, 0, sizeof(*p->own) * samples);
    memset(p->at_start, 0, sizeof(*p->at_start) * all);
    memset(p->at_end, 0, sizeof(*p->at_end) * all);
    EVN_TRY(gather_events(p, search, bars));
    EVN_TRY(observed ? gather_observations(p, search, observed) : EVN_OK);
    sort(p, t0);
    p->starts = !is_zero(p->at_start, all);
    p->ends = !is_zero(p->at_end, all);
    return EVN_OK;
}

const evn__event_place *evn__event_places_find(const evn__event_places *p, int sample, int index) {
    return index < p->own[sample] ? &p->all[p->first[sample] + index] : NULL;
}
