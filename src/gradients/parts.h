// SPDX-License-Identifier: Apache-2.0
// The parts of a way from one jump of f to the next: where each begins and ends, as kernels see it,
// so that f is evaluated nowhere between a time of the one side and one of the other, and what is
// observed in each.
#ifndef EVN_GRADIENTS_PARTS_H
#define EVN_GRADIENTS_PARTS_H

#include "integrator/course.h"

/// From one time to another, in the direction of the way. Of the intervals of the whole course,
/// from number `first` on, `within` end before t1, and `at_end` there or, at the jump itself,
/// before the next part has begun.
typedef struct evn__part {
    double t0, t1;
    int jump; ///< at which it begins, of the options; -1: the first begins where the way does
    int first, within, at_end;
} evn__part;

/// Zero-initialise.
typedef struct evn__parts {
    evn__part *all; ///< [jumps + 1] at most
    int count;      ///< 1 at least: a way without length is one part
    bool rises;
} evn__parts;

evn_status evn__parts_create(const evn_solver_options *options, evn__parts *parts);
void evn__parts_free(evn__parts *parts);

/// Of a way from t0 to t1 across the jumps of the options, of which nothing is observed yet.
void evn__parts_cut(const evn_solver_options *options, double t0, double t1, evn__parts *parts);

/// The part in which a time of that way is observed, and the time itself, where kernels would see
/// it outside of it: at the end of a part, not at the beginning of the next one.
int evn__parts_find(const evn_solver_options *options, const evn__parts *parts, double *t);

/// The same, with what is observed by that course.
void evn__parts_split(const evn_solver_options *options, const evn__course *course, double t0,
                      double t1, evn__parts *parts);

/// Lay out a course that varies (evn__course_reserve) for one of them: an interval for each
/// observation within, and one to its end.
void evn__parts_lay(const evn_solver_options *options, const evn__course *course, double t0,
                    double t1, const evn__part *part, evn__course *own);

#endif
