// SPDX-License-Identifier: Apache-2.0
#include "integrator/course.h"

#include "base/memory.h"
#include "methods/stepper.h"
#include <math.h>
#include <stdlib.h>

static evn_status check_times(const evn_solver_options *o) {
    double before = -1;
    for (int i = 0; i < o->observations; ++i) {
        EVN_CHECK(o->times[i] >= 0 && o->times[i] <= 1, EVN_ERR_ARGUMENT,
                  "solver %s: the time of observation %d is %g; it should be a fraction of the way "
                  "from t0 to t1, 0 to 1",
                  o->method, i + 1, o->times[i]);
        EVN_CHECK(o->times[i] > before, EVN_ERR_ARGUMENT,
                  "solver %s: observation %d is at %g of the way, the one before at %g; the times "
                  "have to increase",
                  o->method, i + 1, o->times[i], before);
        before = o->times[i];
    }
    EVN_CHECK(before == 1, EVN_ERR_ARGUMENT,
              "solver %s: the last observation is at %g of the way; let t1 be where it is, and its "
              "time 1",
              o->method, before);
    return EVN_OK;
}

static evn_status check(const evn_solver_options *o) {
    EVN_CHECK(o->observations >= 0, EVN_ERR_ARGUMENT, "solver %s: %d observations; give 0 or more",
              o->method, o->observations);
    EVN_CHECK(!o->times || o->observations > 0, EVN_ERR_ARGUMENT,
              "solver %s: there are times, but no observations", o->method);
    return o->times ? check_times(o) : EVN_OK;
}

/// Times, without the start.
static evn_status copy_times(const evn_solver_options *o, evn__course *c) {
    if (!o->times) {
        return EVN_OK;
    }
    c->starts = o->times[0] == 0;
    c->intervals -= c->starts;
    EVN_TRY(EVN_NEW(&c->end, c->intervals));
    for (int i = 0; i < c->intervals; ++i) {
        c->end[i] = o->times[i + c->starts];
    }
    return EVN_OK;
}

/// The fewest equal steps over `part` of the way that are no longer than the way / steps. What
/// rounding adds to a whole number is no step.
static double steps_over(int steps, double part) {
    const double rounding = 1e-6;
    return fmax(1, ceil(steps * part - rounding));
}

static evn_status check_sum(const evn_solver_options *o, double steps) {
    EVN_CHECK(steps <= EVN__MAX_STEPS, EVN_ERR_ARGUMENT,
              "solver %s: %g steps are needed to hit all of %d observations; %d are the most",
              o->method, steps, o->observations, EVN__MAX_STEPS);
    return EVN_OK;
}

static evn_status lay_equal(const evn_solver_options *o, evn__course *c) {
    int64_t each = ((int64_t)o->steps + c->intervals - 1) / c->intervals;
    EVN_TRY(check_sum(o, (double)each * c->intervals));
    c->each = (int)each;
    c->steps = (int)each * c->intervals;
    return EVN_OK;
}

/// How many there are in all; `first` has as many as fit.
static double count_steps(const evn_solver_options *o, evn__course *c) {
    double sum = 0;
    bool equal = true;
    for (int i = 0; i < c->intervals; ++i) {
        double count = steps_over(o->steps, c->end[i] - (i > 0 ? c->end[i - 1] : 0));
        sum += count;
        c->first[i + 1] = (int)fmin(sum, EVN__MAX_STEPS);
        equal = equal && count == c->first[1];
    }
    c->steps = c->first[c->intervals];
    c->each = equal ? c->first[1] : 0;
    return sum;
}

static evn_status lay_steps(const evn_solver_options *o, evn__course *c) {
    EVN_TRY(EVN_NEW(&c->first, c->intervals + 1));
    return check_sum(o, count_steps(o, c));
}

static evn_status make(const evn_solver_options *o, evn__course *c) {
    EVN_TRY(copy_times(o, c));
    if (o->steps == 0) {
        return EVN_OK;
    }
    return c->end ? lay_steps(o, c) : lay_equal(o, c);
}

evn_status evn__course_create(const evn_solver_options *options, evn__course *course) {
    *course = (evn__course){.intervals = options->observations > 0 ? options->observations : 1};
    EVN_TRY(check(options));
    evn_status status = make(options, course);
    if (status != EVN_OK) {
        evn__course_free(course);
    }
    return status;
}

static evn_status reserve(const evn_solver_options *o, evn__course *c) {
    EVN_TRY(EVN_NEW(&c->end, c->intervals));
    EVN_TRY(EVN_NEW(&c->first, c->intervals + 1));
    for (int i = 0; i < c->intervals; ++i) {
        c->end[i] = (i + 1.0) / c->intervals;
    }
    EVN_TRY(check_sum(o, o->steps > 0 ? (double)o->steps + c->intervals : 0));
    c->steps = o->steps > 0 ? o->steps + c->intervals : 0;
    return EVN_OK;
}

evn_status evn__course_reserve(const evn_solver_options *options, int intervals,
                               evn__course *course) {
    *course = (evn__course){.intervals = intervals, .varies = true};
    evn_status status = reserve(options, course);
    if (status != EVN_OK) {
        evn__course_free(course);
    }
    return status;
}

void evn__course_lay(const evn_solver_options *options, int intervals, evn__course *course) {
    course->intervals = intervals;
    ++course->laid;
    if (options->steps > 0) {
        count_steps(options, course);
    }
}

void evn__course_free(evn__course *course) {
    free(course->end);
    free(course->first);
    *course = (evn__course){0};
}

double evn__course_end(const evn__course *course, int interval, double t0, double t1) {
    if (interval + 1 == course->intervals) {
        return t1;
    }
    return course->end ? t0 + course->end[interval] * (t1 - t0)
                       : t0 + (interval + 1) * (t1 - t0) / course->intervals;
}

double evn__course_begin(const evn__course *course, int interval, double t0, double t1) {
    return interval == 0 ? t0 : evn__course_end(course, interval - 1, t0, t1);
}

int evn__course_first(const evn__course *course, int interval) {
    return course->each > 0 ? interval * course->each : course->first[interval];
}

int evn__course_interval(const evn__course *course, int step) {
    if (course->each > 0) {
        return step / course->each;
    }
    int low = 0, high = course->intervals - 1;
    while (low < high) { // the last interval that begins at the step or before it
        int middle = low + (high - low + 1) / 2;
        if (course->first[middle] <= step) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

double evn__course_length(const evn__course *course, int interval, double t0, double t1) {
    if (evn__course_is_uniform(course)) {
        return (t1 - t0) / course->steps;
    }
    int steps = evn__course_first(course, interval + 1) - evn__course_first(course, interval);
    double way =
        evn__course_end(course, interval, t0, t1) - evn__course_begin(course, interval, t0, t1);
    return way / steps;
}

double evn__course_time(const evn__course *course, int step, double t0, double t1) {
    int interval = evn__course_interval(course, step);
    double length = evn__course_length(course, interval, t0, t1);
    return evn__course_is_uniform(course)
               ? t0 + step * length
               : evn__course_begin(course, interval, t0, t1) +
                     (step - evn__course_first(course, interval)) * length;
}
