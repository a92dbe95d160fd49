// SPDX-License-Identifier: Apache-2.0
#include "integrator/control.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/number.h"
#include "host/counting.h"
#include "host/kernel.h"
#include "integrator/controller.h"
#include "integrator/rounding.h"
#include "kernels/shared.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// The last record of a look is the first of the next. Results of an attempt: its error, its doubt.
enum { RECORDS = EVN__CONTROL_ATTEMPTS + 1, RESULTS = 2 };

// A work-item of a kernel that copies has so many elements, if it copies: that is rare, and what a
// work-item costs that does not is little on any device.
enum { ELEMENTS_OF_ITEM = 64, MAX_ITEMS = 4096, GROUP_ITEMS = 64 };

struct evn__control {
    evn_device *device;
    const evn__course *course;
    evn__controller controller;
    const evn__stepper *stepper;
    evn_solver_options options;
    bool fp64, jumps;
    double t0, t1; ///< as set
    int laid;      ///< as the course was then
    bool backward, set;
    int most; ///< attempts
    evn_buffer *records, *limits, *result, *unused;
    evn_buffer *steps, *starts; ///< borrowed, or `unused`
    evn__kernel *begin, *settle;
    int group;    ///< work-items of a group
    int enqueued; ///< attempts since the last look
};

// Life --------------------------------------------------------------------------------------------

static evn_status get_kernels(evn__control *c) {
    bool cpu = evn_device_get_info(c->device)->type == EVN_DEVICE_CPU;
    char options[64];
    c->group = cpu ? 1 : GROUP_ITEMS;
    evn__print(options, sizeof(options), "-DGROUP_ITEMS=%d -DCONTROLLER=%s", c->group,
               c->controller.kernel);
    const evn__source source = {.family = "control", .options = options, .fp64 = c->fp64};
    EVN_TRY(evn__kernel_get(c->device, &source, "control_begin", &c->begin));
    return evn__kernel_get(c->device, &source, "control_settle", &c->settle);
}

static evn_status create(evn__control *c) {
    enum { UNUSED_BYTES = sizeof(int64_t) };
    size_t limits = EVN_CONTROL_ENDS + 2 * (size_t)c->course->intervals;
    EVN_TRY(evn__real_create_for(c->device, EVN__USE_STATES, c->fp64,
                                 (size_t)RECORDS * EVN_CONTROL_RECORD, &c->records));
    EVN_TRY(evn__real_create_for(c->device, EVN__USE_STATES, c->fp64, limits, &c->limits));
    EVN_TRY(evn__real_create_for(c->device, EVN__USE_STATES, c->fp64, RESULTS, &c->result));
    EVN_TRY(evn__buffer_create_for(c->device, EVN__USE_STATES, UNUSED_BYTES, &c->unused));
    c->steps = c->starts = c->unused;
    return get_kernels(c);
}

evn_status evn__control_create(evn_device *device, const evn_solver_options *options,
                               const evn__stepper *stepper, const evn__course *course, bool jumps,
                               evn__control **control) {
    EVN_TRY(EVN_NEW(control, 1));
    **control = (evn__control){.device = device,
                               .course = course,
                               .controller = evn__controller_create(options),
                               .stepper = stepper,
                               .options = *options,
                               .fp64 = options->fp64,
                               .jumps = jumps};
    evn_status status = create(*control);
    if (status != EVN_OK) {
        evn__control_destroy(control);
    }
    return status;
}

void evn__control_destroy(evn__control **control) {
    evn__control *c = *control;
    if (!c) {
        return;
    }
    evn_buffer_destroy(&c->records);
    evn_buffer_destroy(&c->limits);
    evn_buffer_destroy(&c->result);
    evn_buffer_destroy(&c->unused);
    free(c);
    *control = NULL;
}

void evn__control_skip(evn__control *control, evn_buffer *steps, evn_buffer *starts) {
    control->steps = steps ? steps : control->unused;
    control->starts = starts ? starts : control->unused;
}

