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
                  "solver %s: observation %d is at %g of the way, the one before at %g; the "
                  "fractions have to increase, also where t1 is before t0",
                  o->method, i + 1, o->times[i], before);
        before = o->times[i];
    }
    return EVN_OK;
}

static evn_status check(const evn_solver_options *o) {
    EVN_CHECK(o->observations >= 0, EVN_ERR_ARGUMENT, "solver %s: %d observations; give 0 or more",
              o->method, o->observations);
    EVN_CHECK(!o->times || o->observations > 0, EVN_ERR_ARGUMENT,
              "solver %s: there are times, but no observations", o->method);
    EVN_CHECK(!o->times_vary || o->observations > 0, EVN_ERR_ARGUMENT,
              "solver %s: the times of observations vary, and there are none; say how many there "
              "are",
              o->method);
    EVN_CHECK(!o->times_vary || !o->times, EVN_ERR_ARGUMENT,
              "solver %s: the times of observations vary, but there are times; leave them out, and "
              "give evn_solve_times those of each solve",
              o->method);
    return o->times ? check_times(o) : EVN_OK;
}

/// Whether the first of so many fractions is a start that ends no interval: where nothing else is
/// observed it does, the only one, which is no way.
static bool starts_observed(double first, int count) {
    return first == 0 && count > 1;
}

/// Times, without the start, as fractions of the way up to the last.
static evn_status copy_times(const evn_solver_options *o, evn__course *c) {
    if (!o->times) {
        return EVN_OK;
    }
    c->last = o->times[o->observations - 1];
    c->starts = starts_observed(o->times[0], o->observations);
    c->intervals -= c->starts;
    EVN_TRY(EVN_NEW(&c->end, c->intervals));
    for (int i = 0; i < c->intervals; ++i) {
        c->end[i] = c->last > 0 ? o->times[i + c->starts] / c->last : 1;
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
        double part = c->end[i] - (i > 0 ? c->end[i - 1] : 0);
        double count = steps_over(o->steps, part * c->last);
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
    int intervals = options->observations > 0 ? options->observations : 1;
    *course = (evn__course){.intervals = intervals, .last = 1};
    EVN_TRY(check(options));
    evn_status status = options->times_vary ? evn__course_reserve(options, intervals, course)
                                            : make(options, course);
    if (status == EVN_OK && options->times_vary) {
        status = EVN_NEW(&course->times, intervals);
    }
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
    *course = (evn__course){.intervals = intervals, .last = 1, .varies = true};
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

evn_status evn__course_check_times(const evn_solver_options *o, double t0, const double *times) {
    bool observed = times[0] == t0 && o->observations > 1;
    double way = times[observed] - t0, before = t0;
    for (int i = 0; i < o->observations; ++i) {
        bool starts = i == 0 && times[0] == t0;
        EVN_CHECK(isfinite(times[i]), EVN_ERR_ARGUMENT,
                  "solver %s: the time of observation %d is %g; it should be finite", o->method,
                  i + 1, times[i]);
        EVN_CHECK(starts || (way > 0 ? times[i] > before : times[i] < before), EVN_ERR_ARGUMENT,
                  "solver %s: observation %d is at %.9g, %s at %.9g; from t0 = %.9g on the times "
                  "have to increase, or to decrease, all of them",
                  o->method, i + 1, times[i], i > 0 ? "the one before" : "the start", before, t0);
        before = times[i];
    }
    return EVN_OK;
}

void evn__course_lay_times(const evn_solver_options *options, double t0, const double *times,
                           evn__course *course) {
    double way = times[options->observations - 1] - t0;
    course->starts = starts_observed(times[0] - t0, options->observations);
    int count = options->observations - course->starts;
    for (int i = 0; i < count; ++i) {
        course->times[i] = times[i + course->starts];
        course->end[i] = way != 0 ? (course->times[i] - t0) / way : 1;
    }
    course->from = t0;
    evn__course_lay(options, count, course);
}

double evn__course_stop(const evn__course *course, double t0, double t1) {
    return course->last < 1 ? t0 + course->last * (t1 - t0) : t1;
}

void evn__course_free(evn__course *course) {
    free(course->end);
    free(course->times);
    free(course->first);
    *course = (evn__course){0};
}

/// Whether it was laid by times for this way: fractions of it may miss them by a rounding, and a
/// jump of f that is one of them.
static bool is_laid_for(const evn__course *c, double t0, double t1) {
    return c->times && t0 == c->from && t1 == c->times[c->intervals - 1];
}

double evn__course_end(const evn__course *course, int interval, double t0, double t1) {
    if (interval + 1 == course->intervals) {
        return t1;
    }
    if (is_laid_for(course, t0, t1)) {
        return course->times[interval];
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
