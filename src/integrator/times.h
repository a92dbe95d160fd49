// SPDX-License-Identifier: Apache-2.0
// Time and length of each fixed step of a course, in device memory: of all of them, or, so that
// nothing grows with the steps, of as many neighbours as there is room for. They are rewritten only
// when they change: a solve of fewer fixed steps never waits for them, others once every so many.
#ifndef EVN_INTEGRATOR_TIMES_H
#define EVN_INTEGRATOR_TIMES_H

#include "evonode/plan.h"
#include "integrator/course.h"

enum { EVN__TIMES_NEAR = 256 }; ///< neighbours, where all are not needed at once

typedef struct evn__times {
    evn_buffer *buffer;        ///< [room] times, then the lengths: of each interval, or of all
    int room, first;           ///< steps that there is room for; the first one of those that it has
    const evn__course *course; ///< borrowed
    double t0, t1;
    int laid; ///< as the course was
    bool backward, fp64, written;
} evn__times;

/// @param room  steps at a time: all of the course, or EVN__TIMES_NEAR
evn_status evn__times_create(evn_device *device, const evn__course *course, int room, bool fp64,
                             evn__times *times);
void evn__times_free(evn__times *times);
/// From t0 to t1; `backward`: the steps go from the end of each interval to its beginning.
evn_status evn__times_set(evn__times *times, double t0, double t1, bool backward);
/// A step's time is to be there, before it is asked for; needless where there is room for all.
evn_status evn__times_reach(evn__times *times, int step);
/// Where the time at the beginning of a step is, and its length.
evn_binding evn__times_at(const evn__times *times, int step);
evn_binding evn__times_dt(const evn__times *times, int step);
/// The length itself, of the steps of an interval.
double evn__times_length(const evn__times *times, int interval);

#endif
