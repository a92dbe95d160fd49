// SPDX-License-Identifier: Apache-2.0
// What a search has found: by row, and then along its way, what ended it last, and else by number.
#ifndef EVN_EVENTS_EVENT_FOUND_H
#define EVN_EVENTS_EVENT_FOUND_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct evn__event_found {
    int row, event;
    double t;
    double *x;  ///< x of the row, then the weights that evolve; the list's
    double way; ///< from t0 to t
    bool ends;  ///< the row ended with it
} evn__event_found;

/// Zero-initialise, then use.
typedef struct evn__event_list {
    evn__event_found *all;
    int count, capacity;
} evn__event_list;

void evn__event_list_clear(evn__event_list *list); ///< what it has found, not the memory for that
void evn__event_list_free(evn__event_list *list);

/// One more, whose state is to be written: [size], the list's.
evn_status evn__event_list_add(evn__event_list *list, int row, int event, double t, size_t size,
                               double **x);

/// The last ones of a row, so many, are none of its way.
void evn__event_list_drop(evn__event_list *list, int row, int count);

/// A row that began at t0 has ended at t, with this event or, −1, none. What was found behind that
/// in the same step is none of its way; what is within the width of a time is at it.
void evn__event_list_close(evn__event_list *list, int row, double t0, double t, int event,
                           double width);

/// All rows have ended: put them in order.
void evn__event_list_sort(evn__event_list *list);

#endif
