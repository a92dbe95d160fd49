// SPDX-License-Identifier: Apache-2.0
#include "solver/dense_output.h"

#include "base/number.h"
#include "gradients/dense.h"
#include "integrator/layout.h"
#include "integrator/options.h"
#include "methods/interpolant.h"
#include "plan/build.h"
#include <math.h>
#include <stdlib.h>

struct evn__dense_output {
    const evn__problem *problem;
    evn__dense *dense;
    evn__layout layout;
    int terms;         ///< of a component
    evn_plan **plans;  ///< of each component: from θ and its terms to what it is there
    evn_buffer *start; ///< [layout.total], the state at t0
    evn_buffer *parts; ///< [capacity], θ of each time
    int capacity;
    evn__trail fixed; ///< the course's steps
    bool gone;        ///< the steps of the last solve, once more
    evn_binding *step, *inputs;
};

// Life --------------------------------------------------------------------------------------------

/// What a plan is built of.
typedef struct component {
    evn_shape shape;
    int terms;
} component;

static void build(const void *self, evn_graph *graph) {
    const component *c = self;
    evn_value part = evn_input(graph, "part", EVN_SCALAR), terms[EVN__INTERPOLANT_TERMS] = {0};
    for (int p = 0; p < c->terms; ++p) {
        char name[32];
        evn__print(name, sizeof(name), "term.%d", p);
        terms[p] = evn_input(graph, name, c->shape);
    }
    evn_output(graph, "state", evn__interpolant_value(graph, terms, c->terms, part));
}

static evn_status compile(evn__dense_output *o) {
    const evn__problem *p = o->problem;
    const evn_plan_options options = {.fp64 = p->options->fp64};
    EVN_TRY(EVN_NEW(&o->plans, o->layout.count));
    for (int i = 0; i < o->layout.count; ++i) {
        const component c = {evn__system_state_shape(p->system, i), o->terms};
        EVN_TRY(evn__plan_build(p->device, build, &c, &options, &o->plans[i]));
    }
    return EVN_OK;
}

static evn_status create(evn__dense_output *o) {
    const evn__problem *p = o->problem;
    const evn__stepper *stepper;
    EVN_TRY(evn__check_options(p->options, &stepper));
    EVN_TRY(evn__layout_create(p->system, &o->layout));
    o->terms = evn__interpolant_terms(stepper->interpolant);
    EVN_TRY(evn__dense_create(p, &o->dense));
    EVN_TRY(EVN_NEW(&o->step, evn__dense_count(o->dense)));
    EVN_TRY(EVN_NEW(&o->inputs, 1 + o->terms));
    EVN_TRY(compile(o));
    return evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64, o->layout.total,
                                &o->start);
}

evn_status evn__dense_output_create(const evn__problem *problem, evn__dense_output **output) {
    EVN_TRY(EVN_NEW(output, 1));
    (*output)->problem = problem;
    evn_status status = create(*output);
    if (status != EVN_OK) {
        evn__dense_output_destroy(output);
    }
    return status;
}

void evn__dense_output_destroy(evn__dense_output **output) {
    evn__dense_output *o = *output;
    if (!o) {
        return;
    }
    for (int i = 0; o->plans && i < o->layout.count; ++i) {
        evn_plan_destroy(&o->plans[i]);
    }
    evn__dense_destroy(&o->dense);
    evn__layout_free(&o->layout);
    evn__trail_free(&o->fixed);
    evn_buffer_destroy(&o->start);
    evn_buffer_destroy(&o->parts);
    free(o->plans);
    free(o->step);
    free(o->inputs);
    free(o);
    *output = NULL;
}

// A solve -----------------------------------------------------------------------------------------

static evn_binding start_of(const evn__dense_output *o, int index) {
    return (evn_binding){o->start, o->layout.offset[index]};
}

evn_status evn__dense_output_start(evn__dense_output *o, int index, evn_binding value) {
    o->gone = false;
    return evn__real_copy(start_of(o, index), value, o->problem->options->fp64,
                          o->layout.size[index]);
}

