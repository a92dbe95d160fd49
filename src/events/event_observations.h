// SPDX-License-Identifier: Apache-2.0
// What a search observes on its way: the states of each sample at the times that the course or the
// samples have for that. Behind its end a sample stays where it ended.
#ifndef EVN_EVENTS_EVENT_OBSERVATIONS_H
#define EVN_EVENTS_EVENT_OBSERVATIONS_H

#include "integrator/passage.h"

/// One of a sample.
typedef struct evn__event_observation {
    int index; ///< among the options' observations
    double t;  ///< where it is to be made; once it has been, where: no later than the end
    double *x; ///< the state: x, then the weights that evolve
} evn__event_observation;

typedef struct evn__event_observations {
    const evn__problem *problem;
    int samples, count;
    size_t size, total;          ///< elements of x of a sample, and of its state
    evn__event_observation *all; ///< [samples, count], each sample's in the order of its way
    double *times;               ///< [samples, count], of these
    double *states;
    int *starts; ///< [samples]: of them at t0
    evn_buffer *series;
    double *host; ///< [count, samples, size], as there
} evn__event_observations;

/// Of the problem's options, which may be none.
/// @param size, total  elements of x of a sample, and of its state
evn_status evn__event_observations_create(const evn__problem *problem, int samples, size_t size,
                                          size_t total, evn__event_observations *observations);
void evn__event_observations_free(evn__event_observations *observations);

/// Of another passage, none of which has been made yet.
void evn__event_observations_begin(evn__event_observations *observations,
                                   const evn__passage *passage);

/// Number `index` of a sample on its way.
evn__event_observation *evn__event_observations_at(const evn__event_observations *observations,
                                                   int sample, int index);

/// All of them have been made: write the series, [count, x]. Waits.
evn_status evn__event_observations_write(const evn__event_observations *observations);

#endif
