// SPDX-License-Identifier: Apache-2.0
// Places on the way of a search that have cotangents: between them the gradient goes.
#ifndef EVN_EVENTS_EVENT_PLACES_H
#define EVN_EVENTS_EVENT_PLACES_H

#include "events/event_search.h"

/// One of a sample.
typedef struct evn__event_place {
    int row, event; ///< whose time it is; −1: one of an observation, which is given
    double t, t_bar;
    double way;          ///< from t0 to t
    const double *x;     ///< the state, as the search has it
    const double *x_bar; ///< of x; NULL: zeros
} evn__event_place;

typedef struct evn__event_places {
    int samples;
    size_t size;           ///< elements of x of a sample
    evn__event_place *all; ///< by sample, in the order of the way
    int count, capacity;
    int *first, *own; ///< [samples]: of each, which are its own among these
    int most;         ///< of any sample
    /// [samples, size]: cotangents of x at t0 and where the search ended, from what was found or
    /// observed there; and whether there are any.
    double *at_start, *at_end;
    bool starts, ends;
    double *t_bar; ///< [samples], of the time of the event that ended each
} evn__event_places;

evn_status evn__event_places_create(int samples, size_t size, evn__event_places *places);
void evn__event_places_free(evn__event_places *places);

/// All that have cotangents which are not 0.
/// @param[in] t0        [samples], where each began
/// @param[in] bars      t_bar and occurrences
/// @param[in] observed  [observations, x], cotangents; NULL: zeros
/// Those that are given stay where they are.
evn_status evn__event_places_gather(evn__event_places *places, const evn__event_search *search,
                                    const double *t0, const evn_event_bars *bars,
                                    const double *observed);

/// Number `index` of a sample; NULL: it has no more, and is at its end.
const evn__event_place *evn__event_places_find(const evn__event_places *places, int sample,
                                               int index);

#endif
