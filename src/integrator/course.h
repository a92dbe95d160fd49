// SPDX-License-Identifier: Apache-2.0
// The course of a solve: from t0 to t1 by way of its observations, with so many equal steps from
// one to the next.
#ifndef EVN_INTEGRATOR_COURSE_H
#define EVN_INTEGRATOR_COURSE_H

#include "evonode/solver.h"

/// Intervals that end at an observation; one where nothing is observed. The way ends with the last
/// of them.
typedef struct evn__course {
    int intervals;
    double last; ///< where it ends, as a fraction of what was asked for, of which `steps` are, too
    bool starts; ///< the first observation is the start: it ends no interval
    int steps;   ///< of all intervals; 0: adaptive
    int each;    ///< steps of every interval; 0: they differ, or are adaptive
    double *end; ///< [intervals], as fractions of the way; NULL: equal parts
    double *times, from; ///< [intervals], what it was laid by, from t0 on; NULL: by fractions
    int *first;  ///< [intervals + 1], the step that each begins with; NULL where `each` says it
    bool varies; ///< it is laid out anew now and then,
    int laid;    ///< and so often: what was made of it before is that of another one
} evn__course;

/// What else there is of the way that is gone in parts.
typedef struct evn__rest {
    int accepted, rejected; ///< attempts of the parts before, which max_steps counts, too
    double end;             ///< where the last part ends
} evn__rest;

/// Lay out the options' observations and steps: in each interval the fewest equal steps that are
/// no longer than the way divided by options->steps.
/// @return EVN_ERR_ARGUMENT as evn_solver_create documents it
evn_status evn__course_create(const evn_solver_options *options, evn__course *course);
void evn__course_free(evn__course *course);

/// A course that varies: room for so many intervals, with as many steps as the options' may become,
/// all of it taken up at first.
/// @return EVN_ERR_ARGUMENT for more steps than there may be
evn_status evn__course_reserve(const evn_solver_options *options, int intervals,
                               evn__course *course);
/// Lay it out for its first `intervals`, whose ends have been written: the steps as above.
void evn__course_lay(const evn_solver_options *options, int intervals, evn__course *course);
/// Whether times are right to go from t0 by way of them.
/// @return EVN_ERR_ARGUMENT as evn_solve_times documents it
evn_status evn__course_check_times(const evn_solver_options *options, double t0,
                                   const double *times);
/// Lay out one of options with times_vary by way of so many times, with which it ends. Between the
/// same t0 and t1 its intervals end at these to the last digit.
void evn__course_lay_times(const evn_solver_options *options, double t0, const double *times,
                           evn__course *course);

/// Where the way ends of what was asked for from t0 to t1.
double evn__course_stop(const evn__course *course, double t0, double t1);

/// Between t0 and t1: the time of the end of an interval, and of its beginning.
double evn__course_end(const evn__course *course, int interval, double t0, double t1);
double evn__course_begin(const evn__course *course, int interval, double t0, double t1);

/// Fixed steps: the first step of an interval (of number `intervals`: how many there are in all),
/// and the interval of a step.
int evn__course_first(const evn__course *course, int interval);
int evn__course_interval(const evn__course *course, int step);

/// Fixed steps between t0 and t1: the length of those of an interval; the time at the beginning of
/// a step.
double evn__course_length(const evn__course *course, int interval, double t0, double t1);
double evn__course_time(const evn__course *course, int step, double t0, double t1);

/// Number of the observation at the end of an interval.
static inline int evn__course_observation(const evn__course *course, int interval) {
    return interval + course->starts;
}

/// Whether all steps are of one length.
static inline bool evn__course_is_uniform(const evn__course *course) {
    return course->each > 0 && !course->end;
}

#endif
