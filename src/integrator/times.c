// SPDX-License-Identifier: Apache-2.0
#include "integrator/times.h"

#include "base/memory.h"
#include "integrator/rounding.h"
#include "plan/real.h"

#include <stdlib.h>

/// Lengths that are kept: one where all are the same.
static int lengths(const evn__course *course) {
    return evn__course_is_uniform(course) ? 1 : course->intervals;
}

evn_status evn__times_create(evn_device *device, const evn__course *course, int room, bool fp64,
                             evn__times *times) {
    *times = (evn__times){.course = course, .room = room, .fp64 = fp64};
    return evn__real_create_for(device, EVN__USE_STATES, fp64,
                                (size_t)room + (size_t)lengths(course), &times->buffer);
}

void evn__times_free(evn__times *times) {
    evn_buffer_destroy(&times->buffer);
}

double evn__times_length(const evn__times *times, int interval) {
    double length = evn__course_length(times->course, interval, times->t0, times->t1);
    return times->backward ? -length : length;
}

/// The time at the beginning of a step, which backward is the end of its interval's mirror image.
static double time_of(const evn__times *times, int step) {
    const evn__course *c = times->course;
    if (!times->backward) {
        return evn__course_time(c, step, times->t0, times->t1);
    }
    int interval = evn__course_interval(c, step);
    int within = step - evn__course_first(c, interval);
    return evn__course_end(c, interval, times->t0, times->t1) +
           within * evn__times_length(times, interval);
}

/// The same, earlier where rounding would have the step seen beyond the end of the course.
static double time_inside(const evn__times *times, int step) {
    double t = time_of(times, step);
    double dt = evn__times_length(times, evn__course_interval(times->course, step));
    return evn__rounded_begin(times->fp64, t, dt, times->backward ? times->t0 : times->t1);
}

/// From a step on as many times as there is room for, and the lengths.
static evn_status write_times(evn__times *times, int first) {
    const evn__course *c = times->course;
    size_t room = (size_t)times->room, count = room + (size_t)lengths(c);
    double *values = NULL;
    EVN_TRY(EVN_NEW(&values, count));
    for (int i = 0; i < times->room && first + i < c->steps; ++i) {
        values[i] = time_inside(times, first + i);
    }
    for (int i = 0; i < lengths(c); ++i) {
        values[room + (size_t)i] = evn__times_length(times, i);
    }
    evn_status status =
        evn__real_write((evn_binding){times->buffer, 0}, times->fp64, values, count);
    free(values);
    times->first = first;
    times->written = status == EVN_OK;
    return status;
}

evn_status evn__times_set(evn__times *times, double t0, double t1, bool backward) {
    bool same = times->t0 == t0 && times->t1 == t1 && times->backward == backward;
    if (times->written && same && times->laid == times->course->laid) {
        return EVN_OK;
    }
    times->laid = times->course->laid;
    times->t0 = t0;
    times->t1 = t1;
    times->backward = backward;
    return write_times(times, 0);
}

evn_status evn__times_reach(evn__times *times, int step) {
    int first = step - step % times->room; // the same, whichever way the steps go
    return times->written && times->first == first ? EVN_OK : write_times(times, first);
}

evn_binding evn__times_at(const evn__times *times, int step) {
    return (evn_binding){times->buffer, (size_t)(step - times->first)};
}

evn_binding evn__times_dt(const evn__times *times, int step) {
    const evn__course *c = times->course;
    int length = evn__course_is_uniform(c) ? 0 : evn__course_interval(c, step);
    return (evn_binding){times->buffer, (size_t)(times->room + length)};
}
