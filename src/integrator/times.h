// SPDX-License-Identifier: Apache-2.0
// Time and length of each fixed step of a course, in device memory; rewritten only when they
// change, so that a fixed-step solve never waits.
#ifndef EVN_INTEGRATOR_TIMES_H
#define EVN_INTEGRATOR_TIMES_H

#include "evonode/plan.h"
#include "integrator/course.h"

typedef struct evn__times {
    evn_buffer *buffer;        ///< [steps] times, then the lengths: of each interval, or of all
    const evn__course *course; ///< borrowed
    double t0, t1;
    int laid; ///< as the course was
    bool backward, fp64, written;
} evn__times;

evn_status evn__times_create(evn_device *device, const evn__course *course, bool fp64,
                             evn__times *times);
void evn__times_free(evn__times *times);
/// From t0 to t1; `backward`: the steps go from the end of each interval to its beginning.
evn_status evn__times_set(evn__times *times, double t0, double t1, bool backward);
/// Where the time at the beginning of a step is, and its length.
evn_binding evn__times_at(const evn__times *times, int step);
evn_binding evn__times_dt(const evn__times *times, int step);
/// The length itself, of the steps of an interval.
double evn__times_length(const evn__times *times, int interval);

#endif
