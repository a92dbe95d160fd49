// SPDX-License-Identifier: Apache-2.0
// The step control of an adaptive solve, in device memory: what has been done, whether the solve
// goes on, and what the next step is. Kernels decide (kernels/control.cl); the host enqueues
// attempts and looks now and then. Each attempt leaves a record, and finds its t and dt in the one
// before. What is enqueued behind the end of a solve changes nothing.
//
// From one interval to the next a solve goes on by itself; with `jumps` only after a new start.
#ifndef EVN_INTEGRATOR_CONTROL_H
#define EVN_INTEGRATOR_CONTROL_H

#include "integrator/course.h"
#include "methods/stepper.h"

typedef struct evn__control evn__control;

/// As the kernels write it (kernels/shared.h).
typedef struct evn__record {
    int status; ///< EVN_CONTROL_RUNNING, …
    bool lands;
    int accepted, rejected;
    int interval; ///< in the order in which the solve comes to them
    int starts;   ///< how often slopes had to be computed anew: at first, and after jumps
    int took;     ///< what became of the attempt before: EVN_CONTROL_ACCEPT, …
    double t, dt, wanted;
    double seen; ///< t as the stages of the next attempt see it
} evn__record;

/// What a kernel of the control decides about.
typedef struct evn__decided {
    evn_binding x, x_next; ///< states before and after
    size_t x_count;
    evn_binding slopes, slopes_next;
    size_t slopes_count;
    evn_binding series; ///< [intervals, observed]: where x is put at the end of each interval; with
                        ///< jumps, what is added to it at the beginning of each but the first of
                        ///< the course
    size_t observed;    ///< elements of x; 0: none
    size_t jump;        ///< from which element of x on it is added
} evn__decided;

/// @param[in] course  outlives the control
evn_status evn__control_create(evn_device *device, const evn_solver_options *options,
                               const evn__stepper *stepper, const evn__course *course, bool jumps,
                               evn__control **control);
void evn__control_destroy(evn__control **control); ///< nulls; accepts NULL

/// Plans of steps and of starts that do nothing while they are not due (plan/skip.h); NULL: always.
void evn__control_skip(evn__control *control, evn_buffer *steps, evn_buffer *starts);

/// Seconds of a look, and of a launch of one work-item; waits.
evn_status evn__control_measure(evn__control *control, double *wait, double *launch);

/// The next solve is from t0 to t1; `backward`: from the end of the course to its beginning, its
/// first start is due. So many attempts have been made `before`, of those that there may be.
/// Enqueues only.
evn_status evn__control_set(evn__control *control, double t0, double t1, bool backward, int before);
/// After the end of a solve: starts are due again.
evn_status evn__control_let_start(evn__control *control);
/// The end of an interval, in the order of the solve.
double evn__control_end(const evn__control *control, int interval);

/// Scalars of the graphs of steps and starts (step.h): where they are read, and written.
evn_binding evn__control_limit(const evn__control *control, int which); ///< EVN_CONTROL_RTOL, …
evn_binding evn__control_now(const evn__control *control, int which);   ///< EVN_CONTROL_T, …
evn_binding evn__control_result(const evn__control *control);
evn_binding evn__control_doubt(const evn__control *control); ///< no kernel reads that

/// After a start: the first step is what is in the result. These enqueue only.
evn_status evn__control_begin(evn__control *control);
/// After an attempt: accept it or not, by the error in the result.
evn_status evn__control_settle(evn__control *control, const evn__decided *decided);
enum { EVN__CONTROL_ATTEMPTS = 16 }; ///< between two looks, at most

/// Wait, and read the records since the last look.
/// @param[out] records  [EVN__CONTROL_ATTEMPTS + 1]: that of the last look, then one after each
///                      attempt
/// @param[out] count    of these, at least 1
evn_status evn__control_look(evn__control *control, evn__record *records, int *count);

#endif
