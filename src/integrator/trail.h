// SPDX-License-Identifier: Apache-2.0
// The trail of a solve: the steps that it took, one after the other, for what goes them again.
#ifndef EVN_INTEGRATOR_TRAIL_H
#define EVN_INTEGRATOR_TRAIL_H

#include "integrator/course.h"

/// One step. `observation`: of the one that it ends at; −1: none. `anew`: it knows nothing of those
/// before it, as the first one of a way, and of each part of one.
typedef struct evn__tread {
    double t, dt;
    int observation;
    bool anew;
} evn__tread;

/// Zero-initialise.
typedef struct evn__trail {
    evn__tread *steps;
    int count, capacity;
} evn__trail;

void evn__trail_free(evn__trail *trail);

/// Another step.
evn_status evn__trail_add(evn__trail *trail, double t, double dt, int observation);

/// The fixed steps of a course from t0 to t1, where kernels of that precision see them, as those of
/// evn__times_set.
evn_status evn__trail_set(evn__trail *trail, const evn__course *course, bool fp64, double t0,
                          double t1);

/// Where the steps begin, after t0, and where the last one ends.
/// @param[out] times  [count], one more than there are steps
/// @return EVN_ERR_ARGUMENT where that is another number
evn_status evn__trail_grid(const evn__trail *trail, double t0, double *times, int count);

#endif