/// The steps once more, unless that is done.
static evn_status go(evn__dense_output *o, const evn__passage *passage, const evn__trail *trail) {
    EVN_TRY(o->gone
                ? EVN_OK
                : evn__dense_go(o->dense, trail, (evn_binding){o->start, 0}, passage->parameters));
    o->gone = true;
    return EVN_OK;
}

// Times -------------------------------------------------------------------------------------------

/// The last step that begins no later than t, in the direction of the way.
static int find_step(const evn__trail *trail, const evn__passage *passage, double t) {
    double way = passage->t1 < passage->t0 ? -1 : 1;
    int low = 0, high = trail->count - 1;
    while (low < high) {
        int middle = low + (high - low + 1) / 2;
        bool begins = way * (t - trail->steps[middle].t) >= 0;
        low = begins ? middle : low;
        high = begins ? high : middle - 1;
    }
    return low;
}

static double part_of(const evn__tread *tread, double t) {
    return fmin(fmax((t - tread->t) / tread->dt, 0), 1);
}

/// θ of all times, each in its step.
static evn_status write_parts(evn__dense_output *o, const evn__passage *passage,
                              const evn__trail *trail, const double *times, int count) {
    bool fp64 = o->problem->options->fp64;
    double *parts = NULL;
    if (count > o->capacity) {
        evn_buffer_destroy(&o->parts);
        o->capacity = 0;
        EVN_TRY(evn__real_create_for(o->problem->device, EVN__USE_STATES, fp64, (size_t)count,
                                     &o->parts));
        o->capacity = count;
    }
    EVN_TRY(EVN_NEW(&parts, count));
    for (int i = 0; i < count && trail->count > 0; ++i) {
        parts[i] = part_of(&trail->steps[find_step(trail, passage, times[i])], times[i]);
    }
    evn_status status = evn__real_write((evn_binding){o->parts, 0}, fp64, parts, (size_t)count);
    free(parts);
    return status;
}

static evn_status interpolate(evn__dense_output *o, int step, int index, int time, evn_binding to) {
    evn__dense_bind(o->dense, step, o->step);
    o->inputs[0] = (evn_binding){o->parts, (size_t)time};
    for (int p = 0; p < o->terms; ++p) {
        o->inputs[1 + p] = o->step[index * o->terms + p];
    }
    return evn_plan_run(o->plans[index], o->inputs, &to);
}

/// Both ends are states of the solve.
static evn_status find_one(evn__dense_output *o, const evn__passage *passage,
                           const evn__trail *trail, double t, int time, int index, evn_binding to) {
    bool fp64 = o->problem->options->fp64;
    size_t size = o->layout.size[index];
    double way = passage->t1 < passage->t0 ? -1 : 1;
    if (trail->count == 0 || way * (t - passage->t0) <= 0) {
        return evn__real_copy(to, start_of(o, index), fp64, size);
    }
    return way * (t - passage->t1) >= 0
               ? evn__real_copy(to, evn__dense_state(o->dense, trail->count, index), fp64, size)
               : interpolate(o, find_step(trail, passage, t), index, time, to);
}

/// The steps of the last solve.
static evn_status take_trail(evn__dense_output *o, const evn__passage *passage,
                             const evn__trail **trail) {
    const evn__problem *p = o->problem;
    if (*trail) {
        return EVN_OK;
    }
    *trail = &o->fixed;
    return passage->t0 != passage->t1
               ? evn__trail_set(&o->fixed, p->course, p->options->fp64, passage->t0, passage->t1)
               : EVN_OK;
}

evn_status evn__dense_output_at(evn__dense_output *o, const evn__passage *passage,
                                const evn__trail *trail, const double *times, int count, int index,
                                evn_binding to) {
    o->fixed.count = 0;
    EVN_TRY(take_trail(o, passage, &trail));
    EVN_TRY(go(o, passage, trail));
    EVN_TRY(write_parts(o, passage, trail, times, count));
    for (int i = 0; i < count; ++i) {
        EVN_TRY(find_one(o, passage, trail, times[i], i, index, to));
        to.offset += o->layout.size[index];
    }
    return EVN_OK;
}