// Limits ------------------------------------------------------------------------------------------

/// As two reals, the second beyond the first one's last digit.
static void split(bool fp64, double value, double pair[2]) {
    pair[0] = fp64 ? value : (double)(float)value;
    pair[1] = value - pair[0];
}

double evn__control_end(const evn__control *c, int interval) {
    int own = c->backward ? c->course->intervals - 1 - interval : interval;
    return c->backward ? evn__course_begin(c->course, own, c->t0, c->t1)
                       : evn__course_end(c->course, own, c->t0, c->t1);
}

static double begin_of(const evn__control *c) {
    return c->backward ? c->t1 : c->t0;
}

/// A step in the direction of the solve, at most as long as `longest` > 0; 0: no limit.
static double limited(double way, double longest) {
    return longest > 0 && longest < fabs(way) ? copysign(longest, way) : way;
}

/// The longest first step, to the end of the first interval that has a length in double: it must
/// not be seen to end beyond t1, as rounding could have it.
static double first_span(const evn__control *c, double begin, double end) {
    double way = 0;
    for (int i = 0; i < c->course->intervals && way == 0; ++i) {
        way = evn__control_end(c, i) - begin;
    }
    return evn__rounded_span(c->fp64, begin, way, c->options.dt_max, end);
}

static void fill_steps(const evn__control *c, double *limits) {
    const evn_solver_options *o = &c->options;
    double begin = begin_of(c), end = evn__control_end(c, c->course->intervals - 1);
    limits[EVN_CONTROL_SPAN] = first_span(c, begin, end);
    limits[EVN_CONTROL_LONGEST] = limited(end - begin, o->dt_max);
    limits[EVN_CONTROL_FIRST] = limited(limits[EVN_CONTROL_LONGEST], o->dt_first);
    limits[EVN_CONTROL_T1] = end;
}

static void fill_controller(const evn__control *c, double *limits) {
    const evn__controller *k = &c->controller;
    memcpy(limits + EVN_CONTROL_EXPONENTS, k->exponents, sizeof(k->exponents));
    limits[EVN_CONTROL_REMEMBERED] = k->remembered;
    split(c->fp64, k->safety, limits + EVN_CONTROL_SAFETY);
    split(c->fp64, k->least, limits + EVN_CONTROL_LEAST);
    split(c->fp64, k->most, limits + EVN_CONTROL_MOST);
}

static void fill_limits(const evn__control *c, double *limits) {
    limits[EVN_CONTROL_RTOL] = c->options.rtol;
    limits[EVN_CONTROL_ATOL] = c->options.atol;
    fill_steps(c, limits);
    fill_controller(c, limits);
    split(c->fp64, begin_of(c), limits + EVN_CONTROL_T0);
    split(c->fp64, c->options.dt_min, limits + EVN_CONTROL_DT_MIN);
    for (int i = 0; i < c->course->intervals; ++i) {
        split(c->fp64, evn__control_end(c, i), limits + EVN_CONTROL_ENDS + 2 * (size_t)i);
    }
}

evn_status evn__control_let_start(evn__control *control) {
    const int64_t one_run = 1;
    return evn_buffer_write(control->starts, 0, sizeof(one_run), &one_run);
}

evn_status evn__control_set(evn__control *c, double t0, double t1, bool backward, int before) {
    double *limits = NULL;
    c->most = c->options.max_steps - before;
    size_t count = EVN_CONTROL_ENDS + 2 * (size_t)c->course->intervals;
    EVN_TRY(evn__control_let_start(c));
    bool same = c->t0 == t0 && c->t1 == t1 && c->backward == backward;
    if (c->set && same && c->laid == c->course->laid) {
        return EVN_OK;
    }
    c->laid = c->course->laid;
    EVN_TRY(EVN_NEW(&limits, count));
    c->t0 = t0;
    c->t1 = t1;
    c->backward = backward;
    fill_limits(c, limits);
    evn_status status = evn__real_write((evn_binding){c->limits, 0}, c->fp64, limits, count);
    free(limits);
    c->set = status == EVN_OK;
    return status;
}

