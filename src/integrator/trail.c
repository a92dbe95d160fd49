// SPDX-License-Identifier: Apache-2.0
#include "integrator/trail.h"

#include "base/memory.h"
#include "integrator/rounding.h"
#include <stdlib.h>

void evn__trail_free(evn__trail *trail) {
    free(trail->steps);
    *trail = (evn__trail){0};
}

evn_status evn__trail_add(evn__trail *trail, double t, double dt, int observation) {
    EVN_TRY(EVN_RESERVE(trail->steps, trail->capacity, trail->count + 1));
    bool anew = trail->count == 0;
    trail->steps[trail->count++] = (evn__tread){t, dt, observation, anew};
    return EVN_OK;
}

evn_status evn__trail_set(evn__trail *trail, const evn__course *course, bool fp64, double t0,
                          double t1) {
    trail->count = 0;
    for (int i = 0; i < course->steps; ++i) {
        int interval = evn__course_interval(course, i);
        bool lands = i + 1 == evn__course_first(course, interval + 1);
        double dt = evn__course_length(course, interval, t0, t1);
        double t = evn__rounded_begin(fp64, evn__course_time(course, i, t0, t1), dt, t1);
        EVN_TRY(
            evn__trail_add(trail, t, dt, lands ? evn__course_observation(course, interval) : -1));
    }
    return EVN_OK;
}

evn_status evn__trail_grid(const evn__trail *trail, double t0, double *times, int count) {
    EVN_CHECK(count == trail->count + 1, EVN_ERR_ARGUMENT,
              "the grid of the last solve has %d points, its accepted steps and one, but there is "
              "room for %d",
              trail->count + 1, count);
    times[0] = t0;
    for (int i = 0; i < trail->count; ++i) {
        times[i] = trail->steps[i].t;
        times[i + 1] = trail->steps[i].t + trail->steps[i].dt;
    }
    return EVN_OK;
}