// Where things are --------------------------------------------------------------------------------

evn_binding evn__control_limit(const evn__control *control, int which) {
    return (evn_binding){control->limits, (size_t)which};
}

static evn_binding record_at(const evn__control *c, int index) {
    return (evn_binding){c->records, (size_t)index * EVN_CONTROL_RECORD};
}

evn_binding evn__control_now(const evn__control *control, int which) {
    evn_binding at = record_at(control, control->enqueued);
    at.offset += (size_t)which;
    return at;
}

evn_binding evn__control_result(const evn__control *control) {
    return (evn_binding){control->result, 0};
}

evn_binding evn__control_doubt(const evn__control *control) {
    return (evn_binding){control->result, 1};
}

// Kernels -----------------------------------------------------------------------------------------

static evn__argument memory(evn_binding at) {
    return (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = at.buffer, .offset = at.offset};
}

static evn__argument whole(evn_buffer *buffer) {
    return memory((evn_binding){buffer, 0});
}

static evn__argument number(int value) {
    return (evn__argument){.kind = EVN__ARGUMENT_INT, .integer = value};
}

static evn__argument size(size_t value) {
    return (evn__argument){.kind = EVN__ARGUMENT_UINT64, .integer = (int64_t)value};
}

/// Work-items for so many elements that may have to be copied.
static evn_status launch(evn__kernel *kernel, const evn__argument *arguments, size_t count,
                         size_t group, size_t elements) {
    size_t items = (elements + ELEMENTS_OF_ITEM - 1) / ELEMENTS_OF_ITEM;
    items = items < 1 ? 1 : items > MAX_ITEMS ? MAX_ITEMS : items;
    return evn__kernel_launch(kernel, arguments, (int)count,
                              (evn__range){.dimensions = 1, .global = {items}, .local = {group}});
}

#define LAUNCH(kernel, arguments, group, elements)                                                 \
    launch((kernel), (arguments), sizeof(arguments) / sizeof(*(arguments)), (size_t)(group),       \
           (elements))

evn_status evn__control_begin(evn__control *c) {
    c->enqueued = 0;
    evn_binding first =
        c->options.dt_first > 0 ? evn__control_limit(c, EVN_CONTROL_FIRST) : evn__control_result(c);
    const evn__argument arguments[] = {whole(c->limits), memory(first),    memory(record_at(c, 0)),
                                       whole(c->steps),  whole(c->starts), number(c->most)};
    return LAUNCH(c->begin, arguments, 1, 1);
}

evn_status evn__control_settle(evn__control *c, const evn__decided *d) {
    EVN_CHECK(c->enqueued < EVN__CONTROL_ATTEMPTS, EVN_ERR_INTERNAL,
              "%d attempts of an adaptive solve without a look", c->enqueued);
    int before = c->enqueued++;
    const evn__argument arguments[] = {whole(c->limits),
                                       whole(c->result),
                                       memory(record_at(c, before)),
                                       memory(record_at(c, before + 1)),
                                       memory(d->x),
                                       memory(d->x_next),
                                       size(d->x_count),
                                       memory(d->slopes),
                                       memory(d->slopes_next),
                                       size(d->slopes_count),
                                       d->observed ? memory(d->series) : whole(c->unused),
                                       size(d->observed),
                                       size(d->jump),
                                       whole(c->steps),
                                       whole(c->starts),
                                       number(c->most),
                                       number(c->course->intervals),
                                       number(c->jumps),
                                       number(c->stepper->error_order + 1)};
    return LAUNCH(c->settle, arguments, c->group, d->x_count + d->slopes_count);
}

// Looks -------------------------------------------------------------------------------------------

static double real_at(const evn__control *c, const unsigned char *record, int which) {
    float narrow;
    double wide;
    if (c->fp64) {
        memcpy(&wide, record + sizeof(wide) * (size_t)which, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, record + sizeof(narrow) * (size_t)which, sizeof(narrow));
    return narrow;
}

static double pair_at(const evn__control *c, const unsigned char *record, int which) {
    double high = real_at(c, record, which);
    return isfinite(high) ? high + real_at(c, record, which + 1) : high;
}

/// t, shifted as much as what the stages see is, with the digits that they do not.
static double seen_at(const evn__control *c, const unsigned char *record) {
    double shift = real_at(c, record, EVN_CONTROL_SEEN) - real_at(c, record, EVN_CONTROL_T);
    return pair_at(c, record, EVN_CONTROL_T) + shift;
}

static evn__record parse(const evn__control *c, const unsigned char *record) {
    int n[EVN_CONTROL_TOOK + 1];
    memcpy(n, record + EVN_CONTROL_NUMBERS * evn__real_bytes(c->fp64), sizeof(n));
    return (evn__record){.status = n[EVN_CONTROL_STATUS],
                         .lands = n[EVN_CONTROL_LANDS],
                         .accepted = n[EVN_CONTROL_ACCEPTED],
                         .rejected = n[EVN_CONTROL_REJECTED],
                         .interval = n[EVN_CONTROL_INTERVAL],
                         .starts = n[EVN_CONTROL_STARTS],
                         .took = n[EVN_CONTROL_TOOK],
                         .t = pair_at(c, record, EVN_CONTROL_T),
                         .dt = pair_at(c, record, EVN_CONTROL_DT),
                         .wanted = pair_at(c, record, EVN_CONTROL_WANTED),
                         .seen = seen_at(c, record)};
}

/// Where nothing is computed (host/counting.h): the end.
static evn__record imagine(const evn__control *c) {
    return (evn__record){.status = EVN_CONTROL_DONE,
                         .accepted = 1,
                         .interval = c->course->intervals - 1,
                         .starts = 1,
                         .took = EVN_CONTROL_NOTHING};
}

evn_status evn__control_look(evn__control *c, evn__record *records, int *count) {
    unsigned char bytes[RECORDS * EVN_CONTROL_RECORD * sizeof(double)];
    size_t one = EVN_CONTROL_RECORD * evn__real_bytes(c->fp64);
    *count = c->enqueued + 1;
    EVN_TRY(evn_buffer_read(c->records, 0, one * (size_t)*count, bytes));
    for (int i = 0; i < *count; ++i) {
        records[i] =
            evn__device_is_counting(c->device) ? imagine(c) : parse(c, bytes + one * (size_t)i);
    }
    // The next ones, where there are any, begin where these end.
    if (c->enqueued > 0 && records[c->enqueued].status == EVN_CONTROL_RUNNING) {
        EVN_TRY(evn_buffer_copy(c->records, 0, c->records, one * (size_t)c->enqueued, one));
    }
    c->enqueued = 0;
    return EVN_OK;
}

// Measuring ---------------------------------------------------------------------------------------

/// Seconds of so many launches and a look.
static evn_status time_launches(evn__control *c, int launches, double *seconds) {
    evn__record records[RECORDS];
    int count;
    double begun = evn__now();
    for (int i = 0; i < launches; ++i) {
        EVN_TRY(evn__control_begin(c));
    }
    EVN_TRY(evn__control_look(c, records, &count));
    *seconds = fmin(*seconds, evn__now() - begun);
    return EVN_OK;
}

evn_status evn__control_measure(evn__control *c, double *wait, double *launch) {
    enum { REPETITIONS = 4, MANY = 8 };
    double one = DBL_MAX, many = DBL_MAX, unused = DBL_MAX;
    EVN_TRY(time_launches(c, 1, &unused)); // the first one compiles
    for (int i = 0; i < REPETITIONS; ++i) {
        EVN_TRY(time_launches(c, 1, &one));
        EVN_TRY(time_launches(c, MANY, &many));
    }
    *launch = fmax(0, many - one) / (MANY - 1);
    *wait = fmax(0, one - *launch);
    return EVN_OK;
}
